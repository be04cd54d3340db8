/** Runs the program in this process: words in, exit code and what it printed out. */
import { PassThrough, Readable } from 'node:stream'
import { createSystemClock } from '@cairn/core'
import { main } from '../main.ts'
import type { Terminal } from '../terminal.ts'

export interface ProgramRun {
  readonly code: number
  readonly output: string
  readonly errorOutput: string
}

/** @param typed What a pipe puts in. */
export async function runProgram(
  words: readonly string[],
  typed = '',
  changes: Partial<Terminal> = {},
): Promise<ProgramRun> {
  const output = new PassThrough()
  const errorOutput = new PassThrough()
  const outputText = collect(output)
  const errorText = collect(errorOutput)
  const terminal: Terminal = {
    input: Readable.from(typed === '' ? [] : [Buffer.from(typed)]),
    output,
    errorOutput,
    isInteractive: false,
    isErrorOutputWatched: false,
    env: {},
    clock: createSystemClock(),
    stopSignal: () => new Promise(() => undefined),
    ...changes,
  }
  const code = await main(words, terminal)
  return { code, output: outputText(), errorOutput: errorText() }
}

function collect(stream: PassThrough): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}
