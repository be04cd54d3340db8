/**
 * DATE_ADD, DATE_DIFF, EXTRACT, TO_STRING and TO_TIMESTAMP. Source: QLDB developer guide, one page per function.
 */
import {
  type IonTimestamp,
  ionDecimal,
  ionInt,
  ionString,
  type TimestampPrecision,
} from '@cairn/ion'
import { compareExact } from '../values/decimal.ts'
import { missing, textOf, type Value } from '../values/value.ts'
import {
  addMonths,
  epochSeconds,
  finerPrecision,
  type LocalTime,
  localTime,
  shiftSeconds,
  timestampOf,
} from './calendar.ts'
import { type FunctionDefinition, strict } from './definition.ts'
import { parseTimestamp } from './texts.ts'
import { formatByPattern, parseByPattern } from './timestamp-patterns.ts'

export const timestampFunctions: readonly FunctionDefinition[] = [
  strict('DATE_ADD', ['text', 'int', 'timestamp'], dateAdd),
  strict('DATE_DIFF', ['text', 'timestamp', 'timestamp'], dateDiff),
  strict('EXTRACT', ['text', 'timestamp'], extract),
  strict('TO_STRING', ['timestamp', 'text'], formatTimestamp),
  strict('TO_TIMESTAMP', ['text', 'text'], toTimestamp, 1),
]

/** Parts in seconds, and the precision that a result with such a part needs. */
const units: Readonly<
  Record<string, { readonly seconds: number; readonly precision: TimestampPrecision }>
> = {
  day: { seconds: 86_400, precision: 'day' },
  hour: { seconds: 3600, precision: 'minute' },
  minute: { seconds: 60, precision: 'minute' },
  second: { seconds: 1, precision: 'second' },
}

/** More than the seconds of 9999 years lead out of the calendar anyway. */
const quantityMax = 1e12

/**
 * Adds so many parts. The result is as precise as the part needs: DATE_ADD(month, 1, `2010T`) is 2010-02T. A time made
 * where there was none has an unknown offset. Outside the years 1 to 9999: MISSING.
 */
function dateAdd(part: Value = missing, quantity: Value = missing, at: Value = missing): Value {
  const name = textOf(part)
  if (at.type !== 'timestamp' || quantity.type !== 'int' || name === undefined) return missing
  const count = Number(quantity.value)
  if (Math.abs(count) > quantityMax) return missing
  const local = localTime(at, at.offsetMinutes)
  const unit = units[name]
  if (unit !== undefined) {
    const precision = finerPrecision(at.precision, unit.precision)
    const shifted = shiftSeconds(local, count * unit.seconds)
    return timestampOf(shifted, precision, at.offsetMinutes) ?? missing
  }
  if (name !== 'year' && name !== 'month') return missing
  const shifted = addMonths(local, name === 'year' ? count * 12 : count)
  const precision = finerPrecision(at.precision, name)
  return timestampOf(shifted, precision, at.offsetMinutes) ?? missing
}

/** Whole parts from the first to the second, toward zero: 23:00 to 01:00 of the next day are 0 days. */
function dateDiff(part: Value = missing, from: Value = missing, to: Value = missing): Value {
  const name = textOf(part)
  if (from.type !== 'timestamp' || to.type !== 'timestamp' || name === undefined) return missing
  const start = localTime(from, from.offsetMinutes)
  const end = localTime(to, from.offsetMinutes)
  const unit = units[name]
  if (unit !== undefined) return ionInt(Math.trunc(wholeSeconds(start, end) / unit.seconds) + 0)
  if (name !== 'year' && name !== 'month') return missing
  const months = wholeMonths(start, end)
  return ionInt(Math.trunc(name === 'year' ? months / 12 : months) + 0)
}

function wholeSeconds(start: LocalTime, end: LocalTime): number {
  const seconds = epochSeconds(end) - epochSeconds(start)
  const fraction = compareFractions(end, start)
  if (seconds > 0 && fraction < 0) return seconds - 1
  return seconds < 0 && fraction > 0 ? seconds + 1 : seconds
}

function wholeMonths(start: LocalTime, end: LocalTime): number {
  const months = (end.year - start.year) * 12 + end.month - start.month
  const within = compareWithinMonth(end, start)
  if (months > 0 && within < 0) return months - 1
  return months < 0 && within > 0 ? months + 1 : months
}

function compareWithinMonth(left: LocalTime, right: LocalTime): number {
  return (
    left.day - right.day ||
    left.hour - right.hour ||
    left.minute - right.minute ||
    left.second - right.second ||
    compareFractions(left, right)
  )
}

function compareFractions(left: LocalTime, right: LocalTime): number {
  return compareExact(
    { coefficient: left.fractionCoefficient, exponent: -left.fractionDigits },
    { coefficient: right.fractionCoefficient, exponent: -right.fractionDigits },
  )
}

/** Seconds are a decimal with the fraction, the others ints. An unknown offset counts as zero. */
function extract(part: Value = missing, at: Value = missing): Value {
  if (at.type !== 'timestamp') return missing
  const local = localTime(at, at.offsetMinutes)
  const offset = at.offsetMinutes ?? 0
  switch (textOf(part)) {
    case 'year':
      return ionInt(local.year)
    case 'month':
      return ionInt(local.month)
    case 'day':
      return ionInt(local.day)
    case 'hour':
      return ionInt(local.hour)
    case 'minute':
      return ionInt(local.minute)
    case 'second':
      return secondsOf(at)
    case 'timezone_hour':
      return ionInt(Math.trunc(offset / 60))
    case 'timezone_minute':
      return ionInt(offset % 60)
    default:
      return missing
  }
}

function secondsOf(at: IonTimestamp): Value {
  const whole = BigInt(at.second) * 10n ** BigInt(at.fractionDigits)
  return ionDecimal(whole + at.fractionCoefficient, -at.fractionDigits)
}

function formatTimestamp(at: Value = missing, pattern: Value = missing): Value {
  const text = textOf(pattern)
  if (at.type !== 'timestamp' || text === undefined) return missing
  const formatted = formatByPattern(at, text)
  return formatted === undefined ? missing : ionString(formatted)
}

function toTimestamp(value: Value = missing, pattern?: Value): Value {
  const text = textOf(value)
  if (text === undefined) return missing
  if (pattern === undefined) return parseTimestamp(text) ?? missing
  const format = textOf(pattern)
  return (format === undefined ? undefined : parseByPattern(text, format)) ?? missing
}
