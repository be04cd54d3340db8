/** What a tracer of JSON-RPC is: it listens to one transaction and tells of it as JSON. */
import type { Tracer } from '@cairn/eth-evm'
import type { TraceRoom } from './trace-room.ts'

export interface ResultTracer extends Tracer {
  /** Asked once, when the transaction is over. */
  resultText(): string
}

/** Which transaction it is, as far as it is one. */
export interface TraceContext {
  readonly room: TraceRoom
  /** `0x` and 64 digits. */
  readonly blockHash?: string
  readonly blockNumber?: bigint
  readonly transactionHash?: string
  readonly transactionIndex?: number
}

/** Whether an address is a built-in contract's. @param count How many there are, from 1 on. */
export function isPrecompileAddress(address: Uint8Array, count: number): boolean {
  const last = address.at(-1) ?? 0
  return last > 0 && last <= count && address.subarray(0, -1).every((byte) => byte === 0)
}
