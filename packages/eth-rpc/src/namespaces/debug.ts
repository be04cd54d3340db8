/** `debug`: blocks, receipts and transactions as their bytes. Source: geth 1.13, internal/ethapi and eth/api_debug. */

import type { ExecutedBlock, TransactionPool } from '@cairn/eth-chain'
import {
  blockHash,
  dataToHex,
  encodeBlock,
  encodeBlockHeader,
  encodeReceipt,
  encodeTransaction,
} from '@cairn/eth-codec'
import { faults } from '../faults.ts'
import { type MethodTable, method } from '../method.ts'
import type { NodeView } from '../node-view.ts'
import { type BlockReference, parameters } from '../parameters.ts'

const { block, hash } = parameters

export function debugMethods(view: NodeView, pool: TransactionPool): MethodTable {
  return {
    debug_getRawHeader: method([block], ([id]) =>
      dataToHex(encodeBlockHeader(view.header(id).header)),
    ),
    debug_getRawBlock: method([block], ([id]) => dataToHex(encodeBlock(executed(view, id).block))),
    debug_getRawReceipts: method([block], ([id]) =>
      executed(view, id).receipts.map((receipt) => dataToHex(encodeReceipt(receipt))),
    ),
    debug_getRawTransaction: method([hash], ([id]) => {
      const pooled = pool.get(dataToHex(id))
      const place = view.chain.store.placeOf(id)
      const transaction =
        place === undefined
          ? pooled?.transaction
          : view.chain.blockByNumber(place.number)?.transactions[place.index]
      return transaction === undefined ? '0x' : dataToHex(encodeTransaction(transaction))
    }),
  }
}

function executed(view: NodeView, id: BlockReference): ExecutedBlock {
  const { header } = view.header(id)
  const found = view.executedBlock(dataToHex(blockHash(header)))
  if (found === undefined) throw faults.server('block not found')
  return found
}
