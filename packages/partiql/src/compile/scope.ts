/**
 * Names at compile time. A scope holds the variables of one FROM; its parent is the query around it. Rules of
 * qldb-compat 5.2: variables, then fields of the rows in scope; quoted names exactly, others first exactly, then
 * without regard to case.
 */
import type { Identifier, Position } from '../ast.ts'
import type { Catalog, StatementAction } from '../compiled.ts'
import { partiqlError } from '../errors.ts'
import type { TableInfo } from '../store.ts'
import type { Value } from '../values/value.ts'

/** Where the rows of a variable come from, for index choice. */
export type RowOrigin =
  | { readonly view: 'user' | 'committed' | 'history'; readonly table: TableInfo }
  | { readonly view: 'other' }

export interface Variable {
  /** Undefined for a source without alias: its fields are found, it cannot be named. */
  readonly identifier: Identifier | undefined
  readonly slot: number
  /** A row has fields that unqualified names find; positions, keys and document ids have none. */
  readonly isRow: boolean
  /** The slot of the row whose document id this is. */
  readonly idOfSlot: number | undefined
  readonly origin: RowOrigin
}

/** What a name means after GROUP BY or among aggregates. */
export interface Grouping {
  /** Key of a grouping expression (`groupingKeyOf`) → the slot of its value. */
  readonly keySlots: ReadonlyMap<string, number>
  /** Registers an aggregate and answers the slot of its result. */
  addAggregate(name: string, argument: AggregateArgument | undefined): number
  /** Where arguments of aggregates are bound: the rows before grouping. */
  readonly rowScope: Scope
}

export interface AggregateArgument {
  readonly evaluate: (env: import('./environment.ts').Environment) => Value
  readonly isDistinct: boolean
}

export interface Scope {
  readonly parent: Scope | undefined
  readonly variables: Variable[]
  readonly context: StatementContext
  readonly grouping: Grouping | undefined
}

export interface CompileOptions {
  /** Values by name, found where no variable has the name. */
  readonly globals?: ReadonlyMap<string, Value>
  /**
   * What a function answers for a MISSING argument: QLDB's documentation says NULL; PartiQL says MISSING.
   */
  readonly missingArguments?: 'null' | 'missing'
}

/** What one compilation gathers. */
export interface StatementContext {
  readonly catalog: Catalog
  readonly options: CompileOptions
  slotCount: number
  /** Slots that the expression under compilation reads. */
  uses: Set<number>
  readonly actions: Map<string, { readonly action: StatementAction; readonly table?: TableInfo }>
  /** How tables are read, in words. */
  readonly accesses: Set<string>
}

export type Resolved =
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'global'; readonly value: Value }
  /** A field of one of these rows, scope by scope from the innermost. */
  | { readonly kind: 'field'; readonly scopes: readonly (readonly Variable[])[] }
  | { readonly kind: 'unknown' }

export function newContext(catalog: Catalog, options: CompileOptions = {}): StatementContext {
  return {
    catalog,
    options,
    slotCount: 0,
    uses: new Set(),
    actions: new Map(),
    accesses: new Set(),
  }
}

export function rootScope(context: StatementContext): Scope {
  return { parent: undefined, variables: [], context, grouping: undefined }
}

export function newSlot(context: StatementContext): number {
  return context.slotCount++
}

export function childScope(parent: Scope): Scope {
  return { parent, variables: [], context: parent.context, grouping: undefined }
}

export function addAction(
  context: StatementContext,
  action: StatementAction,
  table?: TableInfo,
): void {
  const key = `${action} ${table?.tableId ?? ''}`
  context.actions.set(key, table === undefined ? { action } : { action, table })
}

export function resolveName(identifier: Identifier, scope: Scope): Resolved {
  const fieldScopes: (readonly Variable[])[] = []
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const variable = findVariable(identifier, at.variables)
    if (variable !== undefined) return { kind: 'variable', variable }
    const rows = at.variables.filter((candidate) => candidate.isRow)
    if (rows.length > 0) fieldScopes.push(rows)
  }
  const value = findGlobal(identifier, scope.context)
  if (value !== undefined) return { kind: 'global', value }
  return fieldScopes.length > 0 ? { kind: 'field', scopes: fieldScopes } : { kind: 'unknown' }
}

export function findVariable(
  identifier: Identifier,
  variables: readonly Variable[],
): Variable | undefined {
  const named = variables.filter((variable) => variable.identifier !== undefined)
  const exact = named.filter((variable) => variable.identifier?.name === identifier.name)
  if (exact.length > 1) throw ambiguous(identifier)
  if (exact.length === 1 || identifier.isQuoted) return exact[0]
  const lower = identifier.name.toLowerCase()
  const loose = named.filter((variable) => variable.identifier?.name.toLowerCase() === lower)
  if (loose.length > 1) throw ambiguous(identifier)
  return loose[0]
}

export function findGlobal(identifier: Identifier, context: StatementContext): Value | undefined {
  const { globals } = context.options
  if (globals === undefined) return undefined
  const exact = globals.get(identifier.name)
  if (exact !== undefined || identifier.isQuoted) return exact
  const lower = identifier.name.toLowerCase()
  for (const [name, value] of globals) if (name.toLowerCase() === lower) return value
  return undefined
}

function ambiguous(identifier: Identifier): Error {
  return partiqlError(
    'SEMANTIC',
    identifier.position,
    `the name ${identifier.name} stands for more than one source.`,
    ['Give each source its own alias.'],
  )
}

/** An active table, or an error that names the nearest one. */
export function findTable(identifier: Identifier, context: StatementContext): TableInfo {
  const table = context.catalog.findTable(identifier.name, identifier.isQuoted)
  if (table !== undefined) return table
  const loose = identifier.isQuoted ? context.catalog.findTable(identifier.name, false) : undefined
  const hints =
    loose === undefined
      ? ['Tables are listed by: SELECT name FROM information_schema.user_tables']
      : [`There is a table ${loose.name}: quoted names are exact.`]
  throw unknownTable(identifier.name, identifier.position, hints)
}

export function unknownTable(
  name: string,
  position: Position,
  hints: readonly string[] = [],
): Error {
  return partiqlError('SEMANTIC', position, `there is no table ${name}.`, hints)
}
