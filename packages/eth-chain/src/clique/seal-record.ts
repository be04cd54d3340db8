/**
 * The record of what one key has sealed, which keeps it from ever sealing two different blocks on one parent: not
 * after a crash, a restart, or a fault of the caller's. It is on the disk before a block may leave, and holds the last
 * block whole, so that a crash never leaves the record of a block that is lost.
 *
 *   [[[block number, parent hash, seal hash]…], block]      RLP, blocks ascending by number
 */
import { assert, fromUtf8 } from '@cairn/core'
import {
  type Block,
  cliqueSealHash,
  dataFromHex,
  dataToHex,
  decodeBlock,
  decodeRlp,
  encodeBlock,
  encodeRlp,
  type RlpItem,
} from '@cairn/eth-codec'
import { decodeU64, encodeU64 } from '../store/keys.ts'

/** Where the record lies; one for each key. */
export interface SealRecordStore {
  read(): Promise<Uint8Array | undefined>
  /** Replaces the record, whole and durable before this resolves. A crash leaves either this one or that before. */
  write(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

export type SealClaim =
  | { readonly kind: 'granted' }
  /** Another block on the same parent was sealed before. */
  | { readonly kind: 'refused'; readonly sealHash: string }
  /** The block is below all that is remembered, so nobody knows whether it would be the second. */
  | { readonly kind: 'tooOld'; readonly numberMin: bigint }

interface SealEntry {
  readonly number: bigint
  readonly parentHash: string
  readonly sealHash: string
}

/**
 * Blocks remembered. A signer seals one in n/2 + 1 blocks, so that these reach back further than branches live; each
 * makes the record, which is written for every block, 77 bytes longer.
 */
export const sealEntryCountMax = 32

export class SealRecord {
  readonly #store: SealRecordStore
  /** Ascending by number. */
  #entries: readonly SealEntry[]
  #lastBlock: Block | undefined
  /** One claim after the other: each sees what the one before it has written. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(store: SealRecordStore, { entries, lastBlock }: SealRecordContent) {
    this.#store = store
    this.#entries = entries
    this.#lastBlock = lastBlock
  }

  /** Reads the record. @throws Error when it is damaged: then nothing may be sealed. */
  static async open(store: SealRecordStore): Promise<SealRecord> {
    const bytes = await store.read()
    const content = bytes === undefined ? { entries: [], lastBlock: undefined } : parse(bytes)
    return new SealRecord(store, content)
  }

  /** What was sealed last, and may have been kept by a crash from becoming the head. */
  get lastBlock(): Block | undefined {
    return this.#lastBlock
  }

  /** The highest block that the key has sealed. */
  get numberMax(): bigint | undefined {
    return this.#entries.at(-1)?.number
  }

  /**
   * Asks to publish a sealed block. When it is granted, the record is on the disk, and the block with it.
   * Asking again for the same block is granted again.
   */
  claim(block: Block): Promise<SealClaim> {
    const claimed = this.#last.then(() => this.#claim(block))
    this.#last = claimed.catch(() => undefined)
    return claimed
  }

  async #claim(block: Block): Promise<SealClaim> {
    const { header } = block
    const entry: SealEntry = {
      number: header.number,
      parentHash: dataToHex(header.parentHash),
      sealHash: dataToHex(cliqueSealHash(header)),
    }
    const known = this.#entries.find((each) => each.parentHash === entry.parentHash)
    if (known !== undefined) {
      if (known.sealHash === entry.sealHash) return { kind: 'granted' }
      return { kind: 'refused', sealHash: known.sealHash }
    }
    const [oldest] = this.#entries
    const isFull = this.#entries.length >= sealEntryCountMax
    if (isFull && oldest !== undefined && entry.number <= oldest.number) {
      return { kind: 'tooOld', numberMin: oldest.number }
    }
    const entries = [...this.#entries, entry]
      .sort((a, b) => (a.number < b.number ? -1 : a.number > b.number ? 1 : 0))
      .slice(-sealEntryCountMax)
    await this.#store.write(format(entries, block))
    this.#entries = entries
    this.#lastBlock = block
    return { kind: 'granted' }
  }
}

interface SealRecordContent {
  readonly entries: readonly SealEntry[]
  readonly lastBlock: Block | undefined
}

function format(entries: readonly SealEntry[], block: Block): Uint8Array {
  const rows = entries.map(({ number, parentHash, sealHash }) => [
    encodeU64(number),
    dataFromHex(parentHash),
    dataFromHex(sealHash),
  ])
  return encodeRlp([rows, encodeBlock(block)])
}

function parse(bytes: Uint8Array): SealRecordContent {
  if (bytes[0] === '{'.charCodeAt(0)) return { entries: parseJson(bytes), lastBlock: undefined }
  const [rows, block] = listOf(decodeRlp(bytes))
  const entries = listOf(rows).map((row) => {
    const [number, parentHash, sealHash] = listOf(row).map(bytesOf) as Uint8Array[]
    return {
      number: decodeU64(bytesOf(number)),
      parentHash: dataToHex(bytesOf(parentHash)),
      sealHash: dataToHex(bytesOf(sealHash)),
    }
  })
  return { entries, lastBlock: decodeBlock(bytesOf(block)) }
}

/** As records were before they held the block. */
function parseJson(bytes: Uint8Array): SealEntry[] {
  const { version, sealed } = JSON.parse(fromUtf8(bytes)) as {
    readonly version: number
    readonly sealed: readonly { number: string; parentHash: string; sealHash: string }[]
  }
  assert(version === 1 && Array.isArray(sealed), damaged)
  return sealed.map((row) => ({ ...row, number: BigInt(row.number) }))
}

const damaged = 'the record of sealed blocks is damaged'

function listOf(item: RlpItem | undefined): readonly RlpItem[] {
  assert(item !== undefined && !(item instanceof Uint8Array), damaged)
  return item
}

function bytesOf(item: RlpItem | undefined): Uint8Array {
  assert(item instanceof Uint8Array, damaged)
  return item
}
