/**
 * The blocks of a ledger in order, from its files as they lie on the disk: for copies and exports. Nothing is changed,
 * and a server may be running on the folder.
 */
import type { FileSystem } from '@cairn/core'
import { decodeIon, hashIonBytes, type IonStruct } from '@cairn/ion'
import { type JournalRecord, nodeFileSystem, readJournal } from '@cairn/journal'
import type { LedgerDescription } from './api.ts'
import { blockOf, eraseInBody } from './block-record.ts'
import { blockToIon } from './block-view.ts'
import { ledgerNotFound, listFolders } from './ledger-folder.ts'
import { redactionsOf } from './redaction.ts'
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
 * The blocks as they are shown: also what was redacted a moment ago and still lies in the files is redacted here.
 * @param directory Of one ledger.
 * @throws JournalError DAMAGED
 */
export async function* readFolderBlocks(
  directory: string,
  strandId: string,
  fileSystem: FileSystem = nodeFileSystem,
): AsyncGenerator<FolderBlock> {
  const redactedKeys = await readRedactedKeys(directory, fileSystem)
  for await (const record of readJournal({ directory: `${directory}/journal`, fileSystem })) {
    yield folderBlockOf(withoutRedacted(record, redactedKeys), strandId)
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

/** What the blocks of a ledger say was redacted. Read before copying: a later block says so of an earlier one. */
export async function readRedactedKeys(
  directory: string,
  fileSystem: FileSystem,
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>()
  for await (const record of readJournal({ directory: `${directory}/journal`, fileSystem })) {
    for (const { sequenceNo, documentId, version } of redactionsOf(blockOf(record))) {
      keys.add(keyOf(sequenceNo, documentId, version))
    }
  }
  return keys
}

/** The record with hashes in place of data that was redacted and is not erased yet. */
export function withoutRedacted(record: JournalRecord, keys: ReadonlySet<string>): JournalRecord {
  if (keys.size === 0) return record
  const { sequenceNo, revisions } = blockOf(record)
  const ordinals = new Set<number>()
  for (const [ordinal, { documentId, version, data }] of revisions.entries()) {
    if (data === undefined) continue
    if (keys.has(keyOf(sequenceNo, documentId, version))) ordinals.add(ordinal)
  }
  if (ordinals.size === 0) return record
  return { ...record, body: eraseInBody(record.body, ordinals, hashIonBytes) ?? record.body }
}

function keyOf(sequenceNo: number, documentId: string, version: number): string {
  return `${sequenceNo}:${documentId}:${version}`
}
