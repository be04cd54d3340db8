/**
 * A process that ends between any two of its steps on the disk in memory: what it left is then there for the next one.
 * Steps are the calls that change something; writing a file whole is several, as on a real disk. A write is begun half.
 */
import type { FileSystem, OpenFile } from '@cairn/core'
import type { MemoryFileSystem } from './memory-file-system.ts'

export interface EndedProcess<T> {
  /** Undefined: it was ended before it could answer. */
  readonly answer: T | undefined
  /** Where the next process goes on. */
  readonly disk: MemoryFileSystem
}

export interface EndAtStepOptions {
  /** The step at which it is ended, from 1 on; when there are fewer it comes to its end. */
  readonly step: number
  /** Absent: the process alone is ended. Otherwise the machine is, and this draws what reached the disk. */
  readonly crashSeed?: number
}

/** Does `work` on `disk`, which is dead afterwards when the process was ended. @throws what `work` throws of itself */
export async function endAtStep<T>(
  disk: MemoryFileSystem,
  { step, crashSeed }: EndAtStepOptions,
  work: (fileSystem: FileSystem) => Promise<T>,
): Promise<EndedProcess<T>> {
  let stepNo = 0
  let left: MemoryFileSystem | undefined
  const end = async (halfway?: () => Promise<void>) => {
    await halfway?.()
    left ??= crashSeed === undefined ? disk.kill() : disk.crash({ seed: crashSeed })
  }
  const onStep = async <R>(act: () => Promise<R>, halfway?: () => Promise<void>): Promise<R> => {
    if (++stepNo === step) await end(halfway)
    // On a dead disk this is refused, as everything is from then on.
    return act()
  }
  try {
    const answer = await work(stepping(disk, onStep))
    if (left === undefined) return { answer, disk }
  } catch (error) {
    if (left === undefined) throw error
  }
  return { answer: undefined, disk: left }
}

type OnStep = <R>(act: () => Promise<R>, halfway?: () => Promise<void>) => Promise<R>

function stepping(disk: MemoryFileSystem, onStep: OnStep): FileSystem {
  let temporaryCount = 0
  const fileSystem: FileSystem = {
    async open(path, mode) {
      const open = () => disk.open(path, mode)
      return steppingFile(await (mode === 'create' ? onStep(open) : open()), onStep)
    },
    exists: (path) => disk.exists(path),
    list: (path) => disk.list(path),
    readFile: (path) => disk.readFile(path),
    freeBytes: (path) => disk.freeBytes(path),
    makeDirectory: (path) => onStep(() => disk.makeDirectory(path)),
    rename: (from, to) => onStep(() => disk.rename(from, to)),
    remove: (path) => onStep(() => disk.remove(path)),
    syncDirectory: (path) => onStep(() => disk.syncDirectory(path)),
    async writeFileAtomic(path, bytes) {
      let temporary: string
      // An ended process may have left some of these names.
      do temporary = `${path}.${(temporaryCount++).toString(16).padStart(12, '0')}.tmp`
      while (await disk.exists(temporary))
      const file = await fileSystem.open(temporary, 'create')
      await file.write(bytes, 0)
      await file.syncData()
      await file.close()
      await fileSystem.rename(temporary, path)
      await fileSystem.syncDirectory(path.slice(0, path.lastIndexOf('/')))
    },
  }
  return fileSystem
}

function steppingFile(file: OpenFile, onStep: OnStep): OpenFile {
  return {
    readSync: (buffer, position) => file.readSync(buffer, position),
    sizeSync: () => file.sizeSync(),
    close: () => file.close(),
    write: (buffer, position) =>
      onStep(
        () => file.write(buffer, position),
        () => file.write(buffer.subarray(0, buffer.length >> 1), position),
      ),
    syncData: () => onStep(() => file.syncData()),
    truncate: (size) => onStep(() => file.truncate(size)),
  }
}
