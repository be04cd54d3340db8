/**
 * The journal of local transactions, geth's `transactions.rlp`: their encodings one after the other, so that a restart
 * loses none. Appended to as they come, written anew now and then without those that have left. Losing its last bytes
 * in a crash loses those transactions only; their senders have them.
 */
import { concatBytes, type FileSystem, type Logger, type OpenFile } from '@cairn/core'
import { decodeRlp, encodeRlp, peekRlpHeader } from '@cairn/eth-codec'
import {
  type IncomingTransaction,
  type PooledTransaction,
  readIncoming,
} from './pooled-transaction.ts'
import type { TransactionPool } from './transaction-pool.ts'

/** Appended bytes after which the journal is written anew. */
const appendedBytesMax = 16 * 1024 * 1024
/** A journal has up to twice what is appended to it; more is not ours. */
const journalBytesMax = 256 * 1024 * 1024

export class PoolJournal {
  readonly #fileSystem: FileSystem
  readonly #path: string
  readonly #pool: TransactionPool
  readonly #logger: Logger
  #file: OpenFile | undefined
  /** Entries that are not being written yet. */
  readonly #waiting: Uint8Array[] = []
  #size = 0
  #appended = 0
  /** Writes one after the other. */
  #last: Promise<void> = Promise.resolve()
  #unsubscribe: (() => void) | undefined

  constructor(options: {
    readonly fileSystem: FileSystem
    readonly path: string
    readonly pool: TransactionPool
    readonly logger: Logger
  }) {
    this.#fileSystem = options.fileSystem
    this.#path = options.path
    this.#pool = options.pool
    this.#logger = options.logger
  }

  /** Puts the transactions of the journal into the pool, then follows the pool. @returns how many came back. */
  async open(): Promise<number> {
    const incoming = await this.#load()
    const results = this.#pool.addMany(incoming, true)
    this.#unsubscribe = this.#pool.subscribe({
      accepted: (pooled) => {
        if (pooled.isLocal) this.#append(pooled.raw)
      },
    })
    await this.rotate()
    return results.filter((result) => !(result instanceof Error)).length
  }

  async #load(): Promise<IncomingTransaction[]> {
    if (!(await this.#fileSystem.exists(this.#path))) return []
    const bytes = await this.#fileSystem.readFile(this.#path)
    const incoming: IncomingTransaction[] = []
    let offset = 0
    try {
      while (offset < Math.min(bytes.length, journalBytesMax)) {
        const { end } = peekRlpHeader(bytes, offset)
        incoming.push(readIncoming(rawOf(bytes.slice(offset, end))))
        offset = end
      }
    } catch (error) {
      // A crash cuts off the last one. What stands before it is whole.
      this.#logger.log('warn', 'the journal of local transactions ends inside a transaction', {
        path: this.#path,
        offset,
        size: bytes.length,
        reason: error instanceof Error ? error.message : String(error),
      })
    }
    return incoming
  }

  /** Writes the journal anew with the local transactions that are in the pool. Its owner calls it once an hour. */
  rotate(): Promise<void> {
    return this.#enqueue(async () => {
      await this.#file?.close()
      this.#file = undefined
      const bytes = joined(this.#pool.locals())
      await this.#fileSystem.writeFileAtomic(this.#path, bytes)
      this.#file = await this.#fileSystem.open(this.#path, 'readWrite')
      this.#size = bytes.length
      this.#appended = 0
    })
  }

  /** What comes while a write is under way goes out with the next one: one for each would cost more than they do. */
  #append(raw: Uint8Array): void {
    this.#waiting.push(entryOf(raw))
    if (this.#waiting.length === 1) void this.#enqueue(() => this.#writeWaiting())
  }

  async #writeWaiting(): Promise<void> {
    const bytes = concatBytes(...this.#waiting.splice(0))
    await this.#file?.write(bytes, this.#size)
    this.#size += bytes.length
    this.#appended += bytes.length
    if (this.#appended > appendedBytesMax) void this.rotate()
  }

  #enqueue(write: () => Promise<void>): Promise<void> {
    const written = this.#last.then(write)
    this.#last = written.catch((error: unknown) => {
      this.#logger.log('error', 'the journal of local transactions could not be written', {
        path: this.#path,
        reason: error instanceof Error ? error.message : String(error),
      })
    })
    return this.#last
  }

  /** Waits for what is being written, and stops following the pool. */
  async close(): Promise<void> {
    this.#unsubscribe?.()
    await this.#last
    await this.#file?.syncData()
    await this.#file?.close()
    this.#file = undefined
  }
}

/** A legacy transaction is a list already; a typed one becomes a byte string. */
function entryOf(raw: Uint8Array): Uint8Array {
  return (raw[0] ?? 0) >= 0xc0 ? raw : encodeRlp(raw)
}

function rawOf(entry: Uint8Array): Uint8Array {
  if ((entry[0] ?? 0) >= 0xc0) return entry
  return decodeRlp(entry) as Uint8Array
}

function joined(locals: readonly PooledTransaction[]): Uint8Array {
  const entries = [...locals].sort((a, b) => a.arrival - b.arrival).map(({ raw }) => entryOf(raw))
  return concatBytes(...entries)
}
