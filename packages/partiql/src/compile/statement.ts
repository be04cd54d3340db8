/** The compiler's entry: a parsed statement and a catalog make a compiled statement. */
import { unreachable } from '@cairn/core'
import type { IonValue } from '@cairn/ion'
import type { ParsedStatement, Statement } from '../ast.ts'
import { type Catalog, type CompiledStatement, pause, type Rows } from '../compiled.ts'
import { compileDelete } from '../dml/delete.ts'
import { compileInsert } from '../dml/insert.ts'
import { compileUpdate } from '../dml/update.ts'
import { PartiqlError } from '../errors.ts'
import { toIon } from '../values/value.ts'
import {
  compileCreateIndex,
  compileCreateTable,
  compileDropIndex,
  compileDropTable,
  compileExec,
  compileUndropTable,
} from './definitions.ts'
import { type Environment, newEnvironment } from './environment.ts'
import { type CompiledQuery, compileQuery } from './query.ts'
import { newContext, rootScope, type Scope } from './scope.ts'

/**
 * Binds a statement to the tables and indexes of a catalog.
 * @throws PartiqlError SEMANTIC
 */
export function compileStatement(parsed: ParsedStatement, catalog: Catalog): CompiledStatement {
  const context = newContext(catalog)
  const scope = rootScope(context)
  const run = compileAny(parsed.statement, scope)
  return {
    parsed,
    isReadOnly: parsed.statement.kind === 'query',
    actions: [...context.actions.values()],
    run(parameters, store) {
      checkParameterCount(parsed, parameters)
      return runChecked(run, newEnvironment(context.slotCount, parameters, store))
    },
  }
}

function compileAny(statement: Statement, scope: Scope): (env: Environment) => Rows {
  switch (statement.kind) {
    case 'query':
      return queryRows(compileQuery(statement.query, scope))
    case 'insert':
      return compileInsert(statement, scope)
    case 'update':
      return compileUpdate(statement, scope)
    case 'delete':
      return compileDelete(statement, scope)
    case 'createTable':
      return compileCreateTable(statement, scope)
    case 'dropTable':
      return compileDropTable(statement, scope)
    case 'undropTable':
      return compileUndropTable(statement, scope)
    case 'createIndex':
      return compileCreateIndex(statement, scope)
    case 'dropIndex':
      return compileDropIndex(statement, scope)
    case 'exec':
      return compileExec(statement, scope)
    default:
      return unreachable(statement)
  }
}

/** A bag as the whole statement gives its elements as rows; MISSING gives none. */
function queryRows(query: CompiledQuery): (env: Environment) => Rows {
  return function* rows(env) {
    const isWhole = query.shape === 'value'
    for (const value of query.rows(env)) {
      if (value === pause) {
        yield pause
        continue
      }
      for (const item of isWhole && value.type === 'bag' ? value.values : [value]) {
        const ion = toIon(item)
        if (ion !== undefined) yield ion
      }
    }
  }
}

/** The deadline is looked at before the first row also when there is little to read. */
function* runChecked(run: (env: Environment) => Rows, env: Environment): Rows {
  env.store.checkDeadline()
  yield* run(env)
}

function checkParameterCount(parsed: ParsedStatement, parameters: readonly IonValue[]): void {
  const expected = parsed.parameterCount
  const given = parameters.length
  if (expected === given) return
  throw new PartiqlError(
    { code: 'PARAMETER_COUNT', expected, given },
    {
      shortMessage: `Parameters needed: ${expected}, given: ${given}.`,
      metaMessages: ['Each ? takes one value, in order.'],
    },
  )
}
