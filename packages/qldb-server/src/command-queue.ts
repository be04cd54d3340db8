/** Lets one command in at a time, in the order of arrival. Costs nothing where nobody waits. */
import { assert } from '@cairn/core'

export class CommandQueue {
  #isBusy = false
  readonly #waiting: (() => void)[] = []

  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Resolves when it is the caller's turn; undefined when it is at once. Each turn ends with `leave`. */
  enter(): Promise<void> | undefined {
    if (!this.#isBusy) {
      this.#isBusy = true
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  leave(): void {
    assert(this.#isBusy, 'only who entered leaves')
    // The turn is handed over without being free in between, so that nobody who comes now gets ahead.
    const next = this.#waiting.shift()
    if (next === undefined) this.#isBusy = false
    else next()
  }
}
