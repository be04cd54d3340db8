/**
 * Nodes of both hash trees in one append-only file: a projection, recomputable from the journal. Nodes stand in the
 * order in which subtrees become complete (post-order); entry p holds the QLDB node and the RFC 6962 node of a place.
 *
 *   leaf 0 | leaf 1 | node(0,1) | leaf 2 | leaf 3 | node(2,3) | node(0..3) | leaf 4 | …      68 bytes each:
 *   QLDB node 32 | RFC 6962 node 32 | checksum u32, little-endian: CRC-32 of both, exclusive or with the place
 *
 * A leaf costs two entries on average, one write and one sync per projected batch, and any node is one read away. An
 * entry that is not what was written is made again from the two below it, a leaf from its block in the journal.
 */
import { crc32 } from 'node:zlib'
import { assert, type FileSystem, hashBytesSize, type OpenFile } from '@cairn/core'
import { JournalError } from '@cairn/journal'
import { type NodeStore, qldbHasher, tlogHasher } from '@cairn/merkle'

const hashesBytesSize = 2 * hashBytesSize
const entryBytesSize = hashesBytesSize + 4
const tailBytesSizeMin = 64 * 1024

/** Nodes that are complete once a tree has `size` leaves. */
export function nodeCount(size: number): number {
  return 2 * size - bitCount(size)
}

/** Entry of the complete subtree `index` at `level`: its last leaf's entry, then up one entry per level. */
function nodePosition(level: number, index: number): number {
  const lastLeaf = (index + 1) * 2 ** level - 1
  return nodeCount(lastLeaf) + level
}

function bitCount(value: number): number {
  let count = 0
  // Division, since sizes go beyond 32 bits.
  for (let rest = value; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}

/** Where nodes come from that the file does not have intact. */
export interface NodeSource {
  /** Leaf `index` of both trees, from the journal. */
  leaf(index: number): { readonly blockHash: Uint8Array; readonly entryHash: Uint8Array }
  /** Called for each entry that was made again. */
  onRepaired(position: number): void
  /** The entry is right in memory and could not be written. */
  onNotWritten(error: unknown): void
}

export class NodeFile {
  readonly #file: OpenFile
  readonly #source: NodeSource | undefined
  /** Entries in the file; the ones after stand in the tail. */
  #flushedCount: number
  /** Entries behind the flushed ones, as the file will have them: one array instead of thousands of small ones. */
  #tail: Uint8Array = new Uint8Array(tailBytesSizeMin)
  /** Entries of each tree in the tail. */
  readonly #tailCounts: [number, number] = [0, 0]
  /** Entries on their way back to the file, with all `at` handles. */
  readonly #repairs: Set<Promise<void>>

  private constructor(
    file: OpenFile,
    flushedCount: number,
    source: NodeSource | undefined,
    repairs: Set<Promise<void>>,
  ) {
    this.#file = file
    this.#flushedCount = flushedCount
    this.#source = source
    this.#repairs = repairs
  }

  /**
   * Opens the file and takes it to hold trees of `size` leaves; what stands behind them is forgotten.
   * @param source Without it, a damaged entry is an error.
   */
  static async open(
    fileSystem: FileSystem,
    path: string,
    size: number,
    source?: NodeSource,
  ): Promise<NodeFile> {
    const exists = await fileSystem.exists(path)
    const file = await fileSystem.open(path, exists ? 'readWrite' : 'create')
    return new NodeFile(file, nodeCount(size), source, new Set())
  }

  /** The same file as trees of `size` leaves, with a tail of its own. Not for writing, and closed with this one. */
  at(size: number): NodeFile {
    return new NodeFile(this.#file, nodeCount(size), this.#source, this.#repairs)
  }

  /** Whether the file is as long as what it is taken to hold. What is there may still be wrong. */
  get isLongEnough(): boolean {
    return this.#file.sizeSync() >= this.#flushedCount * entryBytesSize
  }

  /**
   * Its `get` throws JournalError SHORT_READ, and NODES_DAMAGED where there is nothing to repair from.
   * @param tree 0 for the QLDB tree, 1 for the RFC 6962 tree.
   */
  store(tree: 0 | 1): NodeStore {
    return {
      get: (level, index) => this.#get(tree, level, index),
      append: (level, index, hash) => {
        const tailIndex = this.#tailCounts[tree]++
        const isInOrder = nodePosition(level, index) === this.#flushedCount + tailIndex
        assert(isInOrder, 'nodes are appended in post-order')
        this.#reserve(tailIndex + 1)
        this.#tail.set(hash, tailIndex * entryBytesSize + tree * hashBytesSize)
      },
    }
  }

  #get(tree: 0 | 1, level: number, index: number): Uint8Array {
    const position = nodePosition(level, index)
    const tailIndex = position - this.#flushedCount
    if (tailIndex < 0) return hashOf(this.#entry(level, index, position), tree)
    assert(tailIndex < this.#tailCounts[tree], 'a node is asked for after it was appended')
    const start = tailIndex * entryBytesSize + tree * hashBytesSize
    return this.#tail.slice(start, start + hashBytesSize)
  }

  /** An entry of the file. */
  #entry(level: number, index: number, position: number): Uint8Array {
    const entry = new Uint8Array(entryBytesSize)
    const offset = entryBytesSize * position
    const bytesRead = this.#file.readSync(entry, offset)
    if (bytesRead < entryBytesSize) throw shortRead(offset, bytesRead)
    return isIntact(entry, position) ? entry : this.#madeAgain(level, index, position)
  }

  #madeAgain(level: number, index: number, position: number): Uint8Array {
    const source = this.#source
    if (source === undefined) throw nodesDamaged(entryBytesSize * position)
    const entry = new Uint8Array(entryBytesSize)
    if (level === 0) {
      const { blockHash, entryHash } = source.leaf(index)
      entry.set(blockHash)
      entry.set(entryHash, hashBytesSize)
    } else {
      const [below, left, right] = [level - 1, 2 * index, 2 * index + 1]
      const leftEntry = this.#entry(below, left, nodePosition(below, left))
      const rightEntry = this.#entry(below, right, nodePosition(below, right))
      entry.set(qldbHasher.node(hashOf(leftEntry, 0), hashOf(rightEntry, 0)))
      entry.set(tlogHasher.node(hashOf(leftEntry, 1), hashOf(rightEntry, 1)), hashBytesSize)
    }
    seal(entry, position)
    source.onRepaired(position)
    const isWritten = this.#file
      .write(entry, entryBytesSize * position)
      .then(() => this.#file.syncData())
      .catch((error: unknown) => source.onNotWritten(error))
      .finally(() => this.#repairs.delete(isWritten))
    this.#repairs.add(isWritten)
    return entry
  }

  /** Writes and syncs the nodes of the first `size` leaves. */
  async flush(size: number): Promise<void> {
    const target = nodeCount(size)
    const count = target - this.#flushedCount
    if (count <= 0) return
    assert(count <= Math.min(...this.#tailCounts), 'both trees have grown to that size')
    const bytesSize = count * entryBytesSize
    const bytes = this.#tail.slice(0, bytesSize)
    for (let i = 0; i < count; i++) {
      seal(bytes.subarray(i * entryBytesSize, (i + 1) * entryBytesSize), this.#flushedCount + i)
    }
    await this.#file.write(bytes, this.#flushedCount * entryBytesSize)
    await this.#file.syncData()
    // Appends may have come in meanwhile; reads of these entries go to the file from here on.
    this.#tail.copyWithin(0, bytesSize, Math.max(...this.#tailCounts) * entryBytesSize)
    this.#tailCounts[0] -= count
    this.#tailCounts[1] -= count
    this.#flushedCount = target
  }

  #reserve(count: number): void {
    if (count * entryBytesSize <= this.#tail.length) return
    const grown = new Uint8Array(2 * this.#tail.length)
    grown.set(this.#tail)
    this.#tail = grown
  }

  async close(): Promise<void> {
    await Promise.all(this.#repairs)
    await this.#file.close()
  }
}

function hashOf(entry: Uint8Array, tree: 0 | 1): Uint8Array {
  return entry.subarray(tree * hashBytesSize, (tree + 1) * hashBytesSize)
}

/** With the place in it, an entry that lies where another belongs is noticed as well. */
function checksumOf(entry: Uint8Array, position: number): number {
  return (crc32(entry.subarray(0, hashesBytesSize)) ^ position) >>> 0
}

function seal(entry: Uint8Array, position: number): void {
  const checksum = checksumOf(entry, position)
  for (let i = 0; i < 4; i++) entry[hashesBytesSize + i] = checksum >>> (8 * i)
}

function isIntact(entry: Uint8Array, position: number): boolean {
  const checksum = checksumOf(entry, position)
  for (let i = 0; i < 4; i++) {
    if (entry[hashesBytesSize + i] !== ((checksum >>> (8 * i)) & 255)) return false
  }
  return true
}

/** Only before the trees are open, or on the sealer's thread: both have nothing to repair from. */
function nodesDamaged(position: number): JournalError {
  return new JournalError(
    { code: 'NODES_DAMAGED', position },
    {
      shortMessage: 'An entry of the file of hash tree nodes is not what was written.',
      metaMessages: [
        `Bytes: ${position} to ${position + entryBytesSize}`,
        'Start again: the file is rebuilt from the journal. Then look at the disk.',
      ],
    },
  )
}

/** Zeros in place of a node would give digests and proofs that no block stands for. */
function shortRead(position: number, bytesRead: number): JournalError {
  return new JournalError(
    { code: 'SHORT_READ', position, bytes: entryBytesSize, bytesRead },
    {
      shortMessage: 'The disk gave fewer bytes of the file of hash tree nodes than it has.',
      metaMessages: [
        `Bytes: ${position} to ${position + entryBytesSize}, of which ${bytesRead} came`,
        'Look at the disk and the kernel log, then start again; the file is rebuilt when it is damaged.',
      ],
    },
  )
}
