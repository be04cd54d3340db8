/**
 * Both hash trees as digests and proofs need them: nodes from the file that the sealer writes, and the leaves that came
 * since. Nothing is computed before somebody asks.
 */
import { assert, type FileSystem, hashBytesSize } from '@cairn/core'
import { MerkleTree, qldbHasher, tlogHasher } from '@cairn/merkle'
import { NodeFile, type NodeSource } from './node-file.ts'
import type { SealedBlock } from './sealer.ts'

type Leaves = Pick<SealedBlock, 'blockHash' | 'entryHash'>

/** Block hash and entry hash, one behind the other. */
const leavesBytesSize = 2 * hashBytesSize
const youngCountAtFirst = 1024

interface Trees {
  readonly qldb: MerkleTree
  readonly tlog: MerkleTree
}

export class ProofTrees {
  readonly #file: NodeFile
  /** Leaves whose nodes are in the file. */
  #filedCount: number
  /**
   * Leaves of the blocks behind those, in one piece: as objects of their own they were a quarter of what the garbage
   * collector found alive under load.
   */
  #young = new Uint8Array(youngCountAtFirst * leavesBytesSize)
  #youngCount = 0
  #trees: Trees | undefined

  private constructor(file: NodeFile, size: number) {
    this.#file = file
    this.#filedCount = size
  }

  /** @param source What damaged nodes are made again from. */
  static async open(
    fileSystem: FileSystem,
    path: string,
    size: number,
    source: NodeSource,
  ): Promise<ProofTrees> {
    return new ProofTrees(await NodeFile.open(fileSystem, path, size, source), size)
  }

  /** The next block. */
  add({ blockHash, entryHash }: Leaves): void {
    const offset = this.#youngCount * leavesBytesSize
    if (offset === this.#young.length) {
      const grown = new Uint8Array(2 * offset)
      grown.set(this.#young)
      this.#young = grown
    }
    this.#young.set(blockHash, offset)
    this.#young.set(entryHash, offset + hashBytesSize)
    this.#youngCount++
  }

  /** The file has the nodes of the first `count` leaves now. */
  filed(count: number): void {
    const filedCount = count - this.#filedCount
    assert(filedCount <= this.#youngCount, 'only what was added is filed')
    this.#young.copyWithin(0, filedCount * leavesBytesSize, this.#youngCount * leavesBytesSize)
    this.#youngCount -= filedCount
    this.#filedCount = count
    this.#trees = undefined
  }

  /** Trees over at least the first `size` blocks. */
  upTo(size: number): Trees {
    if (this.#trees === undefined) {
      const nodes = this.#file.at(this.#filedCount)
      this.#trees = {
        qldb: new MerkleTree(qldbHasher, nodes.store(0), this.#filedCount),
        tlog: new MerkleTree(tlogHasher, nodes.store(1), this.#filedCount),
      }
    }
    const { qldb, tlog } = this.#trees
    while (qldb.size < size && qldb.size < this.#filedCount + this.#youngCount) {
      const offset = (qldb.size - this.#filedCount) * leavesBytesSize
      // Trees keep the leaves they are given.
      qldb.append(this.#young.slice(offset, offset + hashBytesSize))
      tlog.append(this.#young.slice(offset + hashBytesSize, offset + leavesBytesSize))
    }
    return this.#trees
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
