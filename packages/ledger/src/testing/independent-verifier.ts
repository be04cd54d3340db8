/**
 * A verifier written from the specification alone (qldb-compat 4), on ion-js, ion-hash-js and node:crypto. It shares no
 * code with Cairn and takes what a client receives: Ion text of blocks, revisions and proofs, and digests.
 */
import { createHash } from 'node:crypto'
import { cryptoHasherProvider, type HashReader, makeHashReader } from 'ion-hash-js'
import { type dom, dumpBinary, load, makeReader } from 'ion-js'

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** Ion hash of the value that `path` leads to within a text of one value. */
function ionHash(value: dom.Value): Buffer {
  const reader: HashReader = makeHashReader(
    makeReader(dumpBinary(value)),
    cryptoHasherProvider('sha256'),
  )
  reader.next()
  reader.next()
  return Buffer.from(reader.digest())
}

/** `a · b` of 4.2: the smaller first, compared from the last byte as signed bytes. */
function dot(a: Buffer, b: Buffer): Buffer {
  if (a.length === 0) return b
  if (b.length === 0) return a
  for (let i = 31; i >= 0; i--) {
    const difference = a.readInt8(i) - b.readInt8(i)
    if (difference !== 0) return sha256(Buffer.concat(difference < 0 ? [a, b] : [b, a]))
  }
  return sha256(Buffer.concat([a, b]))
}

export function merkleRoot(hashes: readonly Buffer[]): Buffer {
  let level = [...hashes]
  if (level.length === 0) return Buffer.alloc(0)
  while (level.length > 1) {
    const next: Buffer[] = []
    for (let i = 0; i < level.length; i += 2) {
      const pair = level.slice(i, i + 2)
      next.push(pair.length === 2 ? dot(pair[0] as Buffer, pair[1] as Buffer) : (pair[0] as Buffer))
    }
    level = next
  }
  return level[0] as Buffer
}

function member(value: dom.Value, ...path: string[]): dom.Value {
  const found = value.get(...path)
  if (found === null) throw new Error(`no ${path.join('.')}`)
  return found
}

const bytesOf = (value: dom.Value): Buffer => Buffer.from(value.uInt8ArrayValue() ?? [])

/** What a check of a block found out about it. */
export interface CheckedBlock {
  readonly blockHash: Buffer
  readonly revisions: readonly { readonly documentId: string; readonly hash: Buffer }[]
}

/** Recomputes every hash of a block; throws when one differs. */
export function checkBlock(text: string, previousBlockHash: Buffer): CheckedBlock {
  const block = load(text)
  if (block === null) throw new Error('no block')
  const list = member(block, 'entriesHashList')
    .elements()
    .map((it) => bytesOf(it))
  const expect = (name: string, actual: Buffer, expected: Buffer) => {
    if (!actual.equals(expected)) throw new Error(`${name} differs in ${text}`)
  }
  expect('transactionInfo', ionHash(member(block, 'transactionInfo')), list[0] as Buffer)
  const revisions = (block.get('revisions')?.elements() ?? []).map((revision) => ({
    documentId: member(revision, 'metadata', 'id').stringValue() ?? '',
    hash: checkRevision(revision),
  }))
  if (revisions.length > 0) {
    expect('revisionsRoot', merkleRoot(revisions.map(({ hash }) => hash)), list[1] as Buffer)
  }
  const entriesHash = merkleRoot(list)
  expect('entriesHash', entriesHash, bytesOf(member(block, 'entriesHash')))
  const previous = bytesOf(member(block, 'previousBlockHash'))
  expect('previousBlockHash', previous, previousBlockHash)
  const blockHash = dot(entriesHash, previous)
  expect('blockHash', blockHash, bytesOf(member(block, 'blockHash')))
  return { blockHash, revisions }
}

function checkRevision(revision: dom.Value): Buffer {
  const data = revision.get('data')
  const metadataHash = ionHash(member(revision, 'metadata'))
  const hash = data === null ? metadataHash : dot(metadataHash, ionHash(data))
  if (!hash.equals(bytesOf(member(revision, 'hash')))) {
    throw new Error(`revision hash differs in ${revision.toString()}`)
  }
  return hash
}

/** The revision's own hash, recomputed from the text that GetRevision gives. */
export function revisionHash(text: string): Buffer {
  const revision = load(text)
  if (revision === null) throw new Error('no revision')
  return checkRevision(revision)
}

export function foldProof(leaf: Buffer, proof: readonly Uint8Array[]): Buffer {
  return proof.reduce<Buffer>((hash, sibling) => dot(hash, Buffer.from(sibling)), leaf)
}
