/**
 * Blocks and revisions as QLDB shows them: the Ion structs of qldb-compat 3.2 and 3.3, made from journal records.
 * Field names, their order and the form of times are what the published verifiers re-serialise; nothing is added.
 */
import {
  decodeIon,
  type IonField,
  type IonStruct,
  type IonValue,
  ionBlob,
  ionInt,
  ionList,
  ionRecord,
  ionString,
  ionStruct,
  ionTimestampFromMs,
} from '@cairn/ion'
import { merkleRoot } from '@cairn/merkle'
import type { BlockAddress } from './api.ts'
import type { BlockRecord, BlockRedaction, BlockRevision, BlockStatement } from './block-record.ts'

/** The time of a block or revision as Ion text: milliseconds and `Z`. */
export function timestampText(timestampMs: number): string {
  return new Date(timestampMs).toISOString()
}

export function addressToIon({ strandId, sequenceNo }: BlockAddress): IonStruct {
  return ionRecord({ strandId: ionString(strandId), sequenceNo: ionInt(sequenceNo) })
}

export function metadataToIon(metadata: {
  readonly documentId: string
  readonly version: number
  readonly transactionTimeMs: number
  readonly transactionId: string
}): IonStruct {
  return ionRecord({
    id: ionString(metadata.documentId),
    version: ionInt(metadata.version),
    txTime: ionTimestampFromMs(metadata.transactionTimeMs),
    txId: ionString(metadata.transactionId),
  })
}

/** What a revision needs to be shown. */
export type ShownRevision = Pick<
  BlockRevision,
  'documentId' | 'version' | 'transactionTimeMs' | 'hash' | 'dataHash'
> & {
  readonly transactionId: string
  /** The decoded document; absent for deletions and redactions. */
  readonly value: IonValue | undefined
}

export function revisionToIon(address: BlockAddress, revision: ShownRevision): IonStruct {
  const fields: IonField[] = [
    { name: 'blockAddress', value: addressToIon(address) },
    { name: 'hash', value: ionBlob(revision.hash) },
  ]
  if (revision.value !== undefined) fields.push({ name: 'data', value: revision.value })
  else if (revision.dataHash !== undefined) {
    fields.push({ name: 'dataHash', value: ionBlob(revision.dataHash) })
  }
  fields.push({ name: 'metadata', value: metadataToIon(revision) })
  return ionStruct(fields)
}

export function blockRevisionToIon(
  address: BlockAddress,
  block: Pick<BlockRecord, 'transactionId'>,
  revision: BlockRevision,
): IonStruct {
  if (revision.isHashOnly) return ionRecord({ hash: ionBlob(revision.hash) })
  return revisionToIon(address, {
    documentId: revision.documentId,
    version: revision.version,
    transactionTimeMs: revision.transactionTimeMs,
    hash: revision.hash,
    dataHash: revision.dataHash,
    transactionId: block.transactionId,
    value: revision.data === undefined ? undefined : decodeIon(revision.data),
  })
}

export function transactionInfoToIon(
  statements: readonly BlockStatement[],
  revisions: readonly Pick<BlockRevision, 'documentId' | 'tableName' | 'tableId' | 'statements'>[],
): IonStruct {
  const fields: IonField[] = [
    {
      name: 'statements',
      value: ionList(
        statements.map(({ text, startTimeMs, digest }) =>
          ionRecord({
            statement: ionString(text),
            startTime: ionTimestampFromMs(startTimeMs),
            statementDigest: ionBlob(digest),
          }),
        ),
      ),
    },
  ]
  if (revisions.length > 0) {
    const documents = revisions.map((revision) => ({
      name: revision.documentId,
      value: ionRecord({
        tableName: ionString(revision.tableName),
        tableId: ionString(revision.tableId),
        statements: ionList(revision.statements.map((index) => ionInt(index))),
      }),
    }))
    fields.push({ name: 'documents', value: ionStruct(documents) })
  }
  return ionStruct(fields)
}

function transactionInfoOf({ imported, statements, revisions }: BlockRecord): IonValue {
  if (imported !== undefined) return decodeIon(imported.transactionInfo)
  return transactionInfoToIon(statements, revisions)
}

function redactionInfoOf(
  strandId: string,
  { imported, redactions }: BlockRecord,
): IonValue | undefined {
  if (imported?.redactionInfo !== undefined) return decodeIon(imported.redactionInfo)
  return redactions.length === 0 ? undefined : redactionInfoToIon(strandId, redactions)
}

/** What a block says of the revisions whose data its transaction took out of the ledger. */
export function redactionInfoToIon(
  strandId: string,
  redactions: readonly BlockRedaction[],
): IonStruct {
  const revisions = redactions.map((redaction) => redactionToIon(strandId, redaction))
  return ionRecord({ revisions: ionList(revisions) })
}

/** One redaction, as in the block and as `EXEC REDACT_REVISION` answers it. */
export function redactionToIon(
  strandId: string,
  { sequenceNo, tableId, documentId, version }: BlockRedaction,
): IonStruct {
  return ionRecord({
    blockAddress: addressToIon({ strandId, sequenceNo }),
    tableId: ionString(tableId),
    documentId: ionString(documentId),
    version: ionInt(version),
  })
}

/** `entriesHashList` of a block, the header's own entry last; blocks that QLDB made have none. */
export function entriesHashList(block: BlockRecord): Uint8Array[] {
  const hashes = block.items.map(({ hash }) => hash)
  if (block.imported?.form !== 'imported') hashes.push(block.headerHash)
  return hashes
}

export function blockToIon(strandId: string, block: BlockRecord): IonStruct {
  const address = { strandId, sequenceNo: block.sequenceNo }
  const entries = entriesHashList(block)
  const fields: IonField[] = [
    { name: 'blockAddress', value: addressToIon(address) },
    { name: 'transactionId', value: ionString(block.transactionId) },
    { name: 'blockTimestamp', value: ionTimestampFromMs(block.timestampMs) },
    { name: 'blockHash', value: ionBlob(block.blockHash) },
    { name: 'entriesHash', value: ionBlob(merkleRoot(entries)) },
    { name: 'previousBlockHash', value: ionBlob(block.previousBlockHash) },
    { name: 'entriesHashList', value: ionList(entries.map((hash) => ionBlob(hash))) },
    { name: 'transactionInfo', value: transactionInfoOf(block) },
  ]
  const redactionInfo = redactionInfoOf(strandId, block)
  if (redactionInfo !== undefined) fields.push({ name: 'redactionInfo', value: redactionInfo })
  if (block.revisions.length > 0) {
    const revisions = block.revisions.map((it) => blockRevisionToIon(address, block, it))
    fields.push({ name: 'revisions', value: ionList(revisions) })
  }
  return ionStruct(fields)
}
