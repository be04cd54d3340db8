/** The threads of a node, from their sources: they need a loader that reads TypeScript. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { ExecutionThreadData } from '../open-execution.ts'

/**
 * How a thread ends that was not asked to: by itself, by an error that nobody catches, by a heap that is full, or at
 * its next write since there is little room left.
 */
export type ThreadEnding = 'exit' | 'error' | 'memory' | 'littleMemory'

/** Enough for the thread to start, and full in a moment. */
const oldGenerationMbMax = 256

export function startSourceThread(workerData: ExecutionThreadData): Worker {
  return startThread('../execution-thread.ts', workerData, endings)
}

export function startRecoverySourceThread(): Worker {
  return startThread('../recovery-thread.ts')
}

/** One that executes. It hears of it between two of its turns, which is never within a transaction of the database. */
export function endThread(worker: Worker, ending: ThreadEnding): void {
  worker.postMessage({ ending })
}

const endings = `
  require('node:worker_threads').parentPort.addEventListener('message', (event) => {
    const { ending } = event.data
    if (ending === undefined) return
    event.stopImmediatePropagation()
    if (ending === 'exit') process.exit(7)
    if (ending === 'error') throw new Error('nobody has foreseen this')
    if (ending === 'littleMemory') {
      // How much a heap holds after the next collection nobody can say, so V8's answer is made up.
      require('node:v8').getHeapStatistics = () => ({ total_available_size: 60 * 1024 * 1024 })
      require('node:module').syncBuiltinESMExports()
    }
    if (ending === 'memory') for (const all = []; ; ) all.push(new Array(100_000).fill(0))
  })`

function startThread(path: string, workerData?: unknown, before = ''): Worker {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')).href
  const thread = new URL(path, import.meta.url).href
  const code = `${before}
    import('${loader}').then(({ register }) => {
      register()
      return import('${thread}')
    })`
  return new Worker(code, {
    eval: true,
    execArgv: ['--conditions=@cairn/source'],
    resourceLimits: { maxOldGenerationSizeMb: oldGenerationMbMax },
    workerData,
  })
}
