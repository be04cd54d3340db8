/** `@cairn/journal`: the hash-chained, append-only log that every ledger stands on. */

export {
  type DirectoryLock,
  inspectLocks,
  type LockFile,
  lockDirectory,
} from './directory-lock.ts'
export { type DamagedRange, JournalError, type JournalErrorType } from './errors.ts'
export {
  type Journal,
  type JournalOptions,
  type JournalRecord,
  openJournal,
  segmentBytesDefault,
} from './journal.ts'
export { nodeFileSystem } from './node-file-system.ts'
export { type ReadJournalOptions, readJournal } from './read-journal.ts'
export { recordBytesMax } from './segment-format.ts'
export {
  type JournalFinding,
  type JournalProgress,
  type JournalReport,
  type VerifyJournalOptions,
  verifyJournal,
} from './verify.ts'
