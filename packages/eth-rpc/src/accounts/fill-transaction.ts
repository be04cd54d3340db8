/**
 * What a transaction gets that its sender left out: fees, gas, nonce, chain. Rules and texts are geth's
 * (internal/ethapi/transaction_args.go, 1.13).
 */
import type { UnsignedTransaction } from '@cairn/eth-codec'
import type { TransactionArguments } from '../call-arguments.ts'
import type { CallScheduler } from '../calls/call-scheduler.ts'
import { faults } from '../faults.ts'
import type { PoolNonces } from '../namespaces/eth-accounts.ts'
import type { TipOracle } from '../namespaces/eth-fees.ts'
import type { NodeView } from '../node-view.ts'

export interface FillSources {
  readonly view: NodeView
  readonly pool: PoolNonces
  readonly tips: TipOracle
  readonly calls: CallScheduler
}

const zeroAddress = new Uint8Array(20)

/** Everything but the nonce, which is chosen when the transaction goes into the pool. */
export type FilledTransaction = Omit<UnsignedTransaction, 'nonce'> & {
  readonly from: Uint8Array
  readonly nonce: bigint | undefined
}

/** @throws RpcFault when what is given contradicts itself, or the transaction would fail. */
export async function fillTransaction(
  sources: FillSources,
  given: TransactionArguments,
): Promise<FilledTransaction> {
  const { view } = sources
  const { chainId } = view.chain.config
  if (given.chainId !== undefined && given.chainId !== chainId) {
    throw faults.server(`chainId does not match node's (have=${given.chainId}, want=${chainId})`)
  }
  if (given.to === undefined && given.data.length === 0) {
    throw faults.server('contract creation without any data provided')
  }
  const fees = fillFees(sources, given)
  const { from = zeroAddress, to, data, accessList } = given
  return {
    from,
    nonce: given.nonce,
    type: fees.isFeeMarket ? 2 : accessList === undefined ? 0 : 1,
    chainId,
    maxFeePerGas: fees.maxFeePerGas,
    maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
    gasLimit: given.gas ?? (await estimateGas(sources, { ...given, from })),
    to,
    value: given.value ?? 0n,
    data,
    accessList: accessList ?? [],
  }
}

async function estimateGas(
  { view, calls }: FillSources,
  given: TransactionArguments,
): Promise<bigint> {
  // As geth does, without the price: an account that cannot pay is told so by the pool.
  const unpriced = { ...given, gasPrice: undefined, maxFeePerGas: undefined }
  const job = { kind: 'estimate', given: unpriced, overrides: undefined } as const
  const at = { kind: 'tag', tag: 'pending' } as const
  return BigInt(String(await calls.run(job, () => view.stateAfter(at))))
}

/** Adds the next nonce of the account, what waits in the pool included. */
export function withNonce(
  { pool }: FillSources,
  { from, nonce, ...rest }: FilledTransaction,
): UnsignedTransaction {
  return { ...rest, nonce: nonce ?? pool.nextNonce(from) ?? 0n }
}

interface Fees {
  readonly isFeeMarket: boolean
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

function fillFees({ view, tips }: FillSources, given: TransactionArguments): Fees {
  const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = given
  const { baseFeePerGas } = view.chain.head.header
  if (gasPrice !== undefined) {
    if (gasPrice === 0n && baseFeePerGas !== undefined) {
      throw faults.server('gasPrice must be non-zero after london fork')
    }
    return { isFeeMarket: false, maxFeePerGas: gasPrice, maxPriorityFeePerGas: gasPrice }
  }
  if (baseFeePerGas === undefined) {
    if (maxFeePerGas !== undefined || maxPriorityFeePerGas !== undefined) {
      throw faults.server(
        'maxFeePerGas and maxPriorityFeePerGas are not valid before London is active',
      )
    }
    const price = tips.tip()
    return { isFeeMarket: false, maxFeePerGas: price, maxPriorityFeePerGas: price }
  }
  if (maxFeePerGas === 0n) throw faults.server('maxFeePerGas must be non-zero')
  const suggested = tips.tip()
  // A cap below what is suggested is the sender's word: the tip goes down with it.
  const fitting = maxFeePerGas !== undefined && maxFeePerGas < suggested ? maxFeePerGas : suggested
  const tip = maxPriorityFeePerGas ?? fitting
  // Twice the base fee lasts through six full blocks in a row.
  const cap = maxFeePerGas ?? tip + 2n * baseFeePerGas
  if (cap < tip) throw faults.server(`maxFeePerGas (${cap}) < maxPriorityFeePerGas (${tip})`)
  return { isFeeMarket: true, maxFeePerGas: cap, maxPriorityFeePerGas: tip }
}
