/** Queries to row generators: SELECT, set operators, bare expressions, and ORDER BY, LIMIT and OFFSET around any. */
import { unreachable } from '@cairn/core'
import type { ExpressionQuery, OrderedQuery, Position, Query } from '../ast.ts'
import { pause } from '../compiled.ts'
import { bag, elementsOf, list, missing, type Value } from '../values/value.ts'
import type { Environment, Evaluator } from './environment.ts'
import { compileExpression } from './expression.ts'
import { checkHeldRows, HeldWeight } from './held-rows.ts'
import { compileOrder, limited, type OrderedRows, sorted } from './ordering.ts'
import type { TableLoop } from './rows.ts'
import { childScope, newSlot, type Scope } from './scope.ts'
import { compileSelect } from './select.ts'
import { compileSet } from './set-query.ts'

export type ValueRows = Generator<Value | typeof pause, void, undefined>

export interface CompiledQuery {
  /** A bag, a list when it is ordered, or one value (PIVOT, a bare expression), given as one row. */
  readonly shape: 'bag' | 'list' | 'value'
  /** SELECT without VALUE: in the place of a scalar its one column counts. */
  readonly isSqlSelect: boolean
  /** The names of a SELECT list in order; undefined when they depend on the rows. */
  readonly columns: readonly string[] | undefined
  readonly rows: (env: Environment) => ValueRows
  /** The same rows when all of it is one table and a projection. */
  readonly loop: ProjectedLoop | undefined
  /** All of it at once. */
  readonly evaluate: Evaluator
}

export interface ProjectedLoop {
  readonly loop: TableLoop
  readonly project: Evaluator
}

export function compileQuery(query: Query, scope: Scope): CompiledQuery {
  switch (query.kind) {
    case 'select':
      return compileSelect(query, undefined, scope)
    case 'set':
      return compileSet(query, scope)
    case 'expressionQuery':
      return compileExpressionQuery(query, scope)
    case 'ordered':
      return query.query.kind === 'select'
        ? compileSelect(query.query, query, scope)
        : compileOrdered(query, scope)
    default:
      return unreachable(query)
  }
}

/** A query of rows, with `evaluate` derived from them. */
export function queryOfRows(
  rows: (env: Environment) => ValueRows,
  facts: {
    readonly shape: 'bag' | 'list'
    readonly isSqlSelect: boolean
    readonly columns: readonly string[] | undefined
    readonly loop: ProjectedLoop | undefined
    readonly position: Position
  },
): CompiledQuery {
  const { shape, isSqlSelect, columns, loop, position } = facts
  const evaluate: Evaluator = (env) => {
    const values = collect(rows(env), position)
    return shape === 'bag' ? bag(values) : list(values)
  }
  return { shape, isSqlSelect, columns, rows, loop, evaluate }
}

/** @throws PartiqlError LIMIT when they are too many to hold. */
export function collect(rows: ValueRows, position: Position): readonly Value[] {
  const values: Value[] = []
  const held = new HeldWeight(position)
  for (const value of rows) {
    if (value === pause) continue
    values.push(value)
    checkHeldRows(values.length, position)
    held.add(value)
  }
  return values
}

/** Rows of any query as elements: a bare collection is taken apart. */
export function* elementRows(query: CompiledQuery, env: Environment): ValueRows {
  if (query.shape !== 'value') {
    yield* query.rows(env)
    return
  }
  const value = query.evaluate(env)
  yield* elementsOf(value) ?? (value === missing ? [] : [value])
}

function compileExpressionQuery(query: ExpressionQuery, scope: Scope): CompiledQuery {
  if (query.expression.kind === 'query') return compileQuery(query.expression.query, scope)
  const { evaluate } = compileExpression(query.expression, scope)
  return {
    shape: 'value',
    isSqlSelect: false,
    columns: undefined,
    loop: undefined,
    evaluate,
    *rows(env) {
      yield evaluate(env)
    },
  }
}

/** ORDER BY over a set operator or a collection: its keys see the fields of each row. */
function compileOrdered(query: OrderedQuery, scope: Scope): CompiledQuery {
  const inner = compileQuery(query.query, scope)
  const slot = newSlot(scope.context)
  const keyScope = childScope(scope)
  keyScope.variables.push({
    identifier: undefined,
    slot,
    isRow: true,
    idOfSlot: undefined,
    origin: { view: 'other' },
  })
  const order = compileOrder(query, keyScope, scope)
  const hasOrder = query.orderBy.length > 0
  function* keyed(env: Environment): OrderedRows {
    for (const value of elementRows(inner, env)) {
      if (value === pause) {
        yield pause
        continue
      }
      env.slots[slot] = value
      yield { value, keys: order.keys(env) }
    }
  }
  const rows = limited(sorted(keyed, order, query.position), order)
  const shape = hasOrder || inner.shape === 'list' ? 'list' : 'bag'
  const { isSqlSelect, columns } = inner
  const { position } = query
  return queryOfRows(rows, { shape, isSqlSelect, columns, loop: undefined, position })
}
