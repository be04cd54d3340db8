/** COALESCE and NULLIF. They see NULL and MISSING themselves. */
import { isEqual } from '../values/equality.ts'
import { isAbsent, missing, nullValue, type Value } from '../values/value.ts'
import type { FunctionDefinition } from './definition.ts'

export const conditionalFunctions: readonly FunctionDefinition[] = [
  {
    name: 'COALESCE',
    argumentCountMin: 1,
    argumentCountMax: Number.POSITIVE_INFINITY,
    kinds: ['any'],
    isStrict: false,
    isVolatile: false,
    evaluate: coalesce,
  },
  {
    name: 'NULLIF',
    argumentCountMin: 2,
    argumentCountMax: 2,
    kinds: ['any', 'any'],
    isStrict: false,
    isVolatile: false,
    evaluate: ([left = missing, right = missing]) => nullIf(left, right),
  },
]

/** The first that is there; MISSING only when all are. */
function coalesce(args: readonly Value[]): Value {
  const found = args.find((value) => !isAbsent(value))
  if (found !== undefined) return found
  return args.every((value) => value === missing) ? missing : nullValue
}

function nullIf(left: Value, right: Value): Value {
  if (isAbsent(left) || isAbsent(right)) return left
  return isEqual(left, right) ? nullValue : left
}
