/** `cairn ledger stats`: how large a ledger is, how its tables are read, which statements took longest. */
import {
  type Command,
  type CommandContext,
  endpointOptions,
  exitDone,
  jsonOption,
} from '../command.ts'
import { sizeText } from '../doctor.ts'
import { openHttpClient } from '../endpoint.ts'
import { formatTable } from '../table.ts'
import { print } from '../terminal.ts'

/** What GET /v1/ledgers/{name}/statistics answers. */
interface Statistics {
  readonly ledger: string
  readonly blockCount: number
  readonly journalBytes: number
  readonly projectionBytes: number
  readonly tables: readonly {
    readonly name: string
    readonly isActive: boolean
    readonly documentCount: number
    readonly indexes: readonly string[]
  }[]
  readonly accesses: Readonly<Record<string, number>>
  readonly slowestStatements: readonly {
    readonly statement: string
    readonly count: number
    readonly totalMs: number
    readonly maxMs: number
  }[]
}

const shownLengthMax = 100

export const statsCommand: Command = {
  path: ['ledger', 'stats'],
  summary: 'Show sizes, counts, index use and the slowest statements of a ledger',
  options: [...endpointOptions, jsonOption],
  positionals: [{ name: 'LEDGER', help: 'name of the ledger' }],
  examples: ['cairn ledger stats my-ledger', 'cairn ledger stats my-ledger --json'],
  notes: ['Reads and statements are counted since the server started; literals are masked.'],
  async run(context) {
    const { args, terminal } = context
    const statistics = await fetchStatistics(context, args.required(0))
    print(terminal, args.flag('json') ? JSON.stringify(statistics) : statisticsText(statistics))
    return exitDone
  },
}

async function fetchStatistics(context: CommandContext, name: string): Promise<Statistics> {
  const http = await openHttpClient(context)
  try {
    const path = `/v1/ledgers/${encodeURIComponent(name)}/statistics`
    return (await http.send({ method: 'GET', path })) as unknown as Statistics
  } finally {
    http.close()
  }
}

function statisticsText(statistics: Statistics): string {
  const { ledger, blockCount, journalBytes, projectionBytes } = statistics
  const parts = [
    `Ledger ${ledger}: ${blockCount} blocks, journal ${sizeText(journalBytes)}, ` +
      `documents and indexes ${sizeText(projectionBytes)}.`,
    tablesText(statistics),
    statementsText(statistics),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function tablesText({ tables, accesses }: Statistics): string {
  if (tables.length === 0) return ''
  const columns = ['table', 'documents', 'scans', 'by id', 'index uses'].map((name) => ({ name }))
  const count = (access: string) => accesses[access] ?? 0
  const rows = tables.map(({ name, isActive, documentCount, indexes }) => [
    isActive ? name : `${name} (dropped)`,
    String(documentCount),
    String(count(`${name}: scan`)),
    String(count(`${name}: document id`)),
    indexes.map((field) => `${field} ${count(`${name}: index ${field}`)}`).join(', '),
  ])
  return formatTable(columns, rows)
}

function statementsText({ slowestStatements }: Statistics): string {
  if (slowestStatements.length === 0) return 'No statement has run since the server started.'
  const columns = ['longest ms', 'times', 'all ms', 'statement'].map((name) => ({ name }))
  const rows = slowestStatements.map(({ statement, count, totalMs, maxMs }) => [
    ...[maxMs, count, totalMs].map(String),
    statement.length > shownLengthMax ? `${statement.slice(0, shownLengthMax)} …` : statement,
  ])
  return formatTable(columns, rows)
}
