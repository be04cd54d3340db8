/**
 * Timestamps as local fields and as seconds. Ion holds UTC fields; what people read, and what years and months are
 * added to, is local to the offset.
 */
import { type IonTimestamp, noAnnotations, type TimestampPrecision } from '@cairn/ion'

export interface LocalTime {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly fractionDigits: number
  readonly fractionCoefficient: bigint
}

const precisions: readonly TimestampPrecision[] = ['year', 'month', 'day', 'minute', 'second']

/** The finer of two precisions. */
export function finerPrecision(
  left: TimestampPrecision,
  right: TimestampPrecision,
): TimestampPrecision {
  return precisions.indexOf(left) >= precisions.indexOf(right) ? left : right
}

export function localTime(value: IonTimestamp, offsetMinutes: number | undefined): LocalTime {
  return offsetMinutes ? shiftSeconds(value, offsetMinutes * 60) : value
}

/** Undefined when the date does not exist, or lies outside the years that Ion can write. */
export function timestampOf(
  local: LocalTime,
  precision: TimestampPrecision,
  offsetMinutes: number | undefined,
): IonTimestamp | undefined {
  if (!isDate(local)) return undefined
  const hasTime = precision === 'minute' || precision === 'second'
  // A date alone has no offset in Ion.
  const utc = offsetMinutes && hasTime ? shiftSeconds(local, -offsetMinutes * 60) : local
  if (utc.year < 1 || utc.year > 9999) return undefined
  const hasSecond = precision === 'second'
  return {
    type: 'timestamp',
    precision,
    offsetMinutes: hasTime ? offsetMinutes : undefined,
    year: utc.year,
    month: precision === 'year' ? 1 : utc.month,
    day: precision === 'year' || precision === 'month' ? 1 : utc.day,
    hour: hasTime ? utc.hour : 0,
    minute: hasTime ? utc.minute : 0,
    second: hasSecond ? utc.second : 0,
    fractionDigits: hasSecond ? utc.fractionDigits : 0,
    fractionCoefficient: hasSecond ? utc.fractionCoefficient : 0n,
    annotations: noAnnotations,
  }
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Adds months to the date; a day that the month lacks becomes its last day. */
export function addMonths(local: LocalTime, months: number): LocalTime {
  const total = local.year * 12 + (local.month - 1) + months
  const year = Math.floor(total / 12)
  const month = total - year * 12 + 1
  return { ...local, year, month, day: Math.min(local.day, daysInMonth(year, month)) }
}

/** Seconds since the Unix epoch as if the fields were UTC, the fraction left out. */
export function epochSeconds(local: LocalTime): number {
  const date = new Date(0)
  date.setUTCFullYear(local.year, local.month - 1, local.day)
  date.setUTCHours(local.hour, local.minute, local.second)
  return date.getTime() / 1000
}

export function shiftSeconds(local: LocalTime, seconds: number): LocalTime {
  const date = new Date((epochSeconds(local) + seconds) * 1000)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    fractionDigits: local.fractionDigits,
    fractionCoefficient: local.fractionCoefficient,
  }
}

function isDate(local: LocalTime): boolean {
  const { year, month, day, hour, minute, second } = local
  return (
    year >= 1 &&
    year <= 9999 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysInMonth(year, month) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59
  )
}
