/** `@cairn/testing`: time, chance and a faulty disk for tests. Nothing here is for use outside of them. */

export { type FileSystemCase, fileSystemCases } from './file-system-cases.ts'
export {
  createMemoryFileSystem,
  type Fault,
  type FaultOperation,
  FileSystemError,
  type MemoryFileSystem,
  type OperationCounts,
} from './memory-file-system.ts'
export { createSeededRandom, type SeededRandom } from './seeded-random.ts'
export { createVirtualClock, type VirtualClock } from './virtual-clock.ts'
