/**
 * JSON (RFC 8259) to Ion values, exactly: JSON.parse would round long numbers, and a ledger must not.
 * A number without fraction and exponent is an int of any size, every other one a decimal with its digits as written.
 * `{"$ion": "<Ion text>"}` stands for the Ion value of the text, at any depth.
 */
import { isUtf8 } from 'node:buffer'
import {
  decimalExponentMax,
  IonError,
  type IonField,
  type IonValue,
  ionBool,
  ionDecimal,
  ionInt,
  ionList,
  ionNegativeZero,
  ionNull,
  ionString,
  ionStruct,
  nestingDepthMax,
  parseIon,
} from '@cairn/ion'
import { requestInvalid } from '../errors.ts'
import { isWellFormed } from '../well-formed.ts'

/** The name that marks Ion text. */
const ionMember = '$ion'
/** Digits of a number. Reading more takes time that grows faster than their count. */
const numberLengthMax = 10_000

/**
 * @param bytes UTF-8.
 * @throws QldbServerError REQUEST_INVALID
 */
export function readJson(bytes: Uint8Array): IonValue {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  // Decoding would replace what is not UTF-8 and store something else than was sent.
  if (!isUtf8(buffer)) throw requestInvalid('body', 'The request body is not UTF-8.')
  return new JsonReader(buffer.toString('utf8')).readAll()
}

const tab = 0x09
const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const quote = 0x22
const comma = 0x2c
const minus = 0x2d
const colon = 0x3a
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

const numberPattern = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids these in strings.
const controlPattern = /[\0-\x1f]/

class JsonReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  readAll(): IonValue {
    const value = this.#readValue(0)
    this.#skipBlanks()
    if (this.#at < this.#text.length) throw this.#error('the end was expected')
    return value
  }

  #readValue(depth: number): IonValue {
    this.#skipBlanks()
    switch (this.#text.charCodeAt(this.#at)) {
      case openBrace:
        return this.#readObject(depth + 1)
      case openBracket:
        return this.#readArray(depth + 1)
      case quote:
        return ionString(this.#readString())
      default:
        return this.#readWord() ?? this.#readNumber()
    }
  }

  #readObject(depth: number): IonValue {
    this.#checkDepth(depth)
    const fields: IonField[] = []
    this.#at++
    if (this.#skipIf(closeBrace)) return ionStruct(fields)
    do {
      this.#skipBlanks()
      if (this.#text.charCodeAt(this.#at) !== quote) throw this.#error('a name was expected')
      const name = this.#readString()
      if (!this.#skipIf(colon)) throw this.#error('a colon was expected')
      fields.push({ name, value: this.#readValue(depth) })
    } while (this.#skipIf(comma))
    if (!this.#skipIf(closeBrace)) throw this.#error('a comma or a brace was expected')
    const [first] = fields
    if (fields.length === 1 && first?.name === ionMember) return this.#readIon(first.value)
    return ionStruct(fields)
  }

  #readArray(depth: number): IonValue {
    this.#checkDepth(depth)
    const values: IonValue[] = []
    this.#at++
    if (this.#skipIf(closeBracket)) return ionList(values)
    do values.push(this.#readValue(depth))
    while (this.#skipIf(comma))
    if (!this.#skipIf(closeBracket)) throw this.#error('a comma or a bracket was expected')
    return ionList(values)
  }

  #readString(): string {
    const start = this.#at + 1
    let end = this.#text.indexOf('"', start)
    let hasEscapes = false
    while (end >= 0 && this.#isEscaped(start, end)) {
      hasEscapes = true
      end = this.#text.indexOf('"', end + 1)
    }
    if (end < 0) throw this.#error('a string does not end')
    const raw = this.#text.slice(start, end)
    this.#at = end + 1
    if (!hasEscapes && !raw.includes('\\')) {
      if (controlPattern.test(raw)) throw this.#error('a control character stands in a string')
      return raw
    }
    const value = this.#unescape(raw)
    if (!isWellFormed(value)) throw this.#error('a string holds half a surrogate pair')
    return value
  }

  #isEscaped(start: number, at: number): boolean {
    let slashCount = 0
    while (at - 1 - slashCount >= start && this.#text[at - 1 - slashCount] === '\\') slashCount++
    return slashCount % 2 === 1
  }

  #unescape(raw: string): string {
    try {
      return JSON.parse(`"${raw}"`) as string
    } catch {
      throw this.#error('an escape in a string is unknown')
    }
  }

  #readWord(): IonValue | undefined {
    const text = this.#text
    if (text.startsWith('true', this.#at)) return this.#take(4, ionBool(true))
    if (text.startsWith('false', this.#at)) return this.#take(5, ionBool(false))
    if (text.startsWith('null', this.#at)) return this.#take(4, ionNull())
    return undefined
  }

  #take(length: number, value: IonValue): IonValue {
    this.#at += length
    return value
  }

  #readNumber(): IonValue {
    numberPattern.lastIndex = this.#at
    const match = numberPattern.exec(this.#text)
    if (match === null) throw this.#error('a value was expected')
    const [text, fraction = '', exponent = ''] = match
    if (text.length > numberLengthMax) throw this.#error('a number is too long')
    this.#at += text.length
    if (fraction === '' && exponent === '') {
      return ionInt(text.length < 16 ? Number(text) : BigInt(text))
    }
    const whole = text.slice(0, text.length - fraction.length - exponent.length)
    const coefficient = BigInt(whole + fraction.slice(1))
    const power = Number(exponent.slice(1)) - Math.max(0, fraction.length - 1)
    if (Math.abs(power) > decimalExponentMax) throw this.#error('an exponent is too large')
    return coefficient === 0n && text.charCodeAt(0) === minus
      ? ionNegativeZero(power)
      : ionDecimal(coefficient, power)
  }

  #readIon(value: IonValue): IonValue {
    if (value.type !== 'string') throw this.#error('$ion must be a string of Ion text')
    try {
      return parseIon(value.value)
    } catch (cause) {
      if (!(cause instanceof IonError)) throw cause
      const at = `The $ion before character ${this.#at + 1} is not one Ion value`
      throw requestInvalid('body', `${at}: ${cause.shortMessage}`, cause)
    }
  }

  #checkDepth(depth: number): void {
    if (depth > nestingDepthMax) throw this.#error('it nests too deeply')
  }

  /** Also over the blanks before. */
  #skipIf(code: number): boolean {
    this.#skipBlanks()
    if (this.#text.charCodeAt(this.#at) !== code) return false
    this.#at++
    return true
  }

  #skipBlanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== space && code !== lineFeed && code !== carriageReturn && code !== tab) return
      this.#at++
    }
  }

  /** The body may hold documents, so only the place is told. */
  #error(what: string) {
    return requestInvalid(
      'body',
      `The request body is not JSON: ${what}, at character ${this.#at + 1}.`,
    )
  }
}
