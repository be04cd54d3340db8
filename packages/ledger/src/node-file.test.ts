import { sha256, utf8 } from '@cairn/core'
import { nodeFileSystem } from '@cairn/journal'
import { createMemoryNodeStore, MerkleTree, qldbHasher, tlogHasher } from '@cairn/merkle'
import { createMemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { NodeFile } from './node-file.ts'
import { temporaryDirectory } from './testing/temporary-ledger.ts'

const leaf = (i: number) => sha256(utf8(`leaf ${i}`))

describe('NodeFile', () => {
  it('serves both trees at any size, from memory and from the file, and after opening again', async () => {
    const path = `${await temporaryDirectory()}/nodes`
    const expected = [qldbHasher, tlogHasher].map(
      (hasher) => new MerkleTree(hasher, createMemoryNodeStore()),
    )
    let size = 0
    for (const target of [1, 2, 7, 8, 33, 100, 129]) {
      const file = await NodeFile.open(nodeFileSystem, path, size)
      const trees = [
        new MerkleTree(qldbHasher, file.store(0), size),
        new MerkleTree(tlogHasher, file.store(1), size),
      ]
      for (; size < target; size++) {
        for (const tree of [...trees, ...expected]) tree.append(leaf(size))
        if (size % 5 === 0) await file.flush(size + 1)
      }
      for (const [i, tree] of trees.entries()) {
        for (let n = 1; n <= size; n++) {
          expect(tree.root(n)).toEqual(expected[i]?.root(n))
          expect(tree.inclusionProof(n - 1)).toEqual(expected[i]?.inclusionProof(n - 1))
        }
      }
      await file.flush(size)
      await file.close()
    }
  })

  it('gives no zeros for a node that the disk does not give whole', async () => {
    const disk = createMemoryFileSystem()
    const first = await NodeFile.open(disk, 'nodes', 0)
    const trees = ([0, 1] as const).map(
      (no) => new MerkleTree(no === 0 ? qldbHasher : tlogHasher, first.store(no)),
    )
    for (let i = 0; i < 5; i++) for (const tree of trees) tree.append(leaf(i))
    await first.flush(5)
    const file = await NodeFile.open(disk, 'nodes', 5)
    expect(file.isLongEnough).toBe(true)
    disk.addFault({ operation: 'read', nth: 1, code: 'SHORT' })
    expect(() => file.store(0).get(0, 2)).toThrow(expect.objectContaining({ code: 'SHORT_READ' }))
    expect(file.store(0).get(0, 2)).toEqual(leaf(2))
    expect((await NodeFile.open(disk, 'nodes', 6)).isLongEnough).toBe(false)
  })
})
