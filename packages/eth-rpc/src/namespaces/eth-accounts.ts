/** Methods of `eth` that read the state: balances, code, storage, nonces, proofs. */
import { dataToHex, emptyCodeHash, quantityToHex, type StateReader } from '@cairn/eth-codec'
import { type MethodTable, method, optional, required } from '../method.ts'
import { isPending, type NodeView, whenThere } from '../node-view.ts'
import { type BlockReference, latestBlock, parameters, readSlot } from '../parameters.ts'

const { address, block, slot } = parameters

/** Slots that one proof may be asked for; each costs a walk through a trie. */
const proofSlotCountMax = 1024

export interface PoolNonces {
  /** The next nonce of an account with what waits in the pool. @param address 20 bytes. */
  nextNonce(address: Uint8Array): bigint | undefined
}

export function ethAccountMethods(view: NodeView, pool: PoolNonces): MethodTable {
  return {
    eth_getBalance: method([address, optional(block)], ([of, at]) =>
      whenThere(view.stateAfter(at ?? latestBlock), ({ state }) =>
        quantityToHex(state.readAccount(of)?.balance ?? 0n),
      ),
    ),
    eth_getCode: method([address, optional(block)], ([of, at]) =>
      whenThere(view.stateAfter(at ?? latestBlock), ({ state }) => dataToHex(codeOf(state, of))),
    ),
    eth_getStorageAt: method([address, slot, optional(block)], ([of, key, at]) =>
      whenThere(view.stateAfter(at ?? latestBlock), ({ state }) =>
        dataToHex(state.readStorage(of, key)),
      ),
    ),
    eth_getTransactionCount: method([address, optional(block)], ([of, at]) => {
      const reference = at ?? latestBlock
      const waiting = isPending(reference) ? pool.nextNonce(of) : undefined
      if (waiting !== undefined) return quantityToHex(waiting)
      return whenThere(view.stateAfter(reference), ({ state }) =>
        quantityToHex(state.readAccount(of)?.nonce ?? 0n),
      )
    }),
    eth_getProof: method([address, slots, optional(block)], ([of, keys, at]) =>
      proofOf(view, at ?? latestBlock, of, keys),
    ),
  }
}

const slots = required((value): { readonly text: string; readonly slot: Uint8Array }[] => {
  if (!Array.isArray(value)) {
    throw new Error('json: cannot unmarshal non-array into Go value of type []string')
  }
  if (value.length > proofSlotCountMax)
    throw new Error(`too many keys, at most ${proofSlotCountMax}`)
  return value.map((text: unknown) => {
    const slot = readSlot(text)
    return { text: String(text), slot }
  })
})

function codeOf(state: StateReader, address: Uint8Array): Uint8Array {
  const account = state.readAccount(address)
  return account === undefined ? new Uint8Array(0) : state.readCode(account.codeHash)
}

async function proofOf(
  view: NodeView,
  reference: BlockReference,
  of: Uint8Array,
  keys: readonly { readonly text: string; readonly slot: Uint8Array }[],
): Promise<unknown> {
  const proof = await view.proof(
    reference,
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
