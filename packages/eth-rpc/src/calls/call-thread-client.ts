/**
 * The thread for long calls, seen from the node: hands it one call after the other, and answers its questions for the
 * state meanwhile. A thread that does not keep to the limit is ended, and another made for the next call.
 */
import type { Worker } from 'node:worker_threads'
import { faults, type RpcErrorObject, RpcFault } from '../faults.ts'
import type { CallJob } from './call-job.ts'
import type { CallEnvironment, CallLimits, CallState } from './call-runner.ts'
import { type FromCallThread, readState, type ToCallThread } from './call-thread-messages.ts'

/** Beyond the limit of a call: built-in contracts do not look at the time. */
const graceMs = 5000
/** Until a call begins: a new thread loads its code first, on a machine that may be busy. */
const beginMsMax = 30_000

interface Waiting {
  readonly job: CallJob
  readonly limits: CallLimits
  readonly state: CallState
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

export class CallThread {
  readonly #environment: CallEnvironment
  readonly #open: () => Worker
  readonly #waiting: Waiting[] = []
  #worker: Worker | undefined
  #running: Waiting | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(environment: CallEnvironment, open: () => Worker) {
    this.#environment = environment
    this.#open = open
  }

  get waitingCount(): number {
    return this.#waiting.length
  }

  run(job: CallJob, state: CallState, limits: CallLimits): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, limits, state, resolve, reject })
      if (this.#running === undefined) this.#next()
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const error = faults.server('the node is closing')
    for (const { reject } of this.#waiting.splice(0)) reject(error)
    this.#settle()?.reject(error)
    await this.#end()
  }

  #next(): void {
    const next = this.#isClosed ? undefined : this.#waiting.shift()
    this.#running = next
    // An idle thread is no reason for the process to stay.
    if (next === undefined) {
      this.#worker?.unref()
      return
    }
    const { blockHash: _, ...context } = next.state.context
    const worker = this.#workerOrNew()
    worker.ref()
    const message: ToCallThread = {
      kind: 'run',
      job: next.job,
      context,
      config: this.#environment.config,
      limits: next.limits,
    }
    worker.postMessage(message)
    this.#giveUpAfter(beginMsMax)
  }

  #workerOrNew(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = this.#open()
    worker.on('message', (message: FromCallThread) => {
      if (worker === this.#worker) this.#take(message, worker)
    })
    worker.on('error', (error) => this.#lose(worker, error))
    worker.on('exit', () => this.#lose(worker, faults.server('the thread of the call has ended')))
    this.#worker = worker
    return worker
  }

  #take(message: FromCallThread, worker: Worker): void {
    switch (message.kind) {
      case 'begun':
        if (this.#running === undefined) return
        this.#giveUpAfter(this.#running.limits.durationMsMax + graceMs)
        return
      case 'read': {
        const state = this.#running?.state
        if (state === undefined) return
        const answer = readState(state, message.question)
        worker.postMessage({ kind: 'state', answer } satisfies ToCallThread)
        Atomics.store(message.signal, 0, 1)
        Atomics.notify(message.signal, 0)
        return
      }
      case 'done':
        this.#settle()?.resolve(message.result)
        this.#next()
        return
      case 'failed':
        this.#settle()?.reject(faultFrom(message.fault))
        this.#next()
    }
  }

  #giveUpAfter(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#giveUp(), ms)
  }

  #giveUp(): void {
    const running = this.#settle()
    void this.#end()
    const seconds = (running?.limits.durationMsMax ?? 0) / 1000
    running?.reject(faults.server(`execution aborted (timeout = ${seconds}s)`))
    this.#next()
  }

  #lose(worker: Worker, error: unknown): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    this.#settle()?.reject(error)
    this.#next()
  }

  /** What was running does not any more. */
  #settle(): Waiting | undefined {
    const running = this.#running
    clearTimeout(this.#timer)
    this.#running = undefined
    return running
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}

function faultFrom({ code, message, data }: RpcErrorObject): RpcFault {
  return new RpcFault(code, message, data)
}
