/**
 * Nodes of both hash trees in one append-only file: a projection, recomputable from the journal. Nodes stand in the
 * order in which subtrees become complete (post-order); entry p holds the QLDB node and the RFC 6962 node of a place.
 *
 *   leaf 0 | leaf 1 | node(0,1) | leaf 2 | leaf 3 | node(2,3) | node(0..3) | leaf 4 | …      64 bytes each
 *
 * A leaf costs two entries on average, one write and one sync per projected batch, and any node is one read away.
 */
import { assert, type FileSystem, hashBytesSize, type OpenFile } from '@cairn/core'
import { JournalError } from '@cairn/journal'
import type { NodeStore } from '@cairn/merkle'

const entryBytesSize = 2 * hashBytesSize
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

export class NodeFile {
  readonly #file: OpenFile
  /** Entries in the file; the ones after stand in the tail. */
  #flushedCount: number
  /** Entries behind the flushed ones, as the file will have them: one array instead of thousands of small ones. */
  #tail: Uint8Array = new Uint8Array(tailBytesSizeMin)
  /** Entries of each tree in the tail. */
  readonly #tailCounts: [number, number] = [0, 0]

  private constructor(file: OpenFile, flushedCount: number) {
    this.#file = file
    this.#flushedCount = flushedCount
  }

  /** Opens the file and takes it to hold trees of `size` leaves; what stands behind them is forgotten. */
  static async open(fileSystem: FileSystem, path: string, size: number): Promise<NodeFile> {
    const exists = await fileSystem.exists(path)
    const file = await fileSystem.open(path, exists ? 'readWrite' : 'create')
    return new NodeFile(file, nodeCount(size))
  }

  /** The same file as trees of `size` leaves, with a tail of its own. Not for writing, and closed with this one. */
  at(size: number): NodeFile {
    return new NodeFile(this.#file, nodeCount(size))
  }

  /** Whether the file is as long as what it is taken to hold. What is there may still be wrong. */
  get isLongEnough(): boolean {
    return this.#file.sizeSync() >= this.#flushedCount * entryBytesSize
  }

  /** @param tree 0 for the QLDB tree, 1 for the RFC 6962 tree. */
  store(tree: 0 | 1): NodeStore {
    return {
      get: (level, index) => this.#get(tree, nodePosition(level, index)),
      append: (level, index, hash) => {
        const tailIndex = this.#tailCounts[tree]++
        const isInOrder = nodePosition(level, index) === this.#flushedCount + tailIndex
        assert(isInOrder, 'nodes are appended in post-order')
        this.#reserve(tailIndex + 1)
        this.#tail.set(hash, tailIndex * entryBytesSize + tree * hashBytesSize)
      },
    }
  }

  #get(tree: 0 | 1, position: number): Uint8Array {
    const tailIndex = position - this.#flushedCount
    if (tailIndex >= 0) {
      assert(tailIndex < this.#tailCounts[tree], 'a node is asked for after it was appended')
      const start = tailIndex * entryBytesSize + tree * hashBytesSize
      return this.#tail.slice(start, start + hashBytesSize)
    }
    const hash = new Uint8Array(hashBytesSize)
    const offset = entryBytesSize * position + hashBytesSize * tree
    const bytesRead = this.#file.readSync(hash, offset)
    if (bytesRead < hashBytesSize) throw shortRead(offset, bytesRead)
    return hash
  }

  /** Writes and syncs the nodes of the first `size` leaves. */
  async flush(size: number): Promise<void> {
    const target = nodeCount(size)
    const count = target - this.#flushedCount
    if (count <= 0) return
    assert(count <= Math.min(...this.#tailCounts), 'both trees have grown to that size')
    const bytesSize = count * entryBytesSize
    const bytes = this.#tail.slice(0, bytesSize)
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

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** Zeros in place of a node would give digests and proofs that no block stands for. */
function shortRead(position: number, bytesRead: number): JournalError {
  return new JournalError(
    { code: 'SHORT_READ', position, bytes: hashBytesSize, bytesRead },
    {
      shortMessage: 'The disk gave fewer bytes of the file of hash tree nodes than it has.',
      metaMessages: [
        `Bytes: ${position} to ${position + hashBytesSize}, of which ${bytesRead} came`,
        'Look at the disk and the kernel log, then start again; the file is rebuilt when it is damaged.',
      ],
    },
  )
}
