/**
 * `geth t8n`: one block of transactions on given accounts, with the flags and files of geth's `evm t8n`, for those who
 * make and check test fixtures. `stdin` and `stdout` stand for one JSON object of all inputs and of all outputs.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { text as textOf } from 'node:stream/consumers'
import { runTransition, TransitionError, type TransitionInput } from '@cairn/eth-chain'
import { Evm } from '@cairn/eth-evm'
import { nodeFileSystem } from '@cairn/journal'
import { exitDone, exitFailed } from '../command.ts'
import { print, printError, type Terminal } from '../terminal.ts'
import { type GethLine, GethUsageError } from './geth-flags.ts'

const parts = ['alloc', 'env', 'txs'] as const

export async function runTransitionTool(line: GethLine, terminal: Terminal): Promise<number> {
  const inputs = await readInputs(line, terminal)
  const reward = line.number('state.reward') ?? 0
  try {
    const output = runTransition(
      {
        ...(inputs as Pick<TransitionInput, (typeof parts)[number]>),
        fork: line.text('state.fork') ?? 'London',
        chainId: BigInt(line.number('state.chainid') ?? 1),
        reward: reward < 0 ? undefined : BigInt(reward),
      },
      new Evm(),
    )
    await writeOutputs(line, terminal, { ...output })
    return exitDone
  } catch (error) {
    if (!(error instanceof TransitionError)) throw error
    printError(terminal, `error: ${error.message}`)
    return exitFailed
  }
}

async function readInputs(line: GethLine, terminal: Terminal): Promise<Record<string, unknown>> {
  const places = parts.map((part) => line.text(`input.${part}`) ?? `${part}.json`)
  const piped = places.includes('stdin') ? readJson('stdin', await textOf(terminal.input)) : {}
  const inputs: Record<string, unknown> = {}
  for (const [index, part] of parts.entries()) {
    const place = places[index] as string
    inputs[part] =
      place === 'stdin'
        ? (piped as Record<string, unknown>)[part]
        : readJson(place, await readFile(place, 'utf8'))
    if (inputs[part] === undefined) throw new GethUsageError(`${place} has no ${part}`)
  }
  return inputs
}

function readJson(place: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new GethUsageError(`${place} is no JSON: ${error instanceof Error ? error.message : ''}`)
  }
}

async function writeOutputs(
  line: GethLine,
  terminal: Terminal,
  output: Record<string, unknown>,
): Promise<void> {
  const folder = line.text('output.basedir') ?? '.'
  const printed: Record<string, unknown> = {}
  const places = {
    alloc: line.text('output.alloc') ?? 'alloc.json',
    result: line.text('output.result') ?? 'result.json',
    body: line.text('output.body'),
  }
  for (const [part, place] of Object.entries(places)) {
    if (place === undefined) continue
    if (place === 'stdout') {
      printed[part] = output[part]
      continue
    }
    await nodeFileSystem.makeDirectory(folder)
    await writeFile(`${folder}/${place}`, JSON.stringify(output[part], undefined, 2))
  }
  if (Object.keys(printed).length > 0) print(terminal, JSON.stringify(printed, undefined, 2))
}
