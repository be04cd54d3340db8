/**
 * Which index, if any, reads a table for given conditions. Usable: equality or IN on a top-level field that has an
 * index, or on the document id (BY, `metadata.id`), against values not made from the row itself (qldb-compat 5.7).
 */
import type { IonValue } from '@cairn/ion'
import type { Expression } from '../ast.ts'
import type { IndexInfo } from '../store.ts'
import { equalityKey } from '../values/equality.ts'
import { elementsOf, isAbsent, toIon, type Value } from '../values/value.ts'
import type { Environment } from './environment.ts'
import { compileExpression, tracked } from './expression.ts'
import { fieldPathOf } from './path.ts'
import { resolveName, type Scope } from './scope.ts'
import type { HistoryLeaf, TableLeaf } from './source.ts'

export interface Condition {
  readonly expression: Expression
  readonly scope: Scope
}

/** The value to look up; undefined when it is NULL or MISSING, which nothing equals. */
export type Key = (env: Environment) => IonValue | undefined

/** Values to look up, without doubles, NULL and MISSING. */
export type Keys = (env: Environment) => readonly IonValue[]

/** What to look up: one value of `=`, or the values of IN. */
export type LookUp =
  | { readonly isSingle: true; readonly key: Key }
  | { readonly isSingle: false; readonly keys: Keys }

export type Access =
  | { readonly kind: 'scan' }
  | { readonly kind: 'id'; readonly lookUp: LookUp }
  | { readonly kind: 'index'; readonly index: IndexInfo; readonly lookUp: LookUp }

type Candidate = Exclude<Access, { readonly kind: 'scan' }>

/** The best access: one id, then one index key, then several of either, else a scan. */
export function chooseAccess(
  leaf: TableLeaf | HistoryLeaf,
  conditions: readonly Condition[],
): Access {
  const candidates = conditions.flatMap((condition) => candidatesOf(leaf, condition))
  const ranked = candidates.toSorted((a, b) => rankOf(a) - rankOf(b))
  return ranked[0] ?? { kind: 'scan' }
}

export function describeAccess(leaf: TableLeaf | HistoryLeaf, access: Access): string {
  const name = leaf.kind === 'history' ? `history(${leaf.table.name})` : leaf.table.name
  if (access.kind === 'scan') return `${name}: scan`
  return access.kind === 'id' ? `${name}: document id` : `${name}: index ${access.index.field}`
}

function rankOf(candidate: Candidate): number {
  return (candidate.lookUp.isSingle ? 0 : 2) + (candidate.kind === 'id' ? 0 : 1)
}

function candidatesOf(leaf: TableLeaf | HistoryLeaf, condition: Condition): readonly Candidate[] {
  const { expression, scope } = condition
  if (expression.kind === 'binary' && expression.operator === '=') {
    return [
      candidate(leaf, expression.left, expression.right, scope, true),
      candidate(leaf, expression.right, expression.left, scope, true),
    ].flatMap((found) => found ?? [])
  }
  if (expression.kind === 'in' && !expression.isNegated) {
    return candidate(leaf, expression.value, expression.collection, scope, false) ?? []
  }
  return []
}

function candidate(
  leaf: TableLeaf | HistoryLeaf,
  field: Expression,
  other: Expression,
  scope: Scope,
  isSingle: boolean,
): Candidate[] | undefined {
  const target = targetOf(leaf, field, scope)
  if (target === undefined) return undefined
  // Rows of a sub-query are structs here, not values; and it would run twice.
  if (!isSingle && other.kind === 'query') return undefined
  const { value, uses } = tracked(scope, () => compileExpression(other, scope))
  const own = [leaf.rowSlot, leaf.idSlot, leaf.atSlot]
  if (own.some((slot) => uses.has(slot))) return undefined
  const { evaluate } = value
  const lookUp: LookUp = isSingle
    ? { isSingle, key: (env) => keyOf(evaluate(env)) }
    : { isSingle, keys: (env) => distinctKeys(elementsOf(evaluate(env)) ?? []) }
  return [{ ...target, lookUp }]
}

function keyOf(value: Value): IonValue | undefined {
  return isAbsent(value) ? undefined : toIon(value)
}

function distinctKeys(values: readonly Value[]): readonly IonValue[] {
  const keys = new Map<string, IonValue>()
  for (const value of values) {
    const key = keyOf(value)
    if (key !== undefined) keys.set(values.length === 1 ? '' : equalityKey(value), key)
  }
  return [...keys.values()]
}

type Target = { readonly kind: 'id' } | { readonly kind: 'index'; readonly index: IndexInfo }

function targetOf(
  leaf: TableLeaf | HistoryLeaf,
  expression: Expression,
  scope: Scope,
): Target | undefined {
  if (expression.kind !== 'name' && expression.kind !== 'path') return undefined
  if (expression.kind === 'name') {
    const resolved = resolveName(expression.identifier, scope)
    if (resolved.kind === 'variable') {
      return resolved.variable.slot === leaf.idSlot ? { kind: 'id' } : undefined
    }
  }
  const path = fieldPathOf(expression, scope)
  if (path === undefined || path.variable.slot !== leaf.rowSlot) return undefined
  const [first, second] = path.names
  if (first === undefined) return undefined
  if (leaf.kind === 'table' && leaf.view === 'user') {
    return path.names.length === 1 ? indexTarget(leaf, first.name) : undefined
  }
  if (second === undefined || path.names.length !== 2) return undefined
  if (first.name === 'metadata' && second.name === 'id') return { kind: 'id' }
  return leaf.kind === 'table' && first.name === 'data' ? indexTarget(leaf, second.name) : undefined
}

function indexTarget(leaf: TableLeaf, field: string): Target | undefined {
  const index = leaf.table.indexes.find((candidate) => candidate.field === field)
  return index === undefined ? undefined : { kind: 'index', index }
}
