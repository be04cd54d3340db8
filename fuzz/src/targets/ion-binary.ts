/** Target `ion-binary`: bytes into the reader of binary Ion and into the hash that reads bytes. */
import {
  decodeIon,
  decodeIonAll,
  encodeIon,
  encodeIonAll,
  equalIon,
  hashIon,
  hashIonBytes,
  IonError,
  type IonValue,
} from '@cairn/ion'
import type { SeededRandom } from '@cairn/testing'
import { randomIonTree } from '../ion-generator.ts'
import { oddIonStream } from '../ion-stream-generator.ts'
import { allowing, mustHold, type Target } from '../target.ts'
import { binaryIonSeeds, binaryIonTokens } from './ion-seeds.ts'

export const ionBinaryTarget: Target = {
  name: 'ion-binary',
  oracle:
    'only IonError; what decodes encodes and decodes to an equal value; the hash of the bytes is that of the value',
  sources: /\/packages\/ion\/src\//,
  open: () => ({
    seeds: binaryIonSeeds(),
    dictionary: binaryIonTokens,
    generate,
    run: checkBinaryIon,
  }),
}

function generate(random: SeededRandom): Uint8Array {
  return random.chance(0.5) ? oddIonStream(random) : encodeIon(randomIonTree(random))
}

export function checkBinaryIon(input: Uint8Array): void {
  const all = allowing([IonError], () => decodeIonAll(input))
  const one = allowing([IonError], () => decodeIon(input))
  const hash = allowing([IonError], () => hashIonBytes(input))
  mustHold((one !== undefined) === (all?.length === 1), 'decodeIon and decodeIonAll disagree')
  if (all === undefined) {
    mustHold(hash === undefined, 'bytes that do not decode have a hash')
    return
  }
  // A value with a symbol of an absent table decodes and has no hash.
  const valueHash = one && allowing([IonError], () => hashIon(one))
  mustHold(hexOf(hash) === hexOf(valueHash), 'the hash of the bytes is not that of the value')
  checkRoundTrip(all)
}

function checkRoundTrip(values: readonly IonValue[]): void {
  const again = decodeIonAll(encodeIonAll(values))
  mustHold(again.length === values.length, 'another number of values after a round trip')
  for (const [index, value] of values.entries()) {
    const other = again[index]
    mustHold(other !== undefined && equalIon(value, other), 'another value after a round trip')
  }
}

function hexOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'none' : Buffer.from(bytes).toString('hex')
}
