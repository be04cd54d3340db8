/** SELECT and PIVOT: FROM, LET, WHERE, GROUP BY, HAVING, projection, DISTINCT, ORDER BY, LIMIT. */
import type { Expression, OrderedQuery, OrderItem, ProjectionItem, SelectQuery } from '../ast.ts'
import { pause } from '../compiled.ts'
import { equalityKey } from '../values/equality.ts'
import type { Value } from '../values/value.ts'
import { type Environment, type Evaluator, isPauseDue } from './environment.ts'
import { compileExpression } from './expression.ts'
import { type GroupPlan, planGrouping } from './grouping.ts'
import { checkHeldRows, HeldWeight, heldKey } from './held-rows.ts'
import { compileOrder, limited, type Order, type OrderedRows, sorted } from './ordering.ts'
import { bindConditions, planSource } from './plan.ts'
import { columnNames, compileProjection, impliedNameOf, pivotPairs } from './projection.ts'
import { type CompiledQuery, collect, queryOfRows, type ValueRows } from './query.ts'
import { extended, filtered, type PlannedRows, type RowSource, singleRow } from './rows.ts'
import { childScope, newSlot, type Scope } from './scope.ts'
import { bindSource } from './source.ts'

/** @param around ORDER BY, LIMIT and OFFSET of this SELECT. */
export function compileSelect(
  query: SelectQuery,
  around: OrderedQuery | undefined,
  outer: Scope,
): CompiledQuery {
  const rowScope = childScope(outer)
  const source = compileRowSource(query, rowScope)
  const orderBy = (around?.orderBy ?? []).map((item) => resolveAlias(item, query))
  const grouping = planGrouping(query, orderBy, rowScope)
  const scope = grouping?.scope ?? rowScope
  const project = compileProjection(query.projection, scope, rowScope, query.position)
  const order = compileOrder(
    { orderBy, limit: around?.limit, offset: around?.offset },
    scope,
    outer,
  )
  const planned = grouping === undefined ? source : groupedRows(query, source, grouping, scope)
  const isAsItComes = orderBy.length === 0 && !query.isDistinct
  const values = limited(
    isAsItComes ? plainRows(planned, project) : orderedRows(planned.rows, project, order, query),
    order,
  )
  const { kind } = query.projection
  if (kind === 'pivot') {
    const evaluate: Evaluator = (env) => pivotPairs(collect(values(env), query.position))
    return {
      shape: 'value',
      isSqlSelect: false,
      columns: undefined,
      evaluate,
      loop: undefined,
      *rows(env) {
        const pairs: Value[] = []
        const held = new HeldWeight(query.position, env.store.heldTotal)
        try {
          for (const value of values(env)) {
            if (value === pause) {
              yield pause
              continue
            }
            checkHeldRows(pairs.push(value), query.position)
            held.add(value)
          }
          yield pivotPairs(pairs)
        } finally {
          held.release()
        }
      },
    }
  }
  const isBare = isAsItComes && order.limit === undefined && order.offset === undefined
  return queryOfRows(values, {
    loop: isBare && planned.loop !== undefined ? { loop: planned.loop, project } : undefined,
    shape: orderBy.length > 0 ? 'list' : 'bag',
    isSqlSelect: kind !== 'value',
    columns: columnNames(query.projection),
    position: query.position,
  })
}

/** FROM, LET and WHERE. Binds the variables of FROM and LET in `scope`. */
function compileRowSource(query: SelectQuery, scope: Scope): PlannedRows {
  const node = query.from && bindSource(query.from, scope)
  const fromCount = scope.variables.length
  const lets = query.lets.map((item) => {
    const { evaluate } = compileExpression(item.expression, scope)
    const slot = newSlot(scope.context)
    scope.variables.push({
      identifier: item.alias,
      slot,
      isRow: false,
      idOfSlot: undefined,
      origin: { view: 'other' },
    })
    return { slot, evaluate }
  })
  const letSlots = lets.map((item) => item.slot)
  const { rows, loop, late } =
    node === undefined
      ? {
          rows: singleRow,
          loop: undefined,
          late: bindConditions(query.where, scope).map((condition) => condition.test),
        }
      : planSource(node, query.where, scope, letSlots)
  // `*` shows what FROM has, not what LET adds.
  if (query.projection.kind === 'star' && lets.length > 0) scope.variables.length = fromCount
  if (lets.length === 0 && late.length === 0) return { rows, loop }
  return { rows: filtered(extended(rows, lets), late), loop: undefined }
}

function groupedRows(
  query: SelectQuery,
  source: PlannedRows,
  grouping: GroupPlan,
  scope: Scope,
): PlannedRows {
  const having = bindConditions(query.having, scope).map((condition) => condition.test)
  return { rows: filtered(grouping.group(source.rows), having), loop: undefined }
}

/** Neither DISTINCT nor ORDER BY. */
function plainRows(
  { rows, loop }: PlannedRows,
  project: Evaluator,
): (env: Environment) => ValueRows {
  if (loop === undefined) {
    return function* projectRows(env) {
      for (const signal of rows(env)) yield signal === pause ? pause : project(env)
    }
  }
  return function* projectLoop(env) {
    for (const item of loop.items(env)) {
      if (isPauseDue(env)) yield pause
      if (loop.accepts(env, item)) yield project(env)
    }
  }
}

function orderedRows(
  source: RowSource,
  project: Evaluator,
  order: Order,
  query: SelectQuery,
): (env: Environment) => ValueRows {
  const rows = query.isDistinct
    ? distinctRows(source, project, order, query)
    : keyedRows(source, project, order)
  return sorted(rows, order, query.position)
}

function keyedRows(
  source: RowSource,
  project: Evaluator,
  order: Order,
): (env: Environment) => OrderedRows {
  return function* keyRows(env) {
    for (const signal of source(env)) {
      if (signal === pause) yield pause
      else yield { value: project(env), keys: order.keys(env) }
    }
  }
}

function distinctRows(
  source: RowSource,
  project: Evaluator,
  order: Order,
  query: SelectQuery,
): (env: Environment) => OrderedRows {
  return function* distinct(env) {
    const seen = new Set<string>()
    const held = new HeldWeight(query.position, env.store.heldTotal)
    try {
      for (const signal of source(env)) {
        if (signal === pause) {
          yield pause
          continue
        }
        const value = project(env)
        const key = heldKey(equalityKey(value))
        if (seen.has(key)) continue
        seen.add(key)
        checkHeldRows(seen.size, query.position)
        held.addKey(key)
        yield { value, keys: order.keys(env) }
      }
    } finally {
      held.release()
    }
  }
}

/** ORDER BY may name a column of SELECT: it means the expression behind it. */
function resolveAlias(item: OrderItem, query: SelectQuery): OrderItem {
  const { projection } = query
  if (item.expression.kind !== 'name' || projection.kind !== 'items') return item
  const { name, isQuoted } = item.expression.identifier
  const named = projection.items.filter(
    (column): column is ProjectionItem & { kind: 'expression' } => column.kind === 'expression',
  )
  const nameOf = (column: { alias: { name: string } | undefined; expression: Expression }) =>
    column.alias?.name ?? impliedNameOf(column.expression)
  const column =
    named.find((candidate) => nameOf(candidate) === name) ??
    (isQuoted
      ? undefined
      : named.find((candidate) => nameOf(candidate)?.toLowerCase() === name.toLowerCase()))
  return column === undefined ? item : { ...item, expression: column.expression }
}
