/** Three-valued logic. MISSING counts as NULL; a value that is no boolean makes the answer MISSING. */
import {
  boolValue,
  falseValue,
  isAbsent,
  missing,
  nullValue,
  trueValue,
  type Value,
} from './value.ts'

export function not(value: Value): Value {
  if (isAbsent(value)) return nullValue
  return value.type === 'bool' ? boolValue(!value.value) : missing
}

/** FALSE wins. */
export function and(left: Value, right: Value): Value {
  if (isFalse(left) || isFalse(right)) return falseValue
  return combine(left, right)
}

/** TRUE wins. */
export function or(left: Value, right: Value): Value {
  if (isTrue(left) || isTrue(right)) return trueValue
  return combine(left, right)
}

/** Neither operand decides: the booleans left are alike, so either is the answer. */
function combine(left: Value, right: Value): Value {
  const isBoolLeft = left.type === 'bool'
  const isBoolRight = right.type === 'bool'
  if (isBoolLeft && isBoolRight) return left
  if ((isBoolLeft || isAbsent(left)) && (isBoolRight || isAbsent(right))) return nullValue
  return missing
}

function isTrue(value: Value): boolean {
  return value.type === 'bool' && value.value
}

function isFalse(value: Value): boolean {
  return value.type === 'bool' && !value.value
}
