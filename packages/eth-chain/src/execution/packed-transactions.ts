/**
 * Transactions on their way to the thread that executes, one behind the other in one buffer:
 *
 *   size of the transaction u32 ‖ its hash, 32 bytes ‖ its sender, 20 bytes ‖ the transaction as it travels alone
 */
import { decodeTransaction } from '@cairn/eth-codec'
import type { PooledTransaction } from '../pool/pooled-transaction.ts'
import type { PendingTransaction } from '../sealer/candidate.ts'

const hashSize = 32
const senderSize = 20
const headSize = 4 + hashSize + senderSize

/** What one takes in the buffer. */
export function packedSize({ raw }: Pick<PooledTransaction, 'raw'>): number {
  return headSize + raw.length
}

/** @returns bytes that are nobody else's. */
export function packTransactions(
  transactions: readonly Pick<PooledTransaction, 'raw' | 'hash' | 'sender'>[],
): Uint8Array<ArrayBuffer> {
  const size = transactions.reduce((sum, each) => sum + packedSize(each), 0)
  const bytes = new Uint8Array(size)
  const buffer = Buffer.from(bytes.buffer)
  let at = 0
  for (const { raw, hash, sender } of transactions) {
    buffer.writeUInt32BE(raw.length, at)
    buffer.write(hash.slice(2), at + 4, 'hex')
    bytes.set(sender, at + 4 + hashSize)
    bytes.set(raw, at + headSize)
    at += headSize + raw.length
  }
  return bytes
}

export function unpackTransactions(bytes: Uint8Array): PendingTransaction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const transactions: PendingTransaction[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + headSize + view.getUint32(at)
    const own = pooledCopy(bytes, at + 4, end)
    const hash = own.subarray(0, hashSize)
    const sender = own.subarray(hashSize, hashSize + senderSize)
    const transaction = decodeTransaction(own.subarray(hashSize + senderSize), hash)
    transactions.push({ transaction, sender })
    at = end
  }
  return transactions
}

/**
 * A transaction may wait for hours, and must not keep the whole message in memory. Copies of small ones share buffers
 * of 8 KiB, as Node cuts them: one for each would be most of the garbage there is.
 */
function pooledCopy(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = Buffer.copyBytesFrom(bytes, start, end - start)
  return new Uint8Array(copy.buffer, copy.byteOffset, copy.length)
}

/** @param hashes `0x` and 64 digits each. */
export function packHashes(hashes: Iterable<string>): Uint8Array<ArrayBuffer> {
  const list = [...hashes]
  const bytes = new Uint8Array(hashSize * list.length)
  const buffer = Buffer.from(bytes.buffer)
  for (const [index, hash] of list.entries()) buffer.write(hash.slice(2), hashSize * index, 'hex')
  return bytes
}

/** @returns views of 32 bytes. */
export function unpackHashes(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / hashSize }, (_, index) =>
    bytes.subarray(hashSize * index, hashSize * (index + 1)),
  )
}
