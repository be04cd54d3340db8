/**
 * The disk under memory-file-system.ts: inodes and directories, each with what is durable and what changed since.
 * Harsher than most real disks: unsynced sectors and names survive in any combination, not in order.
 */
import { assert } from '@cairn/core'
import type { SeededRandom } from './seeded-random.ts'

/** What a disk writes whole or not at all. 4,096 on many, which only makes fewer cases. */
const sectorBytesSize = 512

/** What a sector, or the size, was after the change with this number. */
interface Version<T> {
  readonly changeNo: number
  readonly value: T
}

/** A thing that reaches the disk whole or not at all, with its versions since the durable one, oldest first. */
interface Pending<T> {
  versions: Version<T>[]
  /** A sync up to this change failed: later syncs skip it until it is written again, though it stays visible. */
  lostNo: number
}

/** Bytes that grow by doubling; zeros behind `size`. */
class Content {
  size = 0
  #bytes: Uint8Array = new Uint8Array(0)

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.size)
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

  set(bytes: Uint8Array, position: number): void {
    this.resize(Math.max(this.size, position + bytes.length))
    this.#bytes.set(bytes, position)
  }

  /** A copy of one sector, filled up with zeros. */
  sector(index: number): Uint8Array {
    const out = new Uint8Array(sectorBytesSize)
    out.set(this.view().subarray(index * sectorBytesSize, (index + 1) * sectorBytesSize))
    return out
  }
}

export class Inode {
  readonly kind = 'file'
  readonly #visible = new Content()
  readonly #durable = new Content()
  readonly #sectors: Map<number, Pending<Uint8Array>> = new Map()
  #sizes: Pending<number> = { versions: [], lostNo: 0 }
  #changeNo = 0

  get size(): number {
    return this.#visible.size
  }

  /** Number of the last change; a sync that starts now covers all up to it. */
  get changeNo(): number {
    return this.#changeNo
  }

  bytesView(): Uint8Array {
    return this.#visible.view()
  }

  write(bytes: Uint8Array, position: number): void {
    const { size } = this.#visible
    this.#visible.set(bytes, position)
    this.#note(size, position, position + bytes.length)
  }

  truncate(size: number): void {
    const before = this.#visible.size
    this.#visible.resize(size)
    this.#note(before, Math.min(size, before), Math.max(size, before))
  }

  #note(sizeBefore: number, start: number, end: number): void {
    const changeNo = ++this.#changeNo
    const { size } = this.#visible
    if (size !== sizeBefore) this.#sizes.versions.push({ changeNo, value: size })
    const first = Math.floor(start / sectorBytesSize)
    for (let index = first; index * sectorBytesSize < end; index++) {
      const pending = this.#sectors.get(index) ?? { versions: [], lostNo: 0 }
      pending.versions.push({ changeNo, value: this.#visible.sector(index) })
      this.#sectors.set(index, pending)
    }
  }

  flip(offset: number, mask: number): void {
    for (const content of [this.#visible, this.#durable]) {
      const byte = content.view()[offset]
      if (byte !== undefined) content.view()[offset] = byte ^ mask
    }
  }

  makeDurable(changeNo: number): void {
    const { size } = this.#durable
    for (const [index, pending] of this.#sectors) {
      const bytes = takeUpTo(pending, changeNo)
      if (bytes !== undefined) this.#durable.set(bytes, index * sectorBytesSize)
      if (pending.versions.length === 0) this.#sectors.delete(index)
    }
    this.#durable.resize(takeUpTo(this.#sizes, changeNo) ?? size)
  }

  /** Bytes only: a size is metadata, which a file system keeps and writes with its next sync. */
  lose(changeNo: number): void {
    for (const pending of this.#sectors.values()) pending.lostNo = changeNo
  }

  /** `keepProbability` is how likely the newest version of a sector, or of the size, has reached the disk. */
  crash(random: SeededRandom, keepProbability: number): void {
    const { size } = this.#durable
    for (const [index, pending] of this.#sectors) {
      const bytes = pick(pending, random, keepProbability)
      if (bytes !== undefined) this.#durable.set(bytes, index * sectorBytesSize)
    }
    this.#durable.resize(pick(this.#sizes, random, keepProbability) ?? size)
    this.#sectors.clear()
    this.#sizes = { versions: [], lostNo: 0 }
    this.#visible.resize(0)
    this.#visible.set(this.#durable.view(), 0)
  }
}

/** Removes what a sync up to `changeNo` covers; answers the newest of it, undefined when that is nothing or lost. */
function takeUpTo<T>(pending: Pending<T>, changeNo: number): T | undefined {
  const newest = pending.versions.findLast((version) => version.changeNo <= changeNo)
  if (newest === undefined || newest.changeNo <= pending.lostNo) return undefined
  pending.versions = pending.versions.filter((version) => version.changeNo > changeNo)
  return newest.value
}

/** What a crash leaves: the newest version, an older one, or (undefined) the durable one. */
function pick<T>(
  pending: Pending<T>,
  random: SeededRandom,
  keepProbability: number,
): T | undefined {
  const { versions } = pending
  if (random.chance(keepProbability)) return versions.at(-1)?.value
  return random.chance(keepProbability) ? versions[random.below(versions.length)]?.value : undefined
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
