/** The machine's file system behind the interface of `core`. Callbacks over plain descriptors: promises cost more. */
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import type { FileSystem, OpenFile, OpenMode } from '@cairn/core'

const { O_DSYNC, O_RDWR } = fs.constants
/** Linux alone: macOS has the flag too, but only its fdatasync empties the cache of the drive. */
const isWriteThrough = process.platform === 'linux'
const openFlags: Record<OpenMode, string | number> = {
  read: 'r',
  readWrite: 'r+',
  create: 'wx+',
  durable: isWriteThrough ? O_RDWR | O_DSYNC : 'r+',
}
/** Data folders hold what only the server's user should read. */
const fileModeDefault = 0o600

class NodeFile implements OpenFile {
  readonly #descriptor: number
  readonly #syncsWrites: boolean

  constructor(descriptor: number, mode: OpenMode) {
    this.#descriptor = descriptor
    this.#syncsWrites = mode === 'durable' && !isWriteThrough
  }

  readSync(buffer: Uint8Array, position: number): number {
    let count = 0
    while (count < buffer.length) {
      const left = buffer.length - count
      const got = fs.readSync(this.#descriptor, buffer, count, left, position + count)
      if (got === 0) break
      count += got
    }
    return count
  }

  async write(buffer: Uint8Array, position: number): Promise<void> {
    let count = 0
    while (count < buffer.length) count += await this.#writeSome(buffer, count, position)
    if (this.#syncsWrites) await this.syncData()
  }

  #writeSome(buffer: Uint8Array, from: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const left = buffer.length - from
      fs.write(this.#descriptor, buffer, from, left, position + from, (error, count) => {
        if (error === null) resolve(count)
        else reject(error)
      })
    })
  }

  syncData(): Promise<void> {
    return settled((done) => fs.fdatasync(this.#descriptor, done))
  }

  truncate(size: number): Promise<void> {
    return settled((done) => fs.ftruncate(this.#descriptor, size, done))
  }

  sizeSync(): number {
    return fs.fstatSync(this.#descriptor).size
  }

  close(): Promise<void> {
    return settled((done) => fs.close(this.#descriptor, done))
  }
}

function settled(start: (done: (error: Error | null | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error === null || error === undefined) resolve()
      else reject(error)
    })
  })
}

function openDescriptor(path: string, flags: string | number, mode?: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, mode, (error, descriptor) => {
      if (error === null) resolve(descriptor)
      else reject(error)
    })
  })
}

async function syncDirectory(directory: string): Promise<void> {
  const descriptor = await openDescriptor(directory, 'r')
  try {
    await settled((done) => fs.fsync(descriptor, done))
  } finally {
    await settled((done) => fs.close(descriptor, done))
  }
}

async function writeFileAtomic(path: string, bytes: Uint8Array, fileMode?: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const descriptor = await openDescriptor(temporary, 'wx', fileMode ?? fileModeDefault)
  const file = new NodeFile(descriptor, 'create')
  try {
    try {
      await file.write(bytes, 0)
      await file.syncData()
    } finally {
      await file.close()
    }
    await fs.promises.rename(temporary, path)
  } catch (error) {
    await fs.promises.rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(parentOf(path))
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash < 0) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}

/** Made folders include their missing parents; removing what does not exist is an error, as everywhere in POSIX. */
export const nodeFileSystem: FileSystem = {
  async open(path, mode) {
    return new NodeFile(await openDescriptor(path, openFlags[mode], fileModeDefault), mode)
  },
  async exists(path) {
    try {
      await fs.promises.stat(path)
      return true
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'ENOENT' || code === 'ENOTDIR') return false
      throw error
    }
  },
  list: (directory) => fs.promises.readdir(directory),
  async makeDirectory(path) {
    await fs.promises.mkdir(path, { recursive: true })
  },
  rename: (from, to) => fs.promises.rename(from, to),
  remove: (path) => fs.promises.rm(path, { recursive: true }),
  syncDirectory,
  async readFile(path) {
    const buffer = await fs.promises.readFile(path)
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
  },
  writeFileAtomic,
  async freeBytes(path) {
    const { bavail, bsize } = await fs.promises.statfs(path)
    return bavail * bsize
  },
}
