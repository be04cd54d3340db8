/** The thread that recovers senders. Started by sender-recovery.ts; ends when that ends it. */
import { parentPort } from 'node:worker_threads'
import { assert } from '@cairn/core'
import { decodeTransaction, recoverSender } from '@cairn/eth-codec'
import type { RecoveryAnswer, RecoveryQuestion } from './sender-recovery.ts'

const port = parentPort
assert(port !== null, 'this file runs as a worker')

port.on('message', (question: RecoveryQuestion) => {
  const answer: RecoveryAnswer = recoverAll(question)
  port.postMessage(answer, [answer.buffer as ArrayBuffer])
})

function recoverAll({ bytes, ends }: RecoveryQuestion): RecoveryAnswer {
  const answer = new Uint8Array(20 * ends.length)
  let start = 0
  for (const [index, end] of ends.entries()) {
    try {
      answer.set(recoverSender(decodeTransaction(bytes.subarray(start, end))), 20 * index)
    } catch {
      // Whoever asked finds out the same, and has words for it.
    }
    start = end
  }
  return answer
}
