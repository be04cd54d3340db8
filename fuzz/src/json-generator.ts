/** JSON values and tokens for what reads request bodies. */
import type { SeededRandom } from '@cairn/testing'
import { inputOfText } from './target.ts'

const names = ['a', 'SessionToken', 'Parameters', 'IonText', 'Name', '__proto__', 'constructor', '']
const texts = ['', 'L', '\ud83d\ude42', '\u0000', '"\\', 'x'.repeat(100), '4AEA6g==', '{a:1}']
const numbers = [0, -0, 1, 1.5, 1e21, 2 ** 53, -1e-7]

export function randomJson(random: SeededRandom, depth: number): unknown {
  switch (random.below(depth <= 0 ? 4 : 8)) {
    case 0:
      return texts[random.below(texts.length)]
    case 1:
      return numbers[random.below(numbers.length)]
    case 2:
      return random.chance(0.5)
    case 3:
      return null
    case 4:
      return Array.from({ length: random.below(4) }, () => randomJson(random, depth - 1))
    default: {
      const entries = Array.from({ length: random.below(4) }, () => [
        names[random.below(names.length)],
        randomJson(random, depth - 1),
      ])
      return Object.fromEntries(entries)
    }
  }
}

export const jsonTokens: readonly Uint8Array[] = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '\\',
    '\\"',
    '\\u0000',
    '\\ud800',
    'null',
    'true',
    '1e999',
  ],
  ...['"a":', '"__proto__":', '{"a":', '[[[[', '}}}}', '%2F', '%', '?', '&', '=', '/', '//', '/..'],
  ...['"SessionToken":', '"Statement":', '"Parameters":', '"IonBinary":', '"IonText":', '\ufeff'],
].map(inputOfText)
