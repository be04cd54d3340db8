/**
 * Blocks, receipts and their indexes in tables. Hashes are `0x` and 64 digits outside of here, bytes inside.
 *
 *   headers        block hash                       → header
 *   bodies         block hash                       → transactions and uncles
 *   difficulties   block hash                       → total difficulty
 *   senders        block hash                       → 20 bytes a transaction
 *   receipts       block hash                       → receipts without blooms
 *   canonical      block number u64                 → block hash
 *   places         transaction hash                 → block number u64, index u32      canonical chain only
 *   postings       kind u8 ‖ value ‖ number u64     → nothing: a block that has logs of the address or topic
 *   chainMeta      "head", "genesis", "genesisFile", "config", "stateSuffix": which tables hold the state
 *   snapshots      block hash                       → Clique snapshot as JSON
 */
import { concatBytes, fromUtf8, utf8 } from '@cairn/core'
import {
  type Block,
  type BlockBody,
  type BlockHeader,
  blockBodyFromRlp,
  blockBodyToRlp,
  dataFromHex,
  dataToHex,
  decodeBlockHeader,
  decodeRlp,
  encodeBlockHeader,
  encodeRlp,
  type Receipt,
  transactionHash,
} from '@cairn/eth-codec'
import { type Database, RecentMap, type Table } from '@cairn/eth-state'
import type { CliqueSnapshot } from '../clique/snapshot.ts'
import { snapshotFromJson, snapshotToJson } from '../clique/snapshot-json.ts'
import { chainDamaged } from '../errors.ts'
import { decodePlace, decodeU64, encodePlace, encodeU64 } from './keys.ts'
import { decodeReceipts, encodeReceipts } from './stored-receipts.ts'

/** Decoded and in memory, up to twice as many. A full block may hold a megabyte, a header has 600 bytes. */
const headerCountMax = 2048
const blockCountMax = 32
const receiptsCountMax = 32

const noBytes = new Uint8Array(0)

/** Kinds of postings: an address, or a topic by its position. */
export const addressPosting = 0
export const topicPostingFirst = 1

/** A block with what belongs to it once it has been executed. */
export interface ExecutedBlock {
  readonly block: Block
  /** `0x` and 64 digits. */
  readonly hash: string
  readonly totalDifficulty: bigint
  /** Of each transaction, 20 bytes. */
  readonly senders: readonly Uint8Array[]
  readonly receipts: readonly Receipt[]
}

export class ChainStore {
  readonly #headers: Table
  readonly #bodies: Table
  readonly #difficulties: Table
  readonly #senders: Table
  readonly #receipts: Table
  readonly #canonical: Table
  readonly #places: Table
  readonly #postings: Table
  readonly #meta: Table
  readonly #snapshots: Table
  readonly #recentHeaders = new RecentMap<BlockHeader>(headerCountMax)
  readonly #recentBodies = new RecentMap<BlockBody>(blockCountMax)
  readonly #recentReceipts = new RecentMap<readonly Receipt[]>(receiptsCountMax)

  constructor(database: Database) {
    this.#headers = database.table('headers')
    this.#bodies = database.table('bodies')
    this.#difficulties = database.table('difficulties')
    this.#senders = database.table('senders')
    this.#receipts = database.table('receipts')
    this.#canonical = database.table('canonical')
    this.#places = database.table('places')
    this.#postings = database.table('postings')
    this.#meta = database.table('chainMeta')
    this.#snapshots = database.table('snapshots')
  }

  // ---- reading ----

  /** Of any branch. */
  headerByHash(hash: string): BlockHeader | undefined {
    const known = this.#recentHeaders.get(hash)
    if (known !== undefined) return known
    const bytes = this.#headers.get(dataFromHex(hash))
    if (bytes === undefined) return undefined
    const header = decodeBlockHeader(bytes)
    this.#recentHeaders.set(hash, header)
    return header
  }

  hasBody(hash: string): boolean {
    return this.#recentBodies.get(hash) !== undefined || this.#hasRow(this.#bodies, hash)
  }

  bodyByHash(hash: string): BlockBody | undefined {
    const known = this.#recentBodies.get(hash)
    if (known !== undefined) return known
    const bytes = this.#bodies.get(dataFromHex(hash))
    if (bytes === undefined) return undefined
    const body = blockBodyFromRlp(decodeRlp(bytes))
    this.#recentBodies.set(hash, body)
    return body
  }

  blockByHash(hash: string): Block | undefined {
    const header = this.headerByHash(hash)
    const body = header === undefined ? undefined : this.bodyByHash(hash)
    return header === undefined || body === undefined ? undefined : { header, ...body }
  }

  totalDifficulty(hash: string): bigint | undefined {
    const bytes = this.#difficulties.get(dataFromHex(hash))
    return bytes === undefined || bytes.length === 0 ? undefined : BigInt(dataToHex(bytes))
  }

  /** Of blocks that were executed. */
  receiptsByHash(hash: string): readonly Receipt[] | undefined {
    const known = this.#recentReceipts.get(hash)
    if (known !== undefined) return known
    const bytes = this.#receipts.get(dataFromHex(hash))
    if (bytes === undefined) return undefined
    const receipts = decodeReceipts(bytes)
    this.#recentReceipts.set(hash, receipts)
    return receipts
  }

  /** Of each transaction of a block that was executed. */
  sendersByHash(hash: string): Uint8Array[] | undefined {
    const bytes = this.#senders.get(dataFromHex(hash))
    if (bytes === undefined) return undefined
    return Array.from({ length: bytes.length / 20 }, (_, i) => bytes.subarray(20 * i, 20 * i + 20))
  }

  canonicalHash(number: bigint): string | undefined {
    const hash = this.#canonical.get(encodeU64(number))
    return hash === undefined ? undefined : dataToHex(hash)
  }

  headerByNumber(number: bigint): BlockHeader | undefined {
    const hash = this.canonicalHash(number)
    return hash === undefined ? undefined : this.headerByHash(hash)
  }

  blockByNumber(number: bigint): Block | undefined {
    const hash = this.canonicalHash(number)
    return hash === undefined ? undefined : this.blockByHash(hash)
  }

  isCanonical(hash: string, number: bigint): boolean {
    return this.canonicalHash(number) === hash
  }

  /** Of an ancestor of the block whose parent is `parentHash`, on any branch. */
  ancestorHash(parentHash: string, parentNumber: bigint, wanted: bigint): Uint8Array | undefined {
    let hash: string | undefined = parentHash
    for (let at = parentNumber; hash !== undefined && at > wanted; at--) {
      if (this.isCanonical(hash, at)) {
        hash = this.canonicalHash(wanted)
        break
      }
      const header = this.headerByHash(hash)
      hash = header === undefined ? undefined : dataToHex(header.parentHash)
    }
    return hash === undefined ? undefined : dataFromHex(hash)
  }

  /** A canonical or remembered block with its receipts. */
  executedBlock(hash: string): ExecutedBlock | undefined {
    const block = this.blockByHash(hash)
    const receipts = this.receiptsByHash(hash)
    const senders = this.sendersByHash(hash)
    const totalDifficulty = this.totalDifficulty(hash)
    if (
      block === undefined ||
      receipts === undefined ||
      senders === undefined ||
      totalDifficulty === undefined
    ) {
      return undefined
    }
    return { block, hash, totalDifficulty, senders, receipts }
  }

  /** Where a transaction is on the canonical chain. */
  placeOf(hash: Uint8Array): { readonly number: bigint; readonly index: number } | undefined {
    const bytes = this.#places.get(hash)
    return bytes === undefined ? undefined : decodePlace(bytes)
  }

  headHash(): string | undefined {
    return this.#readMetaHash('head')
  }

  genesisHash(): string | undefined {
    return this.#readMetaHash('genesis')
  }

  configJson(): string | undefined {
    return this.#readMetaText('config')
  }

  /** What the genesis block was made from. */
  genesisJson(): string | undefined {
    return this.#readMetaText('genesisFile')
  }

  /** Of the tables that hold the state: see `eth-state`. */
  stateSuffix(): string {
    return this.#readMetaText('stateSuffix') ?? ''
  }

  /** Blocks with logs of that address or topic, upwards; some may have left the canonical chain. */
  *postings(kind: number, value: Uint8Array, from: bigint, to: bigint): Generator<bigint> {
    const prefix = concatBytes(Uint8Array.of(kind), value)
    const start = concatBytes(prefix, encodeU64(from))
    const end = concatBytes(prefix, encodeU64(to + 1n))
    for (const { key } of this.#postings.range(start, end)) yield decodeU64(key, prefix.length)
  }

  readSnapshot(hash: string): CliqueSnapshot | undefined {
    const bytes = this.#snapshots.get(dataFromHex(hash))
    return bytes === undefined ? undefined : snapshotFromJson(JSON.parse(fromUtf8(bytes)))
  }

  /** After a write that failed: what was put was not written. */
  forgetRecent(): void {
    this.#recentHeaders.clear()
    this.#recentBodies.clear()
    this.#recentReceipts.clear()
  }

  // ---- writing, inside of a write ----

  putSnapshot(snapshot: CliqueSnapshot): void {
    const json = JSON.stringify(snapshotToJson(snapshot))
    this.#snapshots.put(dataFromHex(snapshot.hash), utf8(json))
  }

  /** A block of any branch, executed or not. */
  putBlock(block: Block, hash: string, totalDifficulty: bigint): void {
    const key = dataFromHex(hash)
    const { header, transactions, uncles } = block
    this.#headers.put(key, encodeBlockHeader(header))
    this.#bodies.put(key, encodeRlp(blockBodyToRlp({ transactions, uncles })))
    this.#difficulties.put(key, evenHexBytes(totalDifficulty))
    this.#recentHeaders.set(hash, header)
    this.#recentBodies.set(hash, { transactions, uncles })
  }

  /** Receipts and senders, and the block's place on the canonical chain. */
  putCanonical(executed: ExecutedBlock): void {
    const { block, hash, receipts, senders } = executed
    const key = dataFromHex(hash)
    const { number } = block.header
    this.#canonical.put(encodeU64(number), key)
    if (block.transactions.length === 0) {
      this.#receipts.put(key, emptyReceipts)
      this.#senders.put(key, noBytes)
      return
    }
    this.#receipts.put(key, encodeReceipts(receipts))
    this.#recentReceipts.set(hash, receipts)
    this.#senders.put(key, concatBytes(...senders))
    for (const [index, transaction] of block.transactions.entries()) {
      this.#places.put(transactionHash(transaction), encodePlace(number, index))
    }
    for (const posting of postingsOf(receipts)) {
      this.#postings.put(concatBytes(posting, encodeU64(number)), noBytes)
    }
  }

  /** Takes a block off the canonical chain; it stays known. */
  removeCanonical(block: Block): void {
    this.#canonical.remove(encodeU64(block.header.number))
    for (const transaction of block.transactions) this.#places.remove(transactionHash(transaction))
  }

  putHead(hash: string): void {
    this.#meta.put(utf8('head'), dataFromHex(hash))
  }

  putGenesis(hash: string, genesisJson: string, configJson: string): void {
    this.#meta.put(utf8('genesis'), dataFromHex(hash))
    this.#meta.put(utf8('genesisFile'), utf8(genesisJson))
    this.putConfig(configJson)
  }

  putStateSuffix(suffix: string): void {
    this.#meta.put(utf8('stateSuffix'), utf8(suffix))
  }

  putConfig(configJson: string): void {
    this.#meta.put(utf8('config'), utf8(configJson))
  }

  // ---- parts ----

  #readMetaHash(name: string): string | undefined {
    const bytes = this.#meta.get(utf8(name))
    return bytes === undefined ? undefined : dataToHex(bytes)
  }

  #readMetaText(name: string): string | undefined {
    const bytes = this.#meta.get(utf8(name))
    return bytes === undefined ? undefined : fromUtf8(bytes)
  }

  #hasRow(table: Table, hash: string): boolean {
    return table.getView(dataFromHex(hash)) !== undefined
  }
}

const emptyReceipts = Uint8Array.of(0xc0)

/** Each address and topic of the logs once. */
function postingsOf(receipts: readonly Receipt[]): Iterable<Uint8Array> {
  const found = new Map<string, Uint8Array>()
  const add = (kind: number, value: Uint8Array) => {
    const posting = concatBytes(Uint8Array.of(kind), value)
    found.set(dataToHex(posting), posting)
  }
  for (const { logs } of receipts) {
    for (const { address, topics } of logs) {
      add(addressPosting, address)
      for (const [index, topic] of topics.entries()) add(topicPostingFirst + index, topic)
    }
  }
  return found.values()
}

function evenHexBytes(value: bigint): Uint8Array {
  const digits = value.toString(16)
  return dataFromHex(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`)
}

/** @throws ChainError CHAIN_DAMAGED when it is undefined. */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw chainDamaged(`${what} is missing`)
  return value
}
