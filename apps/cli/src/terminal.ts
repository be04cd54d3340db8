/** The terminal and the environment of a command, as a parameter, so that commands run in tests without a process. */
import type { Readable, Writable } from 'node:stream'
import { type Clock, createSystemClock } from '@cairn/core'
import { exitFailed } from './command.ts'

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
  /** Resolves with the first SIGTERM, SIGINT or SIGHUP. One more, a second later, ends the process at once. */
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
    stopSignal: () => new Promise(listenForStop),
  }
}

/** Ctrl-C under npm arrives twice: from the terminal, and from npm, which passes on its own. */
const sameSignalMs = 1000

function listenForStop(resolve: (signal: string) => void): void {
  let firstMs: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const nowMs = performance.now()
      firstMs ??= nowMs
      if (firstMs === nowMs) resolve(signal)
      else if (nowMs - firstMs > sameSignalMs) process.exit(exitFailed)
    })
  }
}
