/**
 * Both hash trees as digests and proofs need them: nodes from the file that the sealer writes, and the leaves that came
 * since. Nothing is computed before somebody asks.
 */
import type { FileSystem } from '@cairn/core'
import { MerkleTree, qldbHasher, tlogHasher } from '@cairn/merkle'
import { NodeFile, type NodeSource } from './node-file.ts'
import type { SealedBlock } from './sealer.ts'

type Leaves = Pick<SealedBlock, 'blockHash' | 'entryHash'>

interface Trees {
  readonly qldb: MerkleTree
  readonly tlog: MerkleTree
}

export class ProofTrees {
  readonly #file: NodeFile
  /** Leaves whose nodes are in the file. */
  #filedCount: number
  /** Leaves of the blocks behind those. */
  #young: Leaves[] = []
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
    this.#young.push({ blockHash, entryHash })
  }

  /** The file has the nodes of the first `count` leaves now. */
  filed(count: number): void {
    this.#young = this.#young.slice(count - this.#filedCount)
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
    while (qldb.size < size) {
      const leaves = this.#young[qldb.size - this.#filedCount]
      if (leaves === undefined) break
      qldb.append(leaves.blockHash)
      tlog.append(leaves.entryHash)
    }
    return this.#trees
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
