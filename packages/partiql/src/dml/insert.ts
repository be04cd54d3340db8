/** INSERT INTO a table. All documents are computed and checked before the first is stored. */
import type { IonStruct } from '@cairn/ion'
import type { InsertStatement } from '../ast.ts'
import type { Environment } from '../compile/environment.ts'
import { compileCollection, compileExpression } from '../compile/expression.ts'
import { checkHeldRows } from '../compile/held-rows.ts'
import { addAction, findTable, type Scope } from '../compile/scope.ts'
import { refuseSystemView } from '../compile/source.ts'
import type { Rows } from '../compiled.ts'
import { elementsOf, toIon, type Value } from '../values/value.ts'
import { documentRow } from './document-row.ts'
import { notAStruct } from './update.ts'

export function compileInsert(
  statement: InsertStatement,
  scope: Scope,
): (env: Environment) => Rows {
  refuseSystemView(statement.table)
  const table = findTable(statement.table, scope.context)
  addAction(scope.context, 'PartiQLInsert', table)
  const compile = statement.isSingle ? compileExpression : compileCollection
  const { evaluate } = compile(statement.source, scope)
  return function* insert(env) {
    const { store } = env
    store.checkDeadline()
    const value = evaluate(env)
    const elements = statement.isSingle ? undefined : elementsOf(value)
    if (elements === undefined) {
      const document = documentOf(value, statement)
      store.checkDeadline()
      yield documentRow(store.insert(table, document))
      return
    }
    const documents = elements.map((element) => documentOf(element, statement))
    checkHeldRows(documents.length, statement.position)
    const documentIds = documents.map((document) => {
      store.checkDeadline()
      return store.insert(table, document)
    })
    for (const documentId of documentIds) yield documentRow(documentId)
  }
}

function documentOf(value: Value, statement: InsertStatement): IonStruct {
  const ion = toIon(value)
  if (ion?.type !== 'struct') throw notAStruct(value, statement.source.position)
  return ion
}
