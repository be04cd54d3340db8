/** What a command is: a record that the parser, the help text and the suggestions read. */
import type { Terminal } from './terminal.ts'

export interface OptionSpec {
  /** Without dashes, such as `ready-file`. */
  readonly name: string
  /** One letter, without the dash. */
  readonly short?: string
  /** Name of the value in the help text; a flag has none. */
  readonly value?: string
  readonly choices?: readonly string[]
  /** May be given more than once. */
  readonly repeats?: boolean
  readonly help: string
}

export interface PositionalSpec {
  readonly name: string
  readonly isOptional?: boolean
  readonly help: string
}

export interface Command {
  /** The words after `cairn`. */
  readonly path: readonly string[]
  readonly summary: string
  readonly options: readonly OptionSpec[]
  readonly positionals: readonly PositionalSpec[]
  /** Whole lines that work as they stand. */
  readonly examples: readonly string[]
  /** More for the help text, in paragraphs. */
  readonly notes?: readonly string[]
  /** The command reads its words itself, in a way that tables cannot say; it has no options and positionals then. */
  readonly takesWords?: boolean
  /** Answers the exit code. */
  run(context: CommandContext): Promise<number>
}

export interface CommandContext {
  readonly args: Arguments
  /** Behind the command's path, as they were typed. */
  readonly words: readonly string[]
  readonly terminal: Terminal
}

/** Parsed and checked against the command's tables; asking for an undeclared name is our own mistake. */
export interface Arguments {
  flag(name: string): boolean
  text(name: string): string | undefined
  texts(name: string): readonly string[]
  /** @param index From 0. */
  positional(index: number): string | undefined
  /** A positional that the parser made sure of. */
  required(index: number): string
}

export const exitDone = 0
export const exitFailed = 1
export const exitUsage = 2

export const jsonOption: OptionSpec = { name: 'json', help: 'print JSON for programs' }
export const helpOption: OptionSpec = { name: 'help', short: 'h', help: 'print this text' }

export const endpointOptions: readonly OptionSpec[] = [
  {
    name: 'endpoint',
    value: 'URL',
    help: 'the server (default: that of ./data, else http://127.0.0.1:4510)',
  },
  { name: 'ca-file', value: 'FILE', help: 'authority to trust for an https endpoint' },
]
