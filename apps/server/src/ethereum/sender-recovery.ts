/**
 * Senders of transactions, recovered on a thread of their own: 43 of the 135 us that a transfer takes. Where the
 * program runs from its source, or when the thread has failed, the answer is that nothing is known.
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

/**
 * Starts its thread when it is first asked.
 * @returns undefined where the program was not built, and so has no file for a thread to start from.
 */
export function openSenderRecovery(logger: Logger): SenderRecoveryThread | undefined {
  if (!isBuilt) return undefined
  /** Answers come in the order of the questions. */
  const waiting: Waiting[] = []
  let worker: Worker | undefined
  let isOver = false
  const end = (): void => {
    isOver = true
    for (const { count, resolve } of waiting.splice(0)) resolve(noSenders(count))
  }
  const start = (): Worker => {
    const started = new Worker(new URL('./recovery-thread.js', import.meta.url))
    started.on('message', (answer: RecoveryAnswer) => {
      const first = waiting.shift()
      first?.resolve(sendersOf(answer, first.count))
    })
    started.on('error', (error) => {
      logger.log('warn', 'senders are recovered in place: their thread has failed', { error })
    })
    started.on('exit', end)
    started.unref()
    return started
  }
  return {
    recoverSenders(raws) {
      if (isOver) return Promise.resolve(noSenders(raws.length))
      worker ??= start()
      const question = questionOf(raws)
      worker.postMessage(question, [question.bytes.buffer, question.ends.buffer] as ArrayBuffer[])
      return new Promise((resolve) => {
        waiting.push({ count: raws.length, resolve })
      })
    },
    async close() {
      end()
      await worker?.terminate()
    },
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
