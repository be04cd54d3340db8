/** Target `ion-text`: texts into the reader of Ion text, and what they hold out through the writer. */
import {
  encodeIon,
  equalIon,
  formatIon,
  IonError,
  ionList,
  parseIon,
  parseIonAll,
} from '@cairn/ion'
import type { SeededRandom } from '@cairn/testing'
import { randomIonTree } from '../ion-generator.ts'
import { allowing, inputOfText, mustHold, type Target, textOfInput } from '../target.ts'
import { ionTexts, ionTextTokens } from './ion-seeds.ts'

export const ionTextTarget: Target = {
  name: 'ion-text',
  oracle:
    'only IonError; what parses is written as text, plain and pretty, that parses to an equal value',
  sources: /\/packages\/ion\/src\//,
  open: () => ({
    seeds: ionTexts.map(inputOfText),
    dictionary: ionTextTokens,
    generate,
    run: (input) => checkIonText(textOfInput(input)),
  }),
}

function generate(random: SeededRandom): Uint8Array {
  return inputOfText(formatIon(randomIonTree(random), { pretty: random.chance(0.3) }))
}

export function checkIonText(text: string): void {
  const values = allowing([IonError], () => parseIonAll(text))
  for (const value of values ?? []) {
    for (const pretty of [false, true]) {
      const written = formatIon(value, { pretty })
      mustHold(equalIon(parseIon(written), value), 'the text that was written reads differently')
    }
    // A symbol alone may be `$ion_1_0`, which means nothing at the top level of a stream.
    encodeIon(ionList([value]))
  }
}
