/** DDL and EXEC: names are bound here, limits and states are the store's. */
import { type IonValue, ionRecord, ionString } from '@cairn/ion'
import type {
  CreateIndexStatement,
  CreateTableStatement,
  DropIndexStatement,
  DropTableStatement,
  ExecStatement,
  UndropTableStatement,
} from '../ast.ts'
import type { Rows, StatementAction } from '../compiled.ts'
import { partiqlError } from '../errors.ts'
import { toIon } from '../values/value.ts'
import type { Environment } from './environment.ts'
import { compileExpression } from './expression.ts'
import { addAction, findTable, type Scope, unknownTable } from './scope.ts'
import { refuseSystemView } from './source.ts'
import { tableTagsOf } from './table-tags.ts'

type Run = (env: Environment) => Rows

export function compileCreateTable(statement: CreateTableStatement, scope: Scope): Run {
  refuseSystemView(statement.table)
  addAction(scope.context, 'PartiQLCreateTable')
  const { name } = statement.table
  const tags = tableTagsOf(statement)
  return (env) => tableRow(() => env.store.createTable(name, tags))
}

export function compileDropTable(statement: DropTableStatement, scope: Scope): Run {
  const table = findTable(statement.table, scope.context)
  addAction(scope.context, 'PartiQLDropTable', table)
  return (env) => tableRow(() => env.store.dropTable(table))
}

export function compileUndropTable(statement: UndropTableStatement, scope: Scope): Run {
  const { name, position } = statement.table
  const table = scope.context.catalog.findTableById(name)
  if (table === undefined) {
    throw unknownTable(`with the id ${name}`, position, [
      'UNDROP TABLE takes the id of a dropped table, quoted: UNDROP TABLE "…".',
    ])
  }
  addAction(scope.context, 'PartiQLUndropTable', table)
  return (env) => tableRow(() => env.store.undropTable(name))
}

export function compileCreateIndex(statement: CreateIndexStatement, scope: Scope): Run {
  const table = findTable(statement.table, scope.context)
  const [field, second] = statement.fields
  if (field === undefined || second !== undefined) {
    throw partiqlError(
      'SEMANTIC',
      second?.position ?? statement.position,
      'an index is on one top-level field.',
      ['Create an index for each field; a query uses the best of them.'],
    )
  }
  addAction(scope.context, 'PartiQLCreateIndex', table)
  return (env) => tableRow(() => env.store.createIndex(table, field.name))
}

export function compileDropIndex(statement: DropIndexStatement, scope: Scope): Run {
  const table = findTable(statement.table, scope.context)
  addAction(scope.context, 'PartiQLDropIndex', table)
  const indexId = statement.index.name
  return (env) => tableRow(() => env.store.dropIndex(table, indexId))
}

/** Procedures that need a permission of their own; the store knows which ones there are. */
const procedureActions: Readonly<Record<string, StatementAction>> = {
  redact_revision: 'PartiQLRedact',
}

export function compileExec(statement: ExecStatement, scope: Scope): Run {
  const { procedure, position } = statement
  const args = statement.arguments.map((argument) => compileExpression(argument, scope).evaluate)
  const action = procedureActions[procedure]
  if (action !== undefined) addAction(scope.context, action)
  return function* exec(env) {
    const values = args.map((evaluate, index): IonValue => {
      const value = toIon(evaluate(env))
      if (value !== undefined) return value
      throw partiqlError('EVALUATION', position, `argument ${index + 1} of EXEC is MISSING.`)
    })
    yield* env.store.exec(procedure, values)
  }
}

function* tableRow(change: () => string): Rows {
  yield ionRecord({ tableId: ionString(change()) })
}
