/** The query shell at a terminal: lines, prompts, history, backslash commands. */
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { type FileSystem, fromUtf8, utf8 } from '@cairn/core'
import { describeError } from './errors.ts'
import type { SqlSession } from './sql-session.ts'
import { hasContent, splitStatements } from './statement-splitter.ts'
import type { Terminal } from './terminal.ts'

export interface SqlShellOptions {
  readonly session: SqlSession
  readonly terminal: Terminal
  readonly ledgerName: string
  readonly files: FileSystem
}

const tablesStatement =
  "SELECT name, tableId, status, indexes FROM information_schema.user_tables WHERE status = 'ACTIVE'"
/** Lines of history that are kept. */
const historyLineCountMax = 1000
/** What one may have typed stays with who typed it. */
const historyFileMode = 0o600

const welcomeText = [
  'Statements end with ; and may take several lines. Each is a transaction of its own,',
  'or put several between START TRANSACTION; and COMMIT; or ABORT;',
  '\\d lists tables, \\? helps, \\q leaves.',
]
const helpText = [
  'SELECT * FROM Person;                              run a statement',
  'START TRANSACTION;  COMMIT;  ABORT;                several statements as one',
  "SELECT * FROM history(Person);                     every revision of a table's documents",
  '\\d                                                 list the tables',
  '\\?                                                 this text',
  '\\q                                                 leave (or Ctrl-D)',
  'Ctrl-C drops what is typed so far.',
]

/** Resolves when the person leaves. */
export async function runSqlShell(options: SqlShellOptions): Promise<void> {
  const { terminal, files, session, ledgerName } = options
  const historyFile = historyFileOf(terminal.env)
  const history = await readHistory(files, historyFile)
  const lines = createInterface({
    input: terminal.input,
    output: terminal.output,
    terminal: terminal.isInteractive,
    history: [...history],
    historySize: historyLineCountMax,
    removeHistoryDuplicates: true,
  })
  let latestHistory: readonly string[] = history
  lines.on('history', (entries: string[]) => {
    latestHistory = [...entries]
  })
  terminal.output.write(`Ledger ${ledgerName}.\n${welcomeText.join('\n')}\n`)
  await readLines(lines, session, terminal, ledgerName)
  await saveHistory(files, historyFile, latestHistory)
}

async function readLines(
  lines: Interface,
  session: SqlSession,
  terminal: Terminal,
  ledgerName: string,
): Promise<void> {
  let pending = ''
  const prompt = (): void => {
    const mark = hasContent(pending) ? '->' : session.isInTransaction ? '*>' : '=>'
    lines.setPrompt(`${ledgerName}${mark} `)
    lines.prompt()
  }
  lines.on('SIGINT', () => {
    pending = ''
    terminal.output.write('^C\n')
    prompt()
  })
  let isLeft = false
  prompt()
  for await (const line of lines) {
    const command = hasContent(pending) ? undefined : /^\s*\\(\S+)\s*;?\s*$/.exec(line)?.[1]
    isLeft = command === 'q'
    if (isLeft) break
    if (command === undefined) {
      const { statements, rest } = splitStatements(`${pending}${line}\n`)
      pending = hasContent(rest) ? rest : ''
      for (const statement of statements) await runPrinting(session, terminal, statement)
    } else {
      await runBackslash(session, terminal, command)
    }
    prompt()
  }
  lines.close()
  // Ctrl-D leaves the prompt on the line.
  if (!isLeft) terminal.output.write('\n')
}

async function runBackslash(
  session: SqlSession,
  terminal: Terminal,
  command: string,
): Promise<void> {
  if (command === 'd') await runPrinting(session, terminal, tablesStatement)
  else if (command === '?' || command === 'h') terminal.output.write(`${helpText.join('\n')}\n`)
  else terminal.output.write(`There is no \\${command}; \\? lists what there is.\n`)
}

/** At a prompt an error is told and the next statement may come. */
async function runPrinting(
  session: SqlSession,
  terminal: Terminal,
  statement: string,
): Promise<void> {
  try {
    terminal.output.write(await session.run(statement))
  } catch (error) {
    terminal.errorOutput.write(`${describeError(error)}\n`)
  }
}

/** Under XDG_STATE_HOME; undefined without a home. */
function historyFileOf(env: Terminal['env']): string | undefined {
  const home = env['HOME']
  const folder = env['XDG_STATE_HOME'] ?? (home ? join(home, '.local', 'state') : undefined)
  return folder === undefined ? undefined : join(folder, 'cairn', 'sql-history')
}

/** Newest first, as readline wants it; the file has the oldest first. A history that cannot be read is none. */
async function readHistory(files: FileSystem, path: string | undefined): Promise<string[]> {
  if (path === undefined) return []
  try {
    return fromUtf8(await files.readFile(path))
      .split('\n')
      .filter((line) => line !== '')
      .reverse()
  } catch {
    return []
  }
}

async function saveHistory(
  files: FileSystem,
  path: string | undefined,
  entries: readonly string[],
): Promise<void> {
  if (path === undefined || entries.length === 0) return
  const text = `${[...entries].reverse().join('\n')}\n`
  try {
    await files.makeDirectory(join(path, '..'))
    await files.writeFileAtomic(path, utf8(text), historyFileMode)
  } catch {
    // A home that cannot be written to is no reason to fail after the work is done.
  }
}
