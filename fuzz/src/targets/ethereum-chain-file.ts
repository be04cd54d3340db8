/**
 * Target `ethereum-chain-file`: files of blocks into a chain, cut into pieces anywhere. What is refused leaves the
 * blocks before it, and the right file is taken afterwards. A first byte of 0x1f is the beginning of a packed file.
 */
import { gunzipSync, gzipSync } from 'node:zlib'
import { BaseError, concatBytes } from '@cairn/core'
import { exportBlocks, importChainFile } from '@cairn/eth-chain'
import type { SeededRandom } from '@cairn/testing'
import { ChainKit, makeGenesis } from '../../../packages/eth-chain/src/testing/chain-kit.ts'
import { mustHold, type Target } from '../target.ts'

const blockCount = 6

export const ethereumChainFileTarget: Target = {
  name: 'ethereum-chain-file',
  oracle:
    'errors of ours only; what was taken is a beginning of the chain, and the rest can follow',
  sources: /\/packages\/eth-(?:chain|state|codec)\/src\//,
  batchCount: 64,
  open: () => {
    const source = new ChainKit(makeGenesis('A'))
    for (let i = 0; i < blockCount; i++) {
      source.extend('A', i % 2 === 0 ? [source.transaction('B'), source.transaction('C')] : [])
    }
    const blocks = [...exportBlocks(source.chain, 0n, BigInt(blockCount))]
    const file = concatBytes(...blocks)
    return {
      seeds: [file, concatBytes(...blocks.slice(0, 3)), gzipSync(file), new Uint8Array(0)],
      dictionary: [...blocks, Uint8Array.of(0xc0), Uint8Array.of(0xf9, 0xff, 0xff)],
      generate: (random) => shuffled(blocks, random),
      run: (input) => check(input, source, file),
    }
  },
}

/** Blocks left out, twice, in another order, or with a byte that is another. */
function shuffled(blocks: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  const some = Array.from({ length: random.below(10) }, (_, i) => {
    const block = blocks[random.chance(0.7) ? i % blocks.length : random.below(blocks.length)]
    const copy = (block as Uint8Array).slice()
    if (random.chance(0.15)) copy[random.below(copy.length)] = random.below(256)
    return copy
  })
  const file = concatBytes(...some)
  return random.chance(0.1) ? new Uint8Array(gzipSync(file)) : file
}

async function check(input: Uint8Array, source: ChainKit, file: Uint8Array): Promise<void> {
  const target = new ChainKit(makeGenesis('A'))
  const { chain } = target
  const bytes = input[0] === 0x1f ? unpacked(input) : input
  try {
    await importChainFile(chain, piecesOf(bytes))
  } catch (error) {
    if (!(error instanceof BaseError)) throw error
    mustHold(error.shortMessage.length > 0, 'an error without words')
  }
  const { number } = chain.head.header
  const expected = source.chain.store.canonicalHash(number)
  mustHold(chain.head.hash === expected, 'the head is a block that nobody sealed')
  mustHold(chain.states.stateAt(chain.head.header.stateRoot) !== undefined, 'a head without state')
  await importChainFile(chain, [file])
  mustHold(chain.head.hash === source.chain.head.hash, 'the rest cannot follow')
}

function unpacked(input: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(gunzipSync(input, { maxOutputLength: 1024 * 1024 }))
  } catch {
    return input
  }
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  const size = 1 + (bytes.length % 1021)
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}
