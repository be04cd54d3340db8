/**
 * Sealing on a thread of its own: the engine's thread hands over what enters the hashes, in one message for all commits
 * of a turn of the event loop, and gets the blocks back ready for the journal. On two cores this takes about half of a
 * commit's work off the thread that executes transactions.
 */
import { Worker } from 'node:worker_threads'
import { assert, hashBytesSize } from '@cairn/core'
import { encodeBlockBody } from './block-record.ts'
import { ByteWriter } from './byte-writer.ts'
import { linkBlock, type SealedBlock, type Sealer, type SealerListener } from './sealer.ts'
import { type FromSealer, sealedHeaderBytesSize, type ToSealer } from './sealer-messages.ts'
import { type UnsealedBlock, writeUnsealedBlock } from './unsealed-block.ts'

/**
 * Blocks live until the projector has them, about 100 ms: with room for that long they are hardly ever copied.
 */
const youngGenerationMb = 96

/**
 * Blocks per message. A turn of the event loop can commit hundreds; the thread is to begin with the first while the
 * others are still being executed, else each side waits for the other in turn: with 256 in flight, 15,000
 * transactions a second became 20,000. Less than 16 cost more in messages than they win.
 */
const batchCountMax = 16

/** One thread for all ledgers of a host. */
export class SealerThread {
  readonly #worker: Worker
  readonly #channels = new Map<number, ThreadedSealer>()
  #nextChannel = 0

  constructor() {
    this.#worker = new Worker(new URL('./sealer-thread.js', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
    })
    this.#worker.on('message', (message: FromSealer) =>
      this.#channels.get(message.channel)?.receive(message),
    )
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', (code) => this.#fail(new Error(`the sealer's thread ended: ${code}`)))
  }

  async open(
    options: Pick<
      Extract<ToSealer, { kind: 'open' }>,
      'strandId' | 'directory' | 'tipHash' | 'size'
    >,
    listener: SealerListener,
  ): Promise<Sealer> {
    const channel = this.#nextChannel++
    const sealer = new ThreadedSealer(channel, this.#worker, listener)
    this.#channels.set(channel, sealer)
    await sealer.open(options)
    return sealer
  }

  #fail(error: unknown): void {
    for (const [channel, sealer] of this.#channels) {
      sealer.receive({ kind: 'failed', channel, error })
    }
    this.#channels.clear()
  }

  async close(): Promise<void> {
    this.#channels.clear()
    await this.#worker.terminate()
  }
}

class ThreadedSealer implements Sealer {
  readonly #channel: number
  readonly #worker: Worker
  readonly #listener: SealerListener
  readonly #writer = new ByteWriter()
  #count = 0
  /** Messages with blocks that the thread has not sent back. */
  #unansweredCount = 0
  #strandId = ''
  /** Hash of the first block of the batch where that was sealed in place. */
  #sealedHash: Uint8Array | undefined
  /** Hash of the last block, known while the thread owes no answer. */
  #tipHash: Uint8Array = new Uint8Array(0)
  #failure: unknown
  /** Whoever waits for the thread to have opened or closed the channel. */
  #waiter: { resolve: () => void; reject: (error: unknown) => void } | undefined

  /** Whoever waits for the projection to be clean. */
  #cleaner: { resolve: () => void; reject: (error: unknown) => void } | undefined

  constructor(channel: number, worker: Worker, listener: SealerListener) {
    this.#channel = channel
    this.#worker = worker
    this.#listener = listener
  }

  open(
    options: Pick<
      Extract<ToSealer, { kind: 'open' }>,
      'strandId' | 'directory' | 'tipHash' | 'size'
    >,
  ): Promise<void> {
    this.#strandId = options.strandId
    this.#tipHash = options.tipHash
    return this.#ask({ kind: 'open', channel: this.#channel, ...options })
  }

  seal(block: UnsealedBlock, isAlone: boolean): void {
    const isThreadIdle = this.#unansweredCount === 0 && this.#count === 0
    writeUnsealedBlock(this.#writer, block)
    this.#count++
    if (isAlone && isThreadIdle) this.#sealInPlace(block)
    if (this.#count === batchCountMax) this.#flush()
    // After the write of a block that was sealed in place, which waits for the next turn too.
    else if (this.#count === 1) setImmediate(() => this.#flush())
  }

  /**
   * One block takes 20 µs here, and several times that to a sleeping thread and back. The thread seals it again: its
   * trees and projections need what comes out.
   */
  #sealInPlace(block: UnsealedBlock): void {
    const { record, entryHash } = linkBlock(this.#strandId, this.#tipHash, block)
    const { blockHash } = record
    this.#tipHash = blockHash
    this.#sealedHash = blockHash
    this.#listener.onSealed([{ blockHash, entryHash, body: encodeBlockBody(record) }])
  }

  #flush(): void {
    const count = this.#count
    if (count === 0) return
    const bytes = this.#writer.take()
    const sealedHash = this.#sealedHash
    const message: ToSealer = { kind: 'seal', channel: this.#channel, bytes, count, sealedHash }
    if (count > 1 || sealedHash === undefined) this.#unansweredCount++
    this.#count = 0
    this.#sealedHash = undefined
    this.#worker.postMessage(message, [bytes.buffer as ArrayBuffer])
  }

  project(durableCount: number): void {
    const message: ToSealer = { kind: 'project', channel: this.#channel, durableCount }
    this.#worker.postMessage(message)
  }

  clean(supersededNo: number, finishedNos: readonly number[], signal: AbortSignal): Promise<void> {
    assert(this.#cleaner === undefined, 'one cleaning at a time')
    const channel = this.#channel
    const stop = () => this.#worker.postMessage({ kind: 'stopCleaning', channel })
    const isClean = new Promise<void>((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      this.#cleaner = { resolve, reject }
      const message: ToSealer = { kind: 'clean', channel, supersededNo, finishedNos }
      this.#worker.postMessage(message)
      signal.addEventListener('abort', stop, { once: true })
    })
    return isClean.finally(() => signal.removeEventListener('abort', stop))
  }

  async close(durableCount: number): Promise<void> {
    await this.#ask({ kind: 'close', channel: this.#channel, durableCount })
  }

  #ask(message: ToSealer): Promise<void> {
    assert(this.#waiter === undefined, 'one question at a time')
    return new Promise((resolve, reject) => {
      // A thread that has ended answers nothing any more; closing must not wait for it.
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      this.#waiter = { resolve, reject }
      this.#worker.postMessage(message)
    })
  }

  #answered(blocks: readonly SealedBlock[]): void {
    this.#tipHash = blocks.at(-1)?.blockHash.slice() ?? this.#tipHash
    this.#listener.onSealed(blocks)
  }

  receive(message: FromSealer): void {
    switch (message.kind) {
      case 'sealed':
        this.#unansweredCount--
        this.#answered(readSealed(message.bytes))
        return
      case 'projected':
        this.#listener.onProjected(message.sequenceNo)
        return
      case 'opened':
      case 'closed':
        this.#waiter?.resolve()
        this.#waiter = undefined
        return
      case 'cleaned':
        if (message.isExchanged) this.#listener.onExchanged()
        this.#cleaner?.resolve()
        this.#cleaner = undefined
        return
      case 'notCleaned':
        this.#cleaner?.reject(message.error)
        this.#cleaner = undefined
        return
      case 'failed':
        this.#failure ??= message.error
        this.#cleaner?.reject(message.error)
        this.#cleaner = undefined
        this.#listener.onFailed(message.error)
        this.#waiter?.reject(message.error)
        this.#waiter = undefined
    }
  }
}

function readSealed(bytes: Uint8Array): SealedBlock[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const blocks: SealedBlock[] = []
  let offset = 0
  while (offset < bytes.length) {
    const start = offset + sealedHeaderBytesSize
    const end = start + view.getUint32(start - 4, true)
    blocks.push({
      blockHash: bytes.subarray(offset, offset + hashBytesSize),
      entryHash: bytes.subarray(offset + hashBytesSize, start - 4),
      body: bytes.subarray(start, end),
    })
    offset = end
  }
  return blocks
}
