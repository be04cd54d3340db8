/** Runs tasks one after the other, in the order they came. A task that finds nobody before it starts at once. */

export class Mutex {
  #isBusy = false
  #waiting: (() => void)[] = []

  async run<T>(task: () => T | Promise<T>): Promise<T> {
    if (this.#isBusy) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#isBusy = true
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      // Who waits takes over without the mutex ever being free, so nobody overtakes.
      if (next === undefined) this.#isBusy = false
      else next()
    }
  }
}
