/**
 * The file of `--limits`: a JSON object of limits by their names, `{"ledgerCountMax": 50}`; the others stay as QLDB had
 * them (qldb-compat 5.8). Every one has a range in which the rest of the system was built to work.
 */
import { type FileSystem, fromUtf8 } from '@cairn/core'
import { nodeFileSystem } from '@cairn/journal'
import { defaultLimits, type LedgerLimits } from '@cairn/ledger'
import { defaultQldbServerLimits, type QldbServerLimits } from '@cairn/qldb-server'
import { ServerError } from './errors.ts'

/** Names of `LedgerLimits` and the few of `QldbServerLimits` that belong to a machine rather than to the wire. */
export type ServerLimits = Partial<LedgerLimits> &
  Pick<Partial<QldbServerLimits>, 'commandCountMax'>

type LimitName = keyof LedgerLimits | 'commandCountMax'

const mebi = 1024 * 1024

/** From, to. The upper bounds are ours: what memory, journal and wire are made for. */
const ranges: Readonly<Record<LimitName, readonly [number, number]>> = {
  // A record of the journal takes 47 MiB of documents; a body of a request 8 MiB, which base64 makes 6.
  documentBytesMax: [1024, 4 * mebi],
  parameterBytesMax: [1024, 4 * mebi],
  statementLengthMax: [1000, 1_000_000],
  transactionBytesMax: [16 * 1024, 32 * mebi],
  // An answer is given up when a client does not take it for two minutes.
  transactionMsMax: [1000, 110_000],
  activeTableCountMax: [1, 10_000],
  tableCountMax: [1, 20_000],
  indexCountMax: [0, 50],
  writtenDocumentCountMax: [1, 100_000],
  redactionCountMax: [1, 10_000],
  // Each holds a journal and a projection open.
  ledgerCountMax: [1, 500],
  activeSessionCountMax: [1, 100_000],
  commandCountMax: [1, 100_000],
}

/** Of `smaller`, that it is not above `larger`, whichever of both the file names. */
const relations: readonly (readonly [smaller: LimitName, larger: LimitName])[] = [
  ['documentBytesMax', 'transactionBytesMax'],
  ['activeTableCountMax', 'tableCountMax'],
]

/** Beside one command on each session of a full ledger. */
const spareCommandCount =
  defaultQldbServerLimits.commandCountMax - defaultLimits.activeSessionCountMax

/** @throws ServerError LIMITS_INVALID */
export async function readLimitsFile(
  path: string,
  files: FileSystem = nodeFileSystem,
): Promise<ServerLimits> {
  let value: unknown
  try {
    value = JSON.parse(fromUtf8(await files.readFile(path)))
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw limitsInvalid(path, isAbsent ? 'there is no such file.' : 'it is no JSON.', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw limitsInvalid(path, 'it is no JSON object.')
  }
  const limits: Partial<Record<LimitName, number>> = {}
  for (const [name, number] of Object.entries(value)) {
    const range = Object.hasOwn(ranges, name) ? ranges[name as LimitName] : undefined
    if (range === undefined) {
      const names = Object.keys(ranges).join(', ')
      throw limitsInvalid(path, `there is no limit ${name}. There are: ${names}.`)
    }
    const [min, max] = range
    if (!Number.isSafeInteger(number) || number < min || number > max) {
      throw limitsInvalid(path, `${name} must be a whole number from ${min} to ${max}.`)
    }
    limits[name as LimitName] = number
  }
  checkRelations(path, limits)
  return limits
}

function checkRelations(path: string, limits: ServerLimits): void {
  const { commandCountMax } = defaultQldbServerLimits
  const all = { ...defaultLimits, commandCountMax, ...limits }
  for (const [smaller, larger] of relations) {
    if (all[smaller] <= all[larger]) continue
    throw limitsInvalid(
      path,
      `${smaller} (${all[smaller]}) must not be above ${larger} (${all[larger]}); raise that too.`,
    )
  }
}

/** Of the wire, made from the same file. */
export function serverLimitsOf(limits: ServerLimits): Partial<QldbServerLimits> {
  const all = { ...defaultLimits, ...limits }
  return {
    activeSessionCountMax: all.activeSessionCountMax,
    transactionMsMax: all.transactionMsMax,
    commandCountMax: limits.commandCountMax ?? all.activeSessionCountMax + spareCommandCount,
  }
}

function limitsInvalid(path: string, what: string, cause?: unknown): ServerError {
  return new ServerError(
    { code: 'LIMITS_INVALID', path },
    {
      shortMessage: `The limits in ${path} cannot be used: ${what}`,
      metaMessages: ['Example: {"ledgerCountMax": 50, "writtenDocumentCountMax": 1000}'],
      docsPath: 'reference/configuration#limits',
      cause,
    },
  )
}
