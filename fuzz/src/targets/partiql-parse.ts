/** Target `partiql-parse`: texts into the parser. */
import { PartiqlError, parseStatement } from '@cairn/partiql'
import { randomStatement } from '../partiql-generator.ts'
import { allowing, inputOfText, mustHold, type Target, textOfInput } from '../target.ts'
import { partiqlTokens, statementSeeds } from './partiql-seeds.ts'

export const partiqlParseTarget: Target = {
  name: 'partiql-parse',
  oracle:
    'only PartiqlError; a text that parses does so again behind a comment and with a semicolon',
  sources: /\/packages\/partiql\/src\/(?:parser\/|lexer)/,
  open: () => ({
    seeds: statementSeeds,
    dictionary: partiqlTokens,
    generate: (random) => inputOfText(randomStatement(random)),
    run: (input) => checkParse(textOfInput(input)),
  }),
}

export function checkParse(text: string): void {
  const parsed = allowing([PartiqlError], () => parseStatement(text))
  if (parsed === undefined) return
  mustHold(parsed.text === text, 'the text of the tree is another one')
  const again = parseStatement(`/* c */ ${text}`)
  mustHold(again.parameterCount === parsed.parameterCount, 'a comment changes the parameters')
}
