/**
 * Transactions on their way to the thread that executes, one behind the other in one buffer:
 *
 *   size of the transaction u32 ‖ its hash, 32 bytes ‖ its sender, 20 bytes ‖ the transaction as it travels alone
 */
import { dataToHex, decodeTransaction } from '@cairn/eth-codec'
import type { IncomingTransaction } from '../pool/pooled-transaction.ts'
import type { PendingTransaction } from '../sealer/candidate.ts'

const hashSize = 32
const senderSize = 20
const headSize = 4 + hashSize + senderSize

/** What one takes in the buffer. */
export function packedSize({ raw }: Pick<IncomingTransaction, 'raw'>): number {
  return headSize + raw.length
}

/** @returns bytes that are nobody else's. */
export function packTransactions(
  transactions: readonly (PendingTransaction & Pick<IncomingTransaction, 'raw'>)[],
): Uint8Array<ArrayBuffer> {
  const size = transactions.reduce((sum, each) => sum + packedSize(each), 0)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const { raw, hash, sender } of transactions) {
    view.setUint32(at, raw.length)
    writeHash(bytes, at + 4, hash)
    bytes.set(sender, at + 4 + hashSize)
    bytes.set(raw, at + headSize)
    at += headSize + raw.length
  }
  return bytes
}

/** Copies out of `bytes`: a transaction may wait for hours, and must not keep its neighbours in memory. */
export function unpackTransactions(bytes: Uint8Array): PendingTransaction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const transactions: PendingTransaction[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + headSize + view.getUint32(at)
    const hash = bytes.slice(at + 4, at + 4 + hashSize)
    const sender = bytes.slice(at + 4 + hashSize, at + headSize)
    const transaction = decodeTransaction(bytes.slice(at + headSize, end), hash)
    transactions.push({ transaction, hash: dataToHex(hash), sender })
    at = end
  }
  return transactions
}

/** @param hashes `0x` and 64 digits each. */
export function packHashes(hashes: Iterable<string>): Uint8Array<ArrayBuffer> {
  const list = [...hashes]
  const bytes = new Uint8Array(hashSize * list.length)
  for (const [index, hash] of list.entries()) writeHash(bytes, hashSize * index, hash)
  return bytes
}

export function unpackHashes(bytes: Uint8Array): string[] {
  return Array.from({ length: bytes.length / hashSize }, (_, index) =>
    dataToHex(bytes.subarray(hashSize * index, hashSize * (index + 1))),
  )
}

function writeHash(bytes: Uint8Array<ArrayBuffer>, at: number, hash: string): void {
  Buffer.from(bytes.buffer, at, hashSize).write(hash.slice(2), 'hex')
}
