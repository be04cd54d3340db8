/**
 * The date patterns of TO_STRING and TO_TIMESTAMP. Source: QLDB developer guide, "Timestamp format strings":
 * y yy yyyy · M MM MMM MMMM MMMMM · d dd · a · h hh · H HH · m mm · s ss · S… · n · X to XXXXX · x to xxxxx.
 * Other letters are refused; text in single quotes stands for itself, '' for a quote.
 */
import type { IonTimestamp, TimestampPrecision } from '@cairn/ion'
import { type LocalTime, localTime, timestampOf } from './calendar.ts'

/** A run of one letter, or text that stands for itself. */
type Part =
  | { readonly kind: 'field'; readonly letter: string; readonly count: number }
  | { readonly kind: 'text'; readonly text: string }

const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** How often each letter may repeat. Fractions to nanoseconds. */
const countsMax: Readonly<Record<string, number>> = {
  y: 4,
  M: 5,
  d: 2,
  a: 1,
  h: 2,
  H: 2,
  m: 2,
  s: 2,
  S: 9,
  n: 9,
  X: 5,
  x: 5,
}

/** Undefined for a pattern that is none. */
export function formatByPattern(value: IonTimestamp, pattern: string): string | undefined {
  const parts = parsePattern(pattern)
  if (parts === undefined) return undefined
  const local = localTime(value, value.offsetMinutes)
  const offset = value.offsetMinutes ?? 0
  return parts
    .map((part) => (part.kind === 'text' ? part.text : formatField(part, local, offset)))
    .join('')
}

/**
 * Undefined when the text does not follow the pattern. The result is as precise as the pattern: 'y' gives a year.
 * Without an offset in the pattern it is unknown.
 */
export function parseByPattern(text: string, pattern: string): IonTimestamp | undefined {
  const parts = parsePattern(pattern)
  if (parts === undefined) return undefined
  const fields: ParsedFields = {}
  let at = 0
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'text') {
      if (!text.startsWith(part.text, at)) return undefined
      at += part.text.length
      continue
    }
    const isNextField = parts[index + 1]?.kind === 'field'
    const length = readField(part, text.slice(at), isNextField, fields)
    if (length === 0) return undefined
    at += length
  }
  return at === text.length ? timestampOfFields(fields) : undefined
}

function parsePattern(pattern: string): readonly Part[] | undefined {
  const parts: Part[] = []
  for (const [run] of pattern.matchAll(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+|'/g)) {
    const letter = run.charAt(0)
    if (letter === "'") {
      if (run.length === 1) return undefined
      parts.push({
        kind: 'text',
        text: run === "''" ? "'" : run.slice(1, -1).replaceAll("''", "'"),
      })
    } else if (!/[A-Za-z]/.test(letter)) {
      parts.push({ kind: 'text', text: run })
    } else {
      if (run.length > (countsMax[letter] ?? 0) || run === 'yyy') return undefined
      parts.push({ kind: 'field', letter, count: run.length })
    }
  }
  return parts
}

function formatField(
  { letter, count }: Part & { readonly kind: 'field' },
  local: LocalTime,
  offset: number,
): string {
  const padded = (value: number): string => String(value).padStart(count, '0')
  switch (letter) {
    case 'y':
      return count === 2 ? String(local.year % 100).padStart(2, '0') : padded(local.year)
    case 'M':
      return count <= 2 ? padded(local.month) : monthName(local.month, count)
    case 'd':
      return padded(local.day)
    case 'a':
      return local.hour < 12 ? 'AM' : 'PM'
    case 'h':
      return padded(local.hour % 12 === 0 ? 12 : local.hour % 12)
    case 'H':
      return padded(local.hour)
    case 'm':
      return padded(local.minute)
    case 's':
      return padded(local.second)
    case 'S':
      return fractionText(local).padEnd(count, '0').slice(0, count)
    case 'n':
      return String(Number(fractionText(local).padEnd(9, '0').slice(0, 9))).padStart(count, '0')
    default:
      return formatOffset(letter, count, offset)
  }
}

function monthName(month: number, count: number): string {
  const name = monthNames[month - 1] ?? ''
  return count === 3 ? name.slice(0, 3) : count === 4 ? name : name.slice(0, 1)
}

function fractionText(local: LocalTime): string {
  return local.fractionDigits === 0
    ? ''
    : local.fractionCoefficient.toString().padStart(local.fractionDigits, '0')
}

/** X writes Z for zero, x does not. One letter: hours, and minutes only when there are any; 3 and 5: with a colon. */
function formatOffset(letter: string, count: number, offset: number): string {
  if (letter === 'X' && offset === 0) return 'Z'
  const magnitude = Math.abs(offset)
  const hours = String(Math.trunc(magnitude / 60)).padStart(2, '0')
  const minutes = String(magnitude % 60).padStart(2, '0')
  const sign = offset < 0 ? '-' : '+'
  if (count === 1) return sign + hours + (magnitude % 60 === 0 ? '' : minutes)
  return count === 3 || count === 5 ? `${sign}${hours}:${minutes}` : sign + hours + minutes
}

interface ParsedFields {
  year?: number
  month?: number
  day?: number
  hour?: number
  hour12?: number
  isAfternoon?: boolean
  minute?: number
  second?: number
  fraction?: string
  offset?: number
}

/** Reads a field at the start of `text`; answers how long it was, 0 for none. */
function readField(
  { letter, count }: Part & { readonly kind: 'field' },
  text: string,
  isNextField: boolean,
  fields: ParsedFields,
): number {
  switch (letter) {
    case 'y':
      return readYear(text, count, isNextField, fields)
    case 'M':
      return count <= 2
        ? readNumber(text, count, 2, isNextField, (value) => {
            fields.month = value
          })
        : readMonthName(text, count, fields)
    case 'd':
      return readNumber(text, count, 2, isNextField, (value) => {
        fields.day = value
      })
    case 'a':
      return readHalf(text, fields)
    case 'h':
      return readNumber(text, count, 2, isNextField, (value) => {
        fields.hour12 = value
      })
    case 'H':
      return readNumber(text, count, 2, isNextField, (value) => {
        fields.hour = value
      })
    case 'm':
      return readNumber(text, count, 2, isNextField, (value) => {
        fields.minute = value
      })
    case 's':
      return readNumber(text, count, 2, isNextField, (value) => {
        fields.second = value
      })
    case 'S':
      return readFraction(text, count, fields)
    case 'n':
      return readNumber(text, count, 9, isNextField, (value) => {
        fields.fraction = String(value).padStart(9, '0')
      })
    default:
      return readOffset(text, letter, count, fields)
  }
}

/** Digits of a number: exactly `count` when the letter is doubled or another field is next, else up to `most`. */
function readNumber(
  text: string,
  count: number,
  most: number,
  isNextField: boolean,
  store: (value: number) => void,
): number {
  const digits = /^\d+/.exec(text)?.[0] ?? ''
  const isExact = count > 1 || isNextField
  const taken = digits.slice(0, isExact ? Math.max(count, 1) : most)
  if (taken.length < count) return 0
  store(Number(taken))
  return taken.length
}

/** Two digits are a year from 1970 to 2069. */
function readYear(text: string, count: number, isNextField: boolean, fields: ParsedFields): number {
  return readNumber(text, count === 1 && isNextField ? 4 : count, 4, isNextField, (value) => {
    fields.year = count !== 2 ? value : value >= 70 ? 1900 + value : 2000 + value
  })
}

function readMonthName(text: string, count: number, fields: ParsedFields): number {
  if (count === 5) return 0
  const lower = text.toLowerCase()
  const index = monthNames.findIndex((_, month) =>
    lower.startsWith(monthName(month + 1, count).toLowerCase()),
  )
  if (index < 0) return 0
  fields.month = index + 1
  return monthName(index + 1, count).length
}

function readHalf(text: string, fields: ParsedFields): number {
  const half = text.slice(0, 2).toUpperCase()
  if (half !== 'AM' && half !== 'PM') return 0
  fields.isAfternoon = half === 'PM'
  return 2
}

function readFraction(text: string, count: number, fields: ParsedFields): number {
  const digits = /^\d+/.exec(text)?.[0].slice(0, count) ?? ''
  if (digits.length < count) return 0
  fields.fraction = digits
  return digits.length
}

function readOffset(text: string, letter: string, count: number, fields: ParsedFields): number {
  if (letter === 'X' && text.startsWith('Z')) {
    fields.offset = 0
    return 1
  }
  const form =
    count === 1
      ? /^([+-])(\d\d)(\d\d)?/
      : count === 3 || count === 5
        ? /^([+-])(\d\d):(\d\d)/
        : /^([+-])(\d\d)(\d\d)/
  const match = form.exec(text)
  if (match === null) return 0
  const [whole, sign, hours = '0', minutes = '0'] = match
  const offset = Number(hours) * 60 + Number(minutes)
  if (Number(minutes) > 59 || offset >= 24 * 60) return 0
  fields.offset = sign === '-' ? -offset : offset
  return whole.length
}

function timestampOfFields(fields: ParsedFields): IonTimestamp | undefined {
  const { year, month, day, minute, second, fraction } = fields
  const hour = fields.hour ?? hourOfHalf(fields)
  if (year === undefined) return undefined
  const local: LocalTime = {
    year,
    month: month ?? 1,
    day: day ?? 1,
    hour: hour ?? 0,
    minute: minute ?? 0,
    second: second ?? 0,
    fractionDigits: fraction?.length ?? 0,
    fractionCoefficient: BigInt(fraction ?? '0'),
  }
  return timestampOf(local, precisionOf(fields, hour), fields.offset)
}

function hourOfHalf({ hour12, isAfternoon }: ParsedFields): number | undefined {
  if (hour12 === undefined || hour12 < 1 || hour12 > 12) return undefined
  return (hour12 % 12) + (isAfternoon === true ? 12 : 0)
}

function precisionOf(fields: ParsedFields, hour: number | undefined): TimestampPrecision {
  if (fields.second !== undefined || fields.fraction !== undefined) return 'second'
  if (hour !== undefined || fields.minute !== undefined) return 'minute'
  if (fields.day !== undefined) return 'day'
  return fields.month === undefined ? 'year' : 'month'
}
