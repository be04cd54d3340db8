/** Signs transactions with keys of this node and puts them into the pool; what eth and personal have in common. */
import { type ChainNode, checkRpcTransaction, incomingOf, type RpcRules } from '@cairn/eth-chain'
import {
  addressOfPrivateKey,
  dataToHex,
  encodeTransaction,
  signTransaction,
  type Transaction,
} from '@cairn/eth-codec'
import type { TransactionArguments } from '../call-arguments.ts'
import { faults } from '../faults.ts'
import { formatTransaction, type Json } from '../format.ts'
import type { AccountManager } from './account-manager.ts'
import {
  type FilledTransaction,
  type FillSources,
  fillTransaction,
  withNonce,
} from './fill-transaction.ts'

const noSignature = { r: new Uint8Array(32), s: new Uint8Array(32), yParity: 0 } as const

export interface SenderOptions {
  readonly accounts: AccountManager
  readonly node: ChainNode
  readonly rules: RpcRules
  readonly fill: FillSources
}

export class Sender {
  readonly accounts: AccountManager
  readonly node: ChainNode
  readonly #rules: RpcRules
  readonly #fill: FillSources

  constructor({ accounts, node, rules, fill }: SenderOptions) {
    this.accounts = accounts
    this.node = node
    this.#rules = rules
    this.#fill = fill
  }

  fill(given: TransactionArguments): Promise<FilledTransaction> {
    return fillTransaction(this.#fill, given)
  }

  /** With a signature of zeros, as geth answers it. */
  async fillUnsigned(given: TransactionArguments): Promise<Json> {
    const filled = await this.fill(given)
    return formatSigned({ ...withNonce(this.#fill, filled), signature: noSignature }, filled.from)
  }

  /** @throws PoolError when it may not be sent over JSON-RPC. */
  sign(filled: FilledTransaction, privateKey: Uint8Array): Transaction {
    const signed = signTransaction(withNonce(this.#fill, filled), privateKey)
    checkRpcTransaction(signed, this.#rules)
    return signed
  }

  /** In one go from the nonce to the pool, so that two at once never get the same. @returns the hash. */
  send(filled: FilledTransaction, privateKey: Uint8Array): string {
    const incoming = incomingOf(this.sign(filled, privateKey), addressOfPrivateKey(privateKey))
    return this.node.add(incoming).hash
  }
}

/** geth signs nothing that it would have to guess at. */
export function checkComplete(given: TransactionArguments): void {
  if (given.gas === undefined) throw faults.server('gas not specified')
  const hasFees =
    given.gasPrice !== undefined ||
    (given.maxFeePerGas !== undefined && given.maxPriorityFeePerGas !== undefined)
  if (!hasFees) {
    throw faults.server('missing gasPrice or maxFeePerGas/maxPriorityFeePerGas')
  }
  if (given.nonce === undefined) throw faults.server('nonce not specified')
}

/** How a transaction is answered that is signed, or filled, and not sent. */
export function formatSigned(transaction: Transaction, from: Uint8Array): Json {
  return {
    raw: dataToHex(encodeTransaction(transaction)),
    tx: formatTransaction(transaction, from, undefined),
  }
}
