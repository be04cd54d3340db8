/**
 * Arithmetic, checks and text form of Ion timestamps. Fields of `IonTimestamp` are UTC; text shows local time.
 * Spec: Ion "Timestamps", W3C note on date and time formats. Years 1 to 9999 in local time; no leap seconds.
 */
import type { Annotations, IonTimestamp, TimestampPrecision } from './value.ts'

const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
const minuteMs = 60_000
/** Offsets run from -23:59 to +23:59. */
export const offsetMinutesMax: number = 24 * 60 - 1

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days from 1970-01-01 to a date of the proleptic Gregorian calendar, years from 0. */
function epochDays(year: number, month: number, day: number): number {
  const before = year - 1
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400)
  const leapDayThisYear = month > 2 && isLeapYear(year) ? 1 : 0
  // 719,162 days lie between 0001-01-01 and 1970-01-01.
  return (
    before * 365 +
    leapDays +
    (daysBeforeMonth[month - 1] as number) +
    leapDayThisYear +
    day -
    1 -
    719_162
  )
}

/** Fields of one point in time, before they become a value. */
export interface TimestampFields {
  year: number
  month: number
  day: number
  hour: number
  minute: number
}

/** The fields `minutes` later (or earlier, when negative). At most a day either way. */
export function shiftMinutes(fields: TimestampFields, minutes: number): TimestampFields {
  let { year, month, day } = fields
  let total = fields.hour * 60 + fields.minute + minutes
  if (total < 0) {
    total += 1440
    day--
    if (day < 1) {
      month--
      if (month < 1) {
        month = 12
        year--
      }
      day = daysInMonth(year, month)
    }
  } else if (total >= 1440) {
    total -= 1440
    day++
    if (day > daysInMonth(year, month)) {
      day = 1
      month++
      if (month > 12) {
        month = 1
        year++
      }
    }
  }
  return { year, month, day, hour: Math.floor(total / 60), minute: total % 60 }
}

/** What is wrong with the fields of a timestamp, or undefined. Fields are UTC, as in `IonTimestamp`. */
export function timestampFault(
  fields: TimestampFields,
  second: number,
  offsetMinutes: number | undefined,
): string | undefined {
  const { year, month, day, hour, minute } = fields
  if (month < 1 || month > 12) return 'the month is not within 1 to 12'
  if (day < 1 || day > daysInMonth(year, month)) return 'the month has no such day'
  if (hour > 23) return 'the hour is greater than 23'
  if (minute > 59) return 'the minute is greater than 59'
  if (second > 59) return 'the second is greater than 59'
  let localYear = year
  if (offsetMinutes !== undefined && offsetMinutes !== 0) {
    if (Math.abs(offsetMinutes) > offsetMinutesMax) return 'the offset is a day or more'
    // Only the edges of the calendar need the local date: there UTC may lie in year 0 or 10000.
    if (year < 2 || year > 9998) localYear = shiftMinutes(fields, offsetMinutes).year
  }
  if (localYear < 1 || localYear > 9999) return 'the year is not within 1 to 9999'
  return undefined
}

export function makeTimestamp(
  precision: TimestampPrecision,
  offsetMinutes: number | undefined,
  fields: TimestampFields,
  second: number,
  fractionDigits: number,
  fractionCoefficient: bigint,
  annotations: Annotations,
): IonTimestamp {
  return {
    type: 'timestamp',
    precision,
    offsetMinutes,
    year: fields.year,
    month: fields.month,
    day: fields.day,
    hour: fields.hour,
    minute: fields.minute,
    second,
    fractionDigits,
    fractionCoefficient,
    annotations,
  }
}

/** Milliseconds since the Unix epoch; a fraction finer than a millisecond is cut off. */
export function timestampToMs(t: IonTimestamp): number {
  const fractionMs =
    t.fractionDigits <= 3
      ? Number(t.fractionCoefficient) * 10 ** (3 - t.fractionDigits)
      : Number(t.fractionCoefficient / 10n ** BigInt(t.fractionDigits - 3))
  return wholeMinutes(t) * minuteMs + t.second * 1000 + fractionMs
}

/** Order by exact instant: negative, zero or positive. Precision and offset do not count. */
export function compareTimestamps(a: IonTimestamp, b: IonTimestamp): number {
  const minutes = wholeMinutes(a) - wholeMinutes(b)
  if (minutes !== 0) return minutes
  if (a.second !== b.second) return a.second - b.second
  const digits = Math.max(a.fractionDigits, b.fractionDigits)
  const difference = scaledFraction(a, digits) - scaledFraction(b, digits)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

function wholeMinutes(t: IonTimestamp): number {
  return epochDays(t.year, t.month, t.day) * 1440 + t.hour * 60 + t.minute
}

function scaledFraction(t: IonTimestamp, digits: number): bigint {
  if (t.fractionDigits === digits) return t.fractionCoefficient
  return t.fractionCoefficient * 10n ** BigInt(digits - t.fractionDigits)
}

function padded(value: number, length: number): string {
  return String(value).padStart(length, '0')
}

/** Ion text, such as `2020-01T` or `2020-01-01T01:00:00.500+01:00`; annotations are not part of it. */
export function formatTimestamp(t: IonTimestamp): string {
  const { precision, offsetMinutes } = t
  const local = offsetMinutes ? shiftMinutes(t, offsetMinutes) : t
  const year = padded(local.year, 4)
  if (precision === 'year') return `${year}T`
  const month = `${year}-${padded(local.month, 2)}`
  if (precision === 'month') return `${month}T`
  const day = `${month}-${padded(local.day, 2)}`
  if (precision === 'day') return `${day}T`
  let text = `${day}T${padded(local.hour, 2)}:${padded(local.minute, 2)}`
  if (precision === 'second') {
    text += `:${padded(t.second, 2)}`
    if (t.fractionDigits > 0) {
      text += `.${String(t.fractionCoefficient).padStart(t.fractionDigits, '0')}`
    }
  }
  if (offsetMinutes === undefined) return `${text}-00:00`
  if (offsetMinutes === 0) return `${text}Z`
  const magnitude = Math.abs(offsetMinutes)
  const sign = offsetMinutes < 0 ? '-' : '+'
  return `${text}${sign}${padded(Math.floor(magnitude / 60), 2)}:${padded(magnitude % 60, 2)}`
}
