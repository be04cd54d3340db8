/** Every command, in the order of the help text. */
import type { Command } from '../command.ts'
import { doctorCommand } from './doctor.ts'
import { gethCommand } from './geth.ts'
import { createCommand, deleteCommand, describeCommand, listCommand } from './ledger.ts'
import { backupCommand, exportCommand, importCommand, restoreCommand } from './ledger-copies.ts'
import { statsCommand } from './ledger-stats.ts'
import { tailCommand } from './ledger-tail.ts'
import { updateCommand } from './ledger-update.ts'
import { puppethCommand } from './puppeth.ts'
import { sqlCommand } from './sql.ts'
import { upCommand } from './up.ts'
import { verifyBlockCommand } from './verify-block.ts'
import { verifyDigestCommand } from './verify-digest.ts'
import { verifyLedgerCommand } from './verify-ledger.ts'
import { verifyRevisionCommand } from './verify-revision.ts'

export const commands: readonly Command[] = [
  upCommand,
  doctorCommand,
  createCommand,
  listCommand,
  describeCommand,
  updateCommand,
  deleteCommand,
  statsCommand,
  tailCommand,
  importCommand,
  exportCommand,
  backupCommand,
  restoreCommand,
  sqlCommand,
  verifyLedgerCommand,
  verifyDigestCommand,
  verifyBlockCommand,
  verifyRevisionCommand,
  gethCommand,
  puppethCommand,
]
