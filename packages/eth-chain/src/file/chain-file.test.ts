import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { concatBytes } from '@cairn/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChainKit, makeGenesis } from '../testing/chain-kit.ts'
import { exportBlocks, importChainFile, readChainFile } from './chain-file.ts'
import { readChainFilePieces } from './chain-file-pieces.ts'

function sourceOf(blockCount: number): ChainKit {
  const kit = new ChainKit(makeGenesis('A'))
  for (let i = 0; i < blockCount; i++) kit.extend('A', i % 2 === 0 ? [kit.transaction('B')] : [])
  return kit
}

function* piecesOf(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

describe('chain file', () => {
  const source = sourceOf(9)
  const file = concatBytes(...exportBlocks(source.chain, 0n, 9n))

  it('brings a chain to another node, however the file is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 6 }),
        async (sizes) => {
          const target = new ChainKit(makeGenesis('A'))
          expect(await importChainFile(target.chain, piecesOf(file, sizes))).toBe(9)
          expect(target.chain.head).toEqual(source.chain.head)
          expect(await importChainFile(target.chain, [file])).toBe(0)
        },
      ),
      { numRuns: 10 },
    )
  })

  it('keeps the blocks before the place where a file breaks off, and names it', async () => {
    const target = new ChainKit(makeGenesis('A'))
    const cut = file.subarray(0, file.length - 10)
    const error = await importChainFile(target.chain, [cut]).catch((e: unknown) => e)
    expect(String(error)).toMatch(/At byte \d+: the file ends inside a block/)
    const garbage = concatBytes(file, new Uint8Array(64).fill(0x41))
    await expect(importChainFile(target.chain, [garbage])).rejects.toThrow('no block begins here')
    const wrongShape = Uint8Array.of(0xc5, 0x01, 0x02, 0x03, 0x04, 0x05)
    const read = async () => {
      for await (const _ of readChainFile([wrongShape]));
    }
    await expect(read()).rejects.toThrow('not a block')
  })

  it('names the place where a packed file cannot be unpacked', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cairn-chain-file-'))
    const path = join(folder, 'chain.rlp.gz')
    const packed = gzipSync(file)
    const importPath = async (bytes: Uint8Array) => {
      await writeFile(path, bytes)
      const target = new ChainKit(makeGenesis('A'))
      return await importChainFile(target.chain, readChainFilePieces(path))
    }
    expect(await importPath(packed)).toBe(9)
    const broken = expect.objectContaining({ code: 'CHAIN_FILE_INVALID' })
    await expect(importPath(file)).rejects.toThrow(/At byte 0: .*incorrect header check/)
    await expect(importPath(packed.subarray(0, packed.length - 20))).rejects.toThrow(broken)
    await expect(importPath(new Uint8Array(0))).rejects.toThrow(/file/)
    await rm(folder, { recursive: true })
    const gone = importChainFile(source.chain, readChainFilePieces(path))
    await expect(gone).rejects.toThrow('ENOENT')
  })

  it('reads a large block once, however many pieces it has', async () => {
    // A list of 48 MiB, as its header says; the file ends before.
    function* pieces() {
      yield Uint8Array.of(0xfb, 0x03, 0x00, 0x00, 0x00)
      const piece = new Uint8Array(4096)
      for (let i = 0; i < 11_000; i++) yield piece
    }
    const start = process.cpuUsage()
    const read = async () => {
      for await (const _ of readChainFile(pieces()));
    }
    await expect(read()).rejects.toThrow('At byte 0: the file ends inside a block')
    const { user, system } = process.cpuUsage(start)
    // Copied anew with each piece it would be a quarter of a terabyte.
    expect((user + system) / 1000).toBeLessThan(20_000)
  })
})
