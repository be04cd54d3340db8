/**
 * What the console looks at again and again: filters that are watched, contracts that wait to be mined. At intervals
 * while the prompt waits, and whenever a script sleeps, since everything else in the console stands still then.
 */

/** web3 0.20's. */
const intervalMs = 500
/** Filters and contracts at once: each costs a call at every interval. */
const taskCountMax = 1000

export class Polls {
  readonly #onError: (error: unknown) => void
  readonly #tasks = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined
  #isRunning = false

  /** @param onError Told what a task, or a function that it calls, has thrown. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** @returns what ends it. */
  add(task: () => void): () => void {
    if (this.#tasks.size >= taskCountMax) {
      throw new Error('Too much is watched: stopWatching ends a filter.')
    }
    this.#tasks.add(task)
    // An idle console is no reason for the process to stay.
    this.#timer ??= setInterval(() => this.run(), intervalMs).unref()
    return () => {
      this.#tasks.delete(task)
      if (this.#tasks.size === 0) this.close()
    }
  }

  /** Once now. A task that sleeps runs no others meanwhile. */
  run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    for (const task of [...this.#tasks]) {
      try {
        if (this.#tasks.has(task)) task()
      } catch (error) {
        this.#onError(error)
      }
    }
    this.#isRunning = false
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#tasks.clear()
  }
}
