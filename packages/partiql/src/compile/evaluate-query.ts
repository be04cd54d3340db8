/** Queries over values at hand, without a database: for shells over files, and for the conformance suite. */
import type { ParsedStatement } from '../ast.ts'
import { partiqlError } from '../errors.ts'
import type { Store } from '../store.ts'
import type { Value } from '../values/value.ts'
import { newEnvironment } from './environment.ts'
import { compileQuery } from './query.ts'
import { type CompileOptions, newContext, rootScope } from './scope.ts'

/**
 * The value of a query, with the bags and MISSINGs that PartiQL gives it.
 * @param options `globals` are what its names stand for.
 * @throws PartiqlError SEMANTIC for a statement that is no query, and all that queries throw.
 */
export function evaluateQuery(parsed: ParsedStatement, options: CompileOptions): Value {
  const { statement } = parsed
  if (statement.kind !== 'query') {
    throw partiqlError('SEMANTIC', statement.position, 'only queries run without a database.')
  }
  const context = newContext(emptyStore, options)
  const query = compileQuery(statement.query, rootScope(context))
  return query.evaluate(newEnvironment(context.slotCount, [], emptyStore))
}

const nothing = (): never[] => []
const none = (): undefined => undefined

function refuse(): never {
  throw new TypeError('the empty store has no tables')
}

/** No tables, no clock that moves, no deadline. */
const emptyStore: Store = {
  transactionId: '',
  nowMs: () => 0,
  findTable: none,
  findTableById: none,
  scan: nothing,
  getById: none,
  getByIndex: nothing,
  scanCommitted: nothing,
  getCommittedById: none,
  getCommittedByIndex: nothing,
  history: nothing,
  historyOf: nothing,
  userTables: nothing,
  insert: refuse,
  update: refuse,
  delete: refuse,
  createTable: refuse,
  dropTable: refuse,
  undropTable: refuse,
  createIndex: refuse,
  dropIndex: refuse,
  exec: refuse,
  countRead: () => {},
  checkDeadline: () => {},
}
