/** Target `ion-hash`: the hash of values beside `ion-hash-js`, which others wrote. */
import { decodeIon, encodeIon, hashIon, hashIonBytes, IonError, type IonValue } from '@cairn/ion'
import { cryptoHasherProvider, makeHashReader } from 'ion-hash-js'
import { makeReader } from 'ion-js'
import { randomIonTree } from '../ion-generator.ts'
import { allowing, mustHold, type Target } from '../target.ts'
import { binaryIonSeeds, binaryIonTokens } from './ion-seeds.ts'

/** Larger ones take ion-hash-js more than their share of the time. */
const inputBytesMax = 4096
/** ion-js 5.2.1 reads timestamps with longer fractions as `Year NaN`, or as another instant. */
const comparedFractionDigitsMax = 500

export const ionHashTarget: Target = {
  name: 'ion-hash',
  oracle:
    'a value that both decode has the same Ion hash here, of value and of bytes, as in ion-hash-js',
  sources: /\/packages\/ion\/src\//,
  batchCount: 128,
  open: () => ({
    seeds: binaryIonSeeds(),
    dictionary: binaryIonTokens,
    generate: (random) => encodeIon(randomIonTree(random, 20)),
    run: compareHash,
  }),
}

function compareHash(input: Uint8Array): void {
  if (input.length > inputBytesMax) return
  const value = allowing([IonError], () => decodeIon(input))
  if (value === undefined || fractionDigitsIn(value) > comparedFractionDigitsMax) return
  const ours = allowing([IonError], () => hashIon(value))
  if (ours === undefined) return
  // Its own encoding of the value: ion-js refuses some forms of binary Ion that are valid.
  const stream = encodeIon(value)
  mustHold(Buffer.compare(ours, hashIonBytes(stream)) === 0, 'value and bytes hash differently')
  const theirs = theirHash(stream)
  if (theirs === undefined) return
  mustHold(Buffer.compare(ours, theirs) === 0, 'ion-hash-js has another hash')
}

/** Of the timestamp that has most. */
function fractionDigitsIn(value: IonValue): number {
  switch (value.type) {
    case 'timestamp':
      return value.fractionDigits
    case 'list':
    case 'sexp':
      return Math.max(0, ...value.values.map(fractionDigitsIn))
    case 'struct':
      return Math.max(0, ...value.fields.map((field) => fractionDigitsIn(field.value)))
    default:
      return 0
  }
}

/** Undefined where ion-hash-js fails. */
function theirHash(stream: Uint8Array): Uint8Array | undefined {
  try {
    const reader = makeHashReader(makeReader(stream), cryptoHasherProvider('sha256'))
    reader.next()
    reader.next()
    return reader.digest()
  } catch {
    return undefined
  }
}
