/** A map of bounded size that forgets what was least recently used. */

export class RecentMap<V> {
  readonly #countMax: number
  readonly #entries = new Map<string, V>()

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: string, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#countMax) return
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }
}
