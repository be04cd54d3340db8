/**
 * Senders of transactions, recovered on a thread of their own: 43 of the 135 us that a transfer takes. Where the
 * program runs from its source, or when the thread ends, nothing is known, and the pool recovers them.
 */
import { Worker } from 'node:worker_threads'
import type { Logger } from '@cairn/core'
import type { SenderRecovery } from '@cairn/eth-rpc'

/** To the thread: transactions one behind the other. */
export interface RecoveryQuestion {
  readonly bytes: Uint8Array
  /** Where each ends in `bytes`. */
  readonly ends: Uint32Array
}

/** From the thread, in the order of the questions: 20 bytes for each transaction, zeros where it has no sender. */
export type RecoveryAnswer = Uint8Array

export interface SenderRecoveryThread extends SenderRecovery {
  close(): Promise<void>
}

type Senders = readonly (Uint8Array | undefined)[]

interface Waiting {
  readonly count: number
  resolve(senders: Senders): void
}

const isBuilt = import.meta.url.endsWith('.js')
const builtThread = isBuilt
  ? () => new Worker(new URL('./recovery-thread.js', import.meta.url))
  : undefined
/** Threads that may end before senders are recovered in place for good: it works as well, only slower. */
const endedCountMax = 5

/**
 * Starts its thread when it is first asked, and another when one has ended.
 * @param startThread For tests: the thread from its source.
 * @returns undefined where the program was not built, and so has no file for a thread to start from.
 */
export function openSenderRecovery(
  logger: Logger,
  startThread: (() => Worker) | undefined = builtThread,
): SenderRecoveryThread | undefined {
  if (startThread === undefined) return undefined
  let running: RecoveryThread | undefined
  let endedCount = 0
  const start = (): RecoveryThread => {
    const started = new RecoveryThread(startThread(), (cause) => {
      if (running !== started) return
      running = undefined
      endedCount++
      const isLast = endedCount === endedCountMax
      const message = isLast
        ? 'the thread that recovers senders has ended again; they are recovered in place'
        : 'the thread that recovers senders has ended; the next batch starts another'
      logger.log('warn', message, { error: cause })
    })
    return started
  }
  return {
    recoverSenders(raws) {
      if (endedCount === endedCountMax) return Promise.resolve(noSenders(raws.length))
      running ??= start()
      return running.ask(raws)
    },
    async close() {
      endedCount = endedCountMax
      const last = running
      running = undefined
      await last?.close()
    },
  }
}

class RecoveryThread {
  readonly #worker: Worker
  /** Answers come in the order of the questions. */
  readonly #waiting: Waiting[] = []

  constructor(worker: Worker, onEnd: (cause: unknown) => void) {
    this.#worker = worker
    let cause: unknown
    worker.on('message', (answer: RecoveryAnswer) => {
      const first = this.#waiting.shift()
      first?.resolve(sendersOf(answer, first.count))
    })
    worker.on('error', (error) => {
      cause = error
    })
    worker.on('exit', (code) => {
      onEnd(cause ?? new Error(`it has ended with code ${code}`))
      this.#answerAll()
    })
    worker.unref()
  }

  ask(raws: readonly Uint8Array[]): Promise<Senders> {
    const question = questionOf(raws)
    this.#worker.postMessage(question, [
      question.bytes.buffer,
      question.ends.buffer,
    ] as ArrayBuffer[])
    return new Promise((resolve) => {
      this.#waiting.push({ count: raws.length, resolve })
    })
  }

  async close(): Promise<void> {
    this.#answerAll()
    await this.#worker.terminate()
  }

  /** That nothing is known. In the order of the questions, as ever. */
  #answerAll(): void {
    for (const { count, resolve } of this.#waiting.splice(0)) resolve(noSenders(count))
  }
}

function questionOf(raws: readonly Uint8Array[]): RecoveryQuestion {
  const ends = new Uint32Array(raws.length)
  let size = 0
  for (const [index, raw] of raws.entries()) {
    size += raw.length
    ends[index] = size
  }
  const bytes = new Uint8Array(size)
  for (const [index, raw] of raws.entries()) bytes.set(raw, (ends[index] as number) - raw.length)
  return { bytes, ends }
}

function noSenders(count: number): Senders {
  return new Array<undefined>(count).fill(undefined)
}

function sendersOf(answer: RecoveryAnswer, count: number): Senders {
  return Array.from({ length: count }, (_, index) => {
    const sender = answer.slice(20 * index, 20 * index + 20)
    return sender.some((byte) => byte !== 0) ? sender : undefined
  })
}
