/**
 * The blocks of a ledger in order, from its files as they lie on the disk: for copies and exports. Nothing is changed,
 * and a server may be running on the folder.
 */
import type { FileSystem } from '@cairn/core'
import { decodeIon, type IonStruct } from '@cairn/ion'
import { type JournalRecord, nodeFileSystem, readJournal } from '@cairn/journal'
import type { LedgerDescription } from './api.ts'
import { blockOf } from './block-record.ts'
import { blockToIon } from './block-view.ts'
import { ledgerNotFound, listFolders } from './ledger-folder.ts'
import { catalogInfoOf } from './replay.ts'

export interface FolderBlock {
  readonly sequenceNo: number
  /** As GetBlock shows it. */
  readonly value: IonStruct
  /** The DDL of the block, which is no part of what GetBlock shows. */
  readonly catalogInfo: IonStruct | undefined
}

export interface LedgerFiles {
  readonly description: LedgerDescription
  readonly directory: string
}

/** @throws LedgerError LEDGER_NOT_FOUND */
export async function findLedgerFiles(
  root: string,
  name: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<LedgerFiles> {
  const folders = await listFolders(root, fileSystem)
  const found = folders.find(({ description }) => description.name === name)
  if (found === undefined) throw ledgerNotFound(root, name)
  return found
}

/**
 * @param directory Of one ledger.
 * @throws JournalError DAMAGED
 */
export async function* readFolderBlocks(
  directory: string,
  strandId: string,
  fileSystem: FileSystem = nodeFileSystem,
): AsyncGenerator<FolderBlock> {
  for await (const record of readJournal({ directory: `${directory}/journal`, fileSystem })) {
    yield folderBlockOf(record, strandId)
  }
}

export function folderBlockOf(record: JournalRecord, strandId: string): FolderBlock {
  const block = blockOf(record)
  const info = catalogInfoOf(block)
  return {
    sequenceNo: block.sequenceNo,
    value: blockToIon(strandId, block),
    catalogInfo: info === undefined ? undefined : (decodeIon(info) as IonStruct),
  }
}
