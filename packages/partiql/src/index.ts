/** `@cairn/partiql`: QLDB's PartiQL dialect: text to syntax tree, binding to a catalog, execution over a store. */

export type * from './ast.ts'
export { evaluateQuery } from './compile/evaluate-query.ts'
export { type HeldTotal, heldRowCountMax } from './compile/held-rows.ts'
export type { CompileOptions } from './compile/scope.ts'
export { compileStatement } from './compile/statement.ts'
export { tableTagsOf } from './compile/table-tags.ts'
export {
  type Catalog,
  type CompiledStatement,
  pause,
  type Rows,
  type StatementAction,
} from './compiled.ts'
export { PartiqlError, type PartiqlErrorType, partiqlError } from './errors.ts'
export { maskLiterals } from './mask-literals.ts'
export { parseStatement } from './parser/parse-statement.ts'
export { nestingDepthMax } from './parser/token-stream.ts'
export { reservedWords } from './reserved-words.ts'
export type {
  HistoryRange,
  IndexInfo,
  Store,
  StoredDocument,
  StoredRevision,
  TableInfo,
} from './store.ts'
export { equalityKey, isEqual } from './values/equality.ts'
export { type Bag, bag, type Missing, missing, toIon, type Value } from './values/value.ts'
