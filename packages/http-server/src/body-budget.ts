/** Bytes of request bodies that may be in memory at once, of all connections of a server together. */
import { assert } from '@cairn/core'

export class BodyBudget {
  readonly #bytesMax: number
  #bytesInUse = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytesInUse(): number {
    return this.#bytesInUse
  }

  /** @returns False when there is not as much left; nothing is taken then. */
  take(bytes: number): boolean {
    if (this.#bytesInUse + bytes > this.#bytesMax) return false
    this.#bytesInUse += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#bytesInUse -= bytes
    assert(this.#bytesInUse >= 0, 'no more is given back than was taken')
  }
}
