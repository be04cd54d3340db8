/** All functions by name. Those with a syntax of their own (CAST, EXISTS, SQL aggregates) are not among them. */
import { collectionFunctions } from './collections.ts'
import { conditionalFunctions } from './conditionals.ts'
import type { FunctionDefinition } from './definition.ts'
import { numberFunctions } from './numbers.ts'
import { overlapsFunctions } from './overlaps.ts'
import { stringFunctions } from './strings.ts'
import { timestampFunctions } from './timestamps.ts'
import { transactionFunctions } from './transactions.ts'

const registry: ReadonlyMap<string, FunctionDefinition> = new Map(
  [
    ...collectionFunctions,
    ...conditionalFunctions,
    ...numberFunctions,
    ...overlapsFunctions,
    ...stringFunctions,
    ...timestampFunctions,
    ...transactionFunctions,
  ].map((definition) => [definition.name, definition]),
)

/** @param name Upper case. */
export function findFunction(name: string): FunctionDefinition | undefined {
  return registry.get(name)
}

/** The known name that differs least from `name`, when that is little. */
export function nearestFunction(name: string): string | undefined {
  return [...registry.keys()].find(
    (known) => Math.abs(known.length - name.length) <= 1 && editDistance(known, name) <= 2,
  )
}

/** Levenshtein distance, names being short. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const current = [i]
    for (let j = 1; j <= right.length; j++) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1
      current.push(
        Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost),
      )
    }
    previous = current
  }
  return previous[right.length] ?? 0
}
