/** What the node and the thread for long calls say to each other. The thread waits for each answer about the state. */
import type { Account, ChainConfig } from '@cairn/eth-codec'
import type { BlockContext } from '@cairn/eth-evm'
import { faultOf, type RpcErrorObject } from '../faults.ts'
import type { CallJob } from './call-job.ts'
import type { CallLimits, CallState } from './call-runner.ts'

export type StateQuestion =
  | { readonly kind: 'account'; readonly address: Uint8Array }
  | { readonly kind: 'storage'; readonly address: Uint8Array; readonly slot: Uint8Array }
  | { readonly kind: 'hasStorage'; readonly address: Uint8Array }
  | { readonly kind: 'code'; readonly codeHash: Uint8Array }
  | { readonly kind: 'blockHash'; readonly number: bigint }

export type StateAnswer =
  | { readonly value: Account | Uint8Array | boolean | undefined }
  | { readonly fault: RpcErrorObject }

export type ToCallThread =
  | {
      readonly kind: 'run'
      readonly job: CallJob
      readonly context: Omit<BlockContext, 'blockHash'>
      readonly config: ChainConfig
      readonly limits: CallLimits
    }
  | { readonly kind: 'state'; readonly answer: StateAnswer }

export type FromCallThread =
  | { readonly kind: 'begun' }
  | {
      readonly kind: 'read'
      readonly question: StateQuestion
      /** One number of shared memory; 1 when the answer is there. */
      readonly signal: Int32Array
    }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly fault: RpcErrorObject }

/** Answers for the state that the call began on. */
export function readState(state: CallState, question: StateQuestion): StateAnswer {
  try {
    return { value: readValue(state, question) }
  } catch (error) {
    // As when the state has been pruned meanwhile.
    return { fault: faultOf(error).toObject() }
  }
}

function readValue(
  { state, context }: CallState,
  question: StateQuestion,
): Account | Uint8Array | boolean | undefined {
  switch (question.kind) {
    case 'account':
      return plainAccount(state.readAccount(question.address))
    case 'storage':
      return state.readStorage(question.address, question.slot).slice()
    case 'hasStorage':
      return state.hasStorage?.(question.address) ?? false
    case 'code':
      return state.readCode(question.codeHash).slice()
    case 'blockHash':
      return context.blockHash(question.number)?.slice()
  }
}

/** Copied: views would bring the whole buffer below them along. */
function plainAccount(account: Account | undefined): Account | undefined {
  if (account === undefined) return undefined
  const { nonce, balance, codeHash } = account
  return { nonce, balance, codeHash: codeHash.slice() }
}
