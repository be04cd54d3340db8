import type { LogLevel } from '@cairn/core'
import { createMemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { addressOf } from '../testing/clique-chain.ts'
import { gwei, PoolFixture, transferOf } from '../testing/pool-fixture.ts'
import { PoolJournal } from './pool-journal.ts'

const path = '/geth/transactions.rlp'

async function start(fileSystem = createMemoryFileSystem()) {
  await fileSystem.makeDirectory('/geth')
  const fixture = new PoolFixture()
  for (const name of 'AB') fixture.fund(name)
  const logged: [LogLevel, string][] = []
  const logger = { log: (level: LogLevel, message: string) => logged.push([level, message]) }
  const journal = new PoolJournal({ fileSystem, path, pool: fixture.pool, logger })
  const returned = await journal.open()
  return { fileSystem, fixture, journal, returned, logged }
}

describe('PoolJournal', () => {
  it('brings local transactions of every type back after a restart, and no others', async () => {
    const first = await start()
    const legacy = { type: 0, maxPriorityFeePerGas: 3n * gwei } as const
    first.fixture.pool.add(transferOf('A', 0, legacy), true)
    first.fixture.pool.add(transferOf('A', 1), true)
    first.fixture.pool.add(transferOf('B', 0), false)
    await first.journal.close()
    const second = await start(first.fileSystem)
    expect(second.returned).toBe(2)
    expect(second.fixture.pool.locals().map(({ hash }) => hash)).toEqual([
      transferOf('A', 0, legacy).hash,
      transferOf('A', 1).hash,
    ])
    expect(second.logged).toEqual([])
  })

  it('forgets those that have left, when it is written anew', async () => {
    const { fileSystem, fixture, journal } = await start()
    for (const nonce of [0, 1, 2]) fixture.pool.add(transferOf('A', nonce), true)
    fixture.fund('A', 10n ** 20n, 2n)
    fixture.reset()
    await journal.rotate()
    fixture.pool.add(transferOf('A', 3), true)
    await journal.close()
    const expected = [2, 3].map((nonce) => transferOf('A', nonce).raw.length)
    const size = (await fileSystem.readFile(path)).length
    // A byte string of this length has a header of two bytes.
    expect(size).toBe(expected.reduce((sum, length) => sum + length + 2, 0))
    expect(fixture.pool.nextNonce(addressOf('A'))).toBe(4n)
  })

  it('reads what stands before a torn end', async () => {
    const first = await start()
    for (const nonce of [0, 1]) first.fixture.pool.add(transferOf('A', nonce), true)
    await first.journal.close()
    const bytes = await first.fileSystem.readFile(path)
    for (const cut of [1, 20, bytes.length / 2 - 1]) {
      const fileSystem = createMemoryFileSystem()
      await fileSystem.makeDirectory('/geth')
      await fileSystem.writeFileAtomic(path, bytes.subarray(0, bytes.length - Math.floor(cut)))
      const second = await start(fileSystem)
      expect(second.returned).toBe(1)
      expect(second.logged).toEqual([
        ['warn', 'the journal of local transactions ends inside a transaction'],
      ])
      await second.journal.close()
    }
  })
})
