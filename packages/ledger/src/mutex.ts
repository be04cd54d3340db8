/** Runs tasks one after the other, in the order they came. */

export class Mutex {
  #tail: Promise<unknown> = Promise.resolve()

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task)
    // A failed task is its caller's matter; the next one runs all the same.
    this.#tail = result.then(ignore, ignore)
    return result
  }
}

function ignore(): void {}
