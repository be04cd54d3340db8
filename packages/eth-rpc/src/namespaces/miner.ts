/** `miner`: sealing from the console. Texts and answers are geth's (eth/api_miner.go, 1.13). */
import { utf8 } from '@cairn/core'
import { gasLimitMin, type TransactionPool } from '@cairn/eth-chain'
import { faults } from '../faults.ts'
import { type MethodTable, method, optional } from '../method.ts'
import type { Miner } from '../miner.ts'
import { parameters } from '../parameters.ts'

const { address, count, quantity, text, uint64 } = parameters

export function minerMethods(miner: Miner, pool: TransactionPool): MethodTable {
  return {
    // The number of threads that consoles of 2019 give meant something for proof of work.
    miner_start: method([optional(count)], async () => {
      await miner.start()
      return null
    }),
    miner_stop: method([], async () => {
      await miner.stop()
      return null
    }),
    miner_setEtherbase: method([address], async ([to]) => {
      await miner.setEtherbase(to)
      return true
    }),
    miner_setExtra: method([text], ([extra]) => {
      miner.setVanity(utf8(extra))
      return true
    }),
    miner_setGasPrice: method([quantity], ([price]) => {
      pool.setPriceLimit(price)
      return true
    }),
    miner_setGasLimit: method([uint64], ([gasLimit]) => {
      if (gasLimit < gasLimitMin) throw faults.server(`gas limit below minimum ${gasLimitMin}`)
      miner.setGasLimit(gasLimit)
      return true
    }),
    // Nothing is ever built anew here: a candidate takes transactions as they come.
    miner_setRecommitInterval: method([count], () => null),
  }
}
