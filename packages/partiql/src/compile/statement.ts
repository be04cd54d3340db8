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
import { type Environment, isPauseDue, newEnvironment } from './environment.ts'
import { type CompiledQuery, compileQuery, type ProjectedLoop } from './query.ts'
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
    accesses: [...context.accesses],
    run(parameters, store) {
      checkParameterCount(parsed, parameters)
      return run(newEnvironment(context.slotCount, parameters, store))
    },
  }
}

type Run = (env: Environment) => Rows

/** All look at the deadline before their first row, also when there is little to read. */
function compileAny(statement: Statement, scope: Scope): Run {
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
      return checked(compileCreateTable(statement, scope))
    case 'dropTable':
      return checked(compileDropTable(statement, scope))
    case 'undropTable':
      return checked(compileUndropTable(statement, scope))
    case 'createIndex':
      return checked(compileCreateIndex(statement, scope))
    case 'dropIndex':
      return checked(compileDropIndex(statement, scope))
    case 'exec':
      return checked(compileExec(statement, scope))
    default:
      return unreachable(statement)
  }
}

/** A bag as the whole statement gives its elements as rows; MISSING gives none. */
function queryRows(query: CompiledQuery): Run {
  if (query.loop !== undefined) return tableRows(query.loop)
  const isWhole = query.shape === 'value'
  return function* rows(env) {
    env.store.checkDeadline()
    for (const value of query.rows(env)) {
      if (value === pause) {
        yield pause
      } else if (isWhole && value.type === 'bag') {
        for (const item of value.values) {
          const ion = toIon(item)
          if (ion !== undefined) yield ion
        }
      } else {
        const ion = toIon(value)
        if (ion !== undefined) yield ion
      }
    }
  }
}

/** One table and a projection, in one generator: a fifth of the time of a point SELECT, and a third of its garbage. */
function tableRows({ loop, project }: ProjectedLoop): Run {
  return function* rows(env) {
    env.store.checkDeadline()
    for (const item of loop.items(env)) {
      if (isPauseDue(env)) yield pause
      if (!loop.accepts(env, item)) continue
      const ion = toIon(project(env))
      if (ion !== undefined) yield ion
    }
  }
}

/** For statements whose rows do not look at the deadline first. */
function checked(run: Run): Run {
  return function* rows(env) {
    env.store.checkDeadline()
    yield* run(env)
  }
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
