/** SELECT lists: what a row shows, and under which names (qldb-compat 5.2). */
import { unreachable } from '@cairn/core'
import type { Expression, Projection, ProjectionItem } from '../ast.ts'
import { partiqlError } from '../errors.ts'
import { type FieldValue, list, missing, struct, textOf, type Value } from '../values/value.ts'
import type { Environment, Evaluator } from './environment.ts'
import { compileExpression } from './expression.ts'
import type { Scope, Variable } from './scope.ts'

/** @param position Of the SELECT. `rowScope` is where the variables of FROM are, for `*`. */
export function compileProjection(
  projection: Projection,
  scope: Scope,
  rowScope: Scope,
  position: { readonly line: number; readonly column: number },
): Evaluator {
  switch (projection.kind) {
    case 'star':
      if (scope.grouping !== undefined) {
        throw partiqlError('SEMANTIC', position, 'SELECT * cannot stand with GROUP BY.')
      }
      return compileStar(rowScope.variables, scope)
    case 'items':
      return compileItems(projection.items, scope)
    case 'value':
      return compileExpression(projection.expression, scope).evaluate
    case 'pivot': {
      // A pair, which the query puts together when all rows are there.
      const value = compileExpression(projection.value, scope).evaluate
      const at = compileExpression(projection.at, scope).evaluate
      return (env) => list([at(env), value(env)])
    }
    default:
      return unreachable(projection)
  }
}

/** The struct of `PIVOT`: pairs whose name is no text, or whose value is MISSING, are left out. */
export function pivotPairs(pairs: readonly Value[]): Value {
  return struct(
    pairs.flatMap((pair): FieldValue[] => {
      if (pair.type !== 'list') return []
      const [at = missing, value = missing] = pair.values
      const name = textOf(at)
      return name === undefined ? [] : [{ name, value }]
    }),
  )
}

/** The name a value has in a row when no alias gives one; undefined: by position. */
export function impliedNameOf(expression: Expression): string | undefined {
  if (expression.kind === 'name') return expression.identifier.name
  if (expression.kind !== 'path') return undefined
  const last = expression.steps.at(-1)
  if (last?.kind === 'field') return last.identifier.name
  if (last?.kind !== 'element' || last.expression.kind !== 'literal') return undefined
  return textOf(last.expression.value)
}

/** The names of a list without `*` and `a.*`, which depend on the rows. */
export function columnNames(projection: Projection): readonly string[] | undefined {
  if (projection.kind !== 'items') return undefined
  const names = projection.items.flatMap((item, index) =>
    item.kind === 'expression' ? [columnName(item, index)] : [],
  )
  return names.length === projection.items.length ? names : undefined
}

function columnName(item: ProjectionItem & { readonly kind: 'expression' }, index: number): string {
  return item.alias?.name ?? impliedNameOf(item.expression) ?? `_${index + 1}`
}

/**
 * One source gives its row as it is, the same object. Several are merged in order, repeated names kept. Positions and
 * document ids that were named come as fields.
 */
function compileStar(variables: readonly Variable[], scope: Scope): Evaluator {
  const [only] = variables
  const slots = variables.map((variable) => variable.slot)
  for (const slot of slots) scope.context.uses.add(slot)
  if (only !== undefined && variables.length === 1) {
    const { slot } = only
    return (env) => {
      const value = env.slots[slot] ?? missing
      return value.type === 'struct' ? value : struct(fieldsOf(value, 0))
    }
  }
  return (env) => {
    const fields: FieldValue[] = []
    for (const variable of variables) {
      const value = env.slots[variable.slot] ?? missing
      // The NULL row of an outer join has no fields.
      if (variable.isRow && value.type !== 'null') fields.push(...fieldsOf(value, fields.length))
      else if (variable.isRow) continue
      else fields.push({ name: variable.identifier?.name ?? '', value })
    }
    return struct(fields)
  }
}

type ItemAppender = (env: Environment, fields: FieldValue[]) => void

function compileItems(items: readonly ProjectionItem[], scope: Scope): Evaluator {
  const appenders = items.map((item, index) => compileItem(item, index, scope))
  return (env) => {
    const fields: FieldValue[] = []
    for (const append of appenders) append(env, fields)
    return struct(fields)
  }
}

function compileItem(item: ProjectionItem, index: number, scope: Scope): ItemAppender {
  const { evaluate } = compileExpression(item.expression, scope)
  if (item.kind === 'allOf') {
    return (env, fields) => {
      fields.push(...fieldsOf(evaluate(env), index))
    }
  }
  const name = columnName(item, index)
  return (env, fields) => {
    const value = evaluate(env)
    if (value !== missing) fields.push({ name, value })
  }
}

/** The fields of a row; a value that is no struct becomes one field named by its position. */
function fieldsOf(value: Value, index: number): readonly FieldValue[] {
  if (value.type === 'struct') return value.fields
  return value === missing ? [] : [{ name: `_${index + 1}`, value }]
}
