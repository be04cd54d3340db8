/** Tables in memory, for development chains and tests. What is closed is gone. */
import { bytesOfText, textOfBytes } from '@cairn/eth-codec'
import type { Database, RangeOptions, Table, TableRow } from './database.ts'

export function createMemoryDatabase(): Database {
  return new MemoryDatabase()
}

type Undo = () => void

class MemoryDatabase implements Database {
  readonly #tables = new Map<string, MemoryTable>()
  #undos: Undo[] | undefined

  table(name: string): Table {
    let table = this.#tables.get(name)
    if (table === undefined) {
      table = new MemoryTable(() => this.#undos)
      this.#tables.set(name, table)
    }
    return table
  }

  writeSync(write: () => void): void {
    // A write within a write belongs to the outer one, as in LMDB.
    if (this.#undos !== undefined) {
      write()
      return
    }
    const undos: Undo[] = []
    this.#undos = undos
    try {
      write()
    } catch (error) {
      for (let i = undos.length - 1; i >= 0; i--) undos[i]?.()
      throw error
    } finally {
      this.#undos = undefined
    }
  }

  async close(): Promise<void> {
    this.#tables.clear()
  }
}

class MemoryTable implements Table {
  readonly #rows = new Map<string, Uint8Array>()
  readonly #undos: () => Undo[] | undefined
  /** Made when a range is asked for, dropped when keys come or go. */
  #sortedKeys: string[] | undefined

  constructor(undos: () => Undo[] | undefined) {
    this.#undos = undos
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#rows.get(textOfBytes(key))
  }

  getView(key: Uint8Array): Uint8Array | undefined {
    return this.get(key)
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#change(textOfBytes(key), value.slice())
  }

  remove(key: Uint8Array): void {
    this.#change(textOfBytes(key), undefined)
  }

  removeAll(): void {
    for (const key of [...this.#rows.keys()]) this.#change(key, undefined)
  }

  #change(key: string, value: Uint8Array | undefined): void {
    const undos = this.#undos()
    if (undos === undefined) throw new Error('A table is written inside writeSync only.')
    const before = this.#rows.get(key)
    undos.push(() => this.#set(key, before))
    this.#set(key, value)
  }

  #set(key: string, value: Uint8Array | undefined): void {
    if ((value === undefined) === this.#rows.has(key)) this.#sortedKeys = undefined
    if (value === undefined) this.#rows.delete(key)
    else this.#rows.set(key, value)
  }

  *range(start: Uint8Array, end: Uint8Array, options: RangeOptions = {}): Iterable<TableRow> {
    const { isReverse = false, countMax = Number.POSITIVE_INFINITY } = options
    this.#sortedKeys ??= [...this.#rows.keys()].sort()
    const keys = this.#sortedKeys
    const first = lowerBound(keys, textOfBytes(start))
    const count = Math.min(lowerBound(keys, textOfBytes(end)) - first, countMax)
    const last = lowerBound(keys, textOfBytes(end)) - 1
    for (let i = 0; i < count; i++) {
      const key = keys[isReverse ? last - i : first + i] as string
      yield { key: bytesOfText(key), value: this.#rows.get(key) as Uint8Array }
    }
  }
}

/** Index of the first key that is not below `bound`. */
function lowerBound(keys: readonly string[], bound: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as string) < bound) low = middle + 1
    else high = middle
  }
  return low
}
