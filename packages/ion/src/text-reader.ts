/**
 * Text Ion 1.0 reader: a string to values. Spec: Ion "Text encoding" and its grammar.
 * The text is UTF-16 as JavaScript has it; decoding bytes (UTF-8, UTF-16, UTF-32) is the caller's.
 */
import { fromBase64 } from '@cairn/core'
import { IonError, limitError, valueCountError } from './errors.ts'
import { checkDepth, decimalExponentMax, fractionDigitsMax, symbolIdMax } from './limits.ts'
import {
  applySymbolTable,
  type IonCatalog,
  isLocalSymbolTable,
  type SymbolTable,
  systemTable,
} from './symbol-table.ts'
import { makeTimestamp, shiftMinutes, timestampFault } from './timestamp.ts'
import {
  type Annotations,
  type IonField,
  type IonTimestamp,
  type IonType,
  type IonValue,
  ionBlob,
  ionBool,
  ionClob,
  ionDecimal,
  ionFloat,
  ionInt,
  ionList,
  ionNegativeZero,
  ionNull,
  ionSexp,
  ionString,
  ionStruct,
  ionSymbol,
  noAnnotations,
  type SymbolText,
  type TimestampPrecision,
} from './value.ts'

/**
 * Every value of an Ion text, in order.
 * @param catalog Shared symbol tables, where the text imports some.
 * @throws IonError
 */
export function parseIonAll(text: string, catalog?: IonCatalog): IonValue[] {
  const reader = new TextReader(text, catalog)
  const values: IonValue[] = []
  for (let value = reader.next(); value !== undefined; value = reader.next()) values.push(value)
  return values
}

/**
 * The one value of an Ion text.
 * @throws IonError
 * @example
 * ```ts
 * const person = parseIon('{ name: "Raul", born: 1963-08-19T }')
 * ```
 */
export function parseIon(text: string): IonValue {
  const reader = new TextReader(text, undefined)
  const value = reader.next()
  if (value === undefined) throw valueCountError(0)
  if (reader.next() !== undefined) throw valueCountError(2)
  return value
}

const nullTypes: ReadonlySet<string> = new Set<IonType>([
  'null',
  'bool',
  'int',
  'float',
  'decimal',
  'timestamp',
  'symbol',
  'string',
  'clob',
  'blob',
  'list',
  'sexp',
  'struct',
])
/** Words that are values and so cannot name anything without quotes. */
export const keywords: ReadonlySet<string> = new Set(['null', 'true', 'false', 'nan'])
/** An unquoted symbol of this form at the top level announces a version of Ion. */
export const versionMarkerPattern: RegExp = /^\$ion_[0-9]+_[0-9]+$/
const sidPattern = /^\$[0-9]+$/
const timestampPattern =
  /([0-9]{4})(?:T|-([0-9]{2})(?:T|-([0-9]{2})(?:T(?:([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?(Z|[+-][0-9]{2}:[0-9]{2}))?)?))/y

// Classes of ASCII characters, as bits.
const identifierStart = 1
const identifierPart = 2
const operatorPart = 4
const space = 8
const decimalDigit = 16
const hexDigit = 32
const numberStop = 64
const classes = new Uint8Array(128)

function mark(characters: string, bits: number): void {
  for (const one of characters) {
    const code = one.charCodeAt(0)
    classes[code] = (classes[code] as number) | bits
  }
}
mark('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$', identifierStart | identifierPart)
mark('0123456789', identifierPart | decimalDigit | hexDigit)
mark('abcdefABCDEF', hexDigit)
mark('!#%&*+-./;<=>?@^`|~', operatorPart)
mark(' \t\n\r\v\f', space | numberStop)
mark('{}[](),"\'', numberStop)

function isOf(code: number, bits: number): boolean {
  return code < 128 && ((classes[code] as number) & bits) !== 0
}

const simpleEscapes: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  v: '\v',
  '"': '"',
  "'": "'",
  '?': '?',
  '\\': '\\',
  '/': '/',
}

const nl = 10
const cr = 13
const quote = 39
const doubleQuote = 34
const backslash = 92
const slash = 47
const star = 42
const colon = 58

/** A symbol as it stood in the text, which decides what it may be besides a symbol. */
interface SymbolToken {
  readonly text: SymbolText
  /** The characters, when they stood without quotes. */
  readonly bare: string | undefined
}

class TextReader {
  readonly #text: string
  readonly #catalog: IonCatalog | undefined
  #pos = 0
  #table: SymbolTable = systemTable
  /** Set when the value just read was `$ion_1_0` without quotes and annotations. */
  #isVersionMarker = false

  constructor(text: string, catalog: IonCatalog | undefined) {
    this.#text = text
    this.#catalog = catalog
  }

  /** The next value that belongs to the user, or undefined at the end. */
  next(): IonValue | undefined {
    for (;;) {
      this.#skipSpace()
      if (this.#pos >= this.#text.length) return undefined
      this.#isVersionMarker = false
      const value = this.#readValue(0, false)
      if (this.#isVersionMarker) this.#table = systemTable
      else if (isLocalSymbolTable(value)) {
        this.#table = applySymbolTable(value, this.#table, this.#catalog)
      } else if (
        value.type !== 'symbol' ||
        value.text !== '$ion_1_0' ||
        value.annotations.length > 0
      ) {
        // What is left out here, `$ion_1_0` in quotes or by its id, means nothing at the top level.
        return value
      }
    }
  }

  #fail(what: string, pos: number = this.#pos): IonError {
    let line = 1
    let lineStart = 0
    for (let i = this.#text.indexOf('\n'); i >= 0 && i < pos; i = this.#text.indexOf('\n', i + 1)) {
      line++
      lineStart = i + 1
    }
    const column = pos - lineStart + 1
    return new IonError(
      { code: 'TEXT_INVALID', line, column },
      { shortMessage: what, metaMessages: [`Line ${line}, column ${column}`] },
    )
  }

  #code(ahead = 0): number {
    const pos = this.#pos + ahead
    return pos < this.#text.length ? this.#text.charCodeAt(pos) : -1
  }

  #startsWith(token: string): boolean {
    return this.#text.startsWith(token, this.#pos)
  }

  /** White space and comments. */
  #skipSpace(): void {
    for (;;) {
      const code = this.#code()
      if (code >= 0 && isOf(code, space)) this.#pos++
      else if (code === slash && this.#code(1) === slash) this.#skipLineComment()
      else if (code === slash && this.#code(1) === star) {
        const end = this.#text.indexOf('*/', this.#pos + 2)
        if (end < 0) throw this.#fail('A comment has no end.')
        this.#pos = end + 2
      } else return
    }
  }

  #skipLineComment(): void {
    for (let code = this.#code(); code >= 0 && code !== nl && code !== cr; code = this.#code()) {
      this.#pos++
    }
  }

  #skipPlainSpace(): void {
    while (this.#code() >= 0 && isOf(this.#code(), space)) this.#pos++
  }

  /** Passes `::` when it stands next, with space around it. */
  #skipDoubleColon(): boolean {
    const start = this.#pos
    this.#skipSpace()
    if (this.#startsWith('::')) {
      this.#pos += 2
      this.#skipSpace()
      return true
    }
    this.#pos = start
    return false
  }

  /** A value with its annotations; `depth` counts the containers around it. */
  #readValue(depth: number, isInSexp: boolean): IonValue {
    let annotations: SymbolText[] | undefined
    for (;;) {
      const start = this.#pos
      const token = this.#readSymbolToken()
      if (token === undefined) return this.#readOther(depth, isInSexp, annotations ?? noAnnotations)
      if (!this.#skipDoubleColon()) {
        return this.#symbolValue(token, depth, start, annotations ?? noAnnotations)
      }
      if (token.bare !== undefined && keywords.has(token.bare)) {
        throw this.#fail(`${token.bare} cannot be an annotation without quotes.`, start)
      }
      annotations ??= []
      annotations.push(token.text)
    }
  }

  /** A symbol or keyword at `pos`, or undefined when something else stands there. */
  #readSymbolToken(): SymbolToken | undefined {
    const code = this.#code()
    if (isOf(code, identifierStart) && code >= 0) {
      const bare = this.#readIdentifier()
      return { text: sidPattern.test(bare) ? this.#textOfSid(bare) : bare, bare }
    }
    if (code === quote && !this.#startsWith("'''")) {
      this.#pos++
      return { text: this.#readShort(quote, false), bare: undefined }
    }
    return undefined
  }

  #readIdentifier(): string {
    const start = this.#pos
    while (this.#code() >= 0 && isOf(this.#code(), identifierPart)) this.#pos++
    return this.#text.slice(start, this.#pos)
  }

  #textOfSid(token: string): SymbolText {
    const sid = Number(token.slice(1))
    if (sid > symbolIdMax) {
      throw limitError('symbolIdMax', sid, symbolIdMax, 'A symbol id is too large.')
    }
    return this.#table.textOf(sid)
  }

  #symbolValue(
    token: SymbolToken,
    depth: number,
    start: number,
    annotations: Annotations,
  ): IonValue {
    const { bare } = token
    if (bare === undefined) return ionSymbol(token.text, annotations)
    if (bare === 'null') return ionNull(this.#nullType(), annotations)
    if (bare === 'true' || bare === 'false') return ionBool(bare === 'true', annotations)
    if (bare === 'nan') return ionFloat(Number.NaN, annotations)
    if (depth === 0 && annotations.length === 0 && versionMarkerPattern.test(bare)) {
      if (bare !== '$ion_1_0') throw this.#fail('This version of Ion is not known.', start)
      this.#isVersionMarker = true
    }
    return ionSymbol(token.text, annotations)
  }

  #nullType(): IonType {
    if (this.#code() !== 46) return 'null'
    this.#pos++
    const type = this.#readIdentifier()
    if (!nullTypes.has(type)) throw this.#fail('null. is not followed by a type.')
    return type as IonType
  }

  #readOther(depth: number, isInSexp: boolean, annotations: Annotations): IonValue {
    const code = this.#code()
    switch (code) {
      case doubleQuote:
        this.#pos++
        return ionString(this.#readShort(doubleQuote, false), annotations)
      case quote:
        return ionString(this.#readLong(false), annotations)
      case 123:
        return this.#code(1) === 123
          ? this.#readLob(annotations)
          : ionStruct(this.#readFields(depth + 1), annotations)
      case 91:
        return ionList(this.#readList(depth + 1), annotations)
      case 40:
        return ionSexp(this.#readSexp(depth + 1), annotations)
    }
    const isSigned = code === 45
    if (isOf(isSigned ? this.#code(1) : code, decimalDigit)) return this.#readNumber(annotations)
    if ((isSigned || code === 43) && this.#skipInfinity()) {
      return ionFloat(isSigned ? -Infinity : Infinity, annotations)
    }
    if (isInSexp && isOf(code, operatorPart)) return ionSymbol(this.#readOperator(), annotations)
    throw this.#fail(code < 0 ? 'The text ends where a value is due.' : 'No value starts here.')
  }

  #skipInfinity(): boolean {
    const after = this.#code(4)
    if (!this.#text.startsWith('inf', this.#pos + 1) || isOf(after, identifierPart)) return false
    this.#pos += 4
    return true
  }

  #readOperator(): string {
    const start = this.#pos
    for (let code = this.#code(); isOf(code, operatorPart); code = this.#code()) {
      if (code === slash && (this.#code(1) === slash || this.#code(1) === star)) break
      this.#pos++
    }
    return this.#text.slice(start, this.#pos)
  }

  #readList(depth: number): IonValue[] {
    checkDepth(depth)
    const values: IonValue[] = []
    this.#pos++
    for (;;) {
      this.#skipSpace()
      if (this.#skipIf(93)) return values
      values.push(this.#readValue(depth, false))
      this.#skipSpace()
      if (this.#skipIf(44)) continue
      if (this.#skipIf(93)) return values
      throw this.#fail('A list goes on with neither a comma nor its end.')
    }
  }

  #readSexp(depth: number): IonValue[] {
    checkDepth(depth)
    const values: IonValue[] = []
    this.#pos++
    for (;;) {
      this.#skipSpace()
      if (this.#skipIf(41)) return values
      values.push(this.#readValue(depth, true))
    }
  }

  #readFields(depth: number): IonField[] {
    checkDepth(depth)
    const fields: IonField[] = []
    this.#pos++
    for (;;) {
      this.#skipSpace()
      if (this.#skipIf(125)) return fields
      const name = this.#readFieldName()
      this.#skipSpace()
      if (!this.#skipIf(colon)) throw this.#fail('A field name is not followed by a colon.')
      this.#skipSpace()
      fields.push({ name, value: this.#readValue(depth, false) })
      this.#skipSpace()
      if (this.#skipIf(44)) continue
      if (this.#skipIf(125)) return fields
      throw this.#fail('A struct goes on with neither a comma nor its end.')
    }
  }

  #readFieldName(): SymbolText {
    const start = this.#pos
    const token = this.#readSymbolToken()
    if (token !== undefined) {
      if (token.bare !== undefined && keywords.has(token.bare)) {
        throw this.#fail(`${token.bare} cannot be a field name without quotes.`, start)
      }
      return token.text
    }
    if (this.#skipIf(doubleQuote)) return this.#readShort(doubleQuote, false)
    if (this.#code() === quote) return this.#readLong(false)
    throw this.#fail('No field name starts here.')
  }

  #skipIf(code: number): boolean {
    if (this.#code() !== code) return false
    this.#pos++
    return true
  }

  /** The rest of a string or symbol in single marks, up to its closing mark. */
  #readShort(closing: number, isClob: boolean): string {
    const begin = this.#pos
    let out = ''
    let start = begin
    for (;;) {
      const code = this.#code()
      if (code === closing) break
      if (code === backslash) {
        out += this.#text.slice(start, this.#pos) + this.#readEscape(isClob)
        start = this.#pos
      } else {
        this.#checkRaw(code, isClob)
        if (code === nl || code === cr) throw this.#fail('A line ends within a string or symbol.')
        this.#pos++
      }
    }
    out += this.#text.slice(start, this.#pos)
    this.#pos++
    this.#checkSurrogates(out, begin)
    return out
  }

  /** A string in triple marks; segments that follow belong to it. */
  #readLong(isClob: boolean): string {
    let out = ''
    for (;;) {
      out += this.#readSegment(isClob)
      const end = this.#pos
      if (isClob) this.#skipPlainSpace()
      else this.#skipSpace()
      if (!this.#startsWith("'''")) {
        this.#pos = end
        return out
      }
    }
  }

  #readSegment(isClob: boolean): string {
    this.#pos += 3
    const begin = this.#pos
    let out = ''
    let start = begin
    while (!this.#startsWith("'''")) {
      const code = this.#code()
      if (code === backslash) {
        out += this.#text.slice(start, this.#pos) + this.#readEscape(isClob)
        start = this.#pos
      } else if (code === cr) {
        // CR and CR LF in the source mean LF, so that a text survives other systems' line ends.
        out += `${this.#text.slice(start, this.#pos)}\n`
        this.#pos += this.#code(1) === nl ? 2 : 1
        start = this.#pos
      } else {
        this.#checkRaw(code, isClob)
        this.#pos++
      }
    }
    out += this.#text.slice(start, this.#pos)
    this.#pos += 3
    this.#checkSurrogates(out, begin)
    return out
  }

  /** A character that stands for itself in a string, symbol or clob. */
  #checkRaw(code: number, isClob: boolean): void {
    if (code < 0) throw this.#fail('The text ends within a string or symbol.')
    if (code < 32 && !isOf(code, space)) throw this.#fail('A control character is not escaped.')
    if (isClob && code > 127) throw this.#fail('A clob holds a character beyond ASCII.')
  }

  #checkSurrogates(text: string, begin: number): void {
    if (/\p{Surrogate}/u.test(text)) throw this.#fail('Half a surrogate pair stands alone.', begin)
  }

  #readEscape(isClob: boolean): string {
    const start = this.#pos
    this.#pos++
    const mark = this.#text.charAt(this.#pos++)
    if (mark === '\n') return ''
    if (mark === '\r') {
      this.#skipIf(nl)
      return ''
    }
    if (mark === 'x') return String.fromCharCode(this.#readHex(2))
    if (!isClob && mark === 'u') return String.fromCharCode(this.#readHex(4))
    if (!isClob && mark === 'U') {
      const code = this.#readHex(8)
      if (code > 0x10_ffff) throw this.#fail('An escape is beyond Unicode.', start)
      return String.fromCodePoint(code)
    }
    const plain = Object.hasOwn(simpleEscapes, mark) ? simpleEscapes[mark] : undefined
    if (plain === undefined) throw this.#fail('There is no such escape.', start)
    return plain
  }

  #readHex(count: number): number {
    const start = this.#pos
    for (let i = 0; i < count; i++) {
      if (!isOf(this.#code(), hexDigit)) throw this.#fail('An escape is too short.')
      this.#pos++
    }
    return Number.parseInt(this.#text.slice(start, this.#pos), 16)
  }

  #readLob(annotations: Annotations): IonValue {
    this.#pos += 2
    this.#skipPlainSpace()
    if (this.#skipIf(doubleQuote)) {
      const text = this.#readShort(doubleQuote, true)
      this.#endLob()
      return ionClob(latin1Bytes(text), annotations)
    }
    if (this.#startsWith("'''")) {
      const text = this.#readLong(true)
      this.#endLob()
      return ionClob(latin1Bytes(text), annotations)
    }
    const start = this.#pos
    const end = this.#text.indexOf('}}', start)
    if (end < 0) throw this.#fail('A blob has no end.')
    const base64 = this.#text.slice(start, end).replace(/[ \t\n\r\v\f]+/g, '')
    this.#pos = end + 2
    try {
      return ionBlob(fromBase64(base64), annotations)
    } catch {
      throw this.#fail('A blob is not base64.', start)
    }
  }

  #endLob(): void {
    this.#skipPlainSpace()
    if (!this.#startsWith('}}')) throw this.#fail('A clob does not end here.')
    this.#pos += 2
  }

  #readNumber(annotations: Annotations): IonValue {
    if (isOf(this.#code(), decimalDigit) && (this.#code(4) === 45 || this.#code(4) === 84)) {
      timestampPattern.lastIndex = this.#pos
      const match = timestampPattern.exec(this.#text)
      if (match !== null) return this.#readTimestamp(match, annotations)
    }
    const isNegative = this.#skipIf(45)
    const second = this.#code(1) | 32
    if (this.#code() === 48 && (second === 120 || second === 98)) {
      return this.#readRadixInt(isNegative, second === 120, annotations)
    }
    if (this.#code() === 48 && isOf(this.#code(1), decimalDigit)) {
      throw this.#fail('A number starts with a zero too many.')
    }
    const whole = this.#readDigits(decimalDigit)
    let fraction = ''
    const hasPoint = this.#skipIf(46)
    if (hasPoint && isOf(this.#code(), decimalDigit)) fraction = this.#readDigits(decimalDigit)
    const letter = this.#code() | 32
    const hasExponent = letter === 100 || letter === 101
    const exponent = hasExponent ? this.#readExponent() : ''
    this.#checkNumberEnd()
    if (hasExponent && letter === 101) {
      const magnitude = Number(`${whole}.${fraction}e${exponent}`)
      return ionFloat(isNegative ? -magnitude : magnitude, annotations)
    }
    if (!hasPoint && !hasExponent) return ionInt(toInt(whole, isNegative), annotations)
    // `0d-0` would leave a negative zero as the exponent.
    const scale = Number(exponent) - fraction.length + 0
    return makeDecimal(isNegative, whole + fraction, scale, annotations)
  }

  #readRadixInt(isNegative: boolean, isHex: boolean, annotations: Annotations): IonValue {
    this.#pos += 2
    const digits = this.#readDigits(isHex ? hexDigit : decimalDigit)
    if (!isHex && !/^[01]+$/.test(digits)) throw this.#fail('A binary number has other digits.')
    this.#checkNumberEnd()
    return ionInt(toInt(`${isHex ? '0x' : '0b'}${digits}`, isNegative), annotations)
  }

  /** Digits, between which single underscores may stand; they are left out of the result. */
  #readDigits(kind: number): string {
    const start = this.#pos
    if (!isOf(this.#code(), kind)) throw this.#fail('A digit is due here.')
    let hasUnderscore = false
    for (;;) {
      const code = this.#code()
      if (code === 95 && isOf(this.#code(1), kind)) hasUnderscore = true
      else if (!isOf(code, kind)) break
      this.#pos++
    }
    const digits = this.#text.slice(start, this.#pos)
    return hasUnderscore ? digits.replaceAll('_', '') : digits
  }

  #readExponent(): string {
    this.#pos++
    const start = this.#pos
    if (this.#code() === 43 || this.#code() === 45) this.#pos++
    if (!isOf(this.#code(), decimalDigit)) throw this.#fail('An exponent has no digits.')
    while (isOf(this.#code(), decimalDigit)) this.#pos++
    return this.#text.slice(start, this.#pos)
  }

  #checkNumberEnd(): void {
    const code = this.#code()
    if (code < 0 || isOf(code, numberStop)) return
    if (code === slash && (this.#code(1) === slash || this.#code(1) === star)) return
    throw this.#fail('A number or timestamp does not end here.')
  }

  #readTimestamp(match: RegExpExecArray, annotations: Annotations): IonTimestamp {
    const start = this.#pos
    this.#pos += match[0].length
    this.#checkNumberEnd()
    const [, year, month, day, hour, minute, second, fraction = '', zone] = match
    let precision: TimestampPrecision = 'year'
    if (second !== undefined) precision = 'second'
    else if (hour !== undefined) precision = 'minute'
    else if (day !== undefined) precision = 'day'
    else if (month !== undefined) precision = 'month'
    const local = {
      year: Number(year),
      month: Number(month ?? 1),
      day: Number(day ?? 1),
      hour: Number(hour ?? 0),
      minute: Number(minute ?? 0),
    }
    const offsetMinutes = this.#readOffset(zone, start)
    const seconds = Number(second ?? 0)
    // The fields are checked as they stand; only then is it safe to shift them to UTC.
    const fault = timestampFault(local, seconds, undefined)
    if (fault !== undefined) throw this.#fail(`A timestamp is out of range: ${fault}.`, start)
    if (fraction.length > fractionDigitsMax) {
      const what = 'The fraction of a second has too many digits.'
      throw limitError('fractionDigitsMax', fraction.length, fractionDigitsMax, what)
    }
    return makeTimestamp(
      precision,
      offsetMinutes,
      offsetMinutes ? shiftMinutes(local, -offsetMinutes) : local,
      seconds,
      fraction.length,
      BigInt(fraction),
      annotations,
    )
  }

  #readOffset(zone: string | undefined, start: number): number | undefined {
    if (zone === undefined || zone === '-00:00') return undefined
    if (zone === 'Z') return 0
    const hours = Number(zone.slice(1, 3))
    const minutes = Number(zone.slice(4))
    if (hours > 23 || minutes > 59)
      throw this.#fail('The offset of a timestamp is too large.', start)
    const magnitude = hours * 60 + minutes
    return zone.startsWith('-') ? -magnitude : magnitude
  }
}

function toInt(digits: string, isNegative: boolean): bigint | number {
  const magnitude = digits.length <= 15 ? Number(digits) : BigInt(digits)
  return isNegative ? -magnitude : magnitude
}

function makeDecimal(
  isNegative: boolean,
  digits: string,
  exponent: number,
  annotations: Annotations,
): IonValue {
  if (Math.abs(exponent) > decimalExponentMax) {
    const what = 'The exponent of a decimal is too large.'
    throw limitError('decimalExponentMax', exponent, decimalExponentMax, what)
  }
  const magnitude = BigInt(digits)
  if (magnitude === 0n && isNegative) return ionNegativeZero(exponent, annotations)
  return ionDecimal(isNegative ? -magnitude : magnitude, exponent, annotations)
}

function latin1Bytes(text: string): Uint8Array {
  const out = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i)
  return out
}
