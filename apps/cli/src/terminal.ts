/** The terminal and the environment of a command, as a parameter, so that commands run in tests without a process. */
import type { Readable, Writable } from 'node:stream'
import { type Clock, createSystemClock } from '@cairn/core'

export interface Terminal {
  readonly input: Readable
  readonly output: Writable
  readonly errorOutput: Writable
  /** Whether a person types. */
  readonly isInteractive: boolean
  /** Whether a person reads the error output. */
  readonly isErrorOutputWatched: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Resolves with the name of the first SIGTERM, SIGINT or SIGHUP. A second one ends the process at once. */
  stopSignal(): Promise<string>
}

export function print(terminal: Terminal, text: string): void {
  terminal.output.write(`${text}\n`)
}

export function printError(terminal: Terminal, text: string): void {
  terminal.errorOutput.write(`${text}\n`)
}

export function createProcessTerminal(): Terminal {
  return {
    input: process.stdin,
    output: process.stdout,
    errorOutput: process.stderr,
    isInteractive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    isErrorOutputWatched: process.stderr.isTTY === true,
    env: process.env,
    clock: createSystemClock(),
    stopSignal: () =>
      new Promise((resolve) => {
        for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
          // `once`: the second of a kind finds no listener and takes its default course, the end.
          process.once(signal, () => resolve(signal))
        }
      }),
  }
}
