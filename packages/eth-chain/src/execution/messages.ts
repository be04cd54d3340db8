/**
 * What the thread of pool and JSON-RPC and the thread that executes say to each other. What is large travels as bytes
 * that change hands (packed-transactions.ts, packed-pending.ts), not as clones of many objects.
 */
import type { LogLevel } from '@cairn/core'
import type { AccountProof } from '@cairn/eth-state'
import type { ImportResult } from '../chain.ts'
import type { ImportProgress } from '../file/chain-file.ts'
import type { SealingOptions } from './execution.ts'
import type { PackedPending } from './packed-pending.ts'
import type { ThreadError } from './thread-error.ts'

/** What is asked, and what the answer is. */
export interface Calls {
  readonly startSealing: { ask: SealingOptions; answer: undefined }
  readonly stopSealing: { ask: undefined; answer: undefined }
  /** `version` is of the snapshot that is at hand. */
  readonly pending: { ask: { readonly version: string | undefined }; answer: PendingAnswer }
  readonly proof: {
    ask: {
      readonly root: Uint8Array
      readonly address: Uint8Array
      readonly slots: readonly Uint8Array[]
    }
    answer: AccountProof
  }
  readonly badBlocks: { ask: undefined; answer: readonly Uint8Array[] }
  /** Blocks in RLP. */
  readonly importBlocks: { ask: { readonly blocks: readonly Uint8Array[] }; answer: ImportResult }
  readonly importFile: { ask: { readonly path: string }; answer: number }
  readonly close: { ask: undefined; answer: undefined }
}

export type CallName = keyof Calls

export type PendingAnswer =
  | { readonly kind: 'none' }
  /** It is the one that is at hand. */
  | { readonly kind: 'same' }
  | { readonly kind: 'packed'; readonly packed: PackedPending }

type CallMessage = {
  [N in CallName]: {
    readonly kind: 'call'
    readonly id: number
    readonly name: N
    readonly ask: Calls[N]['ask']
  }
}[CallName]

export type ToExecution =
  | CallMessage
  /** What may be executed from now on, and the hashes of what may not any more, which goes first. */
  | { readonly kind: 'transactions'; readonly added: Uint8Array; readonly gone: Uint8Array }
  | { readonly kind: 'vanity'; readonly vanity: Uint8Array }
  | { readonly kind: 'gasLimit'; readonly gasLimit: bigint }
  /** `authorize` undefined: the proposal is dropped. */
  | { readonly kind: 'propose'; readonly address: string; readonly authorize: boolean | undefined }
  | { readonly kind: 'endImports' }
  /** The last message: the database may be closed. */
  | { readonly kind: 'end' }

export type FromExecution =
  | { readonly kind: 'answer'; readonly id: number; readonly value: Calls[CallName]['answer'] }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ThreadError }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: ImportProgress }
  /** There is something new in the database. Said once until whoever hears it has lowered the signal. */
  | { readonly kind: 'written' }
  /** One message of transactions was dealt with. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'sealing'; readonly isSealing: boolean }
  | {
      readonly kind: 'log'
      readonly level: LogLevel
      readonly message: string
      readonly fields: Readonly<Record<string, unknown>> | undefined
    }

/** An end of a channel: a MessagePort, a Worker, or a worker's `parentPort`. */
export interface ExecutionPort {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void
  on(event: 'message', listener: (message: unknown) => void): unknown
}

/** One number of shared memory: 1 from `written` until whoever hears it begins to read. */
export type WrittenSignal = Int32Array<SharedArrayBuffer>

export function createWrittenSignal(): WrittenSignal {
  return new Int32Array(new SharedArrayBuffer(4))
}

/** What a message can carry of the fields of a log line. */
export function plainFields(
  fields: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (fields === undefined) return undefined
  const plain = Object.entries(fields).map(([name, value]) => {
    const isPlain = ['string', 'number', 'boolean', 'bigint'].includes(typeof value)
    return [name, isPlain || value instanceof Error ? value : String(value)]
  })
  return Object.fromEntries(plain) as Record<string, unknown>
}
