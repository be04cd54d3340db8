/**
 * Digests of struct fields hashed lately, by name and value as they are encoded. Documents repeat themselves: many
 * fields of one stand in others of its table, and an update leaves most fields as they were. A memory of a pure
 * function, so a hit and a miss give the same digest.
 */
import { hashBytesSize } from '@cairn/core'

/** A power of two. The slots take 256 KiB, which a processor's second cache holds; allocated when first used. */
const slotCount = 4096
// One cache line: digest, length of the value, value with its type descriptor.
const slotBytesSize = 64
const lengthAt = hashBytesSize
const valueAt = lengthAt + 1
const digestWordCount = hashBytesSize / 4
const slotWordCount = slotBytesSize / 4

/** Longest value kept, in bytes of its encoding. */
export const keptValueBytesMax: number = slotBytesSize - valueAt

export class FieldDigests {
  #bytes = new Uint8Array(0)
  #words = new Uint32Array(0)
  /** The form of the field's name by slot: the object itself, of which a symbol table has one for each name. */
  #names: (Uint8Array | undefined)[] = []
  /** Who reserved a slot last. */
  #tickets = new Int32Array(0)
  #ticket = 0

  /**
   * @param source The encoding, which has the value from `start` on, `size` bytes long.
   * @returns the field's slot, or `~slot` when the digest is not known.
   */
  find(name: Uint8Array, sid: number, source: Uint8Array, start: number, size: number): number {
    let sum = sid
    for (let i = start; i < start + size; i++) {
      sum = Math.imul(sum ^ (source[i] as number), 0x0100_0193)
    }
    const slot = (sum ^ (sum >>> 12) ^ (sum >>> 22)) & (slotCount - 1)
    if (this.#names[slot] !== name) return ~slot
    const bytes = this.#bytes
    const at = slot * slotBytesSize
    if (bytes[at + lengthAt] !== size) return ~slot
    for (let i = 0; i < size; i++) {
      if (bytes[at + valueAt + i] !== source[start + i]) return ~slot
    }
    return slot
  }

  copyDigest(slot: number, out: Uint32Array, outAt: number): void {
    const words = this.#words
    const at = slot * slotWordCount
    for (let i = 0; i < digestWordCount; i++) out[outAt + i] = words[at + i] as number
  }

  /** Takes a slot for a value whose digest is still to be computed. @returns what `fill` wants back. */
  reserve(slot: number, source: Uint8Array, start: number, size: number): number {
    if (this.#bytes.length === 0) this.#allocate()
    const bytes = this.#bytes
    const at = slot * slotBytesSize
    this.#names[slot] = undefined
    bytes[at + lengthAt] = size
    for (let i = 0; i < size; i++) bytes[at + valueAt + i] = source[start + i] as number
    this.#ticket = (this.#ticket + 1) | 0
    this.#tickets[slot] = this.#ticket
    return this.#ticket
  }

  /** The digest of a reserved slot, unless another value took it meanwhile. */
  fill(slot: number, ticket: number, name: Uint8Array, digests: Uint32Array, from: number): void {
    if (this.#tickets[slot] !== ticket) return
    const words = this.#words
    const at = slot * slotWordCount
    for (let i = 0; i < digestWordCount; i++) words[at + i] = digests[from + i] as number
    this.#names[slot] = name
  }

  #allocate(): void {
    this.#bytes = new Uint8Array(slotCount * slotBytesSize)
    this.#words = new Uint32Array(this.#bytes.buffer)
    this.#names = new Array(slotCount).fill(undefined)
    this.#tickets = new Int32Array(slotCount)
  }
}
