/** ORDER BY, LIMIT and OFFSET. Sorting is stable and by PartiQL's total order; NULL and MISSING are lowest. */
import type { Expression, OrderedQuery, OrderItem, Position } from '../ast.ts'
import { pause } from '../compiled.ts'
import { partiqlError } from '../errors.ts'
import { compareTotal } from '../values/order.ts'
import { isAbsent, type Value } from '../values/value.ts'
import type { Environment, Evaluator } from './environment.ts'
import { compileExpression } from './expression.ts'
import { checkHeldRows, HeldWeight } from './held-rows.ts'
import type { ValueRows } from './query.ts'
import type { Scope } from './scope.ts'

/** A row with the values it is sorted by. */
export interface OrderedRow {
  readonly value: Value
  readonly keys: readonly Value[]
}

export type OrderedRows = Generator<OrderedRow | typeof pause, void, undefined>

export interface Order {
  readonly keys: (env: Environment) => readonly Value[]
  readonly items: readonly OrderItem[]
  readonly limit: ((env: Environment) => number) | undefined
  readonly offset: ((env: Environment) => number) | undefined
}

/** @param keyScope Where the keys are bound. LIMIT and OFFSET see `outerScope` only. */
export function compileOrder(
  query: Pick<OrderedQuery, 'orderBy' | 'limit' | 'offset'>,
  keyScope: Scope,
  outerScope: Scope,
): Order {
  const evaluates = query.orderBy.map(
    (item) => compileExpression(item.expression, keyScope).evaluate,
  )
  return {
    keys: (env) => evaluates.map((evaluate) => evaluate(env)),
    items: query.orderBy,
    limit: query.limit && compileCount('LIMIT', query.limit, outerScope),
    offset: query.offset && compileCount('OFFSET', query.offset, outerScope),
  }
}

export function sorted(
  source: (env: Environment) => OrderedRows,
  order: Order,
  position: Position,
): (env: Environment) => ValueRows {
  if (order.items.length === 0) {
    return function* unsorted(env) {
      for (const item of source(env)) yield item === pause ? pause : item.value
    }
  }
  return function* sort(env) {
    const rows: OrderedRow[] = []
    const held = new HeldWeight(position, env.store.heldTotal)
    try {
      for (const item of source(env)) {
        if (item === pause) {
          yield pause
          continue
        }
        rows.push(item)
        checkHeldRows(rows.length, position)
        held.add(item.value)
        held.addAll(item.keys)
      }
      rows.sort((left, right) => compareKeys(left.keys, right.keys, order.items))
      for (const item of rows) yield item.value
    } finally {
      held.release()
    }
  }
}

export function limited(
  source: (env: Environment) => ValueRows,
  order: Pick<Order, 'limit' | 'offset'>,
): (env: Environment) => ValueRows {
  const { limit, offset } = order
  if (limit === undefined && offset === undefined) return source
  return function* limitRows(env) {
    const end = limit?.(env) ?? Number.POSITIVE_INFINITY
    const start = offset?.(env) ?? 0
    let index = 0
    if (end === 0) return
    for (const value of source(env)) {
      if (value === pause) {
        yield pause
        continue
      }
      if (index++ < start) continue
      yield value
      if (index >= start + end) return
    }
  }
}

function compareKeys(
  left: readonly Value[],
  right: readonly Value[],
  items: readonly OrderItem[],
): number {
  for (const [index, item] of items.entries()) {
    const a = left[index]
    const b = right[index]
    if (a === undefined || b === undefined) continue
    const order = compareItem(a, b, item)
    if (order !== 0) return order
  }
  return 0
}

function compareItem(left: Value, right: Value, item: OrderItem): number {
  if (item.nulls !== undefined && isAbsent(left) !== isAbsent(right)) {
    return isAbsent(left) === (item.nulls === 'first') ? -1 : 1
  }
  const order = compareTotal(left, right)
  return item.isDescending ? -order : order
}

function compileCount(
  clause: 'LIMIT' | 'OFFSET',
  expression: Expression,
  scope: Scope,
): (env: Environment) => number {
  const evaluate: Evaluator = compileExpression(expression, scope).evaluate
  return (env) => {
    const value = evaluate(env)
    if (value.type === 'int' && value.value >= 0) return Number(value.value)
    throw partiqlError('EVALUATION', expression.position, `${clause} takes an int of 0 or more.`)
  }
}
