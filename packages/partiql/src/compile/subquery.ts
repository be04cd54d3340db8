/** Sub-queries as expressions. One that reads nothing of the query around it is computed once per run. */
import type { Position, Query } from '../ast.ts'
import { pause } from '../compiled.ts'
import { partiqlError } from '../errors.ts'
import {
  bag,
  boolValue,
  elementsOf,
  falseValue,
  isAbsent,
  missing,
  nullValue,
  trueValue,
  type Value,
} from '../values/value.ts'
import {
  type Compiled,
  compiled,
  type Environment,
  type Evaluator,
  subqueryWorkMax,
  WorkExceeded,
} from './environment.ts'
import { type CompiledQuery, compileQuery } from './query.ts'
import { newSlot, type Scope } from './scope.ts'

/**
 * What the place of a SQL SELECT makes of it: its single value, its column as a collection (IN), its rows, or
 * whether it has one (EXISTS). SELECT VALUE and other queries are the value that they are.
 */
export type SubqueryPlace = 'single' | 'column' | 'rows' | 'exists'

export function compileSubquery(query: Query, scope: Scope, place: SubqueryPlace): Compiled {
  const { context } = scope
  const outerUses = context.uses
  const firstOwnSlot = context.slotCount
  context.uses = new Set()
  const compiledQuery = compileQuery(query, scope)
  const outside = [...context.uses].filter((slot) => slot < firstOwnSlot)
  context.uses = outerUses
  for (const slot of outside) outerUses.add(slot)
  const evaluate = bounded(placed(compiledQuery, place), query.position)
  if (outside.length > 0) return compiled(evaluate)
  const memoKey = newSlot(context)
  return compiled((env) => {
    const known = env.memo?.get(memoKey)
    if (known !== undefined) return known
    const value = evaluate(env)
    env.memo ??= new Map()
    env.memo.set(memoKey, value)
    return value
  })
}

/** Bounds the work of the outermost sub-query; those within it are part of it. */
function bounded(evaluate: Evaluator, position: Position): Evaluator {
  return (env) => {
    if (env.workMax !== Number.POSITIVE_INFINITY) return evaluate(env)
    env.workMax = env.work + subqueryWorkMax
    try {
      return evaluate(env)
    } catch (error) {
      if (!(error instanceof WorkExceeded)) throw error
      throw partiqlError(
        'LIMIT',
        position,
        `a sub-query within an expression touches more than ${subqueryWorkMax} rows.`,
        ['Write it in FROM, narrow it with WHERE, or let an index find its rows.'],
      )
    } finally {
      env.workMax = Number.POSITIVE_INFINITY
    }
  }
}

function placed(query: CompiledQuery, place: SubqueryPlace): (env: Environment) => Value {
  const { evaluate } = query
  if (place === 'exists' && query.shape !== 'value') return (env) => hasRow(query, env)
  if (place === 'exists') return (env) => exists(evaluate(env))
  if (!query.isSqlSelect || place === 'rows') return evaluate
  return place === 'single'
    ? (env) => singleValue(evaluate(env))
    : (env) => bag((elementsOf(evaluate(env)) ?? []).map(columnOf))
}

/** Stops at the first row. */
function hasRow(query: CompiledQuery, env: Environment): Value {
  for (const value of query.rows(env)) if (value !== pause) return trueValue
  return falseValue
}

/** True for a collection or struct that holds something. */
export function exists(value: Value): Value {
  if (isAbsent(value)) return falseValue
  const elements = elementsOf(value)
  if (elements !== undefined) return boolValue(elements.length > 0)
  return value.type === 'struct' ? boolValue(value.fields.length > 0) : missing
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
