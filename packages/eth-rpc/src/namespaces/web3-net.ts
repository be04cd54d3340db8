/** `web3` and `net`: what the program is and whom it is connected to; and the parts of `eth` that are constant here. */
import { dataToHex, keccak256, quantityToHex } from '@cairn/eth-codec'
import { type MethodTable, method } from '../method.ts'
import { parameters } from '../parameters.ts'

export interface NodeFacts {
  /** As `Cairn/v0.1.0/linux-x64/node20.20.0`. */
  readonly clientVersion: string
  readonly chainId: bigint
  readonly networkId: bigint
  peerCount(): number
  isListening(): boolean
  isSealing(): boolean
  /** Lower-case addresses of accounts whose keys are here, locked ones too. */
  accounts(): readonly string[] | Promise<readonly string[]>
  /** Lower case; undefined when nobody seals here. */
  etherbase(): string | undefined
}

export function web3Methods(facts: NodeFacts): MethodTable {
  return {
    web3_clientVersion: method([], () => facts.clientVersion),
    web3_sha3: method([parameters.data], ([data]) => dataToHex(keccak256(data))),
  }
}

export function netMethods(facts: NodeFacts): MethodTable {
  return {
    net_version: method([], () => String(facts.networkId)),
    net_listening: method([], () => facts.isListening()),
    net_peerCount: method([], () => quantityToHex(facts.peerCount())),
  }
}

/** eth/68 is what geth 1.13 speaks last. */
const protocolVersion = 68

export function ethFactMethods(facts: NodeFacts): MethodTable {
  return {
    eth_chainId: method([], () => quantityToHex(facts.chainId)),
    eth_protocolVersion: method([], () => quantityToHex(protocolVersion)),
    eth_syncing: method([], () => false),
    eth_mining: method([], () => facts.isSealing()),
    eth_hashrate: method([], () => '0x0'),
    eth_accounts: method([], () => facts.accounts()),
    eth_coinbase: method([], () => facts.etherbase() ?? `0x${'0'.repeat(40)}`),
  }
}
