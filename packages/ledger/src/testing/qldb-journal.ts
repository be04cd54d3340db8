/**
 * A journal as QLDB wrote them, made from one of ours: no header of ours in `entriesHashList`, hashes of unknown things
 * beside the content's, internal revisions where tables are made. For tests of imports; hashes are computed with the
 * parts of `@cairn/merkle` alone.
 */
import { sha256, utf8 } from '@cairn/core'
import {
  fieldOf,
  formatIon,
  hashIon,
  type IonStruct,
  type IonValue,
  ionBlob,
  ionList,
  ionRecord,
  ionStruct,
  parseIon,
} from '@cairn/ion'
import { dot, merkleRoot } from '@cairn/merkle'
import type { Ledger } from '../api.ts'

/** What GetBlock answers, block by block. */
export function blocksOf(ledger: Ledger): IonValue[] {
  const { strandId } = ledger
  const { sequenceNo: last } = ledger.digest().tipAddress
  return Array.from({ length: last + 1 }, (_, sequenceNo) =>
    // Through text, as a client has it.
    parseIon(formatIon(ledger.block({ strandId, sequenceNo }).value)),
  )
}

export function asQldbJournal(blocks: readonly IonValue[]): IonValue[] {
  let previousHash: Uint8Array = new Uint8Array(0)
  return blocks.map((block, sequenceNo) => {
    const made = asQldbBlock(block as IonStruct, sequenceNo, previousHash)
    previousHash = made.blockHash
    return made.value
  })
}

function asQldbBlock(
  block: IonStruct,
  sequenceNo: number,
  previousHash: Uint8Array,
): { value: IonValue; blockHash: Uint8Array } {
  const transactionInfo = fieldOf(block, 'transactionInfo') as IonValue
  const redactionInfo = fieldOf(block, 'redactionInfo')
  const revisions = [...valuesOf(fieldOf(block, 'revisions'))]
  const isDefining = /CREATE|DROP/.test(formatIon(transactionInfo))
  if (isDefining) {
    revisions.unshift(ionRecord({ hash: ionBlob(sha256(utf8(`internal ${sequenceNo}`))) }))
  }
  const hashes = [sha256(utf8(`unknown ${sequenceNo}`)), hashIon(transactionInfo)]
  if (revisions.length > 0) hashes.push(merkleRoot(revisions.map(hashOf)))
  if (redactionInfo !== undefined) hashes.push(hashIon(redactionInfo))
  hashes.push(sha256(utf8(`unknown too ${sequenceNo}`)))
  const entriesHash = merkleRoot(hashes)
  const blockHash = dot(entriesHash, previousHash)
  const changed: Record<string, IonValue> = {
    blockHash: ionBlob(blockHash),
    entriesHash: ionBlob(entriesHash),
    previousBlockHash: ionBlob(previousHash),
    entriesHashList: ionList(hashes.map((hash) => ionBlob(hash))),
  }
  const fields = block.fields
    .filter(({ name }) => name !== 'revisions')
    .map(({ name, value }) => ({ name, value: changed[String(name)] ?? value }))
  if (revisions.length > 0) fields.push({ name: 'revisions', value: ionList(revisions) })
  return { value: ionStruct(fields), blockHash }
}

function valuesOf(value: IonValue | undefined): readonly IonValue[] {
  return value?.type === 'list' ? value.values : []
}

function hashOf(revision: IonValue): Uint8Array {
  const hash = revision.type === 'struct' ? fieldOf(revision, 'hash') : undefined
  if (hash?.type !== 'blob') throw new Error('a revision without a hash')
  return hash.value
}
