/**
 * Ion values to JSON text, by the rules for down-converting ("Down-converting to JSON" of the Ion cookbook): numbers
 * keep their digits, timestamps and symbols become strings, blobs base64, s-expressions arrays; annotations go, and
 * what JSON has no number for (nan, +inf, -inf) is null.
 */
import { encodeBase64 } from '@cairn/aws-protocol'
import { formatTimestamp, type IonStruct, type IonValue, type SymbolText } from '@cairn/ion'

export function formatJson(value: IonValue): string {
  switch (value.type) {
    case 'null':
      return 'null'
    case 'bool':
    case 'int':
      return String(value.value)
    case 'float':
      return Number.isFinite(value.value) ? String(value.value) : 'null'
    case 'decimal':
      return formatDecimal(value.coefficient, value.exponent, value.isNegativeZero)
    case 'timestamp':
      return `"${formatTimestamp(value)}"`
    case 'symbol':
      return quoted(textOf(value.text))
    case 'string':
      return quoted(value.value)
    case 'clob':
      return JSON.stringify(Buffer.from(value.value).toString('latin1'))
    case 'blob':
      return `"${encodeBase64(value.value)}"`
    case 'list':
    case 'sexp':
      return `[${value.values.map(formatJson).join(',')}]`
    case 'struct':
      return formatStruct(value)
  }
}

function formatStruct(struct: IonStruct): string {
  let text = '{'
  for (const { name, value } of struct.fields) {
    if (text !== '{') text += ','
    text += `${quoted(textOf(name))}:${formatJson(value)}`
  }
  return `${text}}`
}

/** ASCII that stands in a JSON string as it is. */
const plainPattern = /^[ !#-[\]-~]*$/

/** Looking first takes half the time of JSON.stringify for the short names and texts that documents are made of. */
function quoted(text: string): string {
  return plainPattern.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** The digits as they are; an exponent where a plain number would need zeros that were not written. */
function formatDecimal(coefficient: bigint, exponent: number, isNegativeZero: boolean): string {
  const isNegative = coefficient < 0n || isNegativeZero
  const digits = String(coefficient < 0n ? -coefficient : coefficient)
  const sign = isNegative ? '-' : ''
  const pointAt = digits.length + exponent
  if (exponent === 0) return sign + digits
  if (exponent > 0 || pointAt < -5) return `${sign}${digits}e${exponent}`
  if (pointAt > 0) return `${sign}${digits.slice(0, pointAt)}.${digits.slice(pointAt)}`
  return `${sign}0.${'0'.repeat(-pointAt)}${digits}`
}

function textOf(text: SymbolText): string {
  return typeof text === 'string' ? text : '$0'
}
