/** What geth's console has beside the methods of the node: `loadScript`, `console.log`, waiting. */
import { readFileSync } from 'node:fs'
import { type Context, Script } from 'node:vm'
import { print, type Terminal } from '../../terminal.ts'
import { formatConsoleValue } from './console-value.ts'

/** Between two looks at the head while blocks are waited for. */
const pollMs = 100

interface Chain {
  readonly eth: { readonly blockNumber: number }
}

/** @param context Where scripts run: they share their variables with what is typed. */
export function consoleTools(
  objects: Record<string, unknown>,
  context: Context,
  terminal: Terminal,
): Record<string, unknown> {
  const { eth } = objects as unknown as Chain
  const sleep = (seconds: number) => wait(seconds * 1000)
  const sleepBlocks = (count: number, timeoutSeconds = Number.POSITIVE_INFINITY) => {
    const last = eth.blockNumber + count
    const endMs = performance.now() + timeoutSeconds * 1000
    while (eth.blockNumber < last && performance.now() < endMs) wait(pollMs)
    return eth.blockNumber >= last
  }
  Object.assign(objects['admin'] as object, { sleep, sleepBlocks })
  const log = (...values: unknown[]) => {
    print(
      terminal,
      values.map((it) => (typeof it === 'string' ? it : formatConsoleValue(it))).join(' '),
    )
  }
  return {
    console: { log, error: log, warn: log, info: log },
    loadScript(path: string) {
      new Script(readFileSync(path, 'utf8'), { filename: path }).runInContext(context)
      return true
    },
  }
}

/** Everything in the console waits for its answer, so this may stop the thread. */
function wait(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
