/** Methods of `eth` that read the state: balances, code, storage, nonces, proofs. */
import { dataToHex, emptyCodeHash, quantityToHex, type StateReader } from '@cairn/eth-codec'
import { faults } from '../faults.ts'
import { type MethodTable, method, optional, required } from '../method.ts'
import type { NodeView } from '../node-view.ts'
import { latestBlock, parameters, readSlot } from '../parameters.ts'

const { address, block, slot } = parameters

/** Slots that one proof may be asked for; each costs a walk through a trie. */
const proofSlotCountMax = 1024

export interface PoolNonces {
  /** The next nonce of an account with what waits in the pool. @param address 20 bytes. */
  nextNonce(address: Uint8Array): bigint | undefined
}

export function ethAccountMethods(view: NodeView, pool: PoolNonces): MethodTable {
  return {
    eth_getBalance: method([address, optional(block)], ([of, at]) => {
      const account = view.stateAfter(at ?? latestBlock).state.readAccount(of)
      return quantityToHex(account?.balance ?? 0n)
    }),
    eth_getCode: method([address, optional(block)], ([of, at]) =>
      dataToHex(codeOf(view.stateAfter(at ?? latestBlock).state, of)),
    ),
    eth_getStorageAt: method([address, slot, optional(block)], ([of, key, at]) =>
      dataToHex(view.stateAfter(at ?? latestBlock).state.readStorage(of, key)),
    ),
    eth_getTransactionCount: method([address, optional(block)], ([of, at]) => {
      const reference = at ?? latestBlock
      const isPending = reference.kind === 'tag' && reference.tag === 'pending'
      const waiting = isPending ? pool.nextNonce(of) : undefined
      const nonce = waiting ?? view.stateAfter(reference).state.readAccount(of)?.nonce
      return quantityToHex(nonce ?? 0n)
    }),
    eth_getProof: method([address, slots, optional(block)], ([of, keys, at]) => {
      const { header } = view.header(at ?? latestBlock)
      return proofOf(view, header.stateRoot, of, keys)
    }),
  }
}

const slots = required((value): { readonly text: string; readonly slot: Uint8Array }[] => {
  if (!Array.isArray(value)) {
    throw new Error('json: cannot unmarshal non-array into Go value of type []string')
  }
  if (value.length > proofSlotCountMax)
    throw new Error(`too many keys, at most ${proofSlotCountMax}`)
  return value.map((text: unknown) => ({ text: String(text), slot: readSlot(text) }))
})

function codeOf(state: StateReader, address: Uint8Array): Uint8Array {
  const account = state.readAccount(address)
  return account === undefined ? new Uint8Array(0) : state.readCode(account.codeHash)
}

function proofOf(
  view: NodeView,
  stateRoot: Uint8Array,
  of: Uint8Array,
  keys: readonly { readonly text: string; readonly slot: Uint8Array }[],
): unknown {
  const { states } = view.chain
  const state = states.stateAt(stateRoot)
  if (state === undefined) throw faults.server('the state of that block is not kept any more')
  const proof = states.proof(
    state,
    of,
    keys.map((key) => key.slot),
  )
  const { account } = proof
  return {
    address: dataToHex(of),
    accountProof: proof.accountProof.map((node) => dataToHex(node)),
    balance: quantityToHex(account.balance),
    codeHash: dataToHex(account.codeHash.length === 0 ? emptyCodeHash : account.codeHash),
    nonce: quantityToHex(account.nonce),
    storageHash: dataToHex(account.storageRoot),
    storageProof: proof.storageProofs.map(({ value, proof: nodes }, index) => ({
      // As it was asked for: clients look their keys up in the answer.
      key: keys[index]?.text,
      value: quantityToHex(BigInt(dataToHex(value))),
      proof: nodes.map((node) => dataToHex(node)),
    })),
  }
}
