/**
 * Buckets as folders and objects as files below them, for exports and for clients of the local S3. A key is a path
 * only when it is a plain one: no empty, `.` or `..` part, nothing that a file system reads in its own way.
 * Not here: versions, metadata, parts of uploads, deletion.
 */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { FileSystem } from '@cairn/core'
import { ExportError, type ExportObjects, type ObjectStore } from '@cairn/journal-export'
import { localError } from './errors.ts'

export interface StoredObject {
  readonly key: string
  /** Bytes. */
  readonly size: number
  readonly modifiedMs: number
}

export interface ObjectPage {
  /** In the order of their keys' UTF-8 bytes. */
  readonly objects: readonly StoredObject[]
  readonly commonPrefixes: readonly string[]
  readonly isTruncated: boolean
}

export interface ListObjects {
  readonly prefix: string
  /** Undefined: every object by itself. */
  readonly delimiter: string | undefined
  /** Keys and common prefixes behind it. */
  readonly startAfter: string
  readonly countMax: number
}

/** What a path is on the disk. */
export interface PathFacts {
  readonly isDirectory: boolean
  readonly size: number
  readonly modifiedMs: number
}

export interface BucketStoreOptions {
  /** Made with the first bucket. */
  readonly directory: string
  readonly fileSystem: FileSystem
  /** Undefined when there is nothing. Default: of the real file system. */
  factsOf?(path: string): Promise<PathFacts | undefined>
}

/** Source: S3 user guide, "Object key naming guidelines". */
const keyBytesMax = 1024
/** 255 of most file systems, less what a temporary name takes behind it. */
const keyPartBytesMax = 230
const bucketCountMax = 100
const pieceBytesSize = 1024 * 1024
/** Listing walks the folder; a bucket with more is a matter for a real object store. */
const objectCountMax = 1_000_000
/** Names that a write left behind which did not come to its end. */
const temporaryName = /\.[0-9a-f]{12}\.tmp$/
// S3 user guide, "Bucket naming rules", without the exceptions of old buckets.
const bucketPattern = /^(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
/** Paths of the server itself, on the same address (control-plane 1). */
const reservedNames = ['healthz', 'readyz', 'metrics', 'console', 'ledgers', 'tags']

export class BucketStore implements ObjectStore, ExportObjects {
  readonly #files: FileSystem
  readonly #directory: string
  readonly #factsOf: (path: string) => Promise<PathFacts | undefined>

  constructor(options: BucketStoreOptions) {
    this.#files = options.fileSystem
    this.#directory = options.directory
    this.#factsOf = options.factsOf ?? factsOfPath
  }

  /** @returns whether it is new. @throws AwsLocalError BUCKET_NAME_INVALID, BUCKET_LIMIT_EXCEEDED */
  async createBucket(bucket: string): Promise<boolean> {
    const path = this.#bucketPath(bucket)
    if (await this.#files.exists(path)) return false
    await this.#files.makeDirectory(this.#directory)
    if ((await this.#files.list(this.#directory)).length >= bucketCountMax) {
      throw localError(
        { code: 'BUCKET_LIMIT_EXCEEDED', bucketCountMax },
        `There are ${bucketCountMax} buckets, which is the limit.`,
      )
    }
    await this.#files.makeDirectory(path)
    await this.#files.syncDirectory(this.#directory)
    return true
  }

  async hasBucket(bucket: string): Promise<boolean> {
    if (!isBucketName(bucket)) return false
    return (await this.#factsOf(this.#bucketPath(bucket)))?.isDirectory === true
  }

  async put(bucket: string, key: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.putObject(bucket, key, bytes)
    } catch (cause) {
      throw new ExportError(
        { code: isPassing(cause) ? 'STORE_UNAVAILABLE' : 'STORE_REFUSED', bucket, key },
        {
          shortMessage: 'The object could not be written.',
          metaMessages: [`Bucket: ${bucket}`, `Key: ${key}`, `Folder: ${this.#directory}`],
          cause,
        },
      )
    }
  }

  /** @throws AwsLocalError BUCKET_NOT_FOUND, KEY_INVALID */
  async putObject(bucket: string, key: string, bytes: Uint8Array): Promise<void> {
    const bucketPath = await this.#existingBucket(bucket)
    const path = objectPath(bucketPath, key)
    const folder = path.slice(0, path.lastIndexOf('/'))
    await this.#makeFolder(bucketPath, folder, key)
    if ((await this.#factsOf(path))?.isDirectory === true) throw invalidKey(key)
    await this.#files.writeFileAtomic(path, bytes)
  }

  /** @throws AwsLocalError BUCKET_NOT_FOUND, KEY_NOT_FOUND */
  async getObject(
    bucket: string,
    key: string,
  ): Promise<{ object: StoredObject; bytes: Uint8Array; etag: string }> {
    const bucketPath = await this.#existingBucket(bucket)
    const path = isPlainKey(key) ? objectPath(bucketPath, key) : undefined
    const facts = path === undefined ? undefined : await this.#factsOf(path)
    if (path === undefined || facts === undefined || facts.isDirectory) {
      throw localError({ code: 'KEY_NOT_FOUND', key }, 'There is no such object.')
    }
    const bytes = await this.#files.readFile(path)
    const object = { key, size: bytes.length, modifiedMs: facts.modifiedMs }
    return { object, bytes, etag: etagOf(bytes) }
  }

  /** @throws AwsLocalError BUCKET_NOT_FOUND */
  async list(bucket: string, query: ListObjects): Promise<ObjectPage> {
    const bucketPath = await this.#existingBucket(bucket)
    const objects: StoredObject[] = []
    // Whole folders of the prefix need no looking into others.
    const folder = query.prefix.slice(0, query.prefix.lastIndexOf('/') + 1)
    if (folder === '' || isPlainKey(folder.slice(0, -1))) {
      await this.#walk(bucketPath, folder, query.prefix, objects)
    }
    objects.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
    return pageOf(objects, query)
  }

  async buckets(): Promise<readonly string[]> {
    if (!(await this.#files.exists(this.#directory))) return []
    const names = (await this.#files.list(this.#directory)).filter(isBucketName)
    const areBuckets = await Promise.all(names.map((name) => this.hasBucket(name)))
    return names.filter((_, index) => areBuckets[index])
  }

  async *keys(bucket: string): AsyncGenerator<string> {
    // What is no key was put there by hand.
    for await (const path of this.#filesOf(bucket)) if (isPlainKey(path)) yield path
  }

  async *read(bucket: string, key: string): AsyncGenerator<Uint8Array> {
    const path = objectPath(this.#bucketPath(bucket), key)
    if ((await this.#factsOf(path))?.isDirectory !== false) {
      const shortMessage = 'There is no such object any more.'
      throw new ExportError({ code: 'OBJECT_MISSING', key }, { shortMessage })
    }
    const file = await this.#files.open(path, 'read')
    try {
      const size = file.sizeSync()
      for (let at = 0; at < size; at += pieceBytesSize) {
        const piece = new Uint8Array(Math.min(pieceBytesSize, size - at))
        yield piece.subarray(0, file.readSync(piece, at))
      }
    } finally {
      await file.close()
    }
  }

  replace(bucket: string, key: string, bytes: Uint8Array): Promise<void> {
    return this.put(bucket, key, bytes)
  }

  /**
   * What writes left behind that a crash cut off: it may hold what is redacted later. Not while anything is written.
   * @returns How many there were.
   */
  async removeTemporaryFiles(): Promise<number> {
    let count = 0
    for (const bucket of await this.buckets()) {
      for await (const path of this.#filesOf(bucket)) {
        if (!temporaryName.test(path)) continue
        await this.#files.remove(`${this.#bucketPath(bucket)}/${path}`)
        count++
      }
    }
    return count
  }

  /** Paths of all files below a bucket, in no order. */
  async *#filesOf(bucket: string, folder = ''): AsyncGenerator<string> {
    const bucketPath = this.#bucketPath(bucket)
    for (const name of await this.#files.list(`${bucketPath}/${folder}`)) {
      const path = folder + name
      const facts = await this.#factsOf(`${bucketPath}/${path}`)
      if (facts?.isDirectory === true) yield* this.#filesOf(bucket, `${path}/`)
      else if (facts !== undefined) yield path
    }
  }

  async #walk(
    bucketPath: string,
    folder: string,
    prefix: string,
    objects: StoredObject[],
  ): Promise<void> {
    const facts = await this.#factsOf(`${bucketPath}/${folder}`)
    if (facts?.isDirectory !== true) return
    for (const name of await this.#files.list(`${bucketPath}/${folder}`)) {
      const key = folder + name
      if (temporaryName.test(name)) continue
      if (!key.startsWith(prefix) && !prefix.startsWith(`${key}/`)) continue
      const found = await this.#factsOf(`${bucketPath}/${key}`)
      if (found === undefined) continue
      if (found.isDirectory) await this.#walk(bucketPath, `${key}/`, prefix, objects)
      else objects.push({ key, size: found.size, modifiedMs: found.modifiedMs })
      if (objects.length > objectCountMax) {
        throw localError(
          { code: 'ARGUMENT_INVALID', argument: 'prefix' },
          `More than ${objectCountMax} objects have this prefix.`,
        )
      }
    }
  }

  #bucketPath(bucket: string): string {
    if (isBucketName(bucket)) return `${this.#directory}/${bucket}`
    throw localError(
      { code: 'BUCKET_NAME_INVALID', bucket },
      'The specified bucket is not valid: 3 to 63 lower-case letters, digits, dots and hyphens, and no ' +
        `path of this server (${reservedNames.join(', ')}).`,
    )
  }

  async #existingBucket(bucket: string): Promise<string> {
    if (await this.hasBucket(bucket)) return this.#bucketPath(bucket)
    throw localError(
      { code: 'BUCKET_NOT_FOUND', bucket },
      'The specified bucket does not exist. Create it first.',
    )
  }

  /** Each folder made on the way is made durable in the one above it. */
  async #makeFolder(bucketPath: string, folder: string, key: string): Promise<void> {
    if (folder.length <= bucketPath.length) return
    const facts = await this.#factsOf(folder)
    if (facts?.isDirectory === true) return
    if (facts !== undefined) throw invalidKey(key)
    const parent = folder.slice(0, folder.lastIndexOf('/'))
    await this.#makeFolder(bucketPath, parent, key)
    await this.#files.makeDirectory(folder)
    await this.#files.syncDirectory(parent)
  }
}

export function etagOf(bytes: Uint8Array): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`
}

/** The last ones: links that somebody made in a circle. */
const nothingThereCodes = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']

async function factsOfPath(path: string): Promise<PathFacts | undefined> {
  try {
    const facts = await stat(path)
    return {
      isDirectory: facts.isDirectory(),
      size: facts.size,
      modifiedMs: Math.trunc(facts.mtimeMs),
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== undefined && nothingThereCodes.includes(code)) return undefined
    throw error
  }
}

function isBucketName(bucket: string): boolean {
  return bucketPattern.test(bucket) && !reservedNames.includes(bucket)
}

function isPlainKey(key: string): boolean {
  const parts = key.split('/')
  return (
    Buffer.byteLength(key) <= keyBytesMax &&
    // Control characters and what is a separator elsewhere.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    !/[\u0000-\u001f\u007f\\]/.test(key) &&
    parts.every(
      (part) =>
        part !== '' &&
        part !== '.' &&
        part !== '..' &&
        Buffer.byteLength(part) <= keyPartBytesMax &&
        !temporaryName.test(part),
    )
  )
}

function objectPath(bucketPath: string, key: string): string {
  if (!isPlainKey(key)) throw invalidKey(key)
  return `${bucketPath}/${key}`
}

function invalidKey(key: string) {
  return localError(
    { code: 'KEY_INVALID', key },
    'Here a key is the path of a file: no empty part, no "." or "..", no part that is an object itself.',
  )
}

/** The disk may have room again, or be writable again. */
function isPassing(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException).code === 'string' && !isLocalError(error)
}

function isLocalError(error: unknown): boolean {
  return (error as Error).name === 'AwsLocalError'
}

function pageOf(objects: readonly StoredObject[], query: ListObjects): ObjectPage {
  const { prefix, delimiter, startAfter, countMax } = query
  const taken: StoredObject[] = []
  const commonPrefixes: string[] = []
  for (const object of objects) {
    const at = delimiter === undefined ? -1 : object.key.indexOf(delimiter, prefix.length)
    const common = at < 0 ? undefined : object.key.slice(0, at + (delimiter as string).length)
    const entry = common ?? object.key
    if (startAfter !== '' && Buffer.compare(Buffer.from(entry), Buffer.from(startAfter)) <= 0) {
      continue
    }
    if (common !== undefined && common === commonPrefixes.at(-1)) continue
    if (taken.length + commonPrefixes.length >= countMax) {
      return { objects: taken, commonPrefixes, isTruncated: true }
    }
    if (common === undefined) taken.push(object)
    else commonPrefixes.push(common)
  }
  return { objects: taken, commonPrefixes, isTruncated: false }
}
