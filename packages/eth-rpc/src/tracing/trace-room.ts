/** How much a trace may hold: its gas allows a transaction to make a tracer keep more than there is memory. */
import { faults } from '../faults.ts'

/**
 * Characters of one answer; text of digits takes a byte for each, and it exists three times on its way to the socket.
 * A struct log with its stack has some 500, so that this is the trace of more than 100,000 steps.
 */
export const traceLengthMax: number = 64 * 1024 * 1024

/** Shared by all transactions of an answer. */
export class TraceRoom {
  readonly #lengthMax: number
  #length = 0

  constructor(lengthMax: number = traceLengthMax) {
    this.#lengthMax = lengthMax
  }

  /** @param length Characters that are kept from now on. @throws RpcFault when there is no room for them. */
  take(length: number): void {
    this.#length += length
    this.check(0)
  }

  /** Whether there is room, before something large is made. @throws RpcFault */
  check(length: number): void {
    if (this.#length + length <= this.#lengthMax) return
    const mebibytes = this.#lengthMax / (1024 * 1024)
    throw faults.server(
      `trace is larger than ${mebibytes} MiB: ask for less with limit, disableStack or disableStorage, trace ` +
        'transactions of a block one by one, or choose a tracer that tells less, as callTracer with onlyTopCall',
    )
  }
}
