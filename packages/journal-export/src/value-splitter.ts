/**
 * Cuts a stream of top-level Ion values, binary or text, that arrives in pieces into batches of whole values, each a
 * stream of its own. JSON Lines is text too: JSON is a part of Ion text.
 * Not here: text that uses a symbol table for what stands before it in another object.
 */
import type { IonValue } from '@cairn/ion'
import { decodeIonAll, parseIonAll } from '@cairn/ion'

export interface ValueSplitter {
  /**
   * @returns The values that are whole by now.
   * @throws IonError; RangeError when a value is larger than `valueBytesMax`.
   */
  push(piece: Uint8Array): IonValue[]
  /**
   * The rest of the stream.
   * @throws IonError when it ends in the middle of a value.
   */
  end(): IonValue[]
}

/** A block holds at most one transaction, 4 MiB in QLDB; base64 and escapes make text larger. */
const valueBytesMax = 256 * 1024 * 1024

/** E0 01 00 EA. Nothing else begins so, neither a value nor text. */
const versionMarkerStart = 0xe0
const versionMarkerBytesSize = 4

/** By the first byte of an object. */
export function isBinaryIon(bytes: Uint8Array): boolean {
  return bytes[0] === versionMarkerStart
}

/** @param isBinary As `isBinaryIon` says. */
export function createValueSplitter(isBinary: boolean): ValueSplitter {
  return isBinary ? new BinarySplitter() : new TextSplitter()
}

function checkRest(size: number): void {
  if (size > valueBytesMax) throw new RangeError(`a value of more than ${valueBytesMax} bytes`)
}

class BinarySplitter implements ValueSplitter {
  #rest: Uint8Array = new Uint8Array(0)
  /** Version marker and symbol tables in force where `#rest` begins. */
  #context: Uint8Array = new Uint8Array(0)

  push(piece: Uint8Array): IonValue[] {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])
    let at = 0
    let valueCount = 0
    let context = this.#context
    for (;;) {
      const end = endOfValue(bytes, at)
      if (end === undefined || end > bytes.length) break
      const value = bytes.subarray(at, end)
      if (isBinaryIon(value)) context = value.slice()
      else if (isSymbolTable(value)) context = Buffer.concat([context, value])
      else valueCount++
      at = end
    }
    const values =
      valueCount === 0 ? [] : decodeIonAll(Buffer.concat([this.#context, bytes.subarray(0, at)]))
    checkRest(bytes.length - at)
    checkRest(context.length)
    this.#context = context
    this.#rest = bytes.slice(at)
    return values
  }

  end(): IonValue[] {
    // What is left is no whole value: the decoder says what is wrong with it.
    return this.#rest.length === 0 ? [] : decodeIonAll(Buffer.concat([this.#context, this.#rest]))
  }
}

/** Where the value at `at` ends; undefined when its length is not all here. Ion binary, "Typed value formats". */
function endOfValue(bytes: Uint8Array, at: number): number | undefined {
  const descriptor = bytes[at]
  if (descriptor === undefined) return undefined
  if (descriptor === versionMarkerStart) return at + versionMarkerBytesSize
  const type = descriptor >> 4
  const low = descriptor & 15
  // Booleans and nulls have no more bytes; `low` of a struct with ordered fields is 1 and its length follows.
  if (type === 1 || low === 15) return at + 1
  const hasLength = low === 14 || (type === 13 && low === 1)
  if (!hasLength) return at + 1 + low
  const length = varUint(bytes, at + 1)
  return length === undefined ? undefined : length.end + length.value
}

function varUint(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] as number
    value = value * 128 + (byte & 127)
    if (byte >= 128) return { value, end: at + 1 }
    if (value > valueBytesMax) throw new RangeError(`a value of more than ${valueBytesMax} bytes`)
  }
  return undefined
}

/** An annotation wrapper whose first annotation is `$ion_symbol_table`, symbol 3. */
function isSymbolTable(value: Uint8Array): boolean {
  const descriptor = value[0] as number
  if (descriptor >> 4 !== 14) return false
  const wrapped = (descriptor & 15) === 14 ? varUint(value, 1)?.end : 1
  const annotations = wrapped === undefined ? undefined : varUint(value, wrapped)
  return annotations !== undefined && varUint(value, annotations.end)?.value === 3
}

type TextState = 'plain' | 'quoted' | 'lineComment' | 'blockComment' | 'lob' | 'string' | 'long'

const symbolTableStart = /\s*(?:\$ion_1_0\s+)*\$ion_symbol_table\s*::/y
/** The longest mark that may be cut in two by the end of a piece: three quotes. */
const markLengthMax = 3

class TextSplitter implements ValueSplitter {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  #rest = ''
  /** Up to here `#rest` was looked through. */
  #at = 0
  /** Where the value that is being looked through begins. */
  #valueStart = 0
  #depth = 0
  #state: TextState = 'plain'
  /** What goes on behind a string: strings stand for themselves, and in clobs. */
  #outer: 'plain' | 'lob' = 'plain'

  push(piece: Uint8Array): IonValue[] {
    this.#rest += this.#decoder.decode(piece, { stream: true })
    checkRest(this.#rest.length)
    const end = this.#scan()
    if (end === 0) return []
    const whole = this.#rest.slice(0, end)
    this.#rest = this.#rest.slice(end)
    this.#at -= end
    this.#valueStart -= end
    return parseIonAll(whole)
  }

  end(): IonValue[] {
    return parseIonAll(this.#rest + this.#decoder.decode())
  }

  /** Where the last whole struct ends, from the start of `#rest`; 0 when there is none. */
  #scan(): number {
    const text = this.#rest
    const safeEnd = text.length - markLengthMax + 1
    let end = 0
    let i = this.#at
    while (i < safeEnd) {
      const state = this.#state
      const character = text[i] as string
      i += this.#step(text, i, character)
      if (character !== '}' || state !== 'plain' || this.#depth > 0) continue
      symbolTableStart.lastIndex = this.#valueStart
      // A symbol table belongs to the value behind it.
      if (!symbolTableStart.test(text)) end = i
      this.#valueStart = i
    }
    this.#at = i
    return end
  }

  /** How many characters to go on. */
  #step(text: string, i: number, character: string): number {
    switch (this.#state) {
      case 'plain':
        return this.#plainStep(text, i, character)
      case 'lob':
        return this.#lobStep(text, i, character)
      case 'string':
        if (character === '\\') return 2
        if (character === '"') this.#state = this.#outer
        return 1
      case 'quoted':
        if (character === '\\') return 2
        if (character === "'") this.#state = 'plain'
        return 1
      case 'long':
        if (character === '\\') return 2
        if (!text.startsWith("'''", i)) return 1
        this.#state = this.#outer
        return 3
      case 'lineComment':
        if (character === '\n') this.#state = 'plain'
        return 1
      case 'blockComment':
        if (!text.startsWith('*/', i)) return 1
        this.#state = 'plain'
        return 2
    }
  }

  #plainStep(text: string, i: number, character: string): number {
    const next = text[i + 1]
    switch (character) {
      case '"':
        return this.#enter('string', 1, 'plain')
      case "'":
        return text.startsWith("'''", i)
          ? this.#enter('long', 3, 'plain')
          : this.#enter('quoted', 1, 'plain')
      case '/':
        if (next === '/') return this.#enter('lineComment', 2, 'plain')
        return next === '*' ? this.#enter('blockComment', 2, 'plain') : 1
      case '{':
        if (next === '{') return this.#enter('lob', 2, 'plain')
        this.#depth++
        return 1
      case '}':
        this.#depth--
        return 1
      default:
        return 1
    }
  }

  /** Base64, where a slash begins no comment, or the strings of a clob. */
  #lobStep(text: string, i: number, character: string): number {
    if (character === '"') return this.#enter('string', 1, 'lob')
    if (text.startsWith("'''", i)) return this.#enter('long', 3, 'lob')
    if (!text.startsWith('}}', i)) return 1
    this.#state = 'plain'
    return 2
  }

  #enter(state: TextState, length: number, outer: 'plain' | 'lob'): number {
    this.#state = state
    this.#outer = outer
    return length
  }
}
