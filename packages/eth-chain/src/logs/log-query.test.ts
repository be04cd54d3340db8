import { toHex } from '@cairn/core'
import { type Log, logsBloom, type Receipt } from '@cairn/eth-codec'
import { createMemoryDatabase } from '@cairn/eth-state'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChainStore } from '../store/chain-store.ts'
import { ChainKit, makeGenesis } from '../testing/chain-kit.ts'
import { findLogs, type LogFilter, logsOfBlock, matchesLog } from './log-query.ts'

const addressNo = (no: number) => new Uint8Array(20).fill(no)
const topicNo = (no: number) => new Uint8Array(32).fill(no)
const few = fc.integer({ min: 1, max: 3 })
const log: fc.Arbitrary<Log> = fc.record({
  address: few.map(addressNo),
  topics: fc.array(few.map(topicNo), { maxLength: 4 }),
  data: fc.constant(new Uint8Array(0)),
})
const filter: fc.Arbitrary<LogFilter> = fc.record({
  addresses: fc.array(few.map(addressNo), { maxLength: 2 }),
  topics: fc.array(fc.array(few.map(topicNo), { maxLength: 2 }), { maxLength: 3 }),
})

/** A chain whose blocks hold these logs; nothing of it was executed. */
function storeOf(blocks: readonly (readonly Log[])[]): ChainStore {
  const kit = new ChainKit(makeGenesis('A'))
  const transaction = kit.transaction('B')
  const { header } = kit.chain.head
  const database = createMemoryDatabase()
  const store = new ChainStore(database)
  database.writeSync(() => {
    for (const [index, logs] of blocks.entries()) {
      const receipts: Receipt[] = logs.map((each) => ({
        type: 2,
        outcome: 1,
        cumulativeGasUsed: 1n,
        logsBloom: logsBloom([each]),
        logs: [each],
      }))
      const block = {
        header: { ...header, number: BigInt(index), logsBloom: logsBloom(logs) },
        transactions: logs.map(() => transaction),
        uncles: [],
      }
      const hash = `0x${toHex(topicNo(index + 1))}`
      store.putBlock(block, hash, 1n)
      const senders = logs.map(() => addressNo(9))
      store.putCanonical({ block, hash, totalDifficulty: 1n, senders, receipts })
    }
  })
  return store
}

describe('log query', () => {
  it('finds what reading every block finds, in the same order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(log, { maxLength: 3 }), { minLength: 1, maxLength: 12 }),
        filter,
        fc.nat(12),
        fc.nat(12),
        (blocks, wanted, from, to) => {
          const expected = blocks.flatMap((logs, number) =>
            number < from || number > to
              ? []
              : logs.flatMap((each, index) =>
                  matchesLog(wanted, each) ? [`${number}/${index}`] : [],
                ),
          )
          const found = [...findLogs(storeOf(blocks), wanted, BigInt(from), BigInt(to))].flat()
          expect(found.map((each) => `${each.blockNumber}/${each.logIndex}`)).toEqual(expected)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('has topics by position: too few topics do not match, none wanted matches any', () => {
    const some: Log = {
      address: addressNo(1),
      topics: [topicNo(1), topicNo(2)],
      data: new Uint8Array(0),
    }
    const match = (topics: Uint8Array[][]) => matchesLog({ addresses: [], topics }, some)
    expect(match([])).toBe(true)
    expect(match([[], []])).toBe(true)
    expect(match([[], [topicNo(2)]])).toBe(true)
    expect(match([[topicNo(2)]])).toBe(false)
    expect(match([[topicNo(2), topicNo(1)]])).toBe(true)
    expect(match([[], [], []])).toBe(false)
  })

  it('answers nothing for a block that is not known', () => {
    const none = logsOfBlock(storeOf([[]]), `0x${'ee'.repeat(32)}`, { addresses: [], topics: [] })
    expect([...none]).toEqual([])
  })
})
