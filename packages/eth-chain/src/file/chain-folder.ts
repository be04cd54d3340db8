/**
 * The data folder of a node, laid out as geth's: who holds it, the chain's database, the record of what was sealed.
 *
 *   D/geth/chaindata/        LMDB: chain and state
 *   D/geth/sealed-ADDRESS    what a key has sealed (seal-record-file.ts)
 *   D/geth/transactions.rlp  local transactions that wait (pool-journal.ts)
 */
import type { FileSystem } from '@cairn/core'
import {
  type Database,
  type DatabaseReplica,
  type LmdbOptions,
  openLmdbDatabase,
  openLmdbReplica,
} from '@cairn/eth-state'
import { type DirectoryLock, lockDirectory } from '@cairn/journal'
import type { SealRecordStore } from '../clique/seal-record.ts'
import { SealRecordFile } from './seal-record-file.ts'

export interface ChainFolder {
  readonly database: Database
  /** @param address `0x` and 40 lower-case digits. */
  sealRecord(address: string): SealRecordStore
  /** Everything written is on the disk afterwards, and the folder is free. */
  close(): Promise<void>
}

/**
 * Opens, or makes, the folder and keeps other processes out of it.
 * @throws JournalError LOCKED when another node runs on it.
 */
export async function openChainFolder(
  directory: string,
  fileSystem: FileSystem,
): Promise<ChainFolder> {
  const lock = await lockChainFolder(directory)
  try {
    const folder = openLockedChainFolder(directory, fileSystem)
    return {
      ...folder,
      async close() {
        await folder.close()
        await lock.release()
      },
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Keeps other processes out of a folder whose chain a thread of this one opens. @throws JournalError LOCKED */
export function lockChainFolder(directory: string): Promise<DirectoryLock> {
  return lockDirectory(gethOf(directory))
}

/** The chain of a folder that this process has locked. @throws StateError */
export function openLockedChainFolder(
  directory: string,
  fileSystem: FileSystem,
  options: LmdbOptions = {},
): ChainFolder {
  const database = openLmdbDatabase(chainDataOf(directory), options)
  const records = new Map<string, SealRecordFile>()
  return {
    database,
    sealRecord(address) {
      const path = `${gethOf(directory)}/sealed-${address}`
      const record = records.get(address) ?? new SealRecordFile(path, fileSystem)
      records.set(address, record)
      return record
    },
    async close() {
      for (const record of records.values()) await record.close()
      await database.close()
    },
  }
}

/** The chain of a folder that another thread of this process has opened, to read from. */
export function openChainFolderReplica(directory: string): DatabaseReplica {
  return openLmdbReplica(chainDataOf(directory))
}

const gethOf = (directory: string): string => `${directory}/geth`
const chainDataOf = (directory: string): string => `${gethOf(directory)}/chaindata`
