/**
 * Digests, blocks and proofs from a ledger's files as they lie on the disk, without opening the ledger: nothing is
 * changed, and a server may be running on the folder. The journal is read whole for each look.
 */
import { type FileSystem, fromUtf8 } from '@cairn/core'
import { nodeFileSystem, verifyJournal } from '@cairn/journal'
import { createMemoryNodeStore, MerkleTree, qldbHasher } from '@cairn/merkle'
import type { BlockAddress, LedgerDescription, LedgerDigest, ProvenValue } from './api.ts'
import { proveInBlock } from './block-proof.ts'
import { type BlockRecord, blockOf } from './block-record.ts'
import { blockRevisionToIon, blockToIon } from './block-view.ts'
import { LedgerError } from './errors.ts'

export interface LedgerFolder {
  readonly strandId: string
  /** Over the intact blocks from the first on. */
  digest(): Promise<LedgerDigest>
  /** @throws LedgerError ADDRESS_INVALID */
  block(address: BlockAddress, tip: BlockAddress): Promise<ProvenValue>
  /** @throws LedgerError ADDRESS_INVALID, DOCUMENT_NOT_FOUND */
  revision(address: BlockAddress, documentId: string, tip: BlockAddress): Promise<ProvenValue>
}

/** Ledgers that a data folder describes, those being deleted left out. */
export async function listFolders(
  root: string,
  fileSystem: FileSystem,
): Promise<{ description: LedgerDescription; directory: string }[]> {
  const out: { description: LedgerDescription; directory: string }[] = []
  if (!(await fileSystem.exists(`${root}/ledgers`))) return out
  for (const strandId of await fileSystem.list(`${root}/ledgers`)) {
    const directory = `${root}/ledgers/${strandId}`
    if (!(await fileSystem.exists(`${directory}/ledger.json`))) continue
    const text = fromUtf8(await fileSystem.readFile(`${directory}/ledger.json`))
    const description = JSON.parse(text) as LedgerDescription
    if (description.state !== 'DELETING') out.push({ description, directory })
  }
  return out
}

/** @throws LedgerError LEDGER_NOT_FOUND */
export async function openLedgerFolder(
  root: string,
  name: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<LedgerFolder> {
  const folders = await listFolders(root, fileSystem)
  const found = folders.find(({ description }) => description.name === name)
  if (found === undefined) throw ledgerNotFound(root, name)
  const { strandId } = found.description
  const read = (sequenceNo?: number) => readJournal(found.directory, fileSystem, sequenceNo)
  return {
    strandId,
    async digest() {
      const { tree } = await read()
      return { digest: tree.root(), tipAddress: { strandId, sequenceNo: tree.size - 1 } }
    },
    async block(address, tip) {
      const { tree, block } = await read(address.sequenceNo)
      return {
        value: blockToIon(strandId, known(block, address)),
        proof: inclusion(tree, address, tip),
      }
    },
    async revision(address, documentId, tip) {
      const { tree, block } = await read(address.sequenceNo)
      const { revision, path } = proveInBlock(known(block, address), documentId)
      return {
        value: blockRevisionToIon(address, known(block, address), revision),
        proof: [...path, ...inclusion(tree, address, tip)],
      }
    },
  }
}

/** The tree over all blocks, and the block with the number asked for. */
async function readJournal(
  directory: string,
  fileSystem: FileSystem,
  sequenceNo: number | undefined,
): Promise<{ tree: MerkleTree; block: BlockRecord | undefined }> {
  const tree = new MerkleTree(qldbHasher, createMemoryNodeStore())
  let block: BlockRecord | undefined
  await verifyJournal({
    directory: `${directory}/journal`,
    fileSystem,
    onRecord(record) {
      // What comes behind a gap has no place in the tree; `verifyLedgerDirectory` names the gap.
      if (record.sequenceNo !== tree.size) return
      tree.append(record.hash.slice())
      if (record.sequenceNo !== sequenceNo) return
      // The record is only lent.
      block = blockOf({
        sequenceNo,
        hash: record.hash.slice(),
        previousHash: record.previousHash.slice(),
        body: record.body.slice(),
      })
    },
  })
  return { tree, block }
}

function known(block: BlockRecord | undefined, { sequenceNo }: BlockAddress): BlockRecord {
  if (block !== undefined) return block
  throw addressInvalid('BlockAddress', `The folder has no intact block ${sequenceNo}.`)
}

function inclusion(tree: MerkleTree, address: BlockAddress, tip: BlockAddress): Uint8Array[] {
  if (tip.sequenceNo >= tree.size) {
    const last = tree.size - 1
    throw addressInvalid('DigestTipAddress', `The folder's last intact block is ${last}.`)
  }
  if (address.sequenceNo > tip.sequenceNo) {
    throw addressInvalid('BlockAddress', 'The block is younger than the digest.')
  }
  return tree.inclusionProof(address.sequenceNo, tip.sequenceNo + 1)
}

function addressInvalid(
  parameter: 'BlockAddress' | 'DigestTipAddress',
  shortMessage: string,
): LedgerError {
  return new LedgerError({ code: 'ADDRESS_INVALID', parameter }, { shortMessage })
}

export function ledgerNotFound(root: string, ledgerName: string): LedgerError {
  return new LedgerError(
    { code: 'LEDGER_NOT_FOUND', ledgerName },
    { shortMessage: `There is no ledger ${ledgerName} in ${root}.` },
  )
}
