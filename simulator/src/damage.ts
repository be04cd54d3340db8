/**
 * One bit flips while nothing runs, in a copy of the files: either the damage is named, or nothing that is shown
 * differs. Files that are projections are no excuse: with them damaged everything must be as before, but for proofs
 * made from damaged tree nodes, which do not hold and are for clients to notice.
 */
import { equalBytes } from '@cairn/core'
import { decodeIon, jsFromIon } from '@cairn/ion'
import { JournalError } from '@cairn/journal'
import {
  createMemoryProjections,
  type Ledger,
  LedgerError,
  type LedgerHost,
  type LedgerHostOptions,
  openLedgerHost,
  verifyLedgerDirectory,
} from '@cairn/ledger'
import { createMemoryFileSystem, type MemoryFileSystem, type SeededRandom } from '@cairn/testing'
import { createLedgerReplay, parseBlock, verifyBlock } from '@cairn/verifier'
import { auditSteps } from './audit.ts'
import type { Model } from './model.ts'
import { answerOf, statementOf } from './steps.ts'
import type { Trace } from './trace.ts'
import { SimulationViolation } from './violation.ts'

export interface DamageOptions {
  readonly files: MemoryFileSystem
  readonly random: SeededRandom
  /** Directory, clock and limits of the run. */
  readonly host: LedgerHostOptions
  readonly ledgerName: string
  /** Names the tables to look at. */
  readonly model: Model
  readonly trace: Trace
}

/** What is shown of a ledger; `damaged` where the engine says that it cannot. */
interface Shown {
  readonly tip: number
  readonly digest: Uint8Array
  readonly blocks: readonly string[]
  /** By statement. */
  readonly answers: ReadonlyMap<string, string>
}

const damagedMark = 'damaged'

export async function checkDamage(options: DamageOptions): Promise<void> {
  const { random, trace, ledgerName } = options
  const files = await copyOf(options.files)
  const projections = createMemoryProjections()
  const host: LedgerHostOptions = { ...options.host, fileSystem: files, projections }
  const before = await show(await openLedgerHost(host), options)
  const target = await chooseTarget(files, options)
  files.flip(target.path, target.offset, target.mask)
  trace.note(`bit ${target.mask} of byte ${target.offset} in ${target.path} flips`)

  const [report] = await verifyLedgerDirectory({
    directory: options.host.directory,
    name: ledgerName,
    fileSystem: files,
    projections,
    ...(host.clock === undefined ? {} : { clock: host.clock }),
  })
  const isNamed = report !== undefined && report.findings.length > 0
  // With the projections of before, blocks are read when they are asked for; without, all at the opening.
  const reopened = random.chance(0.5) ? host : { ...host, projections: createMemoryProjections() }
  const after = await showIfItOpens(reopened, options)
  trace.note(`${isNamed ? 'named' : 'not named'}, ${after === undefined ? 'refused' : 'opened'}`)
  if (target.isProjection && after === undefined) {
    throw new SimulationViolation('damage', `a flipped bit in ${target.path} keeps it from opening`)
  }
  const difference = after === undefined ? 'is refused' : differenceOf(before, after)
  if (difference === undefined || (isNamed && isHonest(before, after))) return
  const where = `byte ${target.offset} of ${target.path} flipped`
  const named = isNamed ? 'verification names it' : 'verification finds nothing'
  throw new SimulationViolation('damage', `${where}, ${named}, and the ledger ${difference}`)
}

interface Target {
  readonly path: string
  readonly offset: number
  readonly mask: number
  readonly isProjection: boolean
}

const nodesFile = 'nodes'

async function chooseTarget(
  files: MemoryFileSystem,
  { random, host }: DamageOptions,
): Promise<Target> {
  const [strandId] = await files.list(`${host.directory}/ledgers`)
  const root = `${host.directory}/ledgers/${strandId}`
  const names = (await files.list(`${root}/journal`)).sort()
  const segments = names.filter((name) => /^\d+\.journal$/.test(name))
  const projections = [
    `${root}/${nodesFile}`,
    ...names.filter((name) => name === 'positions').map((name) => `${root}/journal/${name}`),
  ]
  const isProjection = random.chance(0.25)
  const paths = isProjection ? projections : segments.map((name) => `${root}/journal/${name}`)
  const path = paths[random.below(paths.length)] ?? `${root}/${nodesFile}`
  const content = files.contentOf(path)
  const written = content.findLastIndex((byte) => byte !== 0) + 1
  // Now and then among the zeros behind the end.
  const size = random.chance(0.1) ? content.length : written
  return { path, offset: random.below(size), mask: 1 << random.below(8), isProjection }
}

async function showIfItOpens(
  host: LedgerHostOptions,
  options: DamageOptions,
): Promise<Shown | undefined> {
  let opened: LedgerHost
  try {
    opened = await openLedgerHost(host)
  } catch (error) {
    if (isDamage(error)) return undefined
    throw error
  }
  return show(opened, options)
}

function isDamage(error: unknown): boolean {
  return (
    (error instanceof JournalError && error.code === 'DAMAGED') ||
    (error instanceof LedgerError && error.code === 'LEDGER_DAMAGED')
  )
}

/** Reads everything there is, then closes. */
async function show(host: LedgerHost, { ledgerName, model }: DamageOptions): Promise<Shown> {
  const ledger = host.getLedger(ledgerName)
  const { digest, tipAddress } = ledger.digest()
  const blocks = Array.from({ length: tipAddress.sequenceNo + 1 }, (_, sequenceNo) =>
    orDamaged(() => {
      const { strandId } = ledger
      const { value, proof } = ledger.block({ strandId, sequenceNo }, tipAddress)
      const block = parseBlock(value)
      verifyBlock({ block, proof: proof ?? [], digest, tip: tipAddress })
      return block.blockHash.join()
    }),
  )
  checkReplay(ledger, blocks)
  const answers = new Map<string, string>()
  for (const step of auditSteps(model)) {
    const { text, parameters } = statementOf(step)
    const transaction = ledger.startTransaction()
    try {
      const result = await transaction.execute(text, parameters)
      const page = await result.nextPage(100_000, 1_000_000)
      const rows = page.values.map((stream) => jsFromIon(decodeIon(stream)))
      answers.set(JSON.stringify(step), answerOf(step, rows).join('\n'))
    } catch (error) {
      // A damaged tail may have taken the table with it.
      const isGone = !isDamage(error) && error instanceof Error && /table/i.test(error.message)
      if (!isDamage(error) && !isGone) throw error
      answers.set(JSON.stringify(step), damagedMark)
    }
    transaction.abort()
  }
  await host.close()
  return { tip: tipAddress.sequenceNo, digest, blocks, answers }
}

function orDamaged(look: () => string): string {
  try {
    return look()
  } catch (error) {
    if (isDamage(error)) return damagedMark
    throw new SimulationViolation('damage', `what is shown does not hold: ${String(error)}`, error)
  }
}

/** Links and content of the blocks up to the first that is said to be damaged. */
function checkReplay(ledger: Ledger, blocks: readonly string[]): void {
  const { strandId } = ledger
  const replay = createLedgerReplay({ strandId })
  for (const [sequenceNo, shown] of blocks.entries()) {
    if (shown === damagedMark) return
    replay.add(parseBlock(ledger.block({ strandId, sequenceNo }).value))
  }
}

/** The first difference as the end of a sentence. */
function differenceOf(before: Shown, after: Shown): string | undefined {
  if (before.tip !== after.tip) return `ends at block ${after.tip} instead of ${before.tip}`
  if (!equalBytes(before.digest, after.digest)) return 'gives another digest'
  for (const [sequenceNo, block] of after.blocks.entries()) {
    if (block !== before.blocks[sequenceNo]) return `shows block ${sequenceNo} otherwise`
  }
  for (const [step, answer] of after.answers) {
    if (answer !== before.answers.get(step)) return `answers ${step} otherwise`
  }
  return undefined
}

/** Nothing false is shown: less than before, or a word about the damage. Queries see the state at the tip there is. */
function isHonest(before: Shown, after: Shown | undefined): boolean {
  if (after === undefined) return true
  const areBlocksRight = after.blocks.every(
    (block, sequenceNo) => block === damagedMark || block === before.blocks[sequenceNo],
  )
  if (!areBlocksRight || after.tip > before.tip) return false
  if (after.tip < before.tip) return true
  return [...after.answers].every(
    ([step, answer]) => answer === damagedMark || answer === before.answers.get(step),
  )
}

async function copyOf(files: MemoryFileSystem): Promise<MemoryFileSystem> {
  const copy = createMemoryFileSystem()
  await copyInto(copy, files, '')
  return copy
}

async function copyInto(
  copy: MemoryFileSystem,
  files: MemoryFileSystem,
  directory: string,
): Promise<void> {
  for (const name of await files.list(directory === '' ? '/' : directory)) {
    const path = `${directory}/${name}`
    let bytes: Uint8Array
    try {
      bytes = files.contentOf(path)
    } catch {
      await copy.makeDirectory(path)
      await copyInto(copy, files, path)
      continue
    }
    await copy.writeFileAtomic(path, bytes)
  }
}
