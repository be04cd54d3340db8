/** DELETE FROM a table. All rows are found before the first document goes. */
import { ionRecord, ionString } from '@cairn/ion'
import type { DeleteStatement } from '../ast.ts'
import type { Environment } from '../compile/environment.ts'
import { checkHeldRows } from '../compile/held-rows.ts'
import { addAction, type Scope } from '../compile/scope.ts'
import { pause, type Rows } from '../compiled.ts'
import { bindDmlTarget, documentIdOf } from './update.ts'

export function compileDelete(
  statement: DeleteStatement,
  outer: Scope,
): (env: Environment) => Rows {
  const bound = bindDmlTarget(statement.target, statement.where, outer)
  const { table } = bound.leaf
  addAction(outer.context, 'PartiQLDelete', table)
  addAction(outer.context, 'PartiQLSelect', table)
  return function* deleteRows(env) {
    const documentIds = new Set<string>()
    for (const signal of bound.rows(env)) {
      if (signal === pause) {
        yield pause
        continue
      }
      documentIds.add(documentIdOf(env, bound.leaf))
      checkHeldRows(documentIds.size, statement.position)
    }
    for (const documentId of documentIds) {
      env.store.checkDeadline()
      env.store.delete(table, documentId)
    }
    for (const documentId of documentIds) {
      yield ionRecord({ documentId: ionString(documentId) })
    }
  }
}
