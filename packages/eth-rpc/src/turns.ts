/**
 * Long reads on the thread that answers everything: each goes on for a moment in every turn of the event loop, a few of
 * them beside each other, and the others wait. What takes only a moment is answered at once.
 */
import { faults } from './faults.ts'

/** How long reads may keep the thread, together, before everything else gets a turn. */
const turnMs = 10
/** Begun and not ended: each holds what it has found. */
const runningCountMax = 4
/** Not begun: more than the largest batch has. */
const waitingCountMax = 1024

interface Task {
  readonly steps: Generator<unknown, unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

export class Turns {
  readonly #running: Task[] = []
  readonly #waiting: Task[] = []
  readonly #nowMs: () => number
  #isScheduled = false

  /** @param nowMs A clock that never goes back. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  /**
   * @param steps Gives way wherever it may be made to wait.
   * @returns what it returns, at once when it can be.
   * @throws RpcFault when too many wait; what it throws.
   */
  run<T>(steps: Generator<unknown, T>): T | Promise<T> {
    if (this.#running.length === 0 && this.#waiting.length === 0) {
      const endsMs = this.#nowMs() + turnMs
      do {
        const { done, value } = steps.next()
        if (done === true) return value
      } while (this.#nowMs() < endsMs)
    }
    if (this.#waiting.length >= waitingCountMax) {
      throw faults.server('too many searches are waiting; try again later')
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ steps, resolve: resolve as Task['resolve'], reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#takeTurn())
  }

  #takeTurn(): void {
    this.#isScheduled = false
    const endsMs = this.#nowMs() + turnMs
    do {
      const waiting = this.#running.length < runningCountMax ? this.#waiting.shift() : undefined
      const task = waiting ?? this.#running.shift()
      if (task === undefined) return
      if (!step(task)) this.#running.push(task)
    } while (this.#nowMs() < endsMs)
    this.#schedule()
  }
}

/** @returns whether the task has ended. */
function step({ steps, resolve, reject }: Task): boolean {
  try {
    const { done, value } = steps.next()
    if (done !== true) return false
    resolve(value)
  } catch (error) {
    reject(error)
  }
  return true
}
