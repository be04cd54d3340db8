/** Where an export is read from: objects by their keys. A folder of files, such as a downloaded bucket, is one. */
import type { FileSystem } from '@cairn/core'
import { ExportError } from './errors.ts'

export interface ExportSource {
  /** All keys, in no order. */
  list(): Promise<string[]>
  /** @throws ExportError OBJECT_MISSING */
  read(key: string): AsyncIterable<Uint8Array>
}

const pieceBytesSize = 1024 * 1024
/** A folder with more is not the folder of an export. */
const keyCountMax = 1_000_000
const folderDepthMax = 32

/**
 * Keys are paths below `directory`. A key whose file is not there is looked for without its first folders, since the
 * prefix of the bucket is mostly left behind when an export is downloaded.
 */
export function folderSource(fileSystem: FileSystem, directory: string): ExportSource {
  return {
    async list() {
      const keys: string[] = []
      await listInto(fileSystem, directory, '', keys, 0)
      return keys
    },
    read: (key) => readPieces(fileSystem, directory, key),
  }
}

async function listInto(
  fileSystem: FileSystem,
  directory: string,
  prefix: string,
  keys: string[],
  depth: number,
): Promise<void> {
  for (const name of await fileSystem.list(`${directory}/${prefix}`)) {
    const key = `${prefix}${name}`
    // Objects of an export have a dot in their names, and folders none; so no file has to be looked at.
    if (name.includes('.')) keys.push(key)
    else if (depth < folderDepthMax) {
      await listInto(fileSystem, directory, `${key}/`, keys, depth + 1).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error
      })
    }
    if (keys.length > keyCountMax) throw tooMany(directory)
  }
}

async function* readPieces(
  fileSystem: FileSystem,
  directory: string,
  key: string,
): AsyncGenerator<Uint8Array> {
  const path = await pathOf(fileSystem, directory, key)
  const file = await fileSystem.open(path, 'read')
  try {
    const size = file.sizeSync()
    for (let at = 0; at < size; at += pieceBytesSize) {
      const piece = new Uint8Array(Math.min(pieceBytesSize, size - at))
      const count = file.readSync(piece, at)
      yield piece.subarray(0, count)
    }
  } finally {
    await file.close()
  }
}

async function pathOf(fileSystem: FileSystem, directory: string, key: string): Promise<string> {
  const parts = key.split('/')
  const isSafe = !parts.some((part) => part === '..' || part === '.' || part.includes('\0'))
  for (let skipped = 0; isSafe && skipped < parts.length; skipped++) {
    const path = `${directory}/${parts.slice(skipped).join('/')}`
    if (await fileSystem.exists(path)) return path
  }
  throw new ExportError(
    { code: 'OBJECT_MISSING', key },
    {
      shortMessage: 'An object of the export is missing.',
      metaMessages: [`Key: ${key}`, `Looked for below: ${directory}`, 'Download it again.'],
    },
  )
}

function tooMany(place: string): ExportError {
  return new ExportError(
    { code: 'EXPORT_NOT_FOUND', place },
    {
      shortMessage: `The folder holds more than ${keyCountMax} files: it is not that of an export.`,
      metaMessages: [`Folder: ${place}`],
    },
  )
}
