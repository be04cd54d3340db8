/**
 * Binds FROM: each source gets its slots and adds its variables to the scope, left to right, so that a source sees the
 * ones before it. The result is a tree that the planner (plan.ts) turns into row sources.
 */
import { unreachable } from '@cairn/core'
import type {
  DmlTarget,
  Expression,
  HistorySource,
  Identifier,
  JoinSource,
  NameExpression,
  ScanSource,
  Source,
  UnpivotSource,
} from '../ast.ts'
import { partiqlError } from '../errors.ts'
import type { TableInfo } from '../store.ts'
import type { Evaluator } from './environment.ts'
import { compileCollection } from './expression.ts'
import { type CompiledQuery, compileQuery } from './query.ts'
import {
  addAction,
  findGlobal,
  findTable,
  newSlot,
  type RowOrigin,
  resolveName,
  type Scope,
  unknownTable,
} from './scope.ts'

interface LeafSlots {
  readonly rowSlot: number
  /** Document id, for BY and for DML over joined rows; written only when `isIdRead`. */
  readonly idSlot: number
  readonly isIdRead: boolean
  /** Position or name, for AT and for DML. */
  readonly atSlot: number
}

export interface TableLeaf extends LeafSlots {
  readonly kind: 'table'
  readonly view: 'user' | 'committed'
  readonly table: TableInfo
}

export interface HistoryLeaf extends LeafSlots {
  readonly kind: 'history'
  readonly table: TableInfo
  readonly start: Evaluator | undefined
  readonly end: Evaluator | undefined
  readonly source: HistorySource
}

export interface UserTablesLeaf extends LeafSlots {
  readonly kind: 'userTables'
}

/** A collection, a struct taken apart (UNPIVOT), or any value as one row. */
export interface ValuesLeaf extends LeafSlots {
  readonly kind: 'values'
  readonly mode: 'scan' | 'unpivot'
  readonly evaluate: Evaluator
}

/** A sub-query whose rows are pulled as needed. */
export interface QueryLeaf extends LeafSlots {
  readonly kind: 'query'
  readonly query: CompiledQuery
}

export type Leaf = TableLeaf | HistoryLeaf | UserTablesLeaf | ValuesLeaf | QueryLeaf

export interface JoinNode {
  readonly kind: 'join'
  readonly source: JoinSource
  readonly left: SourceNode
  readonly right: SourceNode
}

export type SourceNode = Leaf | JoinNode

/** Binds a source and adds its variables to `scope`. */
export function bindSource(source: Source, scope: Scope): SourceNode {
  switch (source.kind) {
    case 'join': {
      const left = bindSource(source.left, scope)
      const right = bindSource(source.right, scope)
      return { kind: 'join', source, left, right }
    }
    case 'history':
      return bindHistory(source, scope)
    case 'unpivot':
      return bindValues(source, 'unpivot', scope)
    case 'scan':
      return bindScan(source, scope)
    default:
      return unreachable(source)
  }
}

/** All slots that a tree writes. */
export function slotsOf(node: SourceNode): readonly number[] {
  if (node.kind === 'join') return [...slotsOf(node.left), ...slotsOf(node.right)]
  return [node.rowSlot, node.idSlot, node.atSlot]
}

/** A table of the user view as a source, for DML. */
export function bindTarget(target: DmlTarget, scope: Scope): TableLeaf {
  refuseSystemView(target.table)
  const table = findTable(target.table, scope.context)
  const leaf = bindLeaf(
    { alias: target.alias ?? target.table, at: undefined, by: target.by },
    { view: 'user', table },
    scope,
  )
  const isIdRead = leaf.isIdRead || target.nested.length > 0
  return { kind: 'table', view: 'user', table, ...leaf, isIdRead }
}

/** DML writes to the user view only. */
export function refuseSystemView(table: Identifier): void {
  const lower = table.name.toLowerCase()
  const isSystem = lower.startsWith(committedPrefix) || lower === informationSchema
  if (!isSystem) return
  throw partiqlError('SEMANTIC', table.position, `${table.name} can only be read.`, [
    'Write to the table itself; its committed view and its history follow at commit.',
  ])
}

const committedPrefix = '_ql_committed_'
const informationSchema = 'information_schema'
const userTablesName = 'user_tables'

function bindScan(source: ScanSource, scope: Scope): SourceNode {
  const { expression } = source
  if (expression.kind === 'name') return bindNamed(source, expression, scope)
  if (expression.kind === 'path' && isUserTables(expression)) {
    addAction(scope.context, 'PartiQLSelect')
    const alias = source.alias ?? impliedAlias(expression)
    const slots = bindLeaf({ ...source, alias }, { view: 'other' }, scope)
    return { kind: 'userTables', ...slots }
  }
  if (expression.kind === 'query') {
    const query = compileQuery(expression.query, scope)
    const slots = bindLeaf(source, { view: 'other' }, scope)
    if (query.shape === 'value') {
      return { kind: 'values', mode: 'scan', evaluate: query.evaluate, ...slots }
    }
    return { kind: 'query', query, ...slots }
  }
  return bindValues(source, 'scan', scope)
}

/**
 * A bare name is a table before it is a variable (`FROM T AS a, T AS b`); a path starts at a variable first
 * (`FROM T, T.list AS x`); `@name` is a variable only.
 */
function bindNamed(source: ScanSource, expression: NameExpression, scope: Scope): SourceNode {
  const { identifier } = expression
  const alias = source.alias ?? identifier
  const committed = expression.isLocal ? undefined : committedTable(identifier, scope)
  if (committed !== undefined) {
    addAction(scope.context, 'PartiQLSelect', committed)
    const origin: RowOrigin = { view: 'committed', table: committed }
    const slots = bindLeaf({ ...source, alias }, origin, scope)
    return { kind: 'table', view: 'committed', table: committed, ...slots }
  }
  const table = expression.isLocal
    ? undefined
    : scope.context.catalog.findTable(identifier.name, identifier.isQuoted)
  if (table !== undefined) {
    addAction(scope.context, 'PartiQLSelect', table)
    const slots = bindLeaf({ ...source, alias }, { view: 'user', table }, scope)
    return { kind: 'table', view: 'user', table, ...slots }
  }
  const value = expression.isLocal ? undefined : findGlobal(identifier, scope.context)
  if (value !== undefined) {
    const slots = bindLeaf({ ...source, alias }, { view: 'other' }, scope)
    return { kind: 'values', mode: 'scan', evaluate: () => value, ...slots }
  }
  const { kind } = resolveName(identifier, scope)
  if (kind === 'field' || kind === 'unknown') {
    // Throws, with what hints there are.
    findTable(identifier, scope.context)
  }
  return bindValues(source, 'scan', scope)
}

function committedTable(identifier: Identifier, scope: Scope): TableInfo | undefined {
  if (!identifier.name.toLowerCase().startsWith(committedPrefix)) return undefined
  const name = identifier.name.slice(committedPrefix.length)
  return findTable({ ...identifier, name }, scope.context)
}

function isUserTables(expression: Expression & { readonly kind: 'path' }): boolean {
  const { root, steps } = expression
  const [step] = steps
  return (
    root.kind === 'name' &&
    root.identifier.name.toLowerCase() === informationSchema &&
    steps.length === 1 &&
    step?.kind === 'field' &&
    step.identifier.name.toLowerCase() === userTablesName
  )
}

function bindHistory(source: HistorySource, scope: Scope): HistoryLeaf {
  const table = historyTable(source, scope)
  addAction(scope.context, 'PartiQLHistoryFunction', table)
  const start = source.start && compileCollection(source.start, scope).evaluate
  const end = source.end && compileCollection(source.end, scope).evaluate
  const slots = bindLeaf(source, { view: 'history', table }, scope)
  return { kind: 'history', table, start, end, source, ...slots }
}

function historyTable(source: HistorySource, scope: Scope): TableInfo {
  if (!('tableId' in source.table)) return findTable(source.table, scope.context)
  const table = scope.context.catalog.findTableById(source.table.tableId)
  if (table !== undefined) return table
  throw unknownTable(`with the id ${source.table.tableId}`, source.position, [
    'history() takes a table name, or the id of a table, dropped ones too, in single quotes.',
  ])
}

function bindValues(
  source: ScanSource | UnpivotSource,
  mode: 'scan' | 'unpivot',
  scope: Scope,
): ValuesLeaf {
  const { evaluate } = compileCollection(source.expression, scope)
  const alias = source.alias ?? impliedAlias(source.expression)
  const slots = bindLeaf({ ...source, alias }, { view: 'other' }, scope)
  return { kind: 'values', mode, evaluate, ...slots }
}

/** `FROM a.b` can be named b. */
function impliedAlias(expression: Expression): Identifier | undefined {
  if (expression.kind === 'name') return expression.identifier
  if (expression.kind !== 'path') return undefined
  const last = expression.steps.at(-1)
  return last?.kind === 'field' ? last.identifier : undefined
}

function bindLeaf(
  names: {
    readonly alias: Identifier | undefined
    readonly at: Identifier | undefined
    readonly by: Identifier | undefined
  },
  origin: RowOrigin,
  scope: Scope,
): LeafSlots {
  const { context, variables } = scope
  const rowSlot = newSlot(context)
  const idSlot = newSlot(context)
  const atSlot = newSlot(context)
  const common = { isRow: false, idOfSlot: undefined, origin: { view: 'other' } } as const
  variables.push({
    identifier: names.alias,
    slot: rowSlot,
    isRow: true,
    idOfSlot: undefined,
    origin,
  })
  if (names.at !== undefined) variables.push({ ...common, identifier: names.at, slot: atSlot })
  if (names.by !== undefined) {
    variables.push({ ...common, identifier: names.by, slot: idSlot, idOfSlot: rowSlot })
  }
  return { rowSlot, idSlot, atSlot, isIdRead: names.by !== undefined }
}
