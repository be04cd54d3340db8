/** The thread that executes, from its source: it needs a loader that reads TypeScript. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { ExecutionThreadData } from '../open-execution.ts'

export function startSourceThread(workerData: ExecutionThreadData): Worker {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')).href
  const thread = new URL('../execution-thread.ts', import.meta.url).href
  const code = `import('${loader}').then(({ register }) => {
    register()
    return import('${thread}')
  })`
  return new Worker(code, { eval: true, execArgv: ['--conditions=@cairn/source'], workerData })
}
