/** Numbers and timestamps as CAST writes and reads them. */
import { formatIon, type IonDecimal, type IonTimestamp, noAnnotations, parseIon } from '@cairn/ion'

/** Zeros that a decimal may be written with; beyond, the exponent is written. */
const writtenZerosMax = 64

/** `1.50`, `-0.001`; with an exponent where plain notation would be long: `1d-400`. */
export function decimalText(value: IonDecimal): string {
  const { coefficient, exponent } = value
  const sign = coefficient < 0n || value.isNegativeZero ? '-' : ''
  const digits = (coefficient < 0n ? -coefficient : coefficient).toString()
  if (exponent > writtenZerosMax || exponent < -digits.length - writtenZerosMax) {
    return `${sign}${digits}d${exponent}`
  }
  if (exponent >= 0) return sign + (coefficient === 0n ? '0' : digits + '0'.repeat(exponent))
  const padded = digits.padStart(1 - exponent, '0')
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`
}

/** As Ion text. */
export function timestampText(value: IonTimestamp): string {
  return formatIon({ ...value, annotations: noAnnotations })
}

/** Undefined for text that is no Ion timestamp. */
export function parseTimestamp(text: string): IonTimestamp | undefined {
  if (!/^\d{4}[-T]/.test(text) || text.length > 128) return undefined
  try {
    const value = parseIon(text)
    return value.type === 'timestamp' ? value : undefined
  } catch {
    return undefined
  }
}
