/**
 * The record of what one key has sealed, which keeps it from ever sealing two different blocks on one parent: not
 * after a crash, a restart, or a fault of the caller's. It is on the disk before a block may leave.
 */
import { assert, fromUtf8, utf8 } from '@cairn/core'
import { type BlockHeader, cliqueSealHash, dataToHex } from '@cairn/eth-codec'

/** Where the record lies; one for each key. */
export interface SealRecordStore {
  read(): Promise<Uint8Array | undefined>
  /** Replaces the record, whole and durable before this resolves. */
  write(bytes: Uint8Array): Promise<void>
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
 * makes the file, which is written for every block, 170 bytes longer.
 */
export const sealEntryCountMax = 32

export class SealRecord {
  readonly #store: SealRecordStore
  /** Ascending by number. */
  #entries: readonly SealEntry[]
  /** One claim after the other: each sees what the one before it has written. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(store: SealRecordStore, entries: readonly SealEntry[]) {
    this.#store = store
    this.#entries = entries
  }

  /** Reads the record. @throws SyntaxError or AssertionError when it is damaged: then nothing may be sealed. */
  static async open(store: SealRecordStore): Promise<SealRecord> {
    const bytes = await store.read()
    return new SealRecord(store, bytes === undefined ? [] : parseEntries(bytes))
  }

  /** The highest block that the key has sealed. */
  get numberMax(): bigint | undefined {
    return this.#entries.at(-1)?.number
  }

  /**
   * Asks to publish a block with this header, sealed or not yet. When it is granted, the record is on the disk.
   * Asking again for the same block is granted again.
   */
  claim(header: BlockHeader): Promise<SealClaim> {
    const claimed = this.#last.then(() => this.#claim(header))
    this.#last = claimed.catch(() => undefined)
    return claimed
  }

  async #claim(header: BlockHeader): Promise<SealClaim> {
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
    await this.#store.write(formatEntries(entries))
    this.#entries = entries
    return { kind: 'granted' }
  }
}

function formatEntries(entries: readonly SealEntry[]): Uint8Array {
  const rows = entries.map((entry) => ({ ...entry, number: entry.number.toString() }))
  return utf8(JSON.stringify({ version: 1, sealed: rows }))
}

function parseEntries(bytes: Uint8Array): SealEntry[] {
  const { version, sealed } = JSON.parse(fromUtf8(bytes)) as {
    readonly version: number
    readonly sealed: readonly { number: string; parentHash: string; sealHash: string }[]
  }
  assert(version === 1 && Array.isArray(sealed), 'the record of sealed blocks is damaged')
  return sealed.map((row) => ({ ...row, number: BigInt(row.number) }))
}
