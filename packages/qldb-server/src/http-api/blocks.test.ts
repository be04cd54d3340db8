import { createMemoryProjections, type EmbeddedLedger, openLedger } from '@cairn/ledger'
import { createMemoryFileSystem, createVirtualClock } from '@cairn/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readBlocks } from './blocks.ts'

const never = new AbortController().signal
const clock = createVirtualClock()
let embedded: EmbeddedLedger

beforeEach(async () => {
  embedded = await openLedger({
    directory: '/data',
    fileSystem: createMemoryFileSystem(),
    projections: createMemoryProjections(),
    isLocked: false,
  })
  for (const name of ['A', 'B', 'C']) await commit(`CREATE TABLE ${name}`)
})
afterEach(() => embedded.close())

const commit = (statement: string) => embedded.transact((tx) => tx.execute(statement))

async function read(query: string, closing = never) {
  const { blocks, nextSequenceNo } = JSON.parse(
    await readBlocks(embedded.ledger, query, clock, closing),
  )
  return {
    numbers: blocks.map((block: { blockAddress: { sequenceNo: number } }) =>
      typeof block === 'string'
        ? Number(/sequenceNo:(\d+)/.exec(block)?.[1])
        : block.blockAddress.sequenceNo,
    ),
    next: nextSequenceNo,
  }
}

describe('readBlocks', () => {
  it('gives blocks in order, as many as asked for', async () => {
    expect(await read('')).toEqual({ numbers: [0, 1, 2, 3], next: 4 })
    expect(await read('from=1&limit=2&format=ion')).toEqual({ numbers: [1, 2], next: 3 })
    expect(await read('from=4')).toEqual({ numbers: [], next: 4 })
    expect(await read('from=9')).toEqual({ numbers: [], next: 9 })
  })

  it('waits for the next one, for its time, or until the server closes', async () => {
    const arriving = read('from=4&waitMs=1000')
    await commit('CREATE TABLE D')
    expect(await arriving).toEqual({ numbers: [4], next: 5 })
    const waiting = read('from=5&waitMs=1000')
    await clock.advance(1000)
    expect(await waiting).toEqual({ numbers: [], next: 5 })
    const controller = new AbortController()
    const closing = read('from=5&waitMs=1000', controller.signal)
    controller.abort()
    expect(await closing).toEqual({ numbers: [], next: 5 })
  })

  it.each(['from=-1', 'from=x', 'limit=1001', 'waitMs=25001', 'format=xml'])(
    'refuses %s',
    async (query) => {
      await expect(read(query)).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    },
  )
})
