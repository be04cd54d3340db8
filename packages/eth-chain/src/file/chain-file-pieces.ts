/** Chain files from the disk, unpacked when their names end in `.gz`. What is in them: chain-file.ts. */
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { chainFileInvalid } from './chain-file.ts'

/**
 * The bytes of a chain file.
 * @throws ChainError CHAIN_FILE_INVALID for what is no gzip or breaks off; the system's error when it cannot be read.
 */
export async function* readChainFilePieces(path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path)
  if (!path.endsWith('.gz')) {
    yield* file
    return
  }
  const unpacked = createGunzip()
  file.on('error', (error) => unpacked.destroy(error))
  let offset = 0
  try {
    for await (const piece of file.pipe(unpacked) as AsyncIterable<Uint8Array>) {
      offset += piece.length
      yield piece
    }
  } catch (error) {
    if (!isZlibError(error)) throw error
    throw chainFileInvalid(offset, `what is packed cannot be unpacked: ${error.message}`, error)
  } finally {
    file.destroy()
  }
}

function isZlibError(error: unknown): error is Error {
  if (!(error instanceof Error) || !('code' in error)) return false
  return typeof error.code === 'string' && error.code.startsWith('Z_')
}
