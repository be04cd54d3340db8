/**
 * Functions of text. Positions and lengths count code points, from 1, as SQL does. Symbols count as text; results are
 * strings.
 */
import { utf8 } from '@cairn/core'
import { ionInt, ionString } from '@cairn/ion'
import { missing, textOf, type Value } from '../values/value.ts'
import { checkTextLength } from '../values/weight.ts'
import { type FunctionDefinition, strict } from './definition.ts'

export const stringFunctions: readonly FunctionDefinition[] = [
  strict('CHAR_LENGTH', ['text'], charLength),
  strict('CHARACTER_LENGTH', ['text'], charLength),
  strict('OCTET_LENGTH', ['bytes'], octetLength),
  strict('BIT_LENGTH', ['bytes'], bitLength),
  strict('LOWER', ['text'], (value) => mapText(value, (text) => text.toLowerCase())),
  strict('UPPER', ['text'], (value) => mapText(value, (text) => text.toUpperCase())),
  strict('SUBSTRING', ['text', 'int', 'int'], substring, 2),
  strict('TRIM', ['text', 'text', 'text'], trim, 1),
  strict('POSITION', ['text', 'text'], position),
  strict('OVERLAY', ['text', 'text', 'int', 'int'], overlay, 3),
]

function mapText(value: Value | undefined, change: (text: string) => string): Value {
  const text = value && textOf(value)
  return text === undefined ? missing : ionString(change(text))
}

function charLength(value: Value = missing): Value {
  const text = textOf(value)
  return text === undefined ? missing : ionInt(Array.from(text).length)
}

function octetLength(value: Value = missing): Value {
  if (value.type === 'clob' || value.type === 'blob') return ionInt(value.value.length)
  const text = textOf(value)
  return text === undefined ? missing : ionInt(utf8(text).length)
}

function bitLength(value: Value = missing): Value {
  const octets = octetLength(value)
  return octets.type === 'int' ? ionInt(Number(octets.value) * 8) : missing
}

/**
 * SQL-92 6.7: the characters whose positions lie in [start, start + length); positions below 1 hold none but count, so
 * `SUBSTRING('abc', -1, 3)` is 'a'. A negative length is MISSING.
 */
function substring(value: Value = missing, start: Value = missing, length?: Value): Value {
  const text = textOf(value)
  const from = smallInt(start)
  const count = length === undefined ? Number.POSITIVE_INFINITY : smallInt(length)
  if (text === undefined || from === undefined || count === undefined || count < 0) return missing
  const end = from + count
  const points = Array.from(text)
  return ionString(points.slice(Math.max(from, 1) - 1, Math.max(end, 1) - 1).join(''))
}

function position(needle: Value = missing, haystack: Value = missing): Value {
  const part = textOf(needle)
  const text = textOf(haystack)
  if (part === undefined || text === undefined) return missing
  const at = text.indexOf(part)
  return ionInt(at < 0 ? 0 : Array.from(text.slice(0, at)).length + 1)
}

/** SQL:1999 6.18: OVERLAY(s PLACING r FROM n FOR m) puts `r` in place of the m characters from n. */
function overlay(
  value: Value = missing,
  replacement: Value = missing,
  start: Value = missing,
  length?: Value,
): Value {
  const text = textOf(value)
  const inner = textOf(replacement)
  const from = smallInt(start)
  if (text === undefined || inner === undefined || from === undefined) return missing
  const count = length === undefined ? Array.from(inner).length : smallInt(length)
  if (from < 1 || count === undefined || count < 0) return missing
  checkTextLength(text.length + inner.length)
  const points = Array.from(text)
  const head = points.slice(0, from - 1).join('')
  return ionString(head + inner + points.slice(from - 1 + count).join(''))
}

type TrimSide = 'leading' | 'trailing' | 'both'

/** TRIM(s), or with the side and the set of characters, as the parser orders them. */
function trim(first: Value = missing, characters?: Value, value?: Value): Value {
  if (characters === undefined) return trimText('both', ' ', textOf(first))
  if (value === undefined) return missing
  return trimText(textOf(first) as TrimSide, textOf(characters), textOf(value))
}

function trimText(side: TrimSide, characters: string | undefined, text: string | undefined): Value {
  if (characters === undefined || text === undefined) return missing
  const set = new Set(Array.from(characters))
  const points = Array.from(text)
  let start = 0
  let end = points.length
  const isTrimmed = (at: number): boolean => set.has(points[at] ?? '')
  if (side !== 'trailing') while (start < end && isTrimmed(start)) start++
  if (side !== 'leading') while (end > start && isTrimmed(end - 1)) end--
  return ionString(points.slice(start, end).join(''))
}

/** An int that fits a position; larger ones lie beyond any text, so they may be cut. */
function smallInt(value: Value): number | undefined {
  return value.type === 'int' ? Number(value.value) : undefined
}
