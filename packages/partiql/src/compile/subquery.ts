/** Sub-queries as expressions. One that reads nothing of the query around it is computed once per run. */
import type { Query } from '../ast.ts'
import { bag, elementsOf, isAbsent, missing, nullValue, type Value } from '../values/value.ts'
import { type Compiled, compiled, type Environment } from './environment.ts'
import { type CompiledQuery, compileQuery } from './query.ts'
import { newSlot, type Scope } from './scope.ts'

/**
 * What the place of a SQL SELECT makes of it: its single value, its column as a collection (IN), or its rows.
 * SELECT VALUE and other queries are the value that they are.
 */
export type SubqueryPlace = 'single' | 'column' | 'rows'

export function compileSubquery(query: Query, scope: Scope, place: SubqueryPlace): Compiled {
  const { context } = scope
  const outerUses = context.uses
  const firstOwnSlot = context.slotCount
  context.uses = new Set()
  const compiledQuery = compileQuery(query, scope)
  const outside = [...context.uses].filter((slot) => slot < firstOwnSlot)
  context.uses = outerUses
  for (const slot of outside) outerUses.add(slot)
  const evaluate = placed(compiledQuery, place)
  if (outside.length > 0) return compiled(evaluate)
  const memoKey = newSlot(context)
  return compiled((env) => {
    const known = env.memo.get(memoKey)
    if (known !== undefined) return known
    const value = evaluate(env)
    env.memo.set(memoKey, value)
    return value
  })
}

function placed(query: CompiledQuery, place: SubqueryPlace): (env: Environment) => Value {
  const { evaluate } = query
  if (!query.isSqlSelect || place === 'rows') return evaluate
  return place === 'single'
    ? (env) => singleValue(evaluate(env))
    : (env) => bag((elementsOf(evaluate(env)) ?? []).map(columnOf))
}

/** No row is NULL, one row is its column, more are MISSING. */
function singleValue(rows: Value): Value {
  const elements = elementsOf(rows) ?? []
  const [first] = elements
  if (first === undefined) return nullValue
  return elements.length === 1 ? columnOf(first) : missing
}

function columnOf(row: Value): Value {
  if (isAbsent(row) || row.type !== 'struct') return row
  const [field] = row.fields
  return field !== undefined && row.fields.length === 1 ? field.value : missing
}
