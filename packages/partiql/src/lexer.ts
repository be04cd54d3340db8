/**
 * PartiQL text to tokens, in one pass and before parsing, so that the parser may look ahead freely.
 * Spec: PartiQL specification, "Lexical structure"; qldb-compat 5.3. Numbers and Ion keep their text here.
 */
import type { Position } from './ast.ts'
import { partiqlError } from './errors.ts'
import { reservedWords } from './reserved-words.ts'

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'ion' | 'symbol' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** What the grammar compares: a word in upper case or a symbol; empty for all other kinds. */
  readonly code: string
  /** As written; without quotes, doubled quotes undone. */
  readonly text: string
  readonly position: Position
}

const digitClass = 1
const wordClass = 2
const spaceClass = 4

/** Classes of the ASCII characters. `$` is a letter, as in `$ion_1_0`. */
const classes = new Uint8Array(128)
for (const c of '0123456789') classes[c.charCodeAt(0)] = digitClass | wordClass
for (const c of 'abcdefghijklmnopqrstuvwxyz') classes[c.charCodeAt(0)] = wordClass
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ_$') classes[c.charCodeAt(0)] = wordClass
for (const c of ' \t\r\n\f\v') classes[c.charCodeAt(0)] = spaceClass

const twoCharacterSymbols: ReadonlySet<string> = new Set(['<<', '>>', '<=', '>=', '<>', '!=', '||'])
const oneCharacterSymbols: ReadonlySet<string> = new Set('()[]{},.:;?@*/%+-=<>')

const newline = 10
const doubleQuote = 34
const singleQuote = 39
const asterisk = 42
const minus = 45
const dot = 46
const slash = 47
const backslash = 92
const backtick = 96
const openBrace = 123

/**
 * The tokens of `text`; the last one is of kind `end`.
 * @throws PartiqlError SYNTAX
 */
export function tokenize(text: string): readonly Token[] {
  const lexer = new Lexer(text)
  while (lexer.scanToken()) {}
  return lexer.tokens
}

/** Where the lexer stands. A class, since its fields change with every character. */
class Lexer {
  readonly tokens: Token[] = []
  readonly #text: string
  #offset = 0
  #line = 1
  #lineOffset = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Answers false after the end. */
  scanToken(): boolean {
    this.#skipBlank()
    const text = this.#text
    const start = this.#offset
    const position = this.#position()
    if (start >= text.length) {
      this.#push('end', '', '', position)
      return false
    }
    const c = text.charCodeAt(start)
    const next = text.charCodeAt(start + 1)
    if ((classOf(c) & digitClass) !== 0 || (c === dot && (classOf(next) & digitClass) !== 0)) {
      this.#scanNumber(position)
    } else if ((classOf(c) & wordClass) !== 0) {
      this.#offset = endOfWord(text, start)
      const word = text.slice(start, this.#offset)
      this.#push('word', word.toUpperCase(), word, position)
    } else if (c === singleQuote || c === doubleQuote) {
      this.#scanQuoted(c, position)
    } else if (c === backtick) {
      this.#scanIon(position)
    } else {
      this.#scanSymbol(position)
    }
    return true
  }

  #push(kind: TokenKind, code: string, text: string, position: Position): void {
    this.tokens.push({ kind, code, text, position })
  }

  #position(): Position {
    const column = this.#offset - this.#lineOffset + 1
    return Object.freeze({ line: this.#line, column })
  }

  /** Moves to `offset`, counting the lines passed. */
  #advance(offset: number): void {
    const text = this.#text
    let at = text.indexOf('\n', this.#offset)
    while (at >= 0 && at < offset) {
      this.#line++
      this.#lineOffset = at + 1
      at = text.indexOf('\n', at + 1)
    }
    this.#offset = offset
  }

  /** White space and comments. */
  #skipBlank(): void {
    const text = this.#text
    for (;;) {
      const c = text.charCodeAt(this.#offset)
      if ((classOf(c) & spaceClass) !== 0 || c === 0xa0 || c === 0xfeff) {
        this.#offset++
        if (c === newline) {
          this.#line++
          this.#lineOffset = this.#offset
        }
      } else if (c === minus && text.charCodeAt(this.#offset + 1) === minus) {
        const end = text.indexOf('\n', this.#offset)
        this.#offset = end < 0 ? text.length : end
      } else if (c === slash && text.charCodeAt(this.#offset + 1) === asterisk) {
        const end = text.indexOf('*/', this.#offset + 2)
        if (end < 0) {
          throw partiqlError(
            'SYNTAX',
            this.#position(),
            "expected '*/', found the end of the text",
            ['The comment that begins here is not closed.'],
          )
        }
        this.#advance(end + 2)
      } else {
        return
      }
    }
  }

  #scanNumber(position: Position): void {
    const text = this.#text
    const start = this.#offset
    let end = endOfDigits(text, start)
    if (text.charCodeAt(end) === dot) end = endOfDigits(text, end + 1)
    end = endOfExponent(text, end)
    // `5AND x` is a number and a keyword, as driver tests have `'ACTIVE'AND`. `5abc` is a slip of the pen.
    const wordEnd = endOfWord(text, end)
    if (wordEnd > end && !reservedWords.has(text.slice(end, wordEnd).toUpperCase())) {
      const name = text.slice(start, wordEnd)
      throw partiqlError('SYNTAX', position, `expected a number or a name, found '${clip(name)}'`, [
        `A name that begins with a digit is written in double quotes: "${clip(name)}".`,
      ])
    }
    this.#offset = end
    this.#push('number', '', text.slice(start, end), position)
  }

  /** `'string'` or `"name"`; the quote itself is written twice. */
  #scanQuoted(quote: number, position: Position): void {
    const text = this.#text
    const mark = String.fromCharCode(quote)
    const start = this.#offset + 1
    let end = start
    let isDoubled = false
    for (;;) {
      end = text.indexOf(mark, end)
      if (end < 0) {
        const what = quote === singleQuote ? 'string' : 'quoted name'
        throw partiqlError('SYNTAX', position, `expected ${mark}, found the end of the text`, [
          `The ${what} that begins here is not closed.`,
        ])
      }
      if (text.charCodeAt(end + 1) !== quote) break
      isDoubled = true
      end += 2
    }
    const raw = text.slice(start, end)
    const value = isDoubled ? raw.replaceAll(mark + mark, mark) : raw
    this.#advance(end + 1)
    this.#push(quote === singleQuote ? 'string' : 'quoted', '', value, position)
  }

  #scanIon(position: Position): void {
    const start = this.#offset + 1
    const end = endOfIon(this.#text, start)
    if (end < 0) {
      throw partiqlError('SYNTAX', position, 'expected `, found the end of the text', [
        'The Ion literal that begins here is not closed.',
        'A backtick within an Ion string, symbol or comment does not close it.',
      ])
    }
    this.#advance(end + 1)
    this.#push('ion', '', this.#text.slice(start, end), position)
  }

  #scanSymbol(position: Position): void {
    const two = this.#text.slice(this.#offset, this.#offset + 2)
    const symbol = twoCharacterSymbols.has(two) ? two : two.charAt(0)
    if (symbol.length === 1 && !oneCharacterSymbols.has(symbol)) {
      const character = String.fromCodePoint(this.#text.codePointAt(this.#offset) as number)
      throw partiqlError('SYNTAX', position, `unexpected character '${character}'`, hintFor(two))
    }
    this.#offset += symbol.length
    this.#push('symbol', symbol, symbol, position)
  }
}

function classOf(c: number): number {
  return c < 128 ? (classes[c] as number) : 0
}

function endOfWord(text: string, start: number): number {
  let end = start
  while ((classOf(text.charCodeAt(end)) & wordClass) !== 0) end++
  return end
}

function endOfDigits(text: string, start: number): number {
  let end = start
  while ((classOf(text.charCodeAt(end)) & digitClass) !== 0) end++
  return end
}

/** Passes `e5`, `E-5` or nothing. */
function endOfExponent(text: string, start: number): number {
  const mark = text.charAt(start)
  if (mark !== 'e' && mark !== 'E') return start
  const sign = text.charAt(start + 1)
  const digits = sign === '+' || sign === '-' ? start + 2 : start + 1
  const end = endOfDigits(text, digits)
  return end > digits ? end : start
}

/**
 * Offset of the backtick that closes the Ion literal whose text begins at `start`, or -1. A backtick within a string, a
 * quoted symbol or a comment of the Ion text is a part of it.
 */
function endOfIon(text: string, start: number): number {
  let i = start
  while (i < text.length) {
    const c = text.charCodeAt(i)
    if (c === backtick) return i
    if (c === doubleQuote) {
      i = endOfIonQuoted(text, i + 1, '"')
    } else if (c === singleQuote) {
      const isLong = text.startsWith("'''", i)
      i = isLong ? endOfIonQuoted(text, i + 3, "'''") : endOfIonQuoted(text, i + 1, "'")
    } else if (c === slash && text.charCodeAt(i + 1) === slash) {
      i = after(text, '\n', i + 2)
    } else if (c === slash && text.charCodeAt(i + 1) === asterisk) {
      i = after(text, '*/', i + 2)
    } else if (c === openBrace && text.charCodeAt(i + 1) === openBrace) {
      i = endOfIonLob(text, i + 2)
    } else {
      i++
    }
    if (i < 0) return -1
  }
  return -1
}

/** Base64 may hold `//`, which is no comment there. A clob has its text in quotes, which the caller skips. */
function endOfIonLob(text: string, start: number): number {
  let i = start
  while ((classOf(text.charCodeAt(i)) & spaceClass) !== 0) i++
  const c = text.charCodeAt(i)
  return c === doubleQuote || c === singleQuote ? i : after(text, '}}', i)
}

function endOfIonQuoted(text: string, start: number, quote: string): number {
  let i = start
  while (i < text.length) {
    if (text.charCodeAt(i) === backslash) i += 2
    else if (text.startsWith(quote, i)) return i + quote.length
    else i++
  }
  return -1
}

function after(text: string, mark: string, start: number): number {
  const at = text.indexOf(mark, start)
  return at < 0 ? -1 : at + mark.length
}

/** Names in messages are short. */
function clip(name: string): string {
  return name.length <= 40 ? name : `${name.slice(0, 40)}…`
}

function hintFor(two: string): readonly string[] {
  if (two === '&&') return ['The logical operator is written AND.']
  if (two.startsWith('|')) return ['Text is joined by ||; the logical operator is written OR.']
  if (two.startsWith('!')) return ['Negation is written NOT, inequality <> or !=.']
  if (two.charCodeAt(0) >= 128)
    return ['Names with letters outside ASCII are written in double quotes.']
  return []
}
