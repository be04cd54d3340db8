/** Runs tasks one after the other, in the order they came. A task that finds nobody before it starts at once. */

export class Mutex {
  #isBusy = false
  #waiting: (() => void)[] = []

  run<T>(task: () => T | Promise<T>): Promise<T> {
    if (this.#isBusy) return this.#runLater(task)
    this.#isBusy = true
    return this.#runNow(task)
  }

  async #runLater<T>(task: () => T | Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.#runNow(task)
  }

  // No async function: every statement of every transaction comes by here, most with nothing to wait for.
  #runNow<T>(task: () => T | Promise<T>): Promise<T> {
    let result: T | Promise<T>
    try {
      result = task()
    } catch (error) {
      this.#release()
      return Promise.reject(error)
    }
    if (result instanceof Promise) result.then(this.#release, this.#release)
    else this.#release()
    return Promise.resolve(result)
  }

  /** Who waits takes over without the mutex ever being free, so nobody overtakes. */
  readonly #release = (): void => {
    const next = this.#waiting.shift()
    if (next === undefined) this.#isBusy = false
    else next()
  }
}
