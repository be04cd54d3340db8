/**
 * A process that redacts and is killed at a chosen step. Runs built, as threaded-run.ts.
 *
 *   prepare DIRECTORY              documents whose first revision holds a marker, each superseded
 *   redact DIRECTORY inline N      redacts them; ends itself by SIGKILL at the N-th step on files
 *   redact DIRECTORY thread MS     the same so many milliseconds after the first answer
 *   finish DIRECTORY               opens the ledger, waits until nothing is pending, prints what there is as JSON
 */
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import type { FileSystem, OpenFile } from '@cairn/core'
import { nodeFileSystem } from '@cairn/journal'
import type { BlockAddress } from '../api.ts'
import { type EmbeddedLedger, openLedger } from '../library.ts'
import { verifyLedgerDirectory } from '../verify-directory.ts'

interface HistoryRow {
  readonly blockAddress: BlockAddress
  readonly data?: { readonly n: number }
  readonly metadata: { readonly id: string; readonly version: number }
}

const documentCount = 2
const [mode, directory = '', sealing, at] = process.argv.slice(2)
/** Small segments: the blocks that are redacted are in sealed ones and in the last one. */
const segmentBytes = 3072

/** Steps on files that change something, counted from `start` on. */
let stepCount = 0
let isCounting = false

async function step<T>(action: () => Promise<T>, halfway?: () => Promise<void>): Promise<T> {
  if (isCounting && ++stepCount === Number(at) && sealing === 'inline') {
    await halfway?.()
    process.kill(process.pid, 'SIGKILL')
    await new Promise(() => {})
  }
  return action()
}

function killable(file: OpenFile): OpenFile {
  return {
    readSync: (buffer, position) => file.readSync(buffer, position),
    write: (buffer, position) =>
      step(
        () => file.write(buffer, position),
        () => file.write(buffer.subarray(0, buffer.length >> 1), position),
      ),
    syncData: () => step(() => file.syncData()),
    truncate: (size) => step(() => file.truncate(size)),
    sizeSync: () => file.sizeSync(),
    close: () => file.close(),
  }
}

const killableFiles: FileSystem = {
  ...nodeFileSystem,
  open: async (path, openMode) => killable(await step(() => nodeFileSystem.open(path, openMode))),
  makeDirectory: (path) => step(() => nodeFileSystem.makeDirectory(path)),
  rename: (from, to) => step(() => nodeFileSystem.rename(from, to)),
  remove: (path) => step(() => nodeFileSystem.remove(path)),
  syncDirectory: (path) => step(() => nodeFileSystem.syncDirectory(path)),
  async writeFileAtomic(path, bytes) {
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
    const file = await killableFiles.open(temporary, 'create')
    await file.write(bytes, 0)
    await file.syncData()
    await file.close()
    await killableFiles.rename(temporary, path)
    await killableFiles.syncDirectory(path.slice(0, path.lastIndexOf('/')))
  },
}

async function run(open: EmbeddedLedger, statement: string, ...parameters: unknown[]) {
  const { value } = await open.transact((tx) => tx.execute(statement, ...parameters))
  return value.values
}

async function historyOf(open: EmbeddedLedger): Promise<HistoryRow[]> {
  return (await run(open, 'SELECT * FROM history(Person) AS h')) as HistoryRow[]
}

async function prepare(): Promise<void> {
  let open = await openLedger({ directory, segmentBytes })
  await run(open, 'CREATE TABLE Person')
  await run(open, 'CREATE INDEX ON Person (name)')
  for (let n = 0; n < documentCount; n++) {
    const name = `marker-of-document-${n}`
    // Long enough for pages of its own in the projection.
    await run(open, 'INSERT INTO Person ?', { n, name, text: `${name} `.repeat(n === 1 ? 60 : 3) })
  }
  // Closing projects: the markers stand in the projection too.
  await open.close()
  open = await openLedger({ directory, segmentBytes })
  await run(open, "UPDATE Person SET name = 'Ada', text = ''")
  await open.close()
}

async function redact(): Promise<void> {
  const files = sealing === 'inline' ? { fileSystem: killableFiles } : {}
  const threaded = sealing === 'thread' ? ({ sealing: 'thread' } as const) : {}
  const open = await openLedger({ directory, segmentBytes, ...files, ...threaded })
  const [table] = await run(open, 'SELECT tableId FROM information_schema.user_tables')
  const { tableId } = table as { tableId: string }
  const firsts = (await historyOf(open)).filter(({ metadata }) => metadata.version === 0)
  isCounting = true
  for (const { data, blockAddress, metadata } of firsts) {
    await run(open, `EXEC REDACT_REVISION ?, '${tableId}', '${metadata.id}'`, blockAddress)
    writeSync(1, `redacted ${data?.n}\n`)
    if (sealing === 'thread' && data?.n === 0) {
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), Number(at))
    }
  }
  await open.ledger.untilRedacted()
  isCounting = false
  writeSync(1, `steps ${stepCount}\n`)
  if (sealing === 'thread') await new Promise(() => {})
  await open.close()
}

async function finish(): Promise<void> {
  const open = await openLedger({ directory, segmentBytes })
  // Before anything else: what is pending is shown as redacted already.
  const rows = await historyOf(open)
  await open.ledger.untilRedacted()
  const current = await run(open, "SELECT VALUE n FROM Person WHERE name = 'Ada'")
  await open.close()
  const [report] = await verifyLedgerDirectory({ directory })
  const kept = rows.filter((row) => row.metadata.version === 0 && row.data !== undefined)
  writeSync(
    1,
    JSON.stringify({
      rowCount: rows.length,
      kept: kept.map(({ data }) => data?.n),
      current,
      findings: report?.findings,
    }),
  )
}

if (mode === 'prepare') await prepare()
else if (mode === 'redact') await redact()
else await finish()
