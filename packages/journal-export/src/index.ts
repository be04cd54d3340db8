/** `@cairn/journal-export`: journal exports as QLDB writes them: format, writer, reader, and where they go. */

export { ExportError, type ExportErrorType } from './errors.ts'
export {
  contentTypeOf,
  type DataObjectName,
  type EncryptionType,
  type ExportFormat,
  type ExportRequest,
  encryptionTypes,
  exportFormats,
  formatOf,
} from './export-format.ts'
export {
  type ExportContents,
  type ExportedBlock,
  openExport,
  type ReadExportOptions,
  readExportedBlocks,
} from './export-reader.ts'
export { type ExportSource, folderSource } from './export-source.ts'
export {
  type BlockToExport,
  type ExportProgress,
  objectBytesMax,
  type WriteExportOptions,
  writeExport,
} from './export-writer.ts'
export type { ObjectStore, PutOptions } from './object-store.ts'
export {
  type ExportObjects,
  type RedactExportsOptions,
  type RedactedRevision,
  redactExports,
} from './redact-exports.ts'
export { type ClosableStore, createS3Store, type S3StoreOptions } from './s3-store.ts'
