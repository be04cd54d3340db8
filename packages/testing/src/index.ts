/** `@cairn/testing`: time, chance, a faulty disk, services of others. Nothing here is for use outside of tests. */

export { type EndAtStepOptions, type EndedProcess, endAtStep } from './ending-process.ts'
export { type FileSystemCase, fileSystemCases } from './file-system-cases.ts'
export { filesWith } from './files-with.ts'
export { erc20InitCode } from './generated/erc20-code.ts'
export {
  type KinesisRecord,
  type KinesisService,
  startKinesisService,
} from './kinesis-service.ts'
export {
  createMemoryFileSystem,
  type Fault,
  type FaultOperation,
  FileSystemError,
  type MemoryFileSystem,
  type OperationCounts,
} from './memory-file-system.ts'
export { type DiskRecording, recordFileSystem } from './recording-file-system.ts'
export { createSeededRandom, type SeededRandom } from './seeded-random.ts'
export { type CompiledToken, compileToken, tokenSourceFile } from './token.ts'
export { createVirtualClock, type VirtualClock } from './virtual-clock.ts'
