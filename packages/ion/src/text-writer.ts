/**
 * Text Ion 1.0 writer: values to a string that reads back as the same values. Symbols of shared tables that are not
 * at hand have no text: a stream with such symbols starts with a symbol table and writes them by id.
 */
import { toBase64 } from '@cairn/core'
import { valueError } from './errors.ts'
import { checkDepth } from './limits.ts'
import { localSidMin } from './symbol-table.ts'
import { keywords, versionMarkerPattern } from './text-reader.ts'
import { formatTimestamp } from './timestamp.ts'
import { checkWellFormed } from './utf8.ts'
import type { IonDecimal, IonField, IonValue, SymbolText } from './value.ts'

export interface FormatIonOptions {
  /** One element or field per line, indented by two spaces. Default: all on one line. */
  readonly pretty?: boolean
}

/**
 * Ion text of a value, on one line unless `pretty`. What Ion takes for parts of a stream at its top level, the symbol
 * `$ion_1_0` and structs annotated `$ion_symbol_table`, is written too but does not read back.
 * @throws IonError VALUE_INVALID, LIMIT
 * @example
 * ```ts
 * formatIon(parseIon('{a:[1, 2.50]}')) // '{a:[1,2.50]}'
 * ```
 */
export function formatIon(value: IonValue, options: FormatIonOptions = {}): string {
  const isPretty = options.pretty === true
  const writer = new TextWriter(isPretty, new Map())
  const text = writer.format(value, 0)
  if (writer.missingImports.size === 0) return text
  const firstSids = new Map<string, number>()
  let firstSid = localSidMin
  const entries: string[] = []
  for (const [name, maxId] of writer.missingImports) {
    firstSids.set(name, firstSid)
    firstSid += maxId
    entries.push(`{name:${formatString(name)},version:1,max_id:${maxId}}`)
  }
  const table = `$ion_symbol_table::{imports:[${entries.join(',')}]}`
  return `${table} ${new TextWriter(isPretty, firstSids).format(value, 0)}`
}

class TextWriter {
  readonly #isPretty: boolean
  /** First symbol id by name of a shared table. */
  readonly #imports: ReadonlyMap<string, number>
  /** Greatest id by name of a shared table that has no range here. */
  readonly missingImports: Map<string, number> = new Map()

  constructor(isPretty: boolean, imports: ReadonlyMap<string, number>) {
    this.#isPretty = isPretty
    this.#imports = imports
  }

  format(value: IonValue, depth: number): string {
    let prefix = ''
    for (const annotation of value.annotations) prefix += `${this.#symbol(annotation)}::`
    return prefix + this.#plain(value, depth)
  }

  #plain(value: IonValue, depth: number): string {
    switch (value.type) {
      case 'null':
        return value.of === 'null' ? 'null' : `null.${value.of}`
      case 'bool':
        return value.value ? 'true' : 'false'
      case 'int':
        return value.value.toString()
      case 'float':
        return formatFloat(value.value)
      case 'decimal':
        return formatDecimal(value)
      case 'timestamp':
        return formatTimestamp(value)
      case 'symbol':
        return this.#symbol(value.text)
      case 'string':
        return formatString(value.value)
      case 'clob':
        return `{{${formatClob(value.value)}}}`
      case 'blob':
        return `{{${toBase64(value.value)}}}`
      case 'list':
        return this.#items('[', value.values, ',', ']', depth + 1)
      case 'sexp':
        return this.#items('(', value.values, this.#isPretty ? '' : ' ', ')', depth + 1)
      case 'struct':
        return this.#fields(value.fields, depth + 1)
      default:
        throw valueError('it has no Ion type')
    }
  }

  #items(
    open: string,
    values: readonly IonValue[],
    separator: string,
    close: string,
    depth: number,
  ): string {
    checkDepth(depth)
    return this.#join(
      open,
      values.map((value) => this.format(value, depth)),
      separator,
      close,
      depth,
    )
  }

  #fields(fields: readonly IonField[], depth: number): string {
    checkDepth(depth)
    const colon = this.#isPretty ? ': ' : ':'
    const parts = fields.map(
      ({ name, value }) => `${this.#symbol(name)}${colon}${this.format(value, depth)}`,
    )
    return this.#join('{', parts, ',', '}', depth)
  }

  #join(open: string, parts: string[], separator: string, close: string, depth: number): string {
    if (!this.#isPretty || parts.length === 0) return open + parts.join(separator) + close
    const outer = `\n${'  '.repeat(depth - 1)}`
    return `${open}${outer}  ${parts.join(`${separator}${outer}  `)}${outer}${close}`
  }

  #symbol(text: SymbolText): string {
    if (typeof text === 'string') return formatSymbol(text)
    const { importName, importSid } = text
    if (importName === undefined) return '$0'
    const firstSid = this.#imports.get(importName)
    if (firstSid !== undefined) return `$${firstSid + importSid - 1}`
    const missing = this.missingImports.get(importName) ?? 0
    this.missingImports.set(importName, Math.max(missing, importSid))
    return '$0'
  }
}

/** A symbol with text, in quotes where the text would mean something else without. */
export function formatSymbol(text: string): string {
  const isBare =
    /^[$_a-zA-Z][$_a-zA-Z0-9]*$/.test(text) &&
    !keywords.has(text) &&
    !/^\$[0-9]+$/.test(text) &&
    !versionMarkerPattern.test(text)
  return isBare ? text : `'${escapeText(text, "'")}'`
}

function formatString(text: string): string {
  return `"${escapeText(text, '"')}"`
}

const namedEscapes: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '\v': '\\v',
  '\\': '\\\\',
}

// Besides what must be escaped: DEL, the C1 controls, and the two line ends that other readers of lines obey.
const needsEscape = /["'\\\p{Control}\u2028\u2029]/u
const escaped = /["'\\\p{Control}\u2028\u2029]/gu

function escapeText(text: string, quoteMark: string): string {
  checkWellFormed(text)
  if (!needsEscape.test(text)) return text
  return text.replace(escaped, (one) => {
    if (one === '"' || one === "'") return one === quoteMark ? `\\${one}` : one
    const named = namedEscapes[one]
    if (named !== undefined) return named
    const code = one.charCodeAt(0)
    const hex = code.toString(16)
    return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`
  })
}

/** A clob's bytes as a string of ASCII. */
function formatClob(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) {
    const one = String.fromCharCode(byte)
    if (one === '"' || one === '\\') out += `\\${one}`
    else if (byte >= 0x20 && byte < 0x7f) out += one
    else out += namedEscapes[one] ?? `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return `"${out}"`
}

/** The shortest digits that read back as the same float; always with an exponent, which makes it a float. */
function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (value === Infinity) return '+inf'
  if (value === -Infinity) return '-inf'
  if (Object.is(value, -0)) return '-0e0'
  const text = String(value)
  return text.includes('e') ? text : `${text}e0`
}

/** With a decimal point where that shows every digit and few zeros, else with an exponent. */
function formatDecimal(value: IonDecimal): string {
  const { coefficient, exponent, isNegativeZero } = value
  const sign = isNegativeZero || coefficient < 0n ? '-' : ''
  const digits = (coefficient < 0n ? -coefficient : coefficient).toString()
  if (exponent === 0) return `${sign}${digits}.`
  const pointAt = digits.length + exponent
  // Six zeros behind the point at most, as scientific notation in Java's BigDecimal and in JavaScript starts there.
  if (exponent > 0 || pointAt < -5) return `${sign}${digits}d${exponent}`
  if (pointAt > 0) return `${sign}${digits.slice(0, pointAt)}.${digits.slice(pointAt)}`
  return `${sign}0.${'0'.repeat(-pointAt)}${digits}`
}
