/** DELETE FROM a table. All rows are found before the first document goes. */
import { assert } from '@cairn/core'
import type { DeleteStatement } from '../ast.ts'
import { type Environment, isPauseDue } from '../compile/environment.ts'
import { checkHeldRows } from '../compile/held-rows.ts'
import { addAction, type Scope } from '../compile/scope.ts'
import { pause, type Rows } from '../compiled.ts'
import { documentRow } from './document-row.ts'
import { bindDmlTarget } from './update.ts'

export function compileDelete(
  statement: DeleteStatement,
  outer: Scope,
): (env: Environment) => Rows {
  const { leaf, loop } = bindDmlTarget(statement.target, statement.where, outer)
  const { table } = leaf
  addAction(outer.context, 'PartiQLDelete', table)
  addAction(outer.context, 'PartiQLSelect', table)
  assert(loop !== undefined, 'DELETE reads one table')
  return function* deleteRows(env) {
    env.store.checkDeadline()
    const documentIds: string[] = []
    for (const item of loop.items(env)) {
      if (isPauseDue(env)) yield pause
      if (!loop.accepts(env, item)) continue
      documentIds.push(item.documentId)
      checkHeldRows(documentIds.length, statement.position)
    }
    for (const documentId of documentIds) {
      env.store.checkDeadline()
      env.store.delete(table, documentId)
    }
    for (const documentId of documentIds) yield documentRow(documentId)
  }
}
