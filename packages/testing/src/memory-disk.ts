/**
 * The disk under memory-file-system.ts: inodes and directories, each with what is durable and what changed since.
 * Harsher than most real disks: unsynced sectors and names survive in any combination, not in order.
 */
import { assert } from '@cairn/core'
import type { SeededRandom } from './seeded-random.ts'

/** What a disk writes whole or not at all. 4,096 on many, which only makes fewer cases. */
const sectorBytesSize = 512

interface Change {
  /** A write, or with no bytes a truncation to `position`. */
  readonly position: number
  readonly bytes: Uint8Array | undefined
  /** Its sync failed: it stays visible and no later sync reaches it. */
  isLost: boolean
}

/** Bytes that grow by doubling. */
class Content {
  size = 0
  #bytes: Uint8Array = new Uint8Array(0)

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.size)
  }

  apply({ position, bytes }: Pick<Change, 'position' | 'bytes'>): void {
    if (bytes === undefined) {
      this.resize(position)
      return
    }
    this.resize(Math.max(this.size, position + bytes.length))
    this.#bytes.set(bytes, position)
  }

  resize(size: number): void {
    if (size < this.size) this.#bytes.fill(0, size, this.size)
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#bytes.length))
      grown.set(this.view())
      this.#bytes = grown
    }
    this.size = size
  }
}

export class Inode {
  readonly kind = 'file'
  readonly #visible = new Content()
  readonly #durable = new Content()
  #changes: Change[] = []

  get size(): number {
    return this.#visible.size
  }

  bytesView(): Uint8Array {
    return this.#visible.view()
  }

  write(bytes: Uint8Array, position: number): void {
    this.#add({ position, bytes: bytes.slice(), isLost: false })
  }

  truncate(size: number): void {
    this.#add({ position: size, bytes: undefined, isLost: false })
  }

  #add(change: Change): void {
    this.#changes.push(change)
    this.#visible.apply(change)
  }

  flip(offset: number, mask: number): void {
    for (const content of [this.#visible, this.#durable]) {
      const byte = content.view()[offset]
      if (byte !== undefined) content.view()[offset] = byte ^ mask
    }
  }

  /** What a sync that starts now covers. */
  pendingChanges(): readonly Change[] {
    return this.#changes.filter((change) => !change.isLost)
  }

  makeDurable(changes: readonly Change[]): void {
    const done = new Set(changes)
    for (const change of this.#changes) if (done.has(change)) this.#durable.apply(change)
    this.#changes = this.#changes.filter((change) => !done.has(change))
  }

  lose(changes: readonly Change[]): void {
    for (const change of changes) change.isLost = true
  }

  /** `keepProbability` is how likely each change of a sector, or of the size, has reached the disk. */
  crash(random: SeededRandom, keepProbability: number): void {
    for (const change of this.#changes) {
      if (change.bytes === undefined) {
        if (random.chance(keepProbability)) this.#durable.apply(change)
        continue
      }
      for (const [start, end] of sectorsOf(change.position, change.bytes.length)) {
        if (!random.chance(keepProbability)) continue
        const bytes = change.bytes.subarray(start - change.position, end - change.position)
        this.#durable.apply({ position: start, bytes })
      }
    }
    this.#changes = []
    this.#visible.resize(0)
    this.#visible.apply({ position: 0, bytes: this.#durable.view() })
  }
}

/** The parts of [`position`, `position + size`) that lie in one sector each. */
function sectorsOf(position: number, size: number): [number, number][] {
  const parts: [number, number][] = []
  let start = position
  while (start < position + size) {
    const sectorEnd = (Math.floor(start / sectorBytesSize) + 1) * sectorBytesSize
    const end = Math.min(position + size, sectorEnd)
    parts.push([start, end])
    start = end
  }
  return parts
}

type Node = Inode | Directory

/** One change of names: all of it survives a crash, or nothing. */
type NameChange = (entries: Map<string, Node>) => void

class Directory {
  readonly kind = 'directory'
  entries: Map<string, Node> = new Map()
  #durable = new Map<string, Node>()
  #changes: NameChange[] = []

  change(change: NameChange): void {
    change(this.entries)
    this.#changes.push(change)
  }

  sync(): void {
    this.#durable = new Map(this.entries)
    this.#changes = []
  }

  crash(random: SeededRandom, keepProbability: number): void {
    for (const change of this.#changes) if (random.chance(keepProbability)) change(this.#durable)
    this.#changes = []
    this.entries = new Map(this.#durable)
    for (const node of this.entries.values()) node.crash(random, keepProbability)
  }
}

export class Disk {
  readonly #root = new Directory()

  find(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const name of namesIn(path)) {
      if (node?.kind !== 'directory') return undefined
      node = node.entries.get(name)
    }
    return node
  }

  #place(path: string): { directory: Directory; name: string } | undefined {
    const names = namesIn(path)
    const name = names.pop()
    const directory = this.find(names.join('/'))
    if (name === undefined || directory?.kind !== 'directory') return undefined
    return { directory, name }
  }

  /** A new file, or undefined when its directory does not exist. */
  create(path: string): Inode | undefined {
    const place = this.#place(path)
    if (place === undefined) return undefined
    const inode = new Inode()
    place.directory.change((entries) => entries.set(place.name, inode))
    return inode
  }

  /** With its missing parents; false when a file is in the way. */
  makeDirectory(path: string): boolean {
    let directory = this.#root
    for (const name of namesIn(path)) {
      let next = directory.entries.get(name)
      if (next === undefined) {
        const made = new Directory()
        directory.change((entries) => entries.set(name, made))
        next = made
      }
      if (next.kind !== 'directory') return false
      directory = next
    }
    return true
  }

  rename(from: string, to: string): boolean {
    const source = this.#place(from)
    const target = this.#place(to)
    const node = this.find(from)
    if (source === undefined || target === undefined || node === undefined) return false
    if (source.directory !== target.directory) {
      source.directory.change((entries) => entries.delete(source.name))
      target.directory.change((entries) => entries.set(target.name, node))
      return true
    }
    source.directory.change((entries) => {
      entries.delete(source.name)
      entries.set(target.name, node)
    })
    return true
  }

  remove(path: string): boolean {
    const place = this.#place(path)
    if (place === undefined || !place.directory.entries.has(place.name)) return false
    place.directory.change((entries) => entries.delete(place.name))
    return true
  }

  crash(random: SeededRandom): void {
    // The extremes are where the bugs are: everything lost, everything there, and all between.
    const keepProbability = [0, 1, 0.5, random.fraction()][random.below(4)]
    assert(keepProbability !== undefined)
    this.#root.crash(random, keepProbability)
  }
}

function namesIn(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}
