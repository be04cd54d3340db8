/**
 * The side of the thread that executes: does what the other side asks over a port, and says when there is something
 * new. A message is dealt with in one go; a chain file is imported in portions, so that others get their turn.
 */
import type { Logger } from '@cairn/core'
import type { AccountProof } from '@cairn/eth-state'
import type { ImportProgress } from '../file/chain-file.ts'
import { ExecutableTransactions } from './executable-transactions.ts'
import type { LocalExecution } from './local-execution.ts'
import {
  type CallName,
  type Calls,
  type ExecutionPort,
  type FromExecution,
  plainFields,
  type ToExecution,
  type WrittenSignal,
} from './messages.ts'
import { packPending } from './packed-pending.ts'
import { unpackHashes, unpackTransactions } from './packed-transactions.ts'
import { packError } from './thread-error.ts'

export interface ExecutionServerOptions {
  readonly port: ExecutionPort
  readonly signal: WrittenSignal
  readonly execution: LocalExecution
  /** The other side has let go of the database after it closed execution: nothing more is asked. */
  onEnd(): void
}

/** A logger for the thread that executes: its lines come out on the other side. */
export function portLogger(port: ExecutionPort): Logger {
  return {
    log: (level, message, fields) => {
      tell(port, { kind: 'log', level, message, fields: plainFields(fields) })
    },
  }
}

export class ExecutionServer {
  readonly #options: ExecutionServerOptions
  /** What is told of the pool; undefined while nothing is sealed. */
  #transactions: ExecutableTransactions | undefined

  constructor(options: ExecutionServerOptions) {
    this.#options = options
    const { port, execution } = options
    execution.chain.onHead((change) => {
      this.#transactions?.follow(change)
      this.#signalWritten()
    })
    execution.onSealing((isSealing) => tell(port, { kind: 'sealing', isSealing }))
    port.on('message', (message) => this.#take(message as ToExecution))
  }

  #take(message: ToExecution): void {
    const { port, execution, onEnd } = this.#options
    switch (message.kind) {
      case 'call':
        void this.#answer(message)
        return
      case 'transactions':
        this.#takeTransactions(message)
        tell(port, { kind: 'taken' })
        return
      case 'vanity':
        execution.setVanity(message.vanity)
        return
      case 'gasLimit':
        execution.setGasLimit(message.gasLimit)
        return
      case 'propose':
        if (message.authorize === undefined) execution.proposals.discard(message.address)
        else execution.proposals.propose(message.address, message.authorize)
        return
      case 'endImports':
        execution.endImports()
        return
      case 'end':
        onEnd()
        return
      default: {
        const never: never = message
        throw new TypeError(`Unknown message ${JSON.stringify(never)}`)
      }
    }
  }

  #takeTransactions({ added, gone }: { added: Uint8Array; gone: Uint8Array }): void {
    const transactions = this.#transactionsOrNew()
    for (const hash of unpackHashes(gone)) transactions.remove(hash)
    transactions.add(unpackTransactions(added))
  }

  async #answer(call: ToExecution & { readonly kind: 'call' }): Promise<void> {
    const { port } = this.#options
    const { id } = call
    try {
      tell(port, { kind: 'answer', id, value: await this.#do(call) })
    } catch (error) {
      tell(port, { kind: 'failed', id, error: packError(error) })
    }
  }

  async #do(call: ToExecution & { readonly kind: 'call' }): Promise<Calls[CallName]['answer']> {
    const { execution, port } = this.#options
    switch (call.name) {
      case 'startSealing':
        try {
          await execution.startSealing(call.ask, this.#transactionsOrNew())
        } finally {
          // Copied, and nobody else's.
          call.ask.privateKey.fill(0)
        }
        return undefined
      case 'stopSealing':
        await execution.stopSealing()
        this.#transactions = undefined
        return undefined
      case 'pending':
        return this.#pending(call.ask)
      case 'proof': {
        const { root, address, slots } = call.ask
        return ownProof(await execution.proof(root, address, slots))
      }
      case 'badBlocks':
        return await execution.badBlocks()
      case 'importBlocks':
        try {
          return await execution.importBlocks(call.ask.blocks)
        } finally {
          // Blocks beside the head are written without moving it.
          this.#signalWritten()
        }
      case 'importFile': {
        const { id } = call
        const onProgress = (progress: ImportProgress) => {
          tell(port, { kind: 'progress', id, progress })
        }
        return await execution.importFile(call.ask.path, onProgress)
      }
      case 'close':
        await execution.close()
        return undefined
    }
  }

  /** They are told of before sealing begins, and until it ends. */
  #transactionsOrNew(): ExecutableTransactions {
    const { chain } = this.#options.execution
    this.#transactions ??= new ExecutableTransactions(() => chain.stateOf(chain.head.header))
    return this.#transactions
  }

  #pending({ version }: Calls['pending']['ask']): Calls['pending']['answer'] {
    const snapshot = this.#options.execution.pendingSnapshot()
    if (snapshot === undefined) return { kind: 'none' }
    if (snapshot.version === version) return { kind: 'same' }
    return { kind: 'packed', packed: packPending(snapshot) }
  }

  /** One message is under way at most, however fast blocks come. */
  #signalWritten(): void {
    const { signal, port } = this.#options
    if (Atomics.exchange(signal, 0, 1) === 0) tell(port, { kind: 'written' })
  }
}

function tell(port: ExecutionPort, message: FromExecution): void {
  port.postMessage(message)
}

/** Views would bring the whole buffer below each of them along. */
function ownProof({ account, accountProof, storageProofs }: AccountProof): AccountProof {
  const own = (bytes: Uint8Array) => bytes.slice()
  const { nonce, balance, storageRoot, codeHash } = account
  return {
    account: { nonce, balance, storageRoot: own(storageRoot), codeHash: own(codeHash) },
    accountProof: accountProof.map(own),
    storageProofs: storageProofs.map(({ slot, value, proof }) => ({
      slot: own(slot),
      value: own(value),
      proof: proof.map(own),
    })),
  }
}
