/** Row sources of single sources: tables by scan or index, history, user_tables, collections, sub-queries. */
import { unreachable } from '@cairn/core'
import { type IonValue, ionInt, ionString, timestampToMs } from '@cairn/ion'
import { pause } from '../compiled.ts'
import { partiqlError } from '../errors.ts'
import type { HistoryRange, StoredDocument, StoredRevision } from '../store.ts'
import { describeValue } from '../values/describe.ts'
import { missing, textOf } from '../values/value.ts'
import { type Environment, type Evaluator, isPauseDue, type Test } from './environment.ts'
import type { Access, LookUp } from './index-choice.ts'
import {
  allTrue,
  type LoopItem,
  loopRows,
  type PlannedRows,
  type RowSource,
  row,
  type Signal,
  type TableLoop,
} from './rows.ts'
import type {
  HistoryLeaf,
  Leaf,
  QueryLeaf,
  TableLeaf,
  UserTablesLeaf,
  ValuesLeaf,
} from './source.ts'

/** @param tests Conditions of the rows, tested as each is read, also when an index chose it. */
export function leafRows(leaf: Leaf, access: Access, tests: readonly Test[]): PlannedRows {
  const passes = allTrue(tests)
  switch (leaf.kind) {
    case 'table':
      return leaf.view === 'user'
        ? planOf(userLoop(leaf, access, passes))
        : planOf(revisionLoop(leaf, committedRevisions(leaf, access), passes))
    case 'history':
      return planOf(revisionLoop(leaf, historyRevisions(leaf, access), passes))
    case 'userTables':
      return { rows: userTableRows(leaf, passes), loop: undefined }
    case 'values': {
      const rows = leaf.mode === 'scan' ? scanRows(leaf, passes) : unpivotRows(leaf, passes)
      return { rows, loop: undefined }
    }
    case 'query':
      return { rows: queryRows(leaf, passes), loop: undefined }
    default:
      return unreachable(leaf)
  }
}

function planOf(loop: TableLoop): PlannedRows {
  return { rows: loopRows(loop), loop }
}

function userLoop(leaf: TableLeaf, access: Access, passes: Test): TableLoop<StoredDocument> {
  const { rowSlot, idSlot, isIdRead } = leaf
  return {
    items: userDocuments(leaf, access),
    accepts(env, document) {
      env.store.countRead(1)
      env.slots[rowSlot] = document.data
      if (isIdRead) env.slots[idSlot] = ionString(document.documentId)
      return passes(env)
    },
  }
}

function revisionLoop(
  leaf: TableLeaf | HistoryLeaf,
  items: Find<StoredRevision>,
  passes: Test,
): TableLoop<StoredRevision> {
  const { rowSlot, idSlot, isIdRead } = leaf
  return {
    items,
    accepts(env, revision) {
      env.store.countRead(1)
      env.slots[rowSlot] = revision.row
      if (isIdRead) env.slots[idSlot] = ionString(revision.documentId)
      return passes(env)
    },
  }
}

/** Asks the store for what an access finds. */
type Find<Item> = (env: Environment) => Iterable<Item>

function userDocuments({ table }: TableLeaf, access: Access): Find<StoredDocument> {
  switch (access.kind) {
    case 'scan':
      return (env) => env.store.scan(table)
    case 'id':
      return findById(access.lookUp, (env, id) => oneOrNone(env.store.getById(table, id)))
    case 'index': {
      const { index, lookUp } = access
      return findByKey(lookUp, (env, key) => env.store.getByIndex(table, index, key), distinctById)
    }
  }
}

function committedRevisions({ table }: TableLeaf, access: Access): Find<StoredRevision> {
  switch (access.kind) {
    case 'scan':
      return (env) => env.store.scanCommitted(table)
    case 'id':
      return findById(access.lookUp, (env, id) => oneOrNone(env.store.getCommittedById(table, id)))
    case 'index': {
      const { index, lookUp } = access
      return findByKey(
        lookUp,
        (env, key) => env.store.getCommittedByIndex(table, index, key),
        distinctById,
      )
    }
  }
}

function historyRevisions(leaf: HistoryLeaf, access: Access): Find<StoredRevision> {
  const { table } = leaf
  const rangeOf = (env: Environment): HistoryRange => ({
    startMs: historyBound(leaf, leaf.start, env),
    endMs: historyBound(leaf, leaf.end, env),
  })
  if (access.kind !== 'id') return (env) => env.store.history(table, rangeOf(env))
  const { lookUp } = access
  return (env) => {
    const range = rangeOf(env)
    return findById(lookUp, ({ store }, id) => store.historyOf(table, id, range))(env)
  }
}

/** By document ids; what is no text is no id. */
function findById<Item>(
  lookUp: LookUp,
  find: (env: Environment, documentId: string) => Iterable<Item>,
): Find<Item> {
  const findText = (env: Environment, key: IonValue): Iterable<Item> => {
    const documentId = textOf(key)
    return documentId === undefined ? nothing : find(env, documentId)
  }
  return findByKey(lookUp, findText, concatenated)
}

/** One key asks the store and no more; `combine` puts together what several keys find. */
function findByKey<Item>(
  lookUp: LookUp,
  find: (env: Environment, key: IonValue) => Iterable<Item>,
  combine: (finds: readonly (() => Iterable<Item>)[]) => Iterable<Item>,
): Find<Item> {
  if (!lookUp.isSingle) {
    return (env) => combine(lookUp.keys(env).map((key) => () => find(env, key)))
  }
  return (env) => {
    const key = lookUp.key(env)
    return key === undefined ? nothing : find(env, key)
  }
}

const nothing: readonly never[] = []

function oneOrNone<Item>(item: Item | undefined): readonly Item[] {
  return item === undefined ? nothing : [item]
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

/** Several look-ups after each other; a document that more than one finds comes once. */
function* distinctById<Item extends LoopItem>(
  finds: readonly (() => Iterable<Item>)[],
): Generator<Item, void, undefined> {
  const seen = new Set<string>()
  for (const item of concatenated(finds)) {
    if (seen.has(item.documentId)) continue
    seen.add(item.documentId)
    yield item
  }
}

function* concatenated<Item>(
  finds: readonly (() => Iterable<Item>)[],
): Generator<Item, void, undefined> {
  for (const find of finds) yield* find()
}

function userTableRows(leaf: UserTablesLeaf, passes: Test): RowSource {
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
function scanRows(leaf: ValuesLeaf, passes: Test): RowSource {
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
function unpivotRows(leaf: ValuesLeaf, passes: Test): RowSource {
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

function queryRows(leaf: QueryLeaf, passes: Test): RowSource {
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
