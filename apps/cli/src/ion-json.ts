/**
 * Ion as JSON text, as the Ion cookbook down-converts it: blobs in base64, timestamps and symbols as strings, decimals
 * and ints as numbers with all their digits, annotations dropped. Written as text, since a number in JSON may have more
 * digits than one in JavaScript.
 */
import { toBase64, unreachable } from '@cairn/core'
import { formatIon, type IonDecimal, type IonValue, noAnnotations } from '@cairn/ion'

export function ionToJson(value: IonValue): string {
  switch (value.type) {
    case 'null':
      return 'null'
    case 'bool':
    case 'int':
      return String(value.value)
    case 'float':
      return Number.isFinite(value.value) ? JSON.stringify(value.value) : 'null'
    case 'decimal':
      return decimalText(value)
    case 'timestamp':
      return JSON.stringify(formatIon({ ...value, annotations: noAnnotations }))
    case 'symbol':
      return typeof value.text === 'string' ? JSON.stringify(value.text) : 'null'
    case 'string':
      return JSON.stringify(value.value)
    case 'clob':
      // Latin-1, as the cookbook has it: a clob is bytes that are mostly ASCII.
      return JSON.stringify(String.fromCharCode(...value.value))
    case 'blob':
      return JSON.stringify(toBase64(value.value))
    case 'list':
    case 'sexp':
      return `[${value.values.map(ionToJson).join(',')}]`
    case 'struct':
      return structText(value.fields.map(({ name, value: each }) => [name, each] as const))
    default:
      return unreachable(value)
  }
}

function structText(fields: readonly (readonly [unknown, IonValue])[]): string {
  const seen = new Set<string>()
  const members: string[] = []
  for (const [name, value] of fields) {
    // JSON has no repeated names; the first one stays.
    const text = typeof name === 'string' ? name : '$0'
    if (seen.has(text)) continue
    seen.add(text)
    members.push(`${JSON.stringify(text)}:${ionToJson(value)}`)
  }
  return `{${members.join(',')}}`
}

/** Most digits that are written out; beyond them the exponent is written as such. */
const plainDigitsMax = 40

/** `12.50` for 1250 × 10^-2: JSON keeps trailing zeros in the text, and so do readers that keep precision. */
export function decimalText({ coefficient, exponent, isNegativeZero }: IonDecimal): string {
  const sign = coefficient < 0n || isNegativeZero ? '-' : ''
  const digits = (coefficient < 0n ? -coefficient : coefficient).toString()
  if (exponent === 0) return sign + digits
  if (exponent > 0 || -exponent > plainDigitsMax) return `${sign}${digits}e${exponent}`
  const padded = digits.padStart(1 - exponent, '0')
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`
}
