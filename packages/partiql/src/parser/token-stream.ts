/**
 * The tokens of one statement and the parser's place among them, with the wording of syntax errors.
 * Every error says what was expected and what was found. Values of literals stay out of messages: they may be data.
 */
import { assert } from '@cairn/core'
import type { Identifier, Position } from '../ast.ts'
import { type PartiqlError, partiqlError } from '../errors.ts'
import { type Token, tokenize } from '../lexer.ts'
import { dateParts, reservedWords } from '../reserved-words.ts'

/**
 * Deepest nesting of parentheses, sub-queries and containers, and the greatest height of the tree. It bounds the stack
 * of the parser, at worst 2.2 KiB a level of the 984 KiB that Node gives a thread, and of every visitor after it.
 */
export const nestingDepthMax = 200

const literalWords: ReadonlySet<string> = new Set(['TRUE', 'FALSE', 'NULL', 'MISSING'])
/** Begin clauses without being reserved, so they are no alias when AS is left out. */
const clauseWords: ReadonlySet<string> = new Set(['LET', 'OFFSET'])
/** Reserved, but rather a clause in a wrong place than a name when one of them stands where it cannot. */
const structureWords: ReadonlySet<string> = new Set(
  `ALL AND AS ASC AT BETWEEN BY CREATE CROSS DELETE DESC DISTINCT DROP ELSE END EXCEPT FALSE FROM
  FULL HAVING IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE LIMIT MISSING NOT NULL ON OR PIVOT
  REMOVE RIGHT SELECT SET THEN TRUE UNION UNPIVOT UPDATE VALUE VALUES WHEN WHERE WITH`.split(/\s+/),
)

/** Begin a join together with the word after them, and are names where they stand alone: `FROM Full`. */
const joinWords: ReadonlySet<string> = new Set(['FULL', 'INNER', 'LEFT', 'RIGHT'])
/** The name of a table follows. */
const tableLeaders: ReadonlySet<string> = new Set(['FROM', 'INTO', 'JOIN', 'TABLE', 'UPDATE'])
/** Follow the name of a table: what stands before them was meant as one. */
const tableFollowers: ReadonlySet<string> = new Set(['AS', 'BY', 'ON', 'SET', 'VALUE', 'WHERE'])

export class TokenStream {
  /** The token at hand. */
  token: Token
  /** Number of `?` so far. */
  parameterCount = 0
  readonly #tokens: readonly Token[]
  #index = 0
  #depth = 0

  constructor(text: string) {
    this.#tokens = tokenize(text)
    this.token = this.#tokens[0] as Token
  }

  get tokenCount(): number {
    return this.#tokens.length
  }

  get position(): Position {
    return this.token.position
  }

  /** The token `distance` further on; the end stays the end. */
  peek(distance = 1): Token {
    return this.#tokens[Math.min(this.#index + distance, this.#tokens.length - 1)] as Token
  }

  #previous(): Token | undefined {
    return this.#tokens[this.#index - 1]
  }

  advance(): Token {
    const passed = this.token
    if (passed.kind !== 'end') this.token = this.#tokens[++this.#index] as Token
    return passed
  }

  is(code: string): boolean {
    return this.token.code === code
  }

  /** Passes the word or symbol when it stands here. */
  accept(code: string): boolean {
    if (this.token.code !== code) return false
    this.advance()
    return true
  }

  expect(code: string, hints: readonly string[] = []): Token {
    if (this.token.code !== code) throw this.expected(quoteSymbol(code), hints)
    return this.advance()
  }

  /** The closing half of a pair; the error shows where the pair was opened. */
  expectClosing(code: string, opening: Token): void {
    if (this.accept(code)) return
    const { line, column } = opening.position
    const hints = this.#isTrailingComma()
      ? []
      : [`'${opening.text}' opens at line ${line}, column ${column}.`]
    throw this.expected(quoteSymbol(code), hints)
  }

  /** The error of this place: `expected FROM, found 'FORM'`. */
  expected(what: string, hints: readonly string[] = []): PartiqlError {
    const message = `expected ${what}, found ${describe(this.token)}`
    return partiqlError(
      'SYNTAX',
      this.position,
      message,
      hints.length > 0 ? hints : this.#hints(what),
    )
  }

  #hints(what: string): readonly string[] {
    if (this.#isTrailingComma()) return ['Remove the comma before it.']
    const { kind, code, text } = this.token
    const mayBeName = what.startsWith('a name') || what.startsWith('an expression')
    const isMeantAsName = !this.#isStructure() || this.#isInPlaceOfTable()
    if (mayBeName && kind === 'word' && reservedWords.has(code) && isMeantAsName) {
      return [`${code} is a reserved word; as a name it is written "${text}".`]
    }
    if (what.startsWith('a name') && kind === 'string') {
      return ['Names are written in double quotes, strings in single ones.']
    }
    if (what.startsWith('a string') && kind === 'quoted') {
      return ['Strings are written in single quotes, names in double ones.']
    }
    return []
  }

  #isStructure(): boolean {
    const { code } = this.token
    const { code: next } = this.peek()
    if (code === 'GROUP' || code === 'ORDER') return next === 'BY'
    if (joinWords.has(code)) return next === 'JOIN' || next === 'OUTER' || next === 'CROSS'
    return structureWords.has(code)
  }

  /** `FROM Set WHERE …`, `DELETE FROM Values`: the words around it leave no other reading. */
  #isInPlaceOfTable(): boolean {
    const next = this.peek()
    return (
      tableLeaders.has(this.#previous()?.code ?? '') &&
      (next.kind === 'end' || tableFollowers.has(next.code))
    )
  }

  /** A comma was passed and nothing that could follow one stands here. */
  #isTrailingComma(): boolean {
    if (this.#previous()?.code !== ',') return false
    const { kind, code } = this.token
    return kind === 'end' || [')', ']', '}', '>>', ';', ','].includes(code) || this.#isStructure()
  }

  /** Entered by each function that may come back to itself, left when it is done. */
  enter(): void {
    if (++this.#depth > nestingDepthMax) {
      throw partiqlError('LIMIT', this.position, `nested deeper than ${nestingDepthMax} levels`)
    }
  }

  leave(): void {
    this.#depth--
    assert(this.#depth >= 0, 'each leave has its enter')
  }

  // ---- names ----

  /** A quoted name or a word that is not reserved. Parts of dates are reserved too, but never in doubt. */
  isName(): boolean {
    const { kind, code } = this.token
    return (
      kind === 'quoted' || (kind === 'word' && (!reservedWords.has(code) || dateParts.has(code)))
    )
  }

  /** @param what What the error says was expected; begins with `a name`. */
  parseName(what = 'a name'): Identifier {
    if (!this.isName()) throw this.expected(what)
    return identifierOf(this.advance())
  }

  /** After AS, AT and BY, where any word but a literal will do. */
  parseAlias(what: string): Identifier {
    const { kind, code } = this.token
    const isAlias = kind === 'quoted' || (kind === 'word' && !literalWords.has(code))
    if (!isAlias) throw this.expected(what)
    return identifierOf(this.advance())
  }

  /** `AS name`, or a name alone. */
  parseOptionalAlias(): Identifier | undefined {
    if (this.accept('AS')) return this.parseAlias('a name after AS')
    if (!this.isName() || clauseWords.has(this.token.code)) return undefined
    return identifierOf(this.advance())
  }
}

export function identifierOf(token: Token): Identifier {
  const { text, kind, position } = token
  return Object.freeze({ name: text, isQuoted: kind !== 'word', position })
}

/** Keywords stand bare in messages, symbols in quotes. */
function quoteSymbol(code: string): string {
  return /^[A-Z]/.test(code) ? code : `'${code}'`
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'the end of the statement'
    case 'string':
      return 'a string'
    case 'number':
      return 'a number'
    case 'ion':
      return 'an Ion literal'
    case 'quoted':
      return `"${clip(token.text)}"`
    case 'word':
    case 'symbol':
      return `'${clip(token.text)}'`
  }
}

function clip(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`
}
