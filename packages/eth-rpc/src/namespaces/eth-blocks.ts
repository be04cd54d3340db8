/** Methods of `eth` that show blocks, transactions and receipts. */

import type { ExecutedBlock } from '@cairn/eth-chain'
import {
  type BlockHeader,
  dataToHex,
  encodeTransaction,
  quantityToHex,
  type Transaction,
} from '@cairn/eth-codec'
import {
  formatBlock,
  formatHeader,
  formatReceipt,
  formatTransaction,
  type Json,
} from '../format.ts'
import { type MethodTable, method, optional } from '../method.ts'
import { isPending, type MaybeLater, type NodeView, whenThere } from '../node-view.ts'
import { type BlockReference, parameters } from '../parameters.ts'

const { block, boolean, hash, quantity } = parameters

/** What the pool shows of a transaction that is in no block. */
export interface PooledTransaction {
  readonly transaction: Transaction
  /** 20 bytes. */
  readonly sender: Uint8Array
}

export interface TransactionFinder {
  /** @param hash `0x` and 64 digits. */
  find(hash: string): PooledTransaction | undefined
}

export function ethBlockMethods(view: NodeView, pool: TransactionFinder): MethodTable {
  const reader = new BlockReader(view, pool)
  return {
    eth_blockNumber: method([], () => quantityToHex(view.chain.head.header.number)),
    eth_getBlockByHash: method([hash, optional(boolean)], ([id, isFull]) =>
      reader.block(byHash(id), isFull ?? false),
    ),
    eth_getBlockByNumber: method([block, optional(boolean)], ([id, isFull]) =>
      reader.block(id, isFull ?? false),
    ),
    eth_getHeaderByHash: method([hash], ([id]) => reader.header(byHash(id))),
    eth_getHeaderByNumber: method([block], ([id]) => reader.header(id)),
    eth_getBlockReceipts: method([block], ([id]) => reader.receipts(id)),
    eth_getBlockTransactionCountByHash: method([hash], ([id]) =>
      reader.transactionCount(byHash(id)),
    ),
    eth_getBlockTransactionCountByNumber: method([block], ([id]) => reader.transactionCount(id)),
    // Clique blocks have no uncles.
    eth_getUncleCountByBlockHash: method([hash], ([id]) => reader.uncleCount(byHash(id))),
    eth_getUncleCountByBlockNumber: method([block], ([id]) => reader.uncleCount(id)),
    eth_getUncleByBlockHashAndIndex: method([hash, quantity], () => null),
    eth_getUncleByBlockNumberAndIndex: method([block, quantity], () => null),
    eth_getTransactionByHash: method([hash], ([id]) => reader.transaction(id)),
    eth_getTransactionByBlockHashAndIndex: method([hash, quantity], ([id, index]) =>
      reader.transactionAt(byHash(id), Number(index)),
    ),
    eth_getTransactionByBlockNumberAndIndex: method([block, quantity], ([id, index]) =>
      reader.transactionAt(id, Number(index)),
    ),
    eth_getRawTransactionByHash: method([hash], ([id]) => reader.rawTransaction(id)),
    eth_getRawTransactionByBlockHashAndIndex: method([hash, quantity], ([id, index]) =>
      reader.rawTransactionAt(byHash(id), Number(index)),
    ),
    eth_getRawTransactionByBlockNumberAndIndex: method([block, quantity], ([id, index]) =>
      reader.rawTransactionAt(id, Number(index)),
    ),
    eth_getTransactionReceipt: method([hash], ([id]) => reader.receipt(id)),
  }
}

function byHash(id: Uint8Array): BlockReference {
  return { kind: 'hash', hash: id, requireCanonical: false }
}

/** A block as it is shown: stored, or the pending one, which has no hash. */
interface ShownBlock {
  readonly block: ExecutedBlock['block']
  readonly hash: string | undefined
  readonly totalDifficulty: bigint | undefined
  readonly senders: readonly Uint8Array[]
}

class BlockReader {
  readonly #view: NodeView
  readonly #pool: TransactionFinder

  constructor(view: NodeView, pool: TransactionFinder) {
    this.#view = view
    this.#pool = pool
  }

  /** Null when there is no such block. */
  #show<T>(reference: BlockReference, show: (block: ShownBlock) => T): MaybeLater<T | null> {
    if (!isPending(reference)) return this.#showStored(reference, show)
    return this.#view.pendingBlock().then((pending) => {
      if (pending === undefined) return this.#showStored(reference, show)
      return show({ ...pending, hash: undefined, totalDifficulty: undefined })
    })
  }

  #showStored<T>(reference: BlockReference, show: (block: ShownBlock) => T): T | null {
    const id = this.#view.findHash(reference)
    const found = id === undefined ? undefined : this.#view.executedBlock(id)
    return found === undefined ? null : show(found)
  }

  block(reference: BlockReference, isFull: boolean): unknown {
    return this.#show(reference, (it) => formatBlock(it.block, it, it.senders, isFull))
  }

  header(reference: BlockReference): unknown {
    return this.#show(reference, (it) => formatHeader(it.block.header, it))
  }

  transactionCount(reference: BlockReference): unknown {
    return this.#show(reference, ({ block }) => quantityToHex(block.transactions.length))
  }

  uncleCount(reference: BlockReference): unknown {
    return this.#show(reference, ({ block }) => quantityToHex(block.uncles.length))
  }

  receipts(reference: BlockReference): Json[] | null {
    const id = this.#view.findHash(reference)
    const found = id === undefined ? undefined : this.#view.executedBlock(id)
    return found?.block.transactions.map((_, index) => formatReceipt(found, index)) ?? null
  }

  transactionAt(reference: BlockReference, index: number): unknown {
    return this.#show(reference, ({ block: { header, transactions }, hash, senders }) => {
      const transaction = transactions[index]
      if (transaction === undefined) return null
      return formatTransaction(transaction, senders[index] as Uint8Array, { header, hash, index })
    })
  }

  rawTransactionAt(reference: BlockReference, index: number): unknown {
    const found = this.#show(reference, ({ block }) => block.transactions[index])
    return whenThere(found, (it) => (it ? dataToHex(encodeTransaction(it)) : '0x'))
  }

  transaction(id: Uint8Array): Json | null {
    const placed = this.#placed(id)
    if (placed !== undefined) {
      const { executed, index, header } = placed
      const transaction = executed.block.transactions[index] as Transaction
      const place = { header, hash: executed.hash, index }
      return formatTransaction(transaction, executed.senders[index] as Uint8Array, place)
    }
    const pooled = this.#pool.find(dataToHex(id))
    if (pooled === undefined) return null
    return formatTransaction(pooled.transaction, pooled.sender, undefined)
  }

  rawTransaction(id: Uint8Array): string {
    const placed = this.#placed(id)
    const transaction =
      placed === undefined
        ? this.#pool.find(dataToHex(id))?.transaction
        : placed.executed.block.transactions[placed.index]
    return transaction === undefined ? '0x' : dataToHex(encodeTransaction(transaction))
  }

  receipt(id: Uint8Array): Json | null {
    const placed = this.#placed(id)
    return placed === undefined ? null : formatReceipt(placed.executed, placed.index)
  }

  #placed(
    id: Uint8Array,
  ): { executed: ExecutedBlock; index: number; header: BlockHeader } | undefined {
    const { store } = this.#view.chain
    const place = store.placeOf(id)
    const hashText = place === undefined ? undefined : store.canonicalHash(place.number)
    const executed = hashText === undefined ? undefined : this.#view.executedBlock(hashText)
    if (place === undefined || executed === undefined) return undefined
    return { executed, index: place.index, header: executed.block.header }
  }
}
