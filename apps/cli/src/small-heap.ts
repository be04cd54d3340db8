/**
 * Runs a command in a process with the heap that Node gives by itself. The program starts with room for 128 MiB of
 * young objects, which makes a server's transactions faster; work that goes through a ledger block by block would fill
 * that room twice over with garbage, and is to stay below 512 MiB. Loads nothing of the program.
 */
import { spawn } from 'node:child_process'
import { exitFailed } from './command.ts'

const marker = 'CAIRN_SMALL_HEAP'

/** Commands that go through whole ledgers. */
const longWork: ReadonlySet<string> = new Set([
  'ledger import',
  'ledger export',
  'ledger backup',
  'ledger restore',
])

/** Whether the command asks for a small heap and this process was started with a large one. */
export function needsSmallHeap(words: readonly string[]): boolean {
  if (!longWork.has(words.slice(0, 2).join(' '))) return false
  const isLarge = process.execArgv.some((flag) => flag.startsWith('--min-semi-space-size'))
  return isLarge && process.env[marker] === undefined
}

/**
 * The same program with the same words. The two end together: signals are passed on, and the one that works does not
 * outlive the one that was killed.
 * @returns the exit code.
 */
export function runInSmallHeap(words: readonly string[]): Promise<number> {
  const flags = process.execArgv.filter((flag) => !flag.includes('semi-space-size'))
  const program = process.argv[1] ?? ''
  const child = spawn(process.execPath, [...flags, program, ...words], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [marker]: '1' },
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => child.kill(signal))
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? exitFailed))
  })
}

/** In the process with the small heap: ends it when the one that started it is gone. */
export function endWithStarter(): void {
  if (process.env[marker] === undefined || process.channel === undefined) return
  process.on('disconnect', () => process.exit(exitFailed))
  process.channel.unref()
}
