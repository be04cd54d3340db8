/** ABS and MOD. */
import { ionInt } from '@cairn/ion'
import { arithmetic, isNumber, negate } from '../values/arithmetic.ts'
import { compareNumbers } from '../values/order.ts'
import { missing, type Value } from '../values/value.ts'
import { type FunctionDefinition, strict } from './definition.ts'

export const numberFunctions: readonly FunctionDefinition[] = [
  strict('ABS', ['number'], absolute),
  strict('MOD', ['number', 'number'], (left = missing, right = missing) =>
    arithmetic('%', left, right),
  ),
]

function absolute(value: Value = missing): Value {
  if (!isNumber(value)) return missing
  if (value.type === 'float') return { ...value, value: Math.abs(value.value) }
  return compareNumbers(value, zero) < 0 ? negate(value) : value
}

const zero = ionInt(0)
