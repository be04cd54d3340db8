/**
 * The storage slots of one account that execution has seen: an open hash table over flat arrays, so that a look-up
 * makes no string and no bigint. Slots are numbered in the order in which they came and are never taken out.
 */
import { copyWord, wordLength } from './words.ts'

const firstCapacity = 4

export class SlotTable {
  count = 0
  keys: Int32Array = new Int32Array(firstCapacity * wordLength)
  /** The value now. */
  current: Int32Array = new Int32Array(firstCapacity * wordLength)
  /** The value when the running transaction began; holds for slots with its number in `transactions`. */
  original: Int32Array = new Int32Array(firstCapacity * wordLength)
  /** The value that the reader, or whoever took the changes last, has. */
  base: Int32Array = new Int32Array(firstCapacity * wordLength)
  /** The last transaction that touched the slot: in that one it is warm. */
  transactions: Int32Array = new Int32Array(firstCapacity)
  /** Number of a slot + 1, by hash; twice as long as there is room for slots. */
  #index: Int32Array = new Int32Array(firstCapacity * 2)

  /** The slot with that key, or -1. */
  find(words: Int32Array, at: number): number {
    const mask = this.#index.length - 1
    for (let i = hashWord(words, at) & mask; ; i = (i + 1) & mask) {
      const slot = (this.#index[i] as number) - 1
      if (slot < 0) return -1
      if (this.#hasKey(slot, words, at)) return slot
    }
  }

  /** Adds a slot whose key is not there yet, with all values zero. */
  add(words: Int32Array, at: number): number {
    if (this.count === this.transactions.length) this.#grow()
    const slot = this.count++
    copyWord(words, at, this.keys, slot * wordLength)
    this.#enter(slot)
    return slot
  }

  /** A table with the same slots, as warm as these, whose values are all zero. */
  emptied(): SlotTable {
    const table = new SlotTable()
    for (let slot = 0; slot < this.count; slot++) {
      table.add(this.keys, slot * wordLength)
      table.transactions[slot] = this.transactions[slot] as number
    }
    return table
  }

  #hasKey(slot: number, words: Int32Array, at: number): boolean {
    const keys = this.keys
    const own = slot * wordLength
    for (let i = 0; i < wordLength; i++) if (keys[own + i] !== words[at + i]) return false
    return true
  }

  #enter(slot: number): void {
    const mask = this.#index.length - 1
    let i = hashWord(this.keys, slot * wordLength) & mask
    while (this.#index[i] !== 0) i = (i + 1) & mask
    this.#index[i] = slot + 1
  }

  #grow(): void {
    const capacity = this.transactions.length * 2
    this.keys = grown(this.keys, capacity * wordLength)
    this.current = grown(this.current, capacity * wordLength)
    this.original = grown(this.original, capacity * wordLength)
    this.base = grown(this.base, capacity * wordLength)
    this.transactions = grown(this.transactions, capacity)
    this.#index = new Int32Array(capacity * 2)
    for (let slot = 0; slot < this.count; slot++) this.#enter(slot)
  }
}

export function grown(array: Int32Array, length: number): Int32Array {
  const larger = new Int32Array(length)
  larger.set(array)
  return larger
}

/** Mixes every bit of the word, since small numbers and hashes are equally common as keys. */
export function hashWord(words: Int32Array, at: number): number {
  let hash = 0x2545f491
  for (let i = 0; i < wordLength; i++) {
    hash = Math.imul(hash ^ (words[at + i] as number), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash
}
