/** Help texts, made from the tables of the commands. */
import { type Command, helpOption, type OptionSpec } from './command.ts'

/** `cairn --help`. */
export function overviewText(commands: readonly Command[], version: string): string {
  const rows = commands.map(
    (command) => [`cairn ${command.path.join(' ')}`, command.summary] as const,
  )
  return [
    `Cairn ${version}: verifiable ledgers on your own machines.`,
    '',
    'Commands:',
    ...aligned(rows),
    '',
    'Every command explains itself with --help.',
    '',
    'First steps:',
    '  npx cairn up',
    '  npx cairn ledger create my-ledger',
    '  npx cairn sql my-ledger',
  ].join('\n')
}

/** `cairn ledger --help`: the commands that begin with the same words. */
export function groupText(commands: readonly Command[], words: readonly string[]): string {
  const rows = commands.map(
    (command) => [`cairn ${command.path.join(' ')}`, command.summary] as const,
  )
  return [`Commands of cairn ${words.join(' ')}:`, ...aligned(rows)].join('\n')
}

/** `cairn ledger create --help`. */
export function commandText(command: Command): string {
  const positionals = command.positionals.map(({ name, isOptional }) =>
    isOptional === true ? `[${name}]` : name,
  )
  const usage = ['cairn', ...command.path, '[options]', ...positionals].join(' ')
  const notes = (command.notes ?? []).flatMap((note) => ['', note])
  return [
    `Usage: ${usage}`,
    '',
    `${command.summary}.`,
    ...notes,
    ...section(
      'Arguments',
      command.positionals.map(({ name, help }) => [name, help] as const),
    ),
    ...section(
      'Options',
      [...command.options, helpOption].map((option) => [optionText(option), option.help] as const),
    ),
    '',
    command.examples.length === 1 ? 'Example:' : 'Examples:',
    ...command.examples.map((example) => `  ${example}`),
  ].join('\n')
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  return rows.length === 0 ? [] : ['', `${title}:`, ...aligned(rows)]
}

function optionText({ name, short, value, choices }: OptionSpec): string {
  const prefix = short === undefined ? '    ' : `-${short}, `
  const shown = choices?.join('|') ?? value
  return `${prefix}--${name}${shown === undefined ? '' : ` ${shown}`}`
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}
