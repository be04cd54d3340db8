/** Memory stays bounded when the projections are slower than the commits. */
import { createMemoryFileSystem } from '@cairn/testing'
import { expect, it } from 'vitest'
import { openLedger } from './library.ts'
import { createMemoryProjections } from './memory-projection.ts'
import type { ProjectionDriver } from './projection.ts'

/** Projections that stand still from `hold` to `release`. */
function holdableProjections() {
  const memory = createMemoryProjections()
  let open: Promise<void> = Promise.resolve()
  let release = (): void => undefined
  const driver: ProjectionDriver = {
    ...memory,
    async open(directory, fileSystem) {
      const projection = await memory.open(directory, fileSystem)
      const apply = projection.apply.bind(projection)
      return Object.assign(projection, {
        apply: (...fields: Parameters<typeof apply>) => open.then(() => apply(...fields)),
      })
    },
  }
  return {
    driver,
    hold() {
      open = new Promise((resolve) => {
        release = resolve
      })
    },
    release: () => release(),
  }
}

it('lets commits wait while 64 MiB of documents are not projected, and go on afterwards', async () => {
  const projections = holdableProjections()
  const { transact, close } = await openLedger({
    directory: '/data',
    fileSystem: createMemoryFileSystem(),
    projections: projections.driver,
    isLocked: false,
  })
  await transact((tx) => tx.execute('CREATE TABLE T'))
  projections.hold()
  // 37 documents of 100 KB make 3.6 MB of the 4 that a transaction may write.
  const documents = Array.from({ length: 37 }, (_, no) => ({ no, text: 'x'.repeat(100_000) }))
  let committedCount = 0
  const commit = async (): Promise<void> => {
    await transact(async (tx) => {
      for (const document of documents) await tx.execute('INSERT INTO T ?', document)
    })
    committedCount++
  }
  const heldCount = Math.ceil((64 * 1024 * 1024) / 3_700_000)
  for (let i = 0; i < heldCount; i++) await commit()
  const late = [commit(), commit()]
  // A commit takes some turns of the event loop; these get hundreds.
  for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(committedCount).toBe(heldCount)
  projections.release()
  await Promise.all(late)
  expect(committedCount).toBe(heldCount + 2)
  await close()
})
