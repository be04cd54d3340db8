import { sha256, utf8 } from '@cairn/core'
import { nodeFileSystem } from '@cairn/journal'
import { createMemoryNodeStore, MerkleTree, qldbHasher, tlogHasher } from '@cairn/merkle'
import { createMemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { NodeFile, type NodeSource } from './node-file.ts'
import { temporaryDirectory } from './testing/temporary-ledger.ts'

const leaf = (i: number) => sha256(utf8(`leaf ${i}`))

function readAll(file: NodeFile, size: number): void {
  for (const no of [0, 1] as const) {
    const store = file.store(no)
    for (let level = 0; 2 ** level <= size; level++) {
      for (let index = 0; (index + 1) * 2 ** level <= size; index++) store.get(level, index)
    }
  }
}

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

  it('notices one flipped bit anywhere, and makes the entry again from what stands below it', async () => {
    const size = 7
    const disk = createMemoryFileSystem()
    const first = await NodeFile.open(disk, 'nodes', 0)
    const trees = ([0, 1] as const).map(
      (no) => new MerkleTree(no === 0 ? qldbHasher : tlogHasher, first.store(no)),
    )
    for (let i = 0; i < size; i++) for (const tree of trees) tree.append(leaf(i))
    await first.flush(size)
    await first.close()
    const whole = disk.contentOf('nodes')
    const repaired: number[] = []
    const source: NodeSource = {
      leaf: (index) => ({ blockHash: leaf(index), entryHash: leaf(index) }),
      onRepaired: (position) => repaired.push(position),
      onNotWritten: (error) => expect.unreachable(String(error)),
    }
    for (let offset = 0; offset < whole.length; offset++) {
      disk.flip('nodes', offset, 1 << (offset % 8))
      const unrepaired = await NodeFile.open(disk, 'nodes', size)
      expect(() => readAll(unrepaired, size)).toThrow(
        expect.objectContaining({ code: 'NODES_DAMAGED' }),
      )
      const file = await NodeFile.open(disk, 'nodes', size, source)
      readAll(file, size)
      // Each node of both trees was read once more; the file is whole again when it is closed.
      await file.close()
      expect(repaired.pop()).toBe(Math.floor(offset / 68))
      expect(disk.contentOf('nodes')).toEqual(whole)
    }
  })

  it('notices an entry that lies where another belongs', async () => {
    const disk = createMemoryFileSystem()
    const first = await NodeFile.open(disk, 'nodes', 0)
    for (const no of [0, 1] as const) first.store(no).append(0, 0, leaf(0))
    await first.flush(1)
    const whole = disk.contentOf('nodes')
    const file = await disk.open('nodes', 'readWrite')
    await file.write(whole, whole.length)
    const moved = await NodeFile.open(disk, 'nodes', 2)
    expect(moved.store(0).get(0, 0)).toEqual(leaf(0))
    expect(() => moved.store(0).get(0, 1)).toThrow(
      expect.objectContaining({ code: 'NODES_DAMAGED' }),
    )
  })
})
