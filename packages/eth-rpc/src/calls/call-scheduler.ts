/**
 * Where calls run. Each begins on the thread of the node, which is quickest for the many that take a moment; what takes
 * longer begins anew on a thread of its own, so that no call keeps the node from sealing. Between calls the node gets
 * its turn.
 */
import type { Worker } from 'node:worker_threads'
import { faults } from '../faults.ts'
import { type MaybeLater, whenThere } from '../node-view.ts'
import { type CallJob, isTrace, limitsOf, runCallJob } from './call-job.ts'
import {
  type CallEnvironment,
  type CallLimits,
  type CallState,
  CallTimeout,
} from './call-runner.ts'
import { CallThread } from './call-thread-client.ts'

export interface CallSchedulerOptions {
  readonly environment: CallEnvironment
  readonly limits: CallLimits
  /** Undefined: calls stay on this thread to their end. */
  readonly openThread: (() => Worker) | undefined
}

/** How long one call may keep the node's thread: short against the second between blocks. */
const sliceMs = 20
/** How long calls together may, before everything else gets a turn. */
const turnMs = 10
/** Waiting for their turn: four of the largest batches. */
const waitingCountMax = 4096
/** Waiting for the other thread, which may need seconds for each; who comes later had better ask again. */
const longCountMax = 16

export class CallScheduler {
  readonly #options: CallSchedulerOptions
  readonly #waiting: (() => void)[] = []
  #turnEndsMs: number | undefined
  #thread: CallThread | undefined
  /** Of its own: traces may take minutes, and calls do not wait for them. */
  #traceThread: CallThread | undefined
  #isClosed = false

  constructor(options: CallSchedulerOptions) {
    this.#options = options
  }

  /**
   * @param stateOf Asked when the call begins.
   * @returns what JSON-RPC answers: at once when it can be.
   * @throws RpcFault
   */
  run(job: CallJob, stateOf: () => MaybeLater<CallState>): unknown {
    if (this.#waiting.length === 0 && this.#hasTime()) return this.#begin(job, stateOf())
    if (this.#waiting.length >= waitingCountMax) throw tooMany()
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(this.#begin(job, stateOf()))
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  /** What runs and what waits is answered with an error. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([this.#thread?.close(), this.#traceThread?.close()])
  }

  #begin(job: CallJob, state: MaybeLater<CallState>): unknown {
    return whenThere(state, (there) => this.#beginOn(job, there))
  }

  #beginOn(job: CallJob, state: CallState): unknown {
    if (this.#isClosed) throw faults.server('the node is closing')
    const { environment, openThread } = this.#options
    const limits = limitsOf(job, this.#options.limits)
    if (openThread === undefined || limits.durationMsMax <= sliceMs) {
      return runCallJob({ environment, state, limits }, job)
    }
    try {
      return runCallJob({ environment, state, limits: { ...limits, durationMsMax: sliceMs } }, job)
    } catch (error) {
      if (!(error instanceof CallTimeout)) throw error
    }
    const thread = this.#threadFor(job, openThread)
    if (thread.waitingCount >= longCountMax) throw tooMany()
    return thread.run(job, state, limits)
  }

  #threadFor(job: CallJob, open: () => Worker): CallThread {
    const { environment } = this.#options
    if (isTrace(job)) {
      this.#traceThread ??= new CallThread(environment, open)
      return this.#traceThread
    }
    this.#thread ??= new CallThread(environment, open)
    return this.#thread
  }

  /** Whether there is something left of what calls may take of this turn of the event loop. */
  #hasTime(): boolean {
    const nowMs = performance.now()
    if (this.#turnEndsMs === undefined) {
      this.#turnEndsMs = nowMs + turnMs
      setImmediate(() => this.#nextTurn())
    }
    return nowMs < this.#turnEndsMs
  }

  #nextTurn(): void {
    this.#turnEndsMs = undefined
    while (this.#waiting.length > 0 && this.#hasTime()) this.#waiting.shift()?.()
  }
}

function tooMany(): Error {
  return faults.server('too many calls are waiting; try again later')
}
