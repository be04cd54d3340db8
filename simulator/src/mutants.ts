/**
 * Errors made on purpose, each from outside the engine: a disk that lies, a projection that forgets, one check of the
 * conflict detector left out. What does not find them is no test.
 */
import type { Clock, FileSystem, OpenFile } from '@cairn/core'
import type { ProjectionDriver } from '@cairn/ledger'
import type { SeededRandom } from '@cairn/testing'
// By its path: the detector is nobody's interface, and a mutant has to reach into it.
import { ConflictDetector, conflictKeys } from '../../packages/ledger/src/conflict-detector.ts'

export interface Mutant {
  readonly name: string
  readonly wrapFiles?: (files: FileSystem, clock: Clock, random: SeededRandom) => FileSystem
  readonly wrapProjections?: (driver: ProjectionDriver) => ProjectionDriver
  /** Changes code for the time of a run; answers how to undo it. */
  readonly patch?: () => () => void
}

type FileChange = (file: OpenFile) => Partial<OpenFile>

export const mutants: readonly Mutant[] = [
  {
    name: 'no fsync',
    wrapFiles: (files) => withFiles(files, () => ({ syncData: async () => undefined })),
  },
  {
    name: 'no fsync of folders',
    wrapFiles: (files) => ({ ...bound(files), syncDirectory: async () => undefined }),
  },
  {
    name: 'acknowledged before the fsync has happened',
    wrapFiles: (files, clock, random) =>
      withFiles(files, (file) => ({
        async syncData() {
          void clock
            .sleep(random.below(20))
            .then(() => file.syncData())
            .catch(() => undefined)
        },
      })),
  },
  {
    name: 'a failed fsync taken for a good one',
    wrapFiles: (files) =>
      withFiles(files, (file) => ({ syncData: () => file.syncData().catch(() => undefined) })),
  },
  skippedCheck('documents', conflictKeys.document('')),
  skippedCheck('index keys', conflictKeys.index('')),
  skippedCheck('scanned tables', conflictKeys.tableContent('')),
  skippedCheck('definitions of tables', conflictKeys.tableDefinition('')),
  skippedCheck('names of tables', conflictKeys.tableName('')),
  {
    name: 'a projection that loses index entries',
    wrapProjections: (driver) =>
      withBlocks(driver, (block) => ({
        ...block,
        revisions: block.revisions.map((it) =>
          block.sequenceNo % 8 === 5 ? { ...it, indexChanges: [] } : it,
        ),
      })),
  },
  {
    name: 'a projection that forgets what is to be redacted',
    wrapProjections: (driver) => withBlocks(driver, (block) => ({ ...block, redactions: [] })),
  },
  {
    name: 'a projection that loses half a transaction',
    wrapProjections: (driver) =>
      withBlocks(driver, (block) => ({
        ...block,
        revisions: block.revisions.filter((_, i) => block.sequenceNo % 8 !== 5 || i === 0),
      })),
  },
]

/** Leaves out one kind of key, known by its first letter. */
function skippedCheck(what: string, example: string): Mutant {
  const letter = example.charAt(0)
  return {
    name: `no conflict check of ${what}`,
    patch() {
      const { prototype } = ConflictDetector
      const { findConflict } = prototype
      prototype.findConflict = function (reads, snapshotSequenceNo) {
        const kept = [...reads].filter((key) => !key.startsWith(letter))
        return findConflict.call(this, kept, snapshotSequenceNo)
      }
      return () => {
        prototype.findConflict = findConflict
      }
    },
  }
}

/** The same file system as a plain record, so that single operations can be exchanged. */
function bound(files: FileSystem): FileSystem {
  return {
    open: (path, mode) => files.open(path, mode),
    exists: (path) => files.exists(path),
    list: (directory) => files.list(directory),
    makeDirectory: (path) => files.makeDirectory(path),
    rename: (from, to) => files.rename(from, to),
    remove: (path) => files.remove(path),
    syncDirectory: (directory) => files.syncDirectory(directory),
    readFile: (path) => files.readFile(path),
    writeFileAtomic: (path, bytes, fileMode) => files.writeFileAtomic(path, bytes, fileMode),
    freeBytes: (path) => files.freeBytes(path),
  }
}

/** A durable write is taken apart, so that its sync can be exchanged too. */
function withFiles(files: FileSystem, change: FileChange): FileSystem {
  return {
    ...bound(files),
    async open(path, mode) {
      const isDurable = mode === 'durable'
      const file = await files.open(path, isDurable ? 'readWrite' : mode)
      const changed: OpenFile = {
        readSync: (buffer, position) => file.readSync(buffer, position),
        write: (buffer, position) => file.write(buffer, position),
        syncData: () => file.syncData(),
        truncate: (size) => file.truncate(size),
        sizeSync: () => file.sizeSync(),
        close: () => file.close(),
        ...change(file),
      }
      if (!isDurable) return changed
      return {
        ...changed,
        async write(buffer, position) {
          await changed.write(buffer, position)
          await changed.syncData()
        },
      }
    },
  }
}

type Projection = Awaited<ReturnType<ProjectionDriver['open']>>
type Block = Parameters<Projection['apply']>[0][number]

function withBlocks(driver: ProjectionDriver, change: (block: Block) => Block): ProjectionDriver {
  return {
    remove: (directory, files) => driver.remove(directory, files),
    readWatermark: (directory, files) => driver.readWatermark(directory, files),
    async open(directory, files): Promise<Projection> {
      const projection = await driver.open(directory, files)
      return new Proxy(projection, {
        get(target, name) {
          if (name === 'apply') {
            const apply: Projection['apply'] = (blocks, watermark) =>
              target.apply(blocks.map(change), watermark)
            return apply
          }
          const member: unknown = Reflect.get(target, name, target)
          return typeof member === 'function' ? member.bind(target) : member
        },
      })
    },
  }
}
