/** `cairn`: finds the command that the words name, parses the rest against its tables, runs it, gives an exit code. */
import { version } from '@cairn/server'
import { type Command, exitDone, exitFailed, exitUsage } from './command.ts'
import { commands } from './commands/all.ts'
import { CliError, describeError, usageError } from './errors.ts'
import { commandText, groupText, overviewText } from './help.ts'
import { parseArguments } from './parse-arguments.ts'
import { endWithStarter } from './small-heap.ts'
import { nearestWord } from './suggest.ts'
import { createProcessTerminal, print, printError, type Terminal } from './terminal.ts'

/** @param words What follows the program's name. */
export async function main(words: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await runWords(words, terminal)
  } catch (error) {
    printError(terminal, describeError(error))
    return error instanceof CliError && error.code === 'USAGE' ? exitUsage : exitFailed
  }
}

/** The process: its arguments, its terminal, its exit code. */
export async function runAsProgram(): Promise<void> {
  // A reader such as `head` may leave early; that is not a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitDone)
    throw error
  })
  const words = process.argv.slice(2)
  endWithStarter()
  process.exitCode = await main(words, createProcessTerminal())
}

async function runWords(words: readonly string[], terminal: Terminal): Promise<number> {
  const [first] = words
  if (first === undefined || first === '--help' || first === '-h') {
    print(terminal, overviewText(commands, version))
    return first === undefined ? exitUsage : exitDone
  }
  if (first === '--version' || first === '-v') {
    print(terminal, version)
    return exitDone
  }
  if (first === 'help') return runWords([...words.slice(1), '--help'], terminal)

  const command = findCommand(words)
  if (command === undefined) return explainGroup(words, terminal)
  const own = words.slice(command.path.length)
  const args = parseArguments(command, command.takesWords === true ? [] : own)
  if (args.flag('help')) {
    print(terminal, commandText(command))
    return exitDone
  }
  return command.run({ args, words: own, terminal })
}

function findCommand(words: readonly string[]): Command | undefined {
  return commands.find((command) => command.path.every((word, index) => words[index] === word))
}

/** For `cairn ledger`, `cairn ledger --help` and `cairn ledger creat`. */
function explainGroup(words: readonly string[], terminal: Terminal): number {
  const [first = '', second] = words
  const group = commands.filter((command) => command.path[0] === first)
  if (group.length === 0) {
    const known = [...new Set(commands.map((command) => command.path[0] as string))]
    const near = nearestWord(first, known)
    const hint = near === undefined ? undefined : `Did you mean cairn ${near}?`
    throw usageError('cairn', `There is no command "${first}".`, hint)
  }
  if (second === undefined || second === '--help' || second === '-h') {
    print(terminal, groupText(group, [first]))
    return second === undefined ? exitUsage : exitDone
  }
  const near = nearestWord(
    second,
    group.map((command) => command.path[1] as string),
  )
  const hint = near === undefined ? undefined : `Did you mean cairn ${first} ${near}?`
  throw usageError(`cairn ${first}`, `There is no command "${first} ${second}".`, hint)
}
