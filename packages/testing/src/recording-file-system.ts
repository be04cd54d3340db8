/**
 * Records what a program does to its disk, over any file system, and plays the first part of it again on the disk in
 * memory: the state that a loss of power at that moment may have left is then one `crash` away.
 *
 * Writes and names count from the call, since they may have reached the disk at once; syncs count from their answer,
 * and for what was called before them.
 */
import { assert, type FileSystem, type OpenFile, type OpenMode } from '@cairn/core'
import { createMemoryFileSystem, type MemoryFileSystem } from './memory-file-system.ts'

type Entry =
  | { readonly call: 'open'; readonly file: number; readonly path: string; readonly mode: OpenMode }
  | {
      readonly call: 'write'
      readonly file: number
      readonly bytes: Uint8Array
      readonly position: number
    }
  | { readonly call: 'syncData' | 'close'; readonly file: number }
  | { readonly call: 'truncate'; readonly file: number; readonly size: number }
  | { readonly call: 'makeDirectory' | 'remove' | 'syncDirectory'; readonly path: string }
  | { readonly call: 'rename'; readonly path: string; readonly to: string }
  | { readonly call: 'writeFileAtomic'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly call: 'note'; readonly count: number }
  /** A call was answered: a moment of its own. */
  | { readonly call: 'answered' }

/** An entry, and the length of the log when it was answered; undefined: never. */
interface Recorded {
  readonly entry: Entry
  endedAt: number | undefined
}

export interface DiskRecording {
  /** What the program is given. */
  readonly fileSystem: FileSystem
  /** Calls and answers so far. */
  readonly length: number
  /** Puts a number into the log, such as how many commits were acknowledged. */
  note(count: number): void
  /**
   * A disk on which the first `length` calls were made or answered, with what was not synced still open.
   * @param existing A folder that was there before, with all above it.
   */
  replay(length: number, existing: string): Promise<{ disk: MemoryFileSystem; noted: number }>
}

const answered: Entry = { call: 'answered' }

export function recordFileSystem(real: FileSystem): DiskRecording {
  const log: Recorded[] = []
  let fileCount = 0
  const record = async <T>(entry: Entry, work: () => Promise<T>): Promise<T> => {
    const recorded: Recorded = { entry, endedAt: undefined }
    log.push(recorded)
    const answer = await work()
    log.push({ entry: answered, endedAt: undefined })
    recorded.endedAt = log.length
    return answer
  }
  const fileSystem: FileSystem = {
    open(path, mode) {
      const file = fileCount++
      return record({ call: 'open', file, path, mode }, async () =>
        recordFile(await real.open(path, mode), file, record),
      )
    },
    exists: (path) => real.exists(path),
    list: (path) => real.list(path),
    readFile: (path) => real.readFile(path),
    makeDirectory: (path) =>
      record({ call: 'makeDirectory', path }, () => real.makeDirectory(path)),
    rename: (path, to) => record({ call: 'rename', path, to }, () => real.rename(path, to)),
    remove: (path) => record({ call: 'remove', path }, () => real.remove(path)),
    syncDirectory: (path) =>
      record({ call: 'syncDirectory', path }, () => real.syncDirectory(path)),
    writeFileAtomic: (path, bytes, mode) =>
      record({ call: 'writeFileAtomic', path, bytes: bytes.slice() }, () =>
        real.writeFileAtomic(path, bytes, mode),
      ),
    freeBytes: (path) => real.freeBytes(path),
  }
  return {
    fileSystem,
    get length() {
      return log.length
    },
    note: (count) => log.push({ entry: { call: 'note', count }, endedAt: log.length }),
    replay: (length, existing) => replay(log.slice(0, length), existing),
  }
}

function recordFile(
  real: OpenFile,
  file: number,
  record: <T>(entry: Entry, work: () => Promise<T>) => Promise<T>,
): OpenFile {
  return {
    readSync: (buffer, position) => real.readSync(buffer, position),
    sizeSync: () => real.sizeSync(),
    write: (bytes, position) =>
      record({ call: 'write', file, bytes: bytes.slice(), position }, () =>
        real.write(bytes, position),
      ),
    syncData: () => record({ call: 'syncData', file }, () => real.syncData()),
    truncate: (size) => record({ call: 'truncate', file, size }, () => real.truncate(size)),
    close: () => record({ call: 'close', file }, () => real.close()),
  }
}

interface Played {
  path: string
  readonly mode: OpenMode
  readonly handle: OpenFile
}

async function replay(log: readonly Recorded[], existing: string) {
  const disk = createMemoryFileSystem()
  await disk.makeDirectory(existing)
  for (let path = existing; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) {
    await disk.syncDirectory(path)
  }
  await disk.syncDirectory('/')
  const files = new Map<number, Played>()
  let noted = 0
  for (const { entry, endedAt } of log) {
    const isEnded = endedAt !== undefined && endedAt <= log.length
    if (entry.call === 'note') noted = entry.count
    else if (entry.call !== 'answered') await play(disk, files, entry, isEnded)
  }
  return { disk, noted }
}

async function play(
  disk: MemoryFileSystem,
  files: Map<number, Played>,
  entry: Exclude<Entry, { call: 'note' | 'answered' }>,
  isEnded: boolean,
): Promise<void> {
  switch (entry.call) {
    case 'open': {
      const { path, mode, file } = entry
      if (isEnded || mode === 'create') {
        files.set(file, { path, mode, handle: await disk.open(path, mode) })
      }
      return
    }
    case 'write':
      return playWrite(disk, fileOf(files, entry.file), entry, isEnded)
    case 'syncData':
      if (isEnded) await fileOf(files, entry.file).handle.syncData()
      return
    case 'truncate':
      return fileOf(files, entry.file).handle.truncate(entry.size)
    case 'close':
      return
    case 'makeDirectory':
      return disk.makeDirectory(entry.path)
    case 'remove':
      return disk.remove(entry.path)
    case 'rename':
      for (const file of files.values()) if (file.path === entry.path) file.path = entry.to
      return disk.rename(entry.path, entry.to)
    case 'syncDirectory':
      if (isEnded) await disk.syncDirectory(entry.path)
      return
    case 'writeFileAtomic':
      // Before its end the old content may be there, or the new one; the old one is the harder case.
      if (isEnded) await disk.writeFileAtomic(entry.path, entry.bytes)
  }
}

/** A write of a file whose writes are synced is not synced before its answer. */
async function playWrite(
  disk: MemoryFileSystem,
  { path, mode, handle }: Played,
  { bytes, position }: { readonly bytes: Uint8Array; readonly position: number },
  isEnded: boolean,
): Promise<void> {
  const isPlain = mode === 'create' || mode === 'readWrite'
  if (isPlain || isEnded) return handle.write(bytes, position)
  const unsynced = await disk.open(path, 'readWrite')
  await unsynced.write(bytes, position)
}

function fileOf(files: ReadonlyMap<number, Played>, file: number): Played {
  const played = files.get(file)
  assert(played !== undefined, 'a file is opened before it is used')
  return played
}
