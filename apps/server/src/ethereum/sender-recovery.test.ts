import type { Worker } from 'node:worker_threads'
import { silentLogger } from '@cairn/core'
import { encodeTransaction, recoverSender, signTransaction } from '@cairn/eth-codec'
import { afterEach, describe, expect, it } from 'vitest'
import { openSenderRecovery, type SenderRecoveryThread } from './sender-recovery.ts'
import { startRecoverySourceThread } from './testing/source-thread.ts'

const key = new Uint8Array(32).fill(7)
const transactions = Array.from({ length: 20 }, (_, nonce) =>
  signTransaction(
    {
      type: 0,
      chainId: 1337n,
      nonce: BigInt(nonce),
      maxPriorityFeePerGas: 1n,
      maxFeePerGas: 1n,
      gasLimit: 21_000n,
      to: new Uint8Array(20),
      value: 1n,
      data: new Uint8Array(0),
      accessList: [],
    },
    key,
  ),
)
const raws = transactions.map((each) => encodeTransaction(each))
const sender = recoverSender(transactions[0] as (typeof transactions)[0])
const all = raws.map(() => sender)
const none = raws.map(() => undefined)

describe('the thread that recovers senders', () => {
  let recovery: SenderRecoveryThread
  const threads: Worker[] = []
  afterEach(async () => {
    await recovery.close()
    threads.length = 0
  })

  function open(): void {
    const opened = openSenderRecovery(silentLogger, () => {
      const thread = startRecoverySourceThread()
      threads.push(thread)
      return thread
    })
    recovery = opened as SenderRecoveryThread
  }

  it('answers whoever waits when it ends, in order, and is replaced for whoever asks next', async () => {
    open()
    expect(await recovery.recoverSenders(raws)).toEqual(all)
    const order: number[] = []
    const waiting = [0, 1, 2].map(async (index) => {
      const senders = await recovery.recoverSenders(raws)
      order.push(index)
      return senders
    })
    // Whatever it has seen of them.
    await threads[0]?.terminate()
    for (const senders of await Promise.all(waiting)) expect([all, none]).toContainEqual(senders)
    expect(order).toEqual([0, 1, 2])
    expect(await recovery.recoverSenders(raws)).toEqual(all)
    expect(threads).toHaveLength(2)
  })

  it('is not replaced for ever: then nothing is known, at once', async () => {
    open()
    for (let round = 0; round < 5; round++) {
      const waiting = recovery.recoverSenders(raws)
      const thread = threads[round] as Worker
      await thread.terminate()
      expect([all, none]).toContainEqual(await waiting)
    }
    expect(await recovery.recoverSenders(raws)).toEqual(none)
    expect(threads).toHaveLength(5)
  })
})
