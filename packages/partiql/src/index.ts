/** `@cairn/partiql`: QLDB's PartiQL dialect: text to syntax tree, binding to a catalog, execution over a store. */

export type * from './ast.ts'
export { heldRowCountMax } from './compile/held-rows.ts'
export { compileStatement } from './compile/statement.ts'
export {
  type Catalog,
  type CompiledStatement,
  pause,
  type Rows,
  type StatementAction,
} from './compiled.ts'
export { PartiqlError, type PartiqlErrorType, partiqlError } from './errors.ts'
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
export { equalityKey } from './values/equality.ts'
