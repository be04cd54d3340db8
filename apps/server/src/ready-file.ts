/** The ready file: one JSON object that tells programs where a running server listens. Written whole by rename. */
import { dirname, resolve } from 'node:path'
import { type FileSystem, fromUtf8, utf8 } from '@cairn/core'
import type { EthereumInfo } from './ethereum/ethereum-service.ts'

export interface ReadyInfo {
  readonly pid: number
  readonly version: string
  /** The certificate authority to trust, in PEM. */
  readonly caFile: string
  /** A part that is not running is left out. */
  readonly endpoints: {
    readonly api: string
    readonly apiTls: string
    readonly ethereum?: EthereumInfo
  }
}

/** Later parts put private keys of development accounts into it. */
const readyFileMode = 0o600

export async function writeReadyFile(
  files: FileSystem,
  path: string,
  info: ReadyInfo,
): Promise<void> {
  await files.makeDirectory(dirname(resolve(path)))
  await files.writeFileAtomic(path, utf8(`${JSON.stringify(info, undefined, 2)}\n`), readyFileMode)
}

/** Undefined when there is no such file, or none that a server wrote. */
export async function readReadyFile(
  files: FileSystem,
  path: string,
): Promise<ReadyInfo | undefined> {
  if (!(await files.exists(path))) return undefined
  try {
    const info = JSON.parse(fromUtf8(await files.readFile(path))) as Partial<ReadyInfo>
    const isWhole =
      typeof info.pid === 'number' &&
      typeof info.caFile === 'string' &&
      typeof info.endpoints?.api === 'string'
    return isWhole ? (info as ReadyInfo) : undefined
  } catch {
    return undefined
  }
}

/** Removes the file unless another process has written its own meanwhile. */
export async function removeReadyFile(files: FileSystem, path: string, pid: number): Promise<void> {
  if ((await readReadyFile(files, path))?.pid === pid) await files.remove(path)
}
