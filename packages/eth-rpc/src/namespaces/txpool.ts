/** `txpool`: what waits for a block. Shapes are geth's (internal/ethapi, 1.13): by sender, then by nonce. */
import type { PoolContent, PooledTransaction, TransactionPool } from '@cairn/eth-chain'
import { addressToText, quantityToHex } from '@cairn/eth-codec'
import { formatTransaction, type Json } from '../format.ts'
import { type MethodTable, method } from '../method.ts'
import { parameters } from '../parameters.ts'

type ByNonce = Record<string, unknown>

export function txpoolMethods(pool: TransactionPool): MethodTable {
  return {
    txpool_content: method([], () => bySender(pool, formatPooled)),
    txpool_contentFrom: method([parameters.address], ([address]) => {
      const { pending, queued } = pool.contentFrom(address)
      return { pending: byNonce(pending, formatPooled), queued: byNonce(queued, formatPooled) }
    }),
    txpool_inspect: method([], () => bySender(pool, describe)),
    txpool_status: method([], () => {
      const { pending, queued } = pool.status()
      return { pending: quantityToHex(pending), queued: quantityToHex(queued) }
    }),
  }
}

type Show = (pooled: PooledTransaction) => unknown

function bySender(pool: TransactionPool, show: Show): Json {
  const parts = { pending: {}, queued: {} } as Record<keyof PoolContent, Record<string, ByNonce>>
  for (const content of pool.content().values()) {
    for (const part of ['pending', 'queued'] as const) {
      const [first] = content[part]
      if (first !== undefined)
        parts[part][addressToText(first.sender)] = byNonce(content[part], show)
    }
  }
  return parts
}

function byNonce(transactions: readonly PooledTransaction[], show: Show): ByNonce {
  return Object.fromEntries(
    transactions.map((pooled) => [pooled.transaction.nonce.toString(), show(pooled)]),
  )
}

function formatPooled({ transaction, sender }: PooledTransaction): Json {
  return formatTransaction(transaction, sender, undefined)
}

/** One line for people. */
function describe({ transaction }: PooledTransaction): string {
  const { to, value, gasLimit, maxFeePerGas } = transaction
  const target = to === undefined ? 'contract creation' : addressToText(to)
  return `${target}: ${value} wei + ${gasLimit} gas × ${maxFeePerGas} wei`
}
