/**
 * Ion down-converted to JSON, as QLDB does for exports: annotations are dropped, symbols, timestamps, clobs and blobs
 * become strings, s-expressions lists, decimals numbers, NaN and infinities null. Source: Ion cookbook,
 * "Down-converting to JSON". What is lost cannot be had back: hashes are over the Ion values.
 */
import { toBase64 } from '@cairn/core'
import { formatTimestamp } from './timestamp.ts'
import type { IonDecimal, IonLob, IonValue, SymbolText } from './value.ts'

/** On one line. Exact: numbers keep all digits, whatever their size. */
export function formatIonAsJson(value: IonValue): string {
  switch (value.type) {
    case 'null':
      return 'null'
    case 'bool':
      return value.value ? 'true' : 'false'
    case 'int':
      return value.value.toString()
    case 'float':
      return Number.isFinite(value.value) ? JSON.stringify(value.value) : 'null'
    case 'decimal':
      return decimalText(value)
    case 'timestamp':
      return JSON.stringify(formatTimestamp(value))
    case 'symbol':
      return JSON.stringify(symbolText(value.text))
    case 'string':
      return JSON.stringify(value.value)
    case 'clob':
    case 'blob':
      return JSON.stringify(lobText(value))
    case 'list':
    case 'sexp':
      return `[${value.values.map(formatIonAsJson).join(',')}]`
    case 'struct':
      return `{${value.fields
        .map((field) => `${JSON.stringify(symbolText(field.name))}:${formatIonAsJson(field.value)}`)
        .join(',')}}`
  }
}

/** Clobs as the characters of their bytes: the text when it is ASCII, as clobs mostly are. */
function lobText({ type, value }: IonLob): string {
  if (type === 'blob') return toBase64(value)
  let text = ''
  for (const byte of value) text += String.fromCharCode(byte)
  return text
}

function symbolText(text: SymbolText): string {
  return typeof text === 'string' ? text : `$${text.importSid}`
}

/** Beyond so many digits before or after the point an exponent is written. */
const plainExponentMax = 20

/** `12.50` stays so; JSON readers may keep the digits. */
function decimalText({ coefficient, exponent, isNegativeZero }: IonDecimal): string {
  const sign = coefficient < 0n || isNegativeZero ? '-' : ''
  const digits = (coefficient < 0n ? -coefficient : coefficient).toString()
  if (exponent === 0) return sign + digits
  if (exponent > 0 || exponent < -plainExponentMax) return `${sign}${digits}e${exponent}`
  const padded = digits.padStart(1 - exponent, '0')
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`
}
