/**
 * Contract code with what interpreters derive from it, and the cache of codes by hash: least recently used first out,
 * bounded in bytes.
 */
import { emptyCodeHash, textOfBytes } from '@cairn/eth-codec'

/** Codes kept by a cache unless told. A contract has at most 24 KiB since EIP-170, so some thousands fit. */
export const codeCacheBytesMax: number = 64 * 1024 * 1024
/** What a cached code weighs besides its bytes: its object, its entry, its bitmap. */
const codeOverheadBytes = 256

export class Code {
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  /** One bit per byte: a JUMPDEST that is not the operand of a PUSH. Made when first jumped. */
  #jumpDestinations: Uint8Array | undefined
  /** Where an interpreter keeps its own copy, valid while its generation lasts. */
  copyOwner: object | undefined
  copyGeneration = -1
  copyAt = 0

  constructor(bytes: Uint8Array, hash: Uint8Array) {
    this.bytes = bytes
    this.hash = hash
  }

  isJumpDestination(offset: number): boolean {
    if (offset >= this.bytes.length) return false
    this.#jumpDestinations ??= findJumpDestinations(this.bytes)
    return ((this.#jumpDestinations[offset >> 3] as number) & (1 << (offset & 7))) !== 0
  }
}

export const emptyCode: Code = new Code(new Uint8Array(0), emptyCodeHash)

function findJumpDestinations(bytes: Uint8Array): Uint8Array {
  const bits = new Uint8Array((bytes.length + 7) >> 3)
  for (let i = 0; i < bytes.length; i++) {
    const opcode = bytes[i] as number
    if (opcode === 0x5b) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7))
    else if (opcode >= 0x60 && opcode <= 0x7f) i += opcode - 0x5f
  }
  return bits
}

export class CodeCache {
  readonly #byHash = new Map<string, Code>()
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax: number = codeCacheBytesMax) {
    this.#bytesMax = bytesMax
  }

  /** The code of that hash, by `read` when it is not here. */
  get(hash: Uint8Array, read: (hash: Uint8Array) => Uint8Array): Code {
    const key = textOfBytes(hash)
    const found = this.#byHash.get(key)
    if (found !== undefined) {
      // A Map keeps the order of insertion: what was used last goes to its end.
      this.#byHash.delete(key)
      this.#byHash.set(key, found)
      return found
    }
    const code = new Code(read(hash).slice(), hash.slice())
    this.#byHash.set(key, code)
    this.#bytes += code.bytes.length + codeOverheadBytes
    for (const [oldest, { bytes }] of this.#byHash) {
      if (this.#bytes <= this.#bytesMax || oldest === key) break
      this.#byHash.delete(oldest)
      this.#bytes -= bytes.length + codeOverheadBytes
    }
    return code
  }
}
