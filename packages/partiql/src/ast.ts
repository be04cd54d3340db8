/**
 * The syntax tree of QLDB's PartiQL dialect and of what we add to it. Frozen records keyed by `kind`; behaviour lives
 * in one visitor per concern. Spec: qldb-compat 5. Names of nodes follow the PartiQL specification where it has one.
 */
import type { IonValue } from '@cairn/ion'

/** Where a node begins. Both count from 1; a column is a UTF-16 code unit, as editors count. */
export interface Position {
  readonly line: number
  readonly column: number
}

interface Node {
  readonly position: Position
}

/** A name as written. Quoted names are exact; unquoted ones match exactly first, then without regard to case. */
export interface Identifier extends Node {
  readonly name: string
  readonly isQuoted: boolean
}

// ---- expressions ----

/** A literal: number, string, boolean, null, or Ion between backticks. */
export interface LiteralExpression extends Node {
  readonly kind: 'literal'
  readonly value: IonValue
}

export interface MissingExpression extends Node {
  readonly kind: 'missing'
}

/** The n-th `?` of the statement, from 0. */
export interface ParameterExpression extends Node {
  readonly kind: 'parameter'
  readonly index: number
}

/**
 * A name: a variable of FROM, or a field of one when it is unique, or a table where a source stands. `@x`: locals only.
 * `schema.table` as a source, such as `information_schema.user_tables`, is a path on this name.
 */
export interface NameExpression extends Node {
  readonly kind: 'name'
  readonly identifier: Identifier
  readonly isLocal: boolean
}

export type PathStep =
  | { readonly kind: 'field'; readonly identifier: Identifier; readonly position: Position }
  /** `[e]`: an index for a list, a field name for a struct. */
  | { readonly kind: 'element'; readonly expression: Expression; readonly position: Position }
  /** `[*]` */
  | { readonly kind: 'allElements'; readonly position: Position }
  /** `.*` */
  | { readonly kind: 'allFields'; readonly position: Position }

export interface PathExpression extends Node {
  readonly kind: 'path'
  readonly root: Expression
  readonly steps: readonly PathStep[]
}

export type UnaryOperator = '+' | '-' | 'NOT'
export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '||'
  | '='
  | '<>'
  | '<'
  | '<='
  | '>'
  | '>='
  | 'AND'
  | 'OR'

export interface UnaryExpression extends Node {
  readonly kind: 'unary'
  readonly operator: UnaryOperator
  readonly operand: Expression
}

/** Chains lean to the left, save long ones of AND or OR, which are balanced with their terms in order. */
export interface BinaryExpression extends Node {
  readonly kind: 'binary'
  readonly operator: BinaryOperator
  readonly left: Expression
  readonly right: Expression
}

export interface BetweenExpression extends Node {
  readonly kind: 'between'
  readonly value: Expression
  readonly low: Expression
  readonly high: Expression
  readonly isNegated: boolean
}

/** `value IN (a, b)` has a `list` of its own; `value IN collection` any expression, sub-queries among them. */
export interface InExpression extends Node {
  readonly kind: 'in'
  readonly value: Expression
  readonly collection: Expression
  readonly isNegated: boolean
}

export interface LikeExpression extends Node {
  readonly kind: 'like'
  readonly value: Expression
  readonly pattern: Expression
  readonly escape: Expression | undefined
  readonly isNegated: boolean
}

/** Types of IS and CAST, upper case as written in the spec, with parameters such as DECIMAL(10, 2) kept. */
export interface TypeName extends Node {
  readonly name: string
  readonly parameters: readonly number[]
}

export interface IsExpression extends Node {
  readonly kind: 'is'
  readonly value: Expression
  readonly type: TypeName
  readonly isNegated: boolean
}

export interface CastExpression extends Node {
  readonly kind: 'cast'
  /** CAN_CAST and CAN_LOSSLESS_CAST answer a boolean. */
  readonly mode: 'CAST' | 'CAN_CAST' | 'CAN_LOSSLESS_CAST'
  readonly value: Expression
  readonly type: TypeName
}

export interface CaseExpression extends Node {
  readonly kind: 'case'
  /** `CASE operand WHEN …`; absent in the searched form. */
  readonly operand: Expression | undefined
  readonly branches: readonly { readonly when: Expression; readonly then: Expression }[]
  readonly otherwise: Expression | undefined
}

/**
 * A function call. Special forms become plain arguments: `EXTRACT(year FROM t)` has the name EXTRACT and the literal
 * string 'year' first; `TRIM(BOTH c FROM s)` has ['both', c, s]; `SUBSTRING(s FROM 1 FOR 2)` has [s, 1, 2];
 * `DATE_ADD(year, 1, t)` has the literal string 'year' first; `POSITION(a IN b)` has [a, b]; `TRIM(s)` has [s], and
 * `TRIM(LEADING FROM s)` ['leading', ' ', s]; `OVERLAY(s PLACING r FROM 1 FOR 2)` has [s, r, 1, 2]. The operator
 * `a OVERLAPS b` is the call OVERLAPS(a, b).
 */
export interface CallExpression extends Node {
  readonly kind: 'call'
  /** Upper case. */
  readonly name: string
  readonly arguments: readonly Expression[]
  /** `COLL_SUM(DISTINCT c)`; false for every other function. */
  readonly isDistinct: boolean
}

/** COUNT, SUM, AVG, MIN, MAX, EVERY, SOME, ANY as SQL aggregates. `COUNT(*)` has no argument. */
export interface AggregateExpression extends Node {
  readonly kind: 'aggregate'
  readonly name: string
  readonly argument: Expression | undefined
  readonly isDistinct: boolean
}

export interface ListExpression extends Node {
  readonly kind: 'list'
  readonly values: readonly Expression[]
  /** `[…]`, `(…)` and `SEXP(…)`. */
  readonly constructor_: 'list' | 'values' | 'sexp'
}

export interface BagExpression extends Node {
  readonly kind: 'bag'
  readonly values: readonly Expression[]
}

export interface StructExpression extends Node {
  readonly kind: 'struct'
  readonly fields: readonly { readonly name: Expression; readonly value: Expression }[]
}

export interface QueryExpression extends Node {
  readonly kind: 'query'
  readonly query: Query
}

export interface ExistsExpression extends Node {
  readonly kind: 'exists'
  readonly operand: Expression
}

export type Expression =
  | LiteralExpression
  | MissingExpression
  | ParameterExpression
  | NameExpression
  | PathExpression
  | UnaryExpression
  | BinaryExpression
  | BetweenExpression
  | InExpression
  | LikeExpression
  | IsExpression
  | CastExpression
  | CaseExpression
  | CallExpression
  | AggregateExpression
  | ListExpression
  | BagExpression
  | StructExpression
  | QueryExpression
  | ExistsExpression

// ---- queries ----

/** `history(T [, start [, end]])` as a source; the table is a name or a string literal with a table id. */
export interface HistorySource extends Node {
  readonly kind: 'history'
  readonly table: Identifier | { readonly tableId: string }
  readonly start: Expression | undefined
  readonly end: Expression | undefined
  readonly alias: Identifier | undefined
  readonly at: Identifier | undefined
  readonly by: Identifier | undefined
}

/** An expression as a source: a table name, a path from an earlier source, a collection, a sub-query. */
export interface ScanSource extends Node {
  readonly kind: 'scan'
  readonly expression: Expression
  readonly alias: Identifier | undefined
  readonly at: Identifier | undefined
  readonly by: Identifier | undefined
}

export interface UnpivotSource extends Node {
  readonly kind: 'unpivot'
  readonly expression: Expression
  readonly alias: Identifier | undefined
  readonly at: Identifier | undefined
  readonly by: Identifier | undefined
}

/** A comma is an INNER join without a condition. The right side sees the variables of the left (lateral). */
export interface JoinSource extends Node {
  readonly kind: 'join'
  readonly type: 'inner' | 'left' | 'right' | 'full'
  readonly left: Source
  readonly right: Source
  readonly condition: Expression | undefined
}

export type Source = HistorySource | ScanSource | UnpivotSource | JoinSource

export type ProjectionItem =
  | {
      readonly kind: 'expression'
      readonly expression: Expression
      readonly alias: Identifier | undefined
      readonly position: Position
    }
  /** `a.*` */
  | { readonly kind: 'allOf'; readonly expression: Expression; readonly position: Position }

export type Projection =
  | { readonly kind: 'star' }
  | { readonly kind: 'items'; readonly items: readonly ProjectionItem[] }
  | { readonly kind: 'value'; readonly expression: Expression }
  | { readonly kind: 'pivot'; readonly value: Expression; readonly at: Expression }

export interface OrderItem {
  readonly expression: Expression
  readonly isDescending: boolean
  /** Undefined: the default of the direction (PartiQL: nulls are lowest, so last when descending). */
  readonly nulls: 'first' | 'last' | undefined
}

export interface GroupItem {
  readonly expression: Expression
  readonly alias: Identifier | undefined
}

export interface SelectQuery extends Node {
  readonly kind: 'select'
  readonly isDistinct: boolean
  readonly projection: Projection
  readonly from: Source | undefined
  /** `LET e AS name` items, each seeing the ones before. */
  readonly lets: readonly { readonly expression: Expression; readonly alias: Identifier }[]
  readonly where: Expression | undefined
  readonly groupBy: readonly GroupItem[]
  /** `GROUP AS g` */
  readonly groupAs: Identifier | undefined
  readonly having: Expression | undefined
}

export interface SetQuery extends Node {
  readonly kind: 'set'
  readonly operator: 'UNION' | 'INTERSECT' | 'EXCEPT'
  readonly isAll: boolean
  /** OUTER UNION …: any values, not only rows. */
  readonly isOuter: boolean
  readonly left: Query
  readonly right: Query
}

/** A bare expression as a statement (`<< 1, 2 >>`), as the conformance suite has them. */
export interface ExpressionQuery extends Node {
  readonly kind: 'expressionQuery'
  readonly expression: Expression
}

export interface OrderedQuery extends Node {
  readonly kind: 'ordered'
  readonly query: Query
  readonly orderBy: readonly OrderItem[]
  readonly limit: Expression | undefined
  readonly offset: Expression | undefined
}

export type Query = SelectQuery | SetQuery | ExpressionQuery | OrderedQuery

// ---- statements ----

export interface QueryStatement extends Node {
  readonly kind: 'query'
  readonly query: Query
}

/** `VALUE doc`, `<< … >>`, `[ … ]`, `?` or a query: whatever it evaluates to, a collection means each element. */
export interface InsertStatement extends Node {
  readonly kind: 'insert'
  readonly table: Identifier
  readonly source: Expression
  /** `VALUE e`: one document, also when `e` is a collection (then an error). */
  readonly isSingle: boolean
}

/** The target of UPDATE, DELETE and FROM-forms: one table, then sources unnested from it. */
export interface DmlTarget extends Node {
  readonly table: Identifier
  readonly alias: Identifier | undefined
  readonly by: Identifier | undefined
  /** `, a.nested AS b …` of the FROM-form. */
  readonly nested: readonly Source[]
}

export interface SetAssignment {
  /** A name or a path. */
  readonly target: Expression
  readonly value: Expression
}

export type DmlOperation =
  | { readonly kind: 'set'; readonly assignments: readonly SetAssignment[] }
  | {
      readonly kind: 'insertInto'
      readonly target: Expression
      readonly value: Expression
      readonly at: Expression | undefined
      readonly position: Position
    }
  | { readonly kind: 'remove'; readonly target: Expression; readonly position: Position }

/** `UPDATE …` and `FROM …` share one node: they differ in spelling only. */
export interface UpdateStatement extends Node {
  readonly kind: 'update'
  readonly target: DmlTarget
  readonly operations: readonly DmlOperation[]
  readonly where: Expression | undefined
}

export interface DeleteStatement extends Node {
  readonly kind: 'delete'
  readonly target: DmlTarget
  readonly where: Expression | undefined
}

/** `name = literal` of a WITH clause. */
export interface StatementOption extends Node {
  readonly name: string
  readonly value: IonValue
}

export interface CreateTableStatement extends Node {
  readonly kind: 'createTable'
  readonly table: Identifier
  /** `WITH (aws_tags = …)`, as given. */
  readonly options: readonly StatementOption[]
}

export interface DropTableStatement extends Node {
  readonly kind: 'dropTable'
  readonly table: Identifier
}

export interface UndropTableStatement extends Node {
  readonly kind: 'undropTable'
  /** A table id, quoted. */
  readonly table: Identifier
}

export interface CreateIndexStatement extends Node {
  readonly kind: 'createIndex'
  readonly table: Identifier
  /** One field in QLDB; the parser takes several and the binder refuses them. */
  readonly fields: readonly Identifier[]
}

export interface DropIndexStatement extends Node {
  readonly kind: 'dropIndex'
  readonly index: Identifier
  readonly table: Identifier
  readonly options: readonly StatementOption[]
}

/** `EXEC name e, e`. The name is lower case. */
export interface ExecStatement extends Node {
  readonly kind: 'exec'
  readonly procedure: string
  readonly arguments: readonly Expression[]
}

export type Statement =
  | QueryStatement
  | InsertStatement
  | UpdateStatement
  | DeleteStatement
  | CreateTableStatement
  | DropTableStatement
  | UndropTableStatement
  | CreateIndexStatement
  | DropIndexStatement
  | ExecStatement

/** A parsed statement with the number of its `?`. */
export interface ParsedStatement {
  readonly text: string
  readonly statement: Statement
  readonly parameterCount: number
}
