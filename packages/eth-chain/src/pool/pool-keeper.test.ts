import { silentLogger } from '@cairn/core'
import { createMemoryFileSystem, createVirtualClock } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { PoolFixture, transferOf } from '../testing/pool-fixture.ts'
import { PoolKeeper } from './pool-keeper.ts'

describe('PoolKeeper', () => {
  it('keeps local transactions over a restart, and lets others expire', async () => {
    const fileSystem = createMemoryFileSystem()
    await fileSystem.makeDirectory('/geth')
    const journal = { fileSystem, path: '/geth/transactions.rlp' }
    const start = async () => {
      const clock = createVirtualClock()
      const fixture = new PoolFixture({}, { clock })
      for (const name of 'AB') fixture.fund(name)
      const options = { pool: fixture.pool, clock, logger: silentLogger, journal }
      return { clock, ...fixture, pool: fixture.pool, keeper: await PoolKeeper.open(options) }
    }
    const { pool, clock, keeper } = await start()
    pool.add(transferOf('A', 3), true)
    pool.add(transferOf('B', 3), false)
    const pass = async (minutes: number) => {
      await clock.advance(minutes * 60_000)
      // Every hour the journal is written anew, which takes more turns of the event loop than the clock waits.
      while (clock.sleeperCount === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    for (const minutes of [60, 60, 59]) await pass(minutes)
    expect(pool.status().queued).toBe(2)
    for (const minutes of [1, 1]) await pass(minutes)
    expect(pool.get(transferOf('B', 3).hash)).toBeUndefined()
    await keeper.close()
    const second = await start()
    expect(second.pool.locals().map(({ hash }) => hash)).toEqual([transferOf('A', 3).hash])
    await second.keeper.close()
  })
})
