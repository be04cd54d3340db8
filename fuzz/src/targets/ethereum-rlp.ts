/** Target `ethereum-rlp`: bytes into the reader of RLP, beside the official one. */
import { decodeRlp, encodeRlp, RlpError, type RlpItem, rlpListItemViews } from '@cairn/eth-codec'
import type { SeededRandom } from '@cairn/testing'
import { RLP } from '@ethereumjs/rlp'
import { allowing, mustHold, type Target } from '../target.ts'

export const ethereumRlpTarget: Target = {
  name: 'ethereum-rlp',
  oracle:
    'only RlpError; what decodes encodes to the same bytes; the official library decodes it too, to the same',
  sources: /\/packages\/eth-codec\/src\/rlp/,
  open: () => ({
    seeds: [[], [[], [[]]], [bytesOf(1), bytesOf(55), bytesOf(56)], bytesOf(300)].map(encodeRlp),
    dictionary: [
      '80',
      'c0',
      '8180',
      'b838',
      'b90100',
      'f838',
      'f90100',
      'bb00000038',
      'ffffff',
    ].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex'))),
    generate: (random) => encodeRlp(randomRlpItem(random, 4)),
    run: checkRlp,
  }),
}

function bytesOf(size: number): Uint8Array {
  return new Uint8Array(size).fill(0xaa)
}

/** @param depth Lists within lists, at most. */
export function randomRlpItem(random: SeededRandom, depth: number): RlpItem {
  if (depth > 0 && random.chance(0.4)) {
    return Array.from({ length: random.below(5) }, () => randomRlpItem(random, depth - 1))
  }
  return random.bytes(random.chance(0.9) ? random.below(60) : random.below(300))
}

function checkRlp(input: Uint8Array): void {
  const item = allowing([RlpError], () => decodeRlp(input))
  const views = allowing([RlpError], () => rlpListItemViews(input))
  if (item === undefined) return
  mustHold(hexOf(encodeRlp(item)) === hexOf(input), 'other bytes after a round trip')
  const theirs = RLP.decode(input)
  mustHold(textOf(theirs as RlpItem) === textOf(item), 'the official library reads another value')
  mustHold((views === undefined) === item instanceof Uint8Array, 'a list that has no items')
  if (views === undefined || item instanceof Uint8Array) return
  mustHold(views.length === item.length, 'another number of items')
}

function textOf(item: RlpItem): string {
  return item instanceof Uint8Array ? hexOf(item) : `[${item.map(textOf).join()}]`
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
