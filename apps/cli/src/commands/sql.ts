/** `cairn sql`: statements from -e, from standard input, or from a person at a prompt. */
import { nodeFileSystem } from '@cairn/journal'
import {
  type Command,
  type CommandContext,
  endpointOptions,
  exitDone,
  exitFailed,
} from '../command.ts'
import { openHttpClient } from '../endpoint.ts'
import { describeError } from '../errors.ts'
import { type ResultFormat, resultFormats } from '../result-format.ts'
import { createSessionClient } from '../session-client.ts'
import { SqlSession } from '../sql-session.ts'
import { runSqlShell } from '../sql-shell.ts'
import { hasContent, splitStatements } from '../statement-splitter.ts'
import { printError, type Terminal } from '../terminal.ts'

export const sqlCommand: Command = {
  path: ['sql'],
  summary: 'Run PartiQL statements on a ledger, or open a query shell',
  options: [
    {
      name: 'execute',
      short: 'e',
      value: 'STATEMENT',
      repeats: true,
      help: 'run it and leave; may be given several times',
    },
    {
      name: 'format',
      value: 'FORMAT',
      choices: resultFormats,
      help: 'of results (default: table)',
    },
    { name: 'json', help: 'same as --format json: one JSON object per line' },
    ...endpointOptions,
  ],
  positionals: [{ name: 'LEDGER', help: 'name of the ledger' }],
  examples: [
    'cairn sql my-ledger',
    'cairn sql -e "CREATE TABLE Person" my-ledger',
    "cairn sql -e \"INSERT INTO Person VALUE {'name': 'Ada'}\" my-ledger",
    'cairn sql --json -e "SELECT * FROM Person" my-ledger',
    'cairn sql my-ledger < statements.sql',
  ],
  notes: [
    'Each statement is a transaction of its own, repeated when another one was faster. In the\n' +
      'shell and in files, START TRANSACTION, COMMIT and ABORT hold several together.',
  ],
  run: runSql,
}

/** Statements from standard input are read whole before the first one runs. */
const inputLengthMax = 64 * 1024 * 1024

async function runSql(context: CommandContext): Promise<number> {
  const { args, terminal } = context
  const ledgerName = args.required(0)
  const format = formatOf(args.text('format'), args.flag('json'))
  const texts = args.texts('execute')
  const isShell = texts.length === 0 && terminal.isInteractive

  const http = await openHttpClient(context)
  const client = createSessionClient(http, ledgerName)
  const nowMs = (): number => performance.now()
  const session = new SqlSession({ client, format, isTimed: isShell, nowMs })
  try {
    if (isShell) {
      await client.open()
      await runSqlShell({ session, terminal, ledgerName, files: nodeFileSystem })
      return exitDone
    }
    const text = texts.length > 0 ? texts.join(';\n') : await readInput(terminal)
    return await runScript(session, terminal, text)
  } finally {
    await session.close()
    http.close()
  }
}

function formatOf(format: string | undefined, isJson: boolean): ResultFormat {
  return resultFormats.find((each) => each === format) ?? (isJson ? 'json' : 'table')
}

/** Stops at the first statement that fails. */
async function runScript(session: SqlSession, terminal: Terminal, text: string): Promise<number> {
  const { statements, rest } = splitStatements(text)
  if (hasContent(rest)) statements.push(rest.trim())
  for (const statement of statements) {
    try {
      terminal.output.write(await session.run(statement))
    } catch (error) {
      printError(terminal, describeError(error))
      if (statements.length > 1) printError(terminal, `  in: ${firstLineOf(statement)}`)
      return exitFailed
    }
  }
  if (!session.isInTransaction) return exitDone
  printError(terminal, 'error: The last transaction was not committed; nothing of it is kept.')
  return exitFailed
}

function firstLineOf(statement: string): string {
  const [line = '', ...rest] = statement.split('\n')
  return rest.length === 0 ? line : `${line} …`
}

async function readInput(terminal: Terminal): Promise<string> {
  let text = ''
  terminal.input.setEncoding('utf8')
  for await (const chunk of terminal.input) {
    text += chunk
    if (text.length > inputLengthMax) throw new Error('the standard input is too long')
  }
  return text
}
