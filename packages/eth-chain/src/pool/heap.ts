/** A binary heap: the least item by a given order first. */

export class Heap<T> {
  readonly #compare: (a: T, b: T) => number
  readonly #items: T[]

  /** @param items Taken over; put in order in linear time. */
  constructor(compare: (a: T, b: T) => number, items: T[] = []) {
    this.#compare = compare
    this.#items = items
    for (let i = (items.length >> 1) - 1; i >= 0; i--) this.#sink(i)
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    this.#items.push(item)
    this.#rise(this.#items.length - 1)
  }

  pop(): T | undefined {
    const top = this.#items[0]
    const last = this.#items.pop()
    if (this.#items.length > 0 && last !== undefined) {
      this.#items[0] = last
      this.#sink(0)
    }
    return top
  }

  /** In place of the least item: cheaper than to pop and push. */
  replaceTop(item: T): void {
    this.#items[0] = item
    this.#sink(0)
  }

  #rise(start: number): void {
    const items = this.#items
    const item = items[start] as T
    let at = start
    while (at > 0) {
      const above = (at - 1) >> 1
      if (this.#compare(item, items[above] as T) >= 0) break
      items[at] = items[above] as T
      at = above
    }
    items[at] = item
  }

  #sink(start: number): void {
    const items = this.#items
    const item = items[start] as T
    let at = start
    for (;;) {
      let below = 2 * at + 1
      if (below >= items.length) break
      const right = below + 1
      if (right < items.length && this.#compare(items[right] as T, items[below] as T) < 0) {
        below = right
      }
      if (this.#compare(items[below] as T, item) >= 0) break
      items[at] = items[below] as T
      at = below
    }
    items[at] = item
  }
}
