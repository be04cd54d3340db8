import { createMemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { createMemoryProjections } from './memory-projection.ts'
import type { Projection, ProjectionDriver } from './projection.ts'
import { temporaryLedger } from './testing/temporary-ledger.ts'

/** Projections in memory whose next write waits, and fails when told. */
function failingProjections(): ProjectionDriver & { arm(): Promise<void>; fail(): void } {
  const driver = createMemoryProjections()
  let fail = (): void => undefined
  let isBegun: (() => void) | undefined
  return {
    ...driver,
    async open(directory, fileSystem): Promise<Projection> {
      const projection = await driver.open(directory, fileSystem)
      const apply = projection.apply.bind(projection)
      projection.apply = (...args) => {
        if (isBegun === undefined) return apply(...args)
        isBegun()
        isBegun = undefined
        return new Promise((_, reject) => {
          fail = () => reject(new Error('MDB_MAP_FULL'))
        })
      }
      return projection
    },
    arm: () =>
      new Promise((resolve) => {
        isBegun = resolve
      }),
    fail: () => fail(),
  }
}

const options = () => ({ fileSystem: createMemoryFileSystem(), isLocked: false })

describe('a ledger that fails', () => {
  it('tells a commit caught by a failed projection what happened, and what to do', async () => {
    const projections = failingProjections()
    const { open } = await temporaryLedger({ ...options(), projections })
    await open.transact((tx) => tx.execute('CREATE TABLE T'))
    const isProjecting = projections.arm()
    await open.transact((tx) => tx.execute("INSERT INTO T VALUE {'a': 1}"))
    await isProjecting
    const transaction = open.ledger.startTransaction()
    await transaction.execute("INSERT INTO T VALUE {'a': 2}", [])
    const caught = transaction.commit().catch((error: unknown) => error)
    projections.fail()
    expect(await caught).toMatchObject({
      name: 'LedgerError',
      code: 'COMMIT_NOT_CONFIRMED',
      message: expect.stringContaining('Look for the data before you write them again.'),
      cause: { message: 'MDB_MAP_FULL' },
    })
    expect(() => open.ledger.startTransaction()).toThrow(
      expect.objectContaining({
        code: 'LEDGER_STOPPED',
        cause: expect.objectContaining({ message: 'MDB_MAP_FULL' }),
      }),
    )
  })

  it('tells a commit whose write failed, and one that only read', async () => {
    const { fileSystem, ...rest } = options()
    const projections = createMemoryProjections()
    const { open } = await temporaryLedger({ fileSystem, ...rest, projections })
    await open.transact((tx) => tx.execute('CREATE TABLE T'))
    fileSystem.addFault({ operation: 'syncData', nth: 1, code: 'EIO' })
    const [writer, reader] = [open.ledger.startTransaction(), open.ledger.startTransaction()]
    await writer.execute("INSERT INTO T VALUE {'a': 1}", [])
    await (await reader.execute('SELECT * FROM information_schema.user_tables', [])).nextPage(
      9,
      999,
    )
    const outcomes = await Promise.allSettled([writer.commit(), reader.commit()])
    expect(outcomes[0]).toMatchObject({
      reason: { code: 'COMMIT_NOT_CONFIRMED', cause: { code: 'WRITE_FAILED' } },
    })
    // It saw nothing of what was lost.
    expect(outcomes[1].status).toBe('fulfilled')
  })
})
