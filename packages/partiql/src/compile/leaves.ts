/** Row sources of single sources: tables by scan or index, history, user_tables, collections, sub-queries. */
import { unreachable } from '@cairn/core'
import { ionInt, ionString, timestampToMs } from '@cairn/ion'
import { pause } from '../compiled.ts'
import { partiqlError } from '../errors.ts'
import type { HistoryRange, StoredDocument, StoredRevision } from '../store.ts'
import { describeValue } from '../values/describe.ts'
import { missing, textOf } from '../values/value.ts'
import { type Environment, type Evaluator, isPauseDue } from './environment.ts'
import type { Access } from './index-choice.ts'
import { allTrue, type RowSource, row, type Signal } from './rows.ts'
import type {
  HistoryLeaf,
  Leaf,
  QueryLeaf,
  TableLeaf,
  UserTablesLeaf,
  ValuesLeaf,
} from './source.ts'

/** @param tests Conditions of the rows, tested as each is read, also when an index chose it. */
export function leafRows(leaf: Leaf, access: Access, tests: readonly Evaluator[]): RowSource {
  const passes = allTrue(tests)
  switch (leaf.kind) {
    case 'table':
      return leaf.view === 'user'
        ? userRows(leaf, access, passes)
        : revisionRows(leaf, (env) => committedRevisions(leaf, access, env), passes)
    case 'history':
      return revisionRows(leaf, (env) => historyRevisions(leaf, access, env), passes)
    case 'userTables':
      return userTableRows(leaf, passes)
    case 'values':
      return leaf.mode === 'scan' ? scanRows(leaf, passes) : unpivotRows(leaf, passes)
    case 'query':
      return queryRows(leaf, passes)
    default:
      return unreachable(leaf)
  }
}

type Passes = (env: Environment) => boolean

function userRows(leaf: TableLeaf, access: Access, passes: Passes): RowSource {
  const { rowSlot, idSlot } = leaf
  return function* scanTable(env) {
    const { slots, store } = env
    for (const document of userDocuments(leaf, access, env)) {
      store.countRead(1)
      slots[rowSlot] = document.data
      slots[idSlot] = ionString(document.documentId)
      if (isPauseDue(env)) yield pause
      if (passes(env)) yield row
    }
  }
}

function revisionRows(
  leaf: TableLeaf | HistoryLeaf,
  revisions: (env: Environment) => Iterable<StoredRevision>,
  passes: Passes,
): RowSource {
  const { rowSlot, idSlot } = leaf
  return function* scanRevisions(env) {
    const { slots, store } = env
    for (const revision of revisions(env)) {
      store.countRead(1)
      slots[rowSlot] = revision.row
      slots[idSlot] = ionString(revision.documentId)
      if (isPauseDue(env)) yield pause
      if (passes(env)) yield row
    }
  }
}

function userDocuments(
  leaf: TableLeaf,
  access: Access,
  env: Environment,
): Iterable<StoredDocument> {
  const { store } = env
  const { table } = leaf
  switch (access.kind) {
    case 'scan':
      return store.scan(table)
    case 'id':
      return access.keys(env).flatMap((key) => {
        const documentId = textOf(key)
        return (documentId === undefined ? undefined : store.getById(table, documentId)) ?? []
      })
    case 'index': {
      const keys = access.keys(env)
      return distinctById(keys.map((key) => () => store.getByIndex(table, access.index, key)))
    }
  }
}

function committedRevisions(
  leaf: TableLeaf,
  access: Access,
  env: Environment,
): Iterable<StoredRevision> {
  const { store } = env
  const { table } = leaf
  switch (access.kind) {
    case 'scan':
      return store.scanCommitted(table)
    case 'id':
      return access.keys(env).flatMap((key) => {
        const documentId = textOf(key)
        return (
          (documentId === undefined ? undefined : store.getCommittedById(table, documentId)) ?? []
        )
      })
    case 'index': {
      const keys = access.keys(env)
      return distinctById(
        keys.map((key) => () => store.getCommittedByIndex(table, access.index, key)),
      )
    }
  }
}

function historyRevisions(
  leaf: HistoryLeaf,
  access: Access,
  env: Environment,
): Iterable<StoredRevision> {
  const { store } = env
  const range: HistoryRange = {
    startMs: historyBound(leaf, leaf.start, env),
    endMs: historyBound(leaf, leaf.end, env),
  }
  if (access.kind !== 'id') return store.history(leaf.table, range)
  return concatenated(
    access.keys(env).flatMap((key) => {
      const documentId = textOf(key)
      return documentId === undefined ? [] : [() => store.historyOf(leaf.table, documentId, range)]
    }),
  )
}

function historyBound(
  leaf: HistoryLeaf,
  bound: Evaluator | undefined,
  env: Environment,
): number | undefined {
  const value = bound?.(env)
  if (value === undefined) return undefined
  if (value.type === 'timestamp') return timestampToMs(value)
  throw partiqlError(
    'EVALUATION',
    leaf.source.position,
    `a bound of history() is ${describeValue(value)}, not a timestamp.`,
    ['Write it between backticks: `2019-06-05T00:00:00Z`'],
  )
}

/** Several lookups after each other; a document that more than one finds comes once. */
function* distinctById<T extends { readonly documentId: string }>(
  lookups: readonly (() => Iterable<T>)[],
): Generator<T, void, undefined> {
  const [only] = lookups
  if (only !== undefined && lookups.length === 1) {
    yield* only()
    return
  }
  const seen = new Set<string>()
  for (const item of concatenated(lookups)) {
    if (seen.has(item.documentId)) continue
    seen.add(item.documentId)
    yield item
  }
}

function* concatenated<T>(lookups: readonly (() => Iterable<T>)[]): Generator<T, void, undefined> {
  for (const lookup of lookups) yield* lookup()
}

function userTableRows(leaf: UserTablesLeaf, passes: Passes): RowSource {
  return function* scanUserTables(env) {
    for (const table of env.store.userTables()) {
      env.store.countRead(1)
      env.slots[leaf.rowSlot] = table
      env.slots[leaf.idSlot] = missing
      if (passes(env)) yield row
    }
  }
}

/** Elements of a collection; any other value is one row. Only lists have positions. */
function scanRows(leaf: ValuesLeaf, passes: Passes): RowSource {
  const { rowSlot, idSlot, atSlot, evaluate } = leaf
  return function* scanValues(env) {
    const value = evaluate(env)
    const { slots } = env
    const isOrdered = value.type === 'list' || value.type === 'sexp'
    const values = isOrdered || value.type === 'bag' ? value.values : [value]
    for (const [index, item] of values.entries()) {
      slots[rowSlot] = item
      slots[idSlot] = missing
      slots[atSlot] = isOrdered ? ionInt(index) : missing
      if (isPauseDue(env)) yield pause
      if (passes(env)) yield row
    }
  }
}

/** Fields of a struct, their names at AT; any other value is one row named `_1`; MISSING is none. */
function unpivotRows(leaf: ValuesLeaf, passes: Passes): RowSource {
  return function* unpivot(env) {
    const value = leaf.evaluate(env)
    const pairs =
      value.type === 'struct' ? value.fields : value === missing ? [] : [{ name: '_1', value }]
    for (const pair of pairs) {
      env.slots[leaf.rowSlot] = pair.value
      env.slots[leaf.idSlot] = missing
      env.slots[leaf.atSlot] =
        typeof pair.name === 'string'
          ? ionString(pair.name)
          : { type: 'symbol', text: pair.name, annotations: [] }
      if (isPauseDue(env)) yield pause
      if (passes(env)) yield row
    }
  }
}

function queryRows(leaf: QueryLeaf, passes: Passes): RowSource {
  const isOrdered = leaf.query.shape === 'list'
  return function* pullQuery(env): Generator<Signal, void, undefined> {
    let index = 0
    for (const value of leaf.query.rows(env)) {
      if (value === pause) {
        yield pause
        continue
      }
      env.slots[leaf.rowSlot] = value
      env.slots[leaf.idSlot] = missing
      env.slots[leaf.atSlot] = isOrdered ? ionInt(index++) : missing
      if (passes(env)) yield row
    }
  }
}
