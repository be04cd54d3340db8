/**
 * Aggregates, of SQL (`SUM(x)` over a group) and of PartiQL (`COLL_SUM(list)`). NULL and MISSING inputs are skipped;
 * without input COUNT is 0 and the others are NULL. An input of a wrong kind makes the result MISSING.
 */
import { ionDecimal, ionFloat, ionInt } from '@cairn/ion'
import { addExact, decimalValue, divideExact, isNumber } from '../values/arithmetic.ts'
import {
  type Exact,
  exactOf,
  isTooLarge,
  type NumberValue,
  quotientDigitsMax,
  toDouble,
} from '../values/decimal.ts'
import { compareTotal } from '../values/order.ts'
import { boolValue, isAbsent, missing, nullValue, type Value } from '../values/value.ts'

export interface Accumulator {
  /** @param value Neither NULL nor MISSING. */
  add(value: Value): void
  result(): Value
}

const factories: ReadonlyMap<string, () => Accumulator> = new Map([
  ['COUNT', createCount],
  ['SUM', () => createSum((sum) => sum)],
  ['AVG', () => createSum(average)],
  ['MIN', () => createExtreme(-1)],
  ['MAX', () => createExtreme(1)],
  ['EVERY', () => createQuantifier(false)],
  ['ANY', () => createQuantifier(true)],
  ['SOME', () => createQuantifier(true)],
])

/** Undefined for a name that is no aggregate. */
export function accumulatorFactory(name: string): (() => Accumulator) | undefined {
  return factories.get(name)
}

/** Runs an aggregate over values at hand. */
export function aggregateValues(accumulator: Accumulator, values: Iterable<Value>): Value {
  for (const value of values) if (!isAbsent(value)) accumulator.add(value)
  return accumulator.result()
}

function createCount(): Accumulator {
  let count = 0
  return {
    add() {
      count++
    },
    result: () => ionInt(count),
  }
}

interface Sum {
  readonly count: number
  readonly kind: NumberValue['type']
  readonly exact: Exact
  readonly float: number
}

/** Ints and decimals are summed exactly; one float among them makes the result a float. */
function createSum(finish: (value: NumberValue | typeof missing, sum: Sum) => Value): Accumulator {
  let count = 0
  let kind: NumberValue['type'] = 'int'
  let exact: Exact = { coefficient: 0n, exponent: 0 }
  let small = 0
  let float = 0
  let isMistyped = false
  return {
    add(value) {
      if (!isNumber(value)) {
        isMistyped = true
        return
      }
      count++
      if (value.type === 'float') {
        kind = 'float'
        float += value.value
        return
      }
      if (value.type === 'decimal' && kind === 'int') kind = 'decimal'
      // Small ints are added as numbers and carried over before they could round.
      if (value.type === 'int' && typeof value.value === 'number') {
        const next = small + value.value
        if (Number.isSafeInteger(next)) {
          small = next
          return
        }
      }
      exact = addExact(exact, exactOf(value))
    },
    result() {
      if (isMistyped) return missing
      if (count === 0) return nullValue
      const total = addExact(exact, { coefficient: BigInt(small), exponent: 0 })
      const sum: Sum = { count, kind, exact: total, float }
      return finish(sumValue(sum), sum)
    },
  }
}

function sumValue(sum: Sum): NumberValue | typeof missing {
  switch (sum.kind) {
    case 'int':
      return isTooLarge(sum.exact.coefficient) ? missing : ionInt(sum.exact.coefficient)
    case 'decimal':
      return decimalValue(sum.exact)
    case 'float':
      return ionFloat(toDouble(sum.exact) + sum.float)
  }
}

/** Exact where the quotient ends within 38 digits, also for ints: AVG of 1 and 2 is 1.5. */
function average(value: NumberValue | typeof missing, sum: Sum): Value {
  if (value === missing) return missing
  if (sum.kind === 'float') return ionFloat((toDouble(sum.exact) + sum.float) / sum.count)
  const divisor = { coefficient: BigInt(sum.count), exponent: 0 }
  const quotient = divideExact(sum.exact, divisor, quotientDigitsMax)
  return ionDecimal(quotient.coefficient, quotient.exponent)
}

function createExtreme(direction: 1 | -1): Accumulator {
  let best: Value | undefined
  return {
    add(value) {
      if (best === undefined || compareTotal(value, best) * direction > 0) best = value
    },
    result: () => best ?? nullValue,
  }
}

/** ANY and SOME find a TRUE, EVERY finds no FALSE. */
function createQuantifier(deciding: boolean): Accumulator {
  let count = 0
  let isDecided = false
  let isMistyped = false
  return {
    add(value) {
      if (value.type !== 'bool') isMistyped = true
      else if (value.value === deciding) isDecided = true
      count++
    },
    result() {
      if (isMistyped) return missing
      if (count === 0) return nullValue
      return boolValue(isDecided === deciding)
    },
  }
}
