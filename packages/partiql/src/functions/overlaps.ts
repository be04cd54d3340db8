/** `period OVERLAPS period`, a period being a collection of two timestamps. Source: SQL-92 8.11. */

import { equals } from '../values/equality.ts'
import { and, not, or } from '../values/logic.ts'
import { ordered } from '../values/order.ts'
import { elementsOf, isAbsent, isTrue, missing, type Value } from '../values/value.ts'
import { type FunctionDefinition, strict } from './definition.ts'

export const overlapsFunctions: readonly FunctionDefinition[] = [
  strict('OVERLAPS', ['any', 'any'], overlaps),
]

interface Period {
  readonly start: Value
  readonly end: Value
}

function overlaps(left: Value = missing, right: Value = missing): Value {
  const a = periodOf(left)
  const b = periodOf(right)
  if (a === undefined || b === undefined) return missing
  return or(or(startsWithin(a, b), startsWithin(b, a)), equals(a.start, b.start))
}

/** `inner` starts after `outer` does, and not after both of its ends. */
function startsWithin(inner: Period, outer: Period): Value {
  const isPast = and(ordered('>=', inner.start, outer.end), ordered('>=', inner.end, outer.end))
  return and(ordered('>', inner.start, outer.start), not(isPast))
}

/** The ends in their order; a start that is not known changes place with the end. */
function periodOf(value: Value): Period | undefined {
  const [start, end, ...rest] = elementsOf(value) ?? []
  if (start === undefined || end === undefined || rest.length > 0) return undefined
  if (!isPoint(start) || !isPoint(end)) return undefined
  const isReversed = isAbsent(start) || isTrue(ordered('<', end, start))
  return isReversed ? { start: end, end: start } : { start, end }
}

function isPoint(value: Value): boolean {
  return value.type === 'timestamp' || isAbsent(value)
}
