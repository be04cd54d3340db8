/**
 * Permissions of single statements, for ledgers of mode STANDARD: each action that a statement needs, on the table it
 * needs it for. In ALLOW_ALL whoever may send commands may do everything (qldb-compat 2).
 */
import type { Authorizer, Identity } from '@cairn/aws-protocol'
import type { Ledger, StatementNeeds, TransactionOptions } from '@cairn/ledger'
import { type ArnSettings, ledgerArn } from './arn.ts'
import { serverError } from './errors.ts'

export interface StatementGuardOptions {
  readonly authorizer: Authorizer
  readonly arns: ArnSettings
}

const unguarded: TransactionOptions = {}

/** What a transaction of `identity` on `ledger` is started with. */
export function guardStatements(
  { authorizer, arns }: StatementGuardOptions,
  identity: Identity,
  ledger: Ledger,
): TransactionOptions {
  // Where nobody says who they are, everybody may do everything.
  if (ledger.permissionsMode !== 'STANDARD' || !identity.isAuthenticated) return unguarded
  const arn = ledgerArn(arns, ledger.name)
  return {
    authorize(needs) {
      for (const need of needs) {
        const action = `qldb:${need.action}`
        const resource = `${arn}/${resourceOf(need)}`
        if (authorizer.isAllowed(identity, action, resource)) continue
        throw serverError(
          { code: 'ACCESS_DENIED', principal: identity.principal, action, resource },
          `${identity.principal} may not do ${action} on ${resource}.`,
        )
      }
    },
  }
}

/** A SELECT without a table reads the list of tables; other actions without one are about any. */
function resourceOf({ action, table }: StatementNeeds[number]): string {
  if (table !== undefined) return `table/${table.tableId}`
  return action === 'PartiQLSelect' ? 'information_schema/user_tables' : 'table/*'
}
