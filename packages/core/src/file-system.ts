/**
 * The part of a file system that journals and projections stand on, as a parameter: the real one lives in `journal`,
 * a faulty one for tests in `testing`. Paths are absolute or relative to the process, separated by `/`.
 */

/**
 * `create` makes the file and fails when it exists; the others fail when it does not. `durable` is `readWrite` where
 * each write is on the disk when it resolves: one call of the system instead of a write and a sync.
 */
export type OpenMode = 'read' | 'readWrite' | 'create' | 'durable'

export interface OpenFile {
  /** Reads up to `buffer.length` bytes at `position`; answers how many, fewer only at the end of the file. */
  readSync(buffer: Uint8Array, position: number): number
  /** Writes all of `buffer` at `position`, or rejects. Not durable before `syncData`, but for mode `durable`. */
  write(buffer: Uint8Array, position: number): Promise<void>
  /** fdatasync: what was written and the size are on the disk afterwards. */
  syncData(): Promise<void>
  truncate(size: number): Promise<void>
  /** Bytes. */
  sizeSync(): number
  close(): Promise<void>
}

export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<OpenFile>
  exists(path: string): Promise<boolean>
  /** Names in `directory`, in no order. */
  list(directory: string): Promise<string[]>
  makeDirectory(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Removes a file, or a directory with all it holds. */
  remove(path: string): Promise<void>
  /** Makes created, renamed and removed names in `directory` durable. */
  syncDirectory(directory: string): Promise<void>
  readFile(path: string): Promise<Uint8Array>
  /** Writes `path` whole: temporary file, fsync, rename, fsync of the directory. `fileMode` such as 0o600. */
  writeFileAtomic(path: string, bytes: Uint8Array, fileMode?: number): Promise<void>
  /** Bytes that may still be written to the disk below `path`, as far as is known. */
  freeBytes(path: string): Promise<number>
}

/** What a `writeFileAtomic` leaves beside its file when it is ended in the middle: the name and this. */
const temporaryEnding = /\.[0-9a-f]+\.tmp$/

/**
 * Whether a folder may be begun that is marked by a file in it: it is absent, or holds nothing but the beginnings of
 * that file. A process can be killed between making the folder and marking it; what others made is never touched.
 */
export async function isFolderUnbegun(
  fileSystem: FileSystem,
  directory: string,
  markName: string,
): Promise<boolean> {
  if (!(await fileSystem.exists(directory))) return true
  try {
    const names = await fileSystem.list(directory)
    return names.every(
      (name) => name.replace(temporaryEnding, '') === markName && name !== markName,
    )
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'ENOTDIR') return false
    throw error
  }
}

/** Removes what ended processes left in `directory` of files that they were writing. Only for a folder of one's own. */
export async function removeTemporaries(fileSystem: FileSystem, directory: string): Promise<void> {
  for (const name of await fileSystem.list(directory)) {
    if (temporaryEnding.test(name)) await fileSystem.remove(`${directory}/${name}`)
  }
}

/**
 * For stores that do not survive a full disk: refuses before they are asked to write.
 * @throws Error with the code ENOSPC of the system when fewer than `bytesMin` are free.
 */
export async function requireRoom(
  fileSystem: FileSystem,
  path: string,
  bytesMin: number,
): Promise<void> {
  const freeBytes = await fileSystem.freeBytes(path)
  if (freeBytes < bytesMin) throw noRoom(path, freeBytes, bytesMin)
}

/** The system's error for a full disk, before the system has to say so. */
export function noRoom(path: string, freeBytes: number, bytesMin: number): Error {
  const message = `no space left on device: ${freeBytes} bytes are free, ${bytesMin} are needed`
  return Object.assign(new Error(message), { code: 'ENOSPC', path })
}
