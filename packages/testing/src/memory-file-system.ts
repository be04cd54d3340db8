/**
 * A file system in memory that knows what a crash may take away: bytes that were written and not synced, names that
 * were made and whose directory was not synced. Faults on demand. Passes the same cases as the real one.
 *
 *     sector of a file     durable ──► after write 1 ──► after write 2 ──► …          (writes since the last sync)
 *     at a crash           each sector of 512 bytes keeps one of these versions, drawn from the seed
 *
 * A failed sync is modelled on Linux: the bytes stay readable, and no later sync makes them durable; only writing them
 * again and syncing does.
 */
import type { FileSystem, OpenFile, OpenMode } from '@cairn/core'
import { Disk, type Inode } from './memory-disk.ts'
import { createSeededRandom } from './seeded-random.ts'

export type FaultOperation = 'open' | 'read' | 'write' | 'syncData' | 'syncDirectory' | 'truncate'

export interface Fault {
  readonly operation: FaultOperation
  /** Which matching operation from now on fails; 1 is the next. */
  readonly nth: number
  /** `SHORT` is for reads: half of the bytes are missing, as if the file ended there. */
  readonly code: 'EIO' | 'ENOSPC' | 'SHORT'
  /** Only operations on paths that match count. */
  readonly path?: RegExp
}

export interface OperationCounts {
  readonly writeCount: number
  readonly writtenBytes: number
  readonly syncDataCount: number
  readonly syncDirectoryCount: number
}

export interface MemoryFileSystem extends FileSystem {
  /**
   * The machine stops now; what is left on the disk is drawn from `seed`. This file system and its open files are dead
   * from now on, so that whatever the ended process still has under way cannot reach the disk; go on with the answer.
   */
  crash(options: { readonly seed: number }): MemoryFileSystem
  /** The process ends, the machine goes on: as `crash`, but all bytes stay as they were, synced or not. */
  kill(): MemoryFileSystem
  addFault(fault: Fault): void
  /** Takes back the faults that nothing has met yet. */
  clearFaults(): void
  counts(): OperationCounts
  /** Inverts the bits of `mask` in one byte, in memory and on the disk. Twice is as before. */
  flip(path: string, offset: number, mask?: number): void
  /** The bytes as readers see them; a copy. */
  contentOf(path: string): Uint8Array
}

export class FileSystemError extends Error {
  override readonly name = 'FileSystemError'
  readonly code: string

  constructor(code: string, operation: string, path: string) {
    super(`${code}: ${operation} '${path}'`)
    this.code = code
  }
}

export function createMemoryFileSystem(): MemoryFileSystem {
  return new MemoryFiles(new Disk())
}

class MemoryFiles implements MemoryFileSystem {
  readonly #disk: Disk
  readonly #faults: { fault: Fault; left: number }[] = []
  isDead = false
  #temporaryCount = 0
  #writeCount = 0
  #writtenBytes = 0
  #syncDataCount = 0
  #syncDirectoryCount = 0

  constructor(disk: Disk) {
    this.#disk = disk
  }

  // Faults and crashes

  crash({ seed }: { readonly seed: number }): MemoryFileSystem {
    this.#disk.crash(createSeededRandom(seed))
    return this.kill()
  }

  kill(): MemoryFileSystem {
    this.isDead = true
    return new MemoryFiles(this.#disk)
  }

  addFault(fault: Fault): void {
    this.#faults.push({ fault, left: fault.nth })
  }

  clearFaults(): void {
    this.#faults.length = 0
  }

  /** The fault that this operation meets, if any. */
  meet(operation: FaultOperation, path: string): Fault['code'] | undefined {
    for (const entry of this.#faults) {
      const { fault } = entry
      if (fault.operation !== operation || fault.path?.test(path) === false) continue
      entry.left--
      if (entry.left > 0) continue
      this.#faults.splice(this.#faults.indexOf(entry), 1)
      return fault.code
    }
    return undefined
  }

  /** Room is never short of itself: a write that fails for want of it is a fault. */
  async freeBytes(): Promise<number> {
    return Number.MAX_SAFE_INTEGER
  }

  counts(): OperationCounts {
    return {
      writeCount: this.#writeCount,
      writtenBytes: this.#writtenBytes,
      syncDataCount: this.#syncDataCount,
      syncDirectoryCount: this.#syncDirectoryCount,
    }
  }

  countWrite(bytes: number): void {
    this.#writeCount++
    this.#writtenBytes += bytes
  }

  countSync(): void {
    this.#syncDataCount++
  }

  flip(path: string, offset: number, mask = 0xff): void {
    this.#inode(path, 'flip').flip(offset, mask)
  }

  contentOf(path: string): Uint8Array {
    return this.#inode(path, 'read').bytesView().slice()
  }

  #inode(path: string, operation: string): Inode {
    const node = this.#disk.find(path)
    if (node === undefined) throw new FileSystemError('ENOENT', operation, path)
    if (node.kind === 'directory') throw new FileSystemError('EISDIR', operation, path)
    return node
  }

  checkAlive(operation: string, path: string): void {
    if (this.isDead) throw new FileSystemError('EIO', operation, path)
  }

  /** Every asynchronous operation ends in a later turn, and not at all for a process that has ended. */
  async #settle(operation: string, path: string): Promise<void> {
    this.checkAlive(operation, path)
    await turn()
    this.checkAlive(operation, path)
  }

  // FileSystem

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    await this.#settle('open', path)
    const code = this.meet('open', path)
    if (code !== undefined) throw new FileSystemError(code, 'open', path)
    if (mode !== 'create') return new MemoryFile(this, path, this.#inode(path, 'open'), mode)
    if (this.#disk.find(path) !== undefined) throw new FileSystemError('EEXIST', 'open', path)
    const inode = this.#disk.create(path)
    if (inode === undefined) throw new FileSystemError('ENOENT', 'open', path)
    return new MemoryFile(this, path, inode, mode)
  }

  async exists(path: string): Promise<boolean> {
    await this.#settle('exists', path)
    return this.#disk.find(path) !== undefined
  }

  async list(directory: string): Promise<string[]> {
    await this.#settle('list', directory)
    const node = this.#disk.find(directory)
    if (node === undefined) throw new FileSystemError('ENOENT', 'list', directory)
    if (node.kind !== 'directory') throw new FileSystemError('ENOTDIR', 'list', directory)
    return [...node.entries.keys()]
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#settle('makeDirectory', path)
    if (!this.#disk.makeDirectory(path)) throw new FileSystemError('EEXIST', 'makeDirectory', path)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#settle('rename', from)
    const target = this.#disk.find(to)
    if (target?.kind === 'directory' && target.entries.size > 0) {
      throw new FileSystemError('ENOTEMPTY', 'rename', from)
    }
    if (!this.#disk.rename(from, to)) throw new FileSystemError('ENOENT', 'rename', from)
  }

  async remove(path: string): Promise<void> {
    await this.#settle('remove', path)
    if (!this.#disk.remove(path)) throw new FileSystemError('ENOENT', 'remove', path)
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#settle('syncDirectory', directory)
    const code = this.meet('syncDirectory', directory)
    if (code !== undefined) throw new FileSystemError(code, 'syncDirectory', directory)
    this.#syncDirectoryCount++
    const node = this.#disk.find(directory)
    if (node === undefined) throw new FileSystemError('ENOENT', 'syncDirectory', directory)
    if (node.kind !== 'directory') throw new FileSystemError('ENOTDIR', 'syncDirectory', directory)
    node.sync()
  }

  async readFile(path: string): Promise<Uint8Array> {
    await this.#settle('read', path)
    return this.contentOf(path)
  }

  async writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
    let temporary: string
    // A process that ended may have left some of these names.
    do temporary = `${path}.${this.#temporaryCount++}.tmp`
    while (this.#disk.find(temporary) !== undefined)
    const file = await this.open(temporary, 'create')
    try {
      await file.write(bytes, 0)
      await file.syncData()
      await file.close()
      await this.rename(temporary, path)
    } catch (error) {
      if (!this.isDead) this.#disk.remove(temporary)
      throw error
    }
    await this.syncDirectory(parentOf(path))
  }
}

class MemoryFile implements OpenFile {
  readonly #files: MemoryFiles
  readonly #path: string
  readonly #inode: Inode
  readonly #mode: OpenMode
  #isClosed = false

  constructor(files: MemoryFiles, path: string, inode: Inode, mode: OpenMode) {
    this.#files = files
    this.#path = path
    this.#inode = inode
    this.#mode = mode
  }

  #check(operation: string, writes = false): void {
    const isUsable = !this.#isClosed && (!writes || this.#mode !== 'read')
    if (!isUsable) throw new FileSystemError('EBADF', operation, this.#path)
    this.#files.checkAlive(operation, this.#path)
  }

  async #settle(operation: string): Promise<void> {
    await turn()
    this.#files.checkAlive(operation, this.#path)
  }

  readSync(buffer: Uint8Array, position: number): number {
    this.#check('read')
    const code = this.#files.meet('read', this.#path)
    if (code !== undefined && code !== 'SHORT') throw new FileSystemError(code, 'read', this.#path)
    const bytes = this.#inode.bytesView().subarray(position, position + buffer.length)
    const count = code === 'SHORT' ? bytes.length >> 1 : bytes.length
    buffer.set(bytes.subarray(0, count))
    return count
  }

  async write(buffer: Uint8Array, position: number): Promise<void> {
    this.#check('write', true)
    const code = this.#files.meet('write', this.#path)
    // A full disk takes what fits.
    const bytes = code === undefined ? buffer : buffer.subarray(0, buffer.length >> 1)
    this.#files.countWrite(bytes.length)
    this.#inode.write(bytes, position)
    await this.#settle('write')
    if (code !== undefined) throw new FileSystemError(code, 'write', this.#path)
    if (this.#mode === 'durable') await this.syncData()
  }

  async syncData(): Promise<void> {
    this.#check('syncData')
    const code = this.#files.meet('syncData', this.#path)
    this.#files.countSync()
    const { changeNo } = this.#inode
    await this.#settle('syncData')
    if (code !== undefined) {
      this.#inode.lose(changeNo)
      throw new FileSystemError(code, 'syncData', this.#path)
    }
    this.#inode.makeDurable(changeNo)
  }

  async truncate(size: number): Promise<void> {
    this.#check('truncate', true)
    const code = this.#files.meet('truncate', this.#path)
    if (code !== undefined) throw new FileSystemError(code, 'truncate', this.#path)
    this.#inode.truncate(size)
    await this.#settle('truncate')
  }

  sizeSync(): number {
    this.#check('size')
    return this.#inode.size
  }

  async close(): Promise<void> {
    if (this.#isClosed) throw new FileSystemError('EBADF', 'close', this.#path)
    this.#isClosed = true
    await turn()
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash < 0) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
