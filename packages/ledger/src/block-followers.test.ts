import { createMemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { firstBlockSince } from './block-followers.ts'
import { type EmbeddedLedger, openLedger } from './library.ts'
import { createMemoryProjections } from './memory-projection.ts'

function open(): Promise<EmbeddedLedger> {
  return openLedger({
    directory: '/data',
    fileSystem: createMemoryFileSystem(),
    projections: createMemoryProjections(),
    isLocked: false,
  })
}

describe('reading a ledger block by block', () => {
  it('gives the blocks that GetBlock gives, in order, from any place', async () => {
    const { ledger, transact, close } = await open()
    await transact((tx) => tx.execute('CREATE TABLE T'))
    for (let i = 0; i < 3; i++) await transact((tx) => tx.execute('INSERT INTO T ?', { i }))
    expect(ledger.blockCount).toBe(5)
    const blocks = [...ledger.blocksFrom(1)]
    expect(blocks.map(({ sequenceNo }) => sequenceNo)).toEqual([1, 2, 3, 4])
    for (const { sequenceNo, value } of blocks) {
      const address = { strandId: ledger.strandId, sequenceNo }
      expect(value).toEqual(ledger.block(address).value)
    }
    expect([...ledger.blocksFrom(5)]).toEqual([])
    expect(() => [...ledger.blocksFrom(6)]).toThrow(/blocks 0 to 4/)
    await close()
  })

  it('waits for a block, and ends waiting when the ledger closes or nobody listens any more', async () => {
    const { ledger, transact, close } = await open()
    await ledger.untilBlock(0)
    const arrived = ledger.untilBlock(1)
    await transact((tx) => tx.execute('CREATE TABLE T'))
    await arrived
    const controller = new AbortController()
    const given = ledger.untilBlock(2, controller.signal)
    controller.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    const late = ledger.untilBlock(2)
    await Promise.all([expect(late).rejects.toThrow(/closed/), close()])
  })

  it('finds the first block of a time', () => {
    const times = [10, 20, 20, 30]
    const find = (timestampMs: number) =>
      firstBlockSince(timestampMs, times.length, (no) => times[no] ?? 0)
    expect([0, 10, 11, 20, 21, 30, 31].map(find)).toEqual([0, 0, 1, 1, 3, 3, 4])
  })
})
