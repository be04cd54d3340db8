/** Builds blocks for tests, native and as QLDB made them, and the ledger of seven that trust 2.5 gives vectors for. */
import { emptyBytes, sha256 } from '@cairn/core'
import {
  hashIon,
  type IonStruct,
  type IonTimestamp,
  type IonValue,
  ionBlob,
  ionInt,
  ionList,
  ionRecord,
  ionString,
  ionStruct,
  ionTimestampFromMs,
} from '@cairn/ion'
import {
  type BlockItem,
  createMemoryNodeStore,
  dot,
  encodeBlockHeader,
  encodeRevisionLeaf,
  listRoot,
  MerkleTree,
  merkleRoot,
  qldbHasher,
  tlogHasher,
  tlogLeafHash,
} from '@cairn/merkle'
import { type Block, parseBlock, revisionHash, statementDigest } from '../src/index.ts'

export const strandId = 'CairnTestStrand0000001'
export const tableId = 'CairnTestTable00000001'

export interface RevisionPlan {
  readonly id: string
  readonly version?: number
  /** Left out for a deletion, unless there is `dataHash`. */
  readonly data?: IonStruct
  readonly dataHash?: Uint8Array
}

export interface BlockPlan {
  readonly sequenceNo: number
  readonly revisions?: readonly RevisionPlan[]
  /** Statement texts with the hashes of their parameters. */
  readonly statements?: readonly (readonly [string, ...Uint8Array[]])[]
  readonly previousBlockHash?: Uint8Array
  readonly catalogInfoHash?: Uint8Array
  readonly redaction?: { readonly sequenceNo: number; readonly id: string }
  /** Without it the block has QLDB's items only. Default true. */
  readonly isNative?: boolean
  /** Opaque items before all others; for blocks that are not native. */
  readonly opaque?: readonly Uint8Array[]
  readonly timeMs?: number
}

export function transactionIdOf(sequenceNo: number): string {
  return `CairnTestTxn${String(sequenceNo).padStart(10, '0')}`
}

export function address(sequenceNo: number): IonStruct {
  return ionRecord({ strandId: ionString(strandId), sequenceNo: ionInt(sequenceNo) })
}

export function buildBlock(plan: BlockPlan): IonStruct {
  const { sequenceNo, previousBlockHash = emptyBytes, revisions = [], isNative = true } = plan
  const transactionId = transactionIdOf(sequenceNo)
  const time = ionTimestampFromMs(plan.timeMs ?? Date.UTC(2026, 0, 1) + sequenceNo * 1000)
  const transactionInfo = transactionInfoOf(plan, time)
  const redactionInfo = plan.redaction && redactionInfoOf(plan.redaction)
  const metadata = revisions.map(({ id, version = 0 }) =>
    ionRecord({
      id: ionString(id),
      version: ionInt(version),
      txTime: time,
      txId: ionString(transactionId),
    }),
  )
  const hashes = revisions.map(({ data, dataHash }, i) =>
    revisionHash({ metadata: metadata[i] as IonValue, data, dataHash }),
  )
  const leaves = revisions.map(({ data, dataHash }, i) => {
    const second = data === undefined ? dataHash : hashIon(data)
    const first = hashIon(metadata[i] as IonValue)
    return encodeRevisionLeaf({
      kind: second === undefined ? 'deletion' : 'data',
      tableId,
      hashes: second === undefined ? [first] : [first, second],
    })
  })
  const items: BlockItem[] = (plan.opaque ?? []).map((hash) => ({ role: 'opaque', hash }))
  items.push({ role: 'transactionInfo', hash: hashIon(transactionInfo) })
  if (hashes.length > 0) items.push({ role: 'revisionsRoot', hash: merkleRoot(hashes) })
  if (redactionInfo) items.push({ role: 'redactionInfo', hash: hashIon(redactionInfo) })
  if (plan.catalogInfoHash) items.push({ role: 'catalogInfo', hash: plan.catalogInfoHash })
  const list = items.map((item) => item.hash)
  if (isNative) {
    const header = encodeBlockHeader({
      strandId,
      sequenceNo,
      transactionId,
      blockTimestamp: new Date(
        plan.timeMs ?? Date.UTC(2026, 0, 1) + sequenceNo * 1000,
      ).toISOString(),
      previousBlockHash,
      items,
      revisionCount: revisions.length,
      revisionsTree: listRoot(tlogHasher, leaves.map(tlogLeafHash)),
    })
    list.push(sha256(header))
  }
  const entriesHash = merkleRoot(list)
  return ionRecord({
    blockAddress: address(sequenceNo),
    transactionId: ionString(transactionId),
    blockTimestamp: time,
    blockHash: ionBlob(dot(entriesHash, previousBlockHash)),
    entriesHash: ionBlob(entriesHash),
    previousBlockHash: ionBlob(previousBlockHash),
    entriesHashList: ionList(list.map((hash) => ionBlob(hash))),
    transactionInfo,
    ...(redactionInfo && { redactionInfo }),
    ...(revisions.length > 0 && {
      revisions: ionList(
        revisions.map(({ data, dataHash }, i) =>
          ionRecord({
            blockAddress: address(sequenceNo),
            hash: ionBlob(hashes[i] as Uint8Array),
            ...(data && { data }),
            ...(dataHash && { dataHash: ionBlob(dataHash) }),
            metadata: metadata[i] as IonValue,
          }),
        ),
      ),
    }),
  })
}

function transactionInfoOf(plan: BlockPlan, time: IonTimestamp): IonStruct {
  const { revisions = [], statements = [] } = plan
  const documents = revisions.map(({ id }, i) => ({
    name: id,
    value: ionRecord({
      tableName: ionString('T'),
      tableId: ionString(tableId),
      statements: ionList([ionInt(Math.min(i, Math.max(0, statements.length - 1)))]),
    }),
  }))
  return ionRecord({
    statements: ionList(
      statements.map(([statement, ...parameterHashes]) =>
        ionRecord({
          statement: ionString(statement),
          startTime: time,
          statementDigest: ionBlob(statementDigest(statement, parameterHashes)),
        }),
      ),
    ),
    ...(documents.length > 0 && { documents: ionStruct(documents) }),
  })
}

function redactionInfoOf(redaction: { sequenceNo: number; id: string }): IonStruct {
  return ionRecord({
    revisions: ionList([
      ionRecord({
        blockAddress: address(redaction.sequenceNo),
        tableId: ionString(tableId),
        documentId: ionString(redaction.id),
        version: ionInt(0),
      }),
    ]),
  })
}

/** Blocks in a chain: each plan gets its number and the hash before it. */
export function buildChain(plans: readonly Omit<BlockPlan, 'sequenceNo'>[]): IonStruct[] {
  const blocks: IonStruct[] = []
  let previousBlockHash = emptyBytes
  for (const [sequenceNo, plan] of plans.entries()) {
    const block = buildBlock({ ...plan, sequenceNo, previousBlockHash })
    previousBlockHash = parseBlock(block).blockHash
    blocks.push(block)
  }
  return blocks
}

export function documentIdOf(sequenceNo: number, j: number): string {
  return `CairnTestDoc00000000${sequenceNo}${j}`
}

/** The seven blocks of trust 2.5. */
export function buildVectorLedger(): IonStruct[] {
  const revisionCounts = [0, 1, 1, 1, 1, 3]
  const plans: Omit<BlockPlan, 'sequenceNo'>[] = revisionCounts.map((count, i) => {
    const revisions = Array.from({ length: count }, (_, j) => ({
      id: documentIdOf(i, j),
      data: ionRecord({ n: ionInt(10 * i + j) }),
    }))
    return {
      revisions,
      statements: revisions.map(({ data }) => ['INSERT INTO T ?', hashIon(data)] as const),
    }
  })
  plans.push({
    revisions: [{ id: documentIdOf(1, 0), version: 1 }],
    statements: [['DELETE FROM T']],
  })
  return buildChain(plans)
}

/** The QLDB tree over the hashes of `blocks`. */
export function treeOf(blocks: readonly Block[]): MerkleTree {
  const tree = new MerkleTree(qldbHasher, createMemoryNodeStore())
  for (const block of blocks) tree.append(block.blockHash)
  return tree
}

/** `struct` with some fields replaced, or left out where the value is undefined. */
export function withFields(
  struct: IonStruct,
  changes: Readonly<Record<string, IonValue | undefined>>,
): IonStruct {
  const entries = struct.fields.map(({ name, value }) => [String(name), value] as const)
  const changed = Object.entries({ ...Object.fromEntries(entries), ...changes })
  return ionStruct(
    changed.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
  )
}
