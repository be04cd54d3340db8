/**
 * A bounded map that forgets what was not used for long: two generations, of which the older is dropped when the
 * younger is full. Cheaper per use than a strict order of use, and as good where the set in use is smaller than the
 * bound.
 */

export class RecentMap<V> {
  readonly #countMax: number
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  /** @param countMax Entries of one generation; up to twice as many are held. */
  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#countMax && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }
}
