/** `@cairn/ledger`: the verifiable ledger database as a library. */

export type {
  BlockAddress,
  CommitResult,
  CreateLedgerOptions,
  EraseCopies,
  IoUsage,
  Ledger,
  LedgerBlock,
  LedgerChanges,
  LedgerDescription,
  LedgerDigest,
  LedgerHost,
  LedgerState,
  LedgerStatistics,
  PermissionsMode,
  ProvenValue,
  RedactedCopies,
  Result,
  ResultPage,
  StatementNeeds,
  TableStatistics,
  Transaction,
  TransactionOptions,
} from './api.ts'
export {
  type BackupLedgerOptions,
  type BackupReport,
  backupLedger,
  type RestoreLedgerOptions,
  restoreLedger,
} from './backup/backup-ledger.ts'
export { BackupError, type BackupErrorType } from './backup/errors.ts'
export { LedgerError, type LedgerErrorType } from './errors.ts'
export type { CatalogNote } from './import/catalog-deriver.ts'
export { ImportError, type ImportErrorType } from './import/errors.ts'
export {
  type ImportLedgerOptions,
  type ImportProgress,
  type ImportReport,
  type ImportSource,
  importLedger,
  type SourceBlock,
} from './import/import-ledger.ts'
export { type LedgerFolder, openLedgerFolder } from './ledger-folder.ts'
export { type LedgerHostOptions, openLedgerHost } from './ledger-host.ts'
export {
  type EmbeddedLedger,
  type ExecutedRows,
  type LibraryTransaction,
  type OpenLedgerOptions,
  openLedger,
  type Transacted,
} from './library.ts'
export { defaultLimits, type LedgerLimits } from './limits.ts'
export { createMemoryProjections, type MemoryProjections } from './memory-projection.ts'
export type { ProjectionDriver, Watermark } from './projection.ts'
export {
  type FolderBlock,
  findLedgerFiles,
  type LedgerFiles,
  readFolderBlocks,
} from './read-folder.ts'
export {
  type LedgerFinding,
  type LedgerVerification,
  readProjectionWatermark,
  type VerifyDirectoryOptions,
  type VerifyProgress,
  verifyLedgerDirectory,
} from './verify-directory.ts'
