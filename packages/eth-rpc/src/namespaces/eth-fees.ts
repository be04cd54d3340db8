/**
 * Prices: what others paid lately. As geth's gas price oracle (eth/gasprice, 1.13): the 60th percentile of the lowest
 * three tips of each of the last 20 blocks, between 1 wei and 500 gwei, one gwei where there is nothing to go by.
 */

import { type ExecutedBlock, nextBaseFee } from '@cairn/eth-chain'
import { type BlockHeader, effectiveTip, quantityToHex, type Transaction } from '@cairn/eth-codec'
import { faults } from '../faults.ts'
import { type MethodTable, method } from '../method.ts'
import type { NodeView } from '../node-view.ts'
import { parameters } from '../parameters.ts'
import type { Turns } from '../turns.ts'

const sampledBlockCount = 20
const sampledTipCount = 3
const percentile = 60
/** Tips below are taken for a mistake. In wei. */
const tipIgnoredBelow = 2n
const tipDefault = 1_000_000_000n
const tipMax = 500_000_000_000n
const historyBlockCountMax = 1024
const percentileCountMax = 100

export function ethFeeMethods(view: NodeView, turns: Turns): MethodTable {
  const oracle = new TipOracle(view)
  return {
    eth_gasPrice: method([], () => {
      const { header } = view.chain.head
      return quantityToHex(oracle.tip() + (nextBaseFeeOf(view, header) ?? 0n))
    }),
    eth_maxPriorityFeePerGas: method([], () => quantityToHex(oracle.tip())),
    eth_feeHistory: method(
      [parameters.count, parameters.block, { isOptional: true, read: readPercentiles }],
      ([count, newest, percentiles]) => {
        const { header } = view.header(newest)
        const countWanted = Math.min(count, historyBlockCountMax)
        return turns.run(feeHistory(view, countWanted, header, percentiles))
      },
    ),
  }
}

/** Kept for one head: wallets ask often. */
export class TipOracle {
  readonly #view: NodeView
  #headHash: string | undefined
  #tip = tipDefault

  constructor(view: NodeView) {
    this.#view = view
  }

  /** In wei. */
  tip(): bigint {
    const { head } = this.#view.chain
    if (this.#headHash === head.hash) return this.#tip
    const tips: bigint[] = []
    for (let back = 0n; back < sampledBlockCount && back <= head.header.number; back++) {
      const block = blockAt(this.#view, head.header.number - back)
      if (block === undefined) break
      tips.push(...lowestTips(block))
    }
    tips.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    const found = tips[Math.floor(((tips.length - 1) * percentile) / 100)]
    if (found !== undefined) this.#tip = found < tipMax ? found : tipMax
    this.#headHash = head.hash
    return this.#tip
  }
}

/** The sealer's own transactions say nothing about what it takes from others. */
function lowestTips({ block, senders }: ExecutedBlock): bigint[] {
  const baseFee = block.header.baseFeePerGas ?? 0n
  const tips = block.transactions
    .map((transaction, index) => ({ tip: effectiveTip(transaction, baseFee), index }))
    .filter(({ tip, index }) => tip >= tipIgnoredBelow && senders[index] !== undefined)
    .map(({ tip }) => tip)
  return tips.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)).slice(0, sampledTipCount)
}

function readPercentiles(value: unknown): number[] {
  if (!Array.isArray(value)) {
    throw new Error('json: cannot unmarshal non-array into Go value of type []float64')
  }
  if (value.length > percentileCountMax) throw new Error('over the query limit 100')
  let last = -1
  return value.map((it: unknown) => {
    if (typeof it !== 'number') {
      throw new Error('json: cannot unmarshal non-number into Go value of type float64')
    }
    if (it < 0 || it > 100) throw faults.server(`invalid reward percentile: ${it}`)
    if (it < last) throw faults.server('invalid reward percentile: not in ascending order')
    last = it
    return it
  })
}

/** Blocks are read only where somebody asks what was paid in them. */
function* feeHistory(
  view: NodeView,
  count: number,
  newest: BlockHeader,
  percentiles: readonly number[] | undefined,
): Generator<undefined, unknown> {
  if (count < 1) return { oldestBlock: '0x0', gasUsedRatio: [] }
  const first = newest.number - BigInt(count) + 1n
  const oldest = first < 0n ? 0n : first
  const baseFees: string[] = []
  const ratios: number[] = []
  const rewards: string[][] = []
  for (let number = oldest; number <= newest.number; number++) {
    const block = percentiles === undefined ? undefined : blockAt(view, number)
    const header = block?.block.header ?? view.chain.headerByNumber(number)
    if (header === undefined) throw faults.server('header not found')
    baseFees.push(quantityToHex(header.baseFeePerGas ?? 0n))
    ratios.push(header.gasLimit === 0n ? 0 : Number(header.gasUsed) / Number(header.gasLimit))
    if (percentiles !== undefined && block !== undefined) {
      rewards.push(rewardsOf(block, percentiles))
    }
    yield
  }
  baseFees.push(quantityToHex(nextBaseFeeOf(view, newest) ?? 0n))
  return {
    oldestBlock: quantityToHex(oldest),
    ...(percentiles === undefined || percentiles.length === 0 ? {} : { reward: rewards }),
    baseFeePerGas: baseFees,
    gasUsedRatio: ratios,
  }
}

/** Tips at percentiles of the gas used, cheapest first. */
function rewardsOf(executed: ExecutedBlock, percentiles: readonly number[]): string[] {
  const { block, receipts } = executed
  const { baseFeePerGas = 0n, gasUsed } = block.header
  const paid = block.transactions.map((transaction: Transaction, index) => {
    const before = index === 0 ? 0n : (receipts[index - 1]?.cumulativeGasUsed ?? 0n)
    const gas = (receipts[index]?.cumulativeGasUsed ?? 0n) - before
    return { tip: effectiveTip(transaction, baseFeePerGas), gas }
  })
  paid.sort((a, b) => (a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0))
  const [cheapest] = paid
  if (cheapest === undefined) return percentiles.map(() => '0x0')
  let index = 0
  let sum = cheapest.gas
  return percentiles.map((wanted) => {
    const threshold = (Number(gasUsed) * wanted) / 100
    while (Number(sum) < threshold && index < paid.length - 1) {
      index++
      sum += paid[index]?.gas ?? 0n
    }
    return quantityToHex(paid[index]?.tip ?? 0n)
  })
}

function nextBaseFeeOf(view: NodeView, header: BlockHeader): bigint | undefined {
  return nextBaseFee(view.chain.config, header)
}

function blockAt(view: NodeView, number: bigint): ExecutedBlock | undefined {
  const hash = view.chain.store.canonicalHash(number)
  return hash === undefined ? undefined : view.executedBlock(hash)
}
