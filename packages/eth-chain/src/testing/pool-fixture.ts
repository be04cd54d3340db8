/** A pool over accounts in memory, and transactions by name of the sender, for tests. */
import type { Clock } from '@cairn/core'
import {
  type Account,
  dataToHex,
  emptyCodeHash,
  signTransaction,
  type UnsignedTransaction,
} from '@cairn/eth-codec'
import { type IncomingTransaction, incomingOf } from '../pool/pooled-transaction.ts'
import { type DropReason, type PoolLimits, TransactionPool } from '../pool/transaction-pool.ts'
import type { PoolHead } from '../pool/validation.ts'
import { addressOf, keyOf } from './clique-chain.ts'

export const gwei = 1_000_000_000n
export const testChainId = 4242n

export class PoolFixture {
  readonly pool: TransactionPool
  readonly pendingSeen: string[] = []
  readonly dropped: [string, DropReason][] = []
  nowMs = 1_000_000
  readonly #accounts = new Map<string, Account>()
  #head: PoolHead

  constructor(
    limits: Partial<PoolLimits> = {},
    options: { readonly noLocals?: boolean; readonly clock?: Pick<Clock, 'nowMs'> } = {},
  ) {
    this.#head = {
      fork: 'cancun',
      gasLimit: 30_000_000n,
      baseFee: gwei,
      readAccount: (address) => this.#accounts.get(dataToHex(address)),
    }
    this.pool = new TransactionPool({
      chainId: testChainId,
      head: this.#head,
      clock: options.clock ?? { nowMs: () => this.nowMs },
      limits,
      noLocals: options.noLocals ?? false,
    })
    this.pool.subscribe({
      pending: (transactions) => this.pendingSeen.push(...transactions.map(({ hash }) => hash)),
      dropped: (transactions, reason) => {
        for (const { hash } of transactions) this.dropped.push([hash, reason])
      },
    })
  }

  /** Sets what an account has; the pool sees it at once, and acts on it at the next {@link reset}. */
  fund(name: string, balance: bigint = 10n ** 21n, nonce = 0n): void {
    const account = { nonce, balance, codeHash: emptyCodeHash }
    this.#accounts.set(dataToHex(addressOf(name)), account)
  }

  reset(changes: Partial<PoolHead> = {}, returning: readonly IncomingTransaction[] = []): void {
    this.#head = { ...this.#head, ...changes }
    this.pool.reset(this.#head, returning)
  }
}

const signed = new Map<string, IncomingTransaction>()

/** A transfer by the account called `name`. */
export function transferOf(
  name: string,
  nonce: number | bigint,
  changes: Partial<UnsignedTransaction> = {},
): IncomingTransaction {
  const unsigned: UnsignedTransaction = {
    type: 2,
    chainId: testChainId,
    nonce: BigInt(nonce),
    maxPriorityFeePerGas: gwei,
    maxFeePerGas: 3n * gwei,
    gasLimit: 21_000n,
    to: addressOf('sink'),
    value: 1n,
    data: new Uint8Array(0),
    accessList: [],
    ...changes,
  }
  const key = JSON.stringify([name, unsigned], (_, value) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
  const known = signed.get(key)
  if (known !== undefined) return known
  const incoming = incomingOf(signTransaction(unsigned, keyOf(name)))
  signed.set(key, incoming)
  return incoming
}

/** Fees of `tip` gwei above a base fee of one gwei. */
export function paying(tip: number): Partial<UnsignedTransaction> {
  const wei = BigInt(Math.round(tip * 1e9))
  return { maxPriorityFeePerGas: wei, maxFeePerGas: wei + gwei }
}
