/** Methods of `eth` that put transactions on their way. */
import { type ChainNode, checkRpcTransaction, type RpcRules, readIncoming } from '@cairn/eth-chain'
import { RlpError } from '@cairn/eth-codec'
import { faults } from '../faults.ts'
import { type MethodTable, method } from '../method.ts'
import { parameters } from '../parameters.ts'

export function ethSendingMethods(node: ChainNode, rules: RpcRules): MethodTable {
  return {
    eth_sendRawTransaction: method([parameters.data], ([raw]) => {
      const incoming = readTransaction(raw)
      checkRpcTransaction(incoming.transaction, rules)
      return node.pool.add(incoming, true).hash
    }),
  }
}

/** Bytes that are no transaction are refused in the words of go-ethereum's RLP. */
function readTransaction(raw: Uint8Array): ReturnType<typeof readIncoming> {
  try {
    return readIncoming(raw)
  } catch (error) {
    if (error instanceof RlpError) throw faults.server(`rlp: ${error.shortMessage}`)
    throw error
  }
}
