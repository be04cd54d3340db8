/**
 * UNION, INTERSECT and EXCEPT, with ALL or as sets, and the OUTER forms over any values. Rows of two SQL SELECTs must
 * have equally many columns, and those of the right take the names of the left (PartiQL RFC 0007). That is decided from
 * the SELECT lists: rows of `SELECT *` have no columns known ahead and are combined as they are.
 */
import type { SetQuery } from '../ast.ts'
import { pause } from '../compiled.ts'
import { partiqlError } from '../errors.ts'
import { counted } from '../values/describe.ts'
import { equalityKey } from '../values/equality.ts'
import { isAbsent, struct, type Value } from '../values/value.ts'
import type { Environment } from './environment.ts'
import { checkHeldRows, HeldWeight, heldKey } from './held-rows.ts'
import {
  type CompiledQuery,
  compileQuery,
  elementRows,
  queryOfRows,
  type ValueRows,
} from './query.ts'
import type { Scope } from './scope.ts'

export function compileSet(query: SetQuery, scope: Scope): CompiledQuery {
  const left = compileQuery(query.left, scope)
  const right = compileQuery(query.right, scope)
  const isSqlSelect = left.isSqlSelect && right.isSqlSelect
  const fit = renaming(query, left, right) ?? ((value: Value): Value => value)
  const rows = (env: Environment): ValueRows => combined(query, left, right, fit, env)
  const { position } = query
  const { columns } = left
  return queryOfRows(rows, { shape: 'bag', isSqlSelect, columns, loop: undefined, position })
}

type Fit = (value: Value) => Value

function* combined(
  query: SetQuery,
  left: CompiledQuery,
  right: CompiledQuery,
  fit: Fit,
  env: Environment,
): ValueRows {
  if (query.operator === 'UNION') {
    yield* unionRows(query, left, right, fit, env)
    return
  }
  const counts = new Map<string, number>()
  const held = new HeldWeight(query.position, env.store.heldTotal)
  try {
    for (const value of operandRows(right, env)) {
      if (value === pause) {
        yield pause
        continue
      }
      const key = heldKey(equalityKey(fit(value)))
      const count = counts.get(key)
      counts.set(key, (count ?? 0) + 1)
      checkHeldRows(counts.size, query.position)
      if (count === undefined) held.addKey(key)
    }
    const seen = new Set<string>()
    for (const value of operandRows(left, env)) {
      if (value === pause) {
        yield pause
        continue
      }
      const key = heldKey(equalityKey(value))
      const seenCount = seen.size
      if (isKept(query, key, counts, seen)) yield value
      checkHeldRows(counts.size + seen.size, query.position)
      if (seen.size > seenCount) held.addKey(key)
    }
  } finally {
    held.release()
  }
}

function* unionRows(
  query: SetQuery,
  left: CompiledQuery,
  right: CompiledQuery,
  fit: Fit,
  env: Environment,
): ValueRows {
  const seen = new Set<string>()
  const held = new HeldWeight(query.position, env.store.heldTotal)
  try {
    for (const side of [left, right]) {
      for (const value of operandRows(side, env)) {
        if (value === pause) {
          yield pause
          continue
        }
        const fitted = side === right ? fit(value) : value
        if (!query.isAll) {
          const key = heldKey(equalityKey(fitted))
          if (seen.has(key)) continue
          seen.add(key)
          checkHeldRows(seen.size, query.position)
          held.addKey(key)
        }
        yield fitted
      }
    }
  } finally {
    held.release()
  }
}

/** Counts down multisets, remembers sets. */
function isKept(
  query: SetQuery,
  key: string,
  counts: Map<string, number>,
  seen: Set<string>,
): boolean {
  const count = counts.get(key) ?? 0
  const isWanted = count > 0 === (query.operator === 'INTERSECT')
  if (query.isAll) {
    if (count > 0) counts.set(key, count - 1)
    return isWanted
  }
  if (!isWanted || seen.has(key)) return false
  seen.add(key)
  return true
}

/** An operand that is NULL or MISSING is the empty bag. */
function* operandRows(query: CompiledQuery, env: Environment): ValueRows {
  if (query.shape === 'value' && isAbsent(query.evaluate(env))) return
  yield* elementRows(query, env)
}

/** Renames the columns of a row; the error of two sides that cannot be one is found when compiling. */
function renaming(query: SetQuery, left: CompiledQuery, right: CompiledQuery): Fit | undefined {
  const from = right.columns
  const to = left.columns
  if (query.isOuter || from === undefined || to === undefined) return undefined
  if (from.length !== to.length) {
    throw partiqlError(
      'SEMANTIC',
      query.position,
      `the sides of ${query.operator} have ${to.length} and ${counted(from.length, 'column')}.`,
      [`OUTER ${query.operator} takes rows of any form.`],
    )
  }
  if (from.every((name, index) => name === to[index])) return undefined
  // Two columns of one name cannot be told apart in a row.
  if (new Set(from).size < from.length) return undefined
  const names = new Map(from.map((name, index) => [name, to[index] ?? name]))
  return (value) => {
    if (value.type !== 'struct') return value
    return struct(
      value.fields.map((field) => ({
        name: typeof field.name === 'string' ? (names.get(field.name) ?? field.name) : field.name,
        value: field.value,
      })),
    )
  }
}
