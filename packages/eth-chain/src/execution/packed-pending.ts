/**
 * The pending block on its way between threads.
 *
 *   block      RLP        receipts   as they are stored        senders   20 bytes each
 *   changes    [[[address, [nonce, balance, code hash]?, 1 when the storage is cleared, [[slot, value]…]]…],
 *               [[code hash, code]…]]
 */
import { concatBytes } from '@cairn/core'
import {
  bytesToNumber,
  decodeBlock,
  decodeRlp,
  encodeBlock,
  encodeRlp,
  numberToBytes,
  type RlpItem,
  type StateChanges,
} from '@cairn/eth-codec'
import { decodeReceipts, encodeReceipts } from '../store/stored-receipts.ts'
import type { PendingSnapshot } from './pending-block.ts'

export interface PackedPending {
  readonly version: string
  readonly author: Uint8Array
  readonly block: Uint8Array
  readonly receipts: Uint8Array
  readonly senders: Uint8Array
  readonly changes: Uint8Array
}

/** More than fits into a block: every item of it changes hands within one process. */
const limits = { bytesMax: 2 ** 30, itemCountMax: 2 ** 26 }
const none = new Uint8Array(0)
const cleared = Uint8Array.of(1)

export function packPending(snapshot: PendingSnapshot): PackedPending {
  const { version, author, block, receipts, senders, changes } = snapshot
  return {
    version,
    author: author.slice(),
    block: encodeBlock(block),
    receipts: encodeReceipts(receipts),
    senders: concatBytes(...senders),
    changes: encodeRlp(changesToRlp(changes)),
  }
}

export function unpackPending(packed: PackedPending): PendingSnapshot {
  const { version, author, senders } = packed
  return {
    version,
    author,
    block: decodeBlock(packed.block),
    receipts: decodeReceipts(packed.receipts),
    senders: Array.from({ length: senders.length / 20 }, (_, index) =>
      senders.subarray(20 * index, 20 * index + 20),
    ),
    changes: changesFromRlp(decodeRlp(packed.changes, limits)),
  }
}

function changesToRlp({ accounts, codes }: StateChanges): RlpItem {
  return [
    accounts.map(({ address, account, storageCleared, storage }) => [
      address,
      account === undefined
        ? []
        : [numberToBytes(account.nonce), numberToBytes(account.balance), account.codeHash],
      storageCleared ? cleared : none,
      storage.map(({ slot, value }) => [slot, value]),
    ]),
    codes.map(({ codeHash, code }) => [codeHash, code]),
  ]
}

/** Of what was packed here, so that nothing is checked again. */
function changesFromRlp(item: RlpItem): StateChanges {
  const [accounts, codes] = item as [RlpAccount[], [Uint8Array, Uint8Array][]]
  return {
    accounts: accounts.map(([address, [nonce, balance, codeHash], isCleared, storage]) => ({
      address,
      account:
        nonce === undefined || balance === undefined || codeHash === undefined
          ? undefined
          : { nonce: bytesToNumber(nonce), balance: bytesToNumber(balance), codeHash },
      storageCleared: isCleared.length > 0,
      storage: storage.map(([slot, value]) => ({ slot, value })),
    })),
    codes: codes.map(([codeHash, code]) => ({ codeHash, code })),
  }
}

type RlpAccount = [
  address: Uint8Array,
  account: Uint8Array[],
  isCleared: Uint8Array,
  storage: [slot: Uint8Array, value: Uint8Array][],
]
