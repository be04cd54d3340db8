/**
 * The two hashes of a block's canonical bytes, and the leaf of a revision, for whoever makes blocks: the bytes are laid
 * out once, behind the prefix of a leaf, and hashed where they lie. Bytes: canonical.ts. Leaf: RFC 6962, section 2.1.
 *
 *   00 | header | form | blockHash        headerHash = SHA256(header)        entryHash = SHA256(all of it)
 */
import { assert, sha256 } from '@cairn/core'
import {
  type BlockEntryForm,
  type BlockHeader,
  blockEntryBytesMax,
  type RevisionLeafKind,
  revisionLeafBytesMax,
  writeBlockHeader,
  writeEntryTail,
  writeRevisionLeaf,
} from './canonical.ts'

/** A view from a fixed start, made anew when its end moves: blocks of one kind have one length. Saves 0.05 µs. */
class KeptView {
  readonly #bytes: Uint8Array
  readonly #start: number
  #view: Uint8Array

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes
    this.#start = start
    this.#view = bytes.subarray(start, start)
  }

  upTo(end: number): Uint8Array {
    if (this.#view.length !== end - this.#start) {
      this.#view = this.#bytes.subarray(this.#start, end)
    }
    return this.#view
  }
}

// Reused by every call, as are the bytes of a hasher. The first byte stays zero: the prefix of a leaf.
const leafBytes = new Uint8Array(1 + revisionLeafBytesMax)
const leafView = new KeptView(leafBytes, 0)

/**
 * `tlogLeafHash` of a revision leaf.
 * @param hash H(metadata), or the revision's hash for the kind `hashOnly`.
 * @param dataHash H(data), for the kind `data` and no other.
 * @throws CanonicalBytesError TEXT_MALFORMED
 */
export function revisionLeafHash(
  kind: RevisionLeafKind,
  tableId: string,
  hash: Uint8Array,
  dataHash: Uint8Array | undefined,
): Uint8Array {
  return sha256(leafView.upTo(writeRevisionLeaf(leafBytes, 1, kind, tableId, hash, dataHash)))
}

/** Hashes one block after the other: `headerHash`, then `entryHash` once the block's hash is known. */
export class BlockHasher {
  readonly #bytes = new Uint8Array(1 + blockEntryBytesMax)
  readonly #headerView = new KeptView(this.#bytes, 1)
  readonly #entryView = new KeptView(this.#bytes, 0)
  /** Behind the header; 0 when there is none. */
  #headerEnd = 0

  /**
   * SHA-256 of `encodeBlockHeader(header)`.
   * @throws CanonicalBytesError TEXT_MALFORMED, LENGTH_WRONG, NUMBER_TOO_LARGE, ENTRY_TOO_LARGE
   */
  headerHash(header: BlockHeader): Uint8Array {
    this.#headerEnd = 0
    this.#headerEnd = writeBlockHeader(this.#bytes, 1, header)
    return sha256(this.#headerView.upTo(this.#headerEnd))
  }

  /** `tlogLeafHash` of the entry that begins with the last header; the leaf of the RFC 6962 tree. */
  entryHash(form: BlockEntryForm, blockHash: Uint8Array): Uint8Array {
    assert(this.#headerEnd > 0, 'an entry begins with a header')
    const end = writeEntryTail(this.#bytes, this.#headerEnd, form, blockHash)
    this.#headerEnd = 0
    return sha256(this.#entryView.upTo(end))
  }
}
