/** Bounds of a server and its connections: sizes, counts and times, each with its reason. */
import { assert } from '@cairn/core'

export interface HttpLimits {
  /** Request line and header lines together; also chunk extensions and trailers together. */
  readonly headBytesMax: number
  readonly headerCountMax: number
  /** Largest request body. */
  readonly bodyBytesMax: number
  /** All request bodies in memory together; beyond it requests are refused as `OVERLOADED`. */
  readonly bodyBytesInFlightMax: number
  /** How much of a refused body is read and thrown away, so that the client gets to read why. */
  readonly discardedBytesMax: number
  readonly connectionCountMax: number
  /** From the first byte of a request, or from the connection's start, to the end of the head. */
  readonly headMsMax: number
  /** From the first byte of a request to its last. */
  readonly requestMsMax: number
  /** Between two requests. */
  readonly idleMsMax: number
  /** For a client to take an answer. */
  readonly writeMsMax: number
  /** How long a refused connection is read on, so that the client sees the answer and not a reset (RFC 9112, 9.6). */
  readonly lingerMsMax: number
  readonly tlsHandshakeMsMax: number
  /** Requests under way at the end get this long. */
  readonly drainMsMax: number
  /** How often connections are looked at for the times above. */
  readonly sweepMs: number
}

export const defaultHttpLimits: HttpLimits = {
  // As node:http has it. A signed request of an AWS SDK has about 900 bytes in 15 lines.
  headBytesMax: 16 * 1024,
  headerCountMax: 100,
  bodyBytesMax: 8 * 1024 * 1024,
  bodyBytesInFlightMax: 256 * 1024 * 1024,
  discardedBytesMax: 64 * 1024 * 1024,
  // Less than what usual limits on open files leave.
  connectionCountMax: 8192,
  headMsMax: 10_000,
  // 8 MiB in a minute is 1.1 Mbit/s.
  requestMsMax: 60_000,
  // A server that closes idle connections first races with the client's next request; be the patient one.
  idleMsMax: 16 * 60_000,
  writeMsMax: 120_000,
  lingerMsMax: 2000,
  tlsHandshakeMsMax: 10_000,
  drainMsMax: 5000,
  sweepMs: 1000,
}
assert(defaultHttpLimits.headMsMax < defaultHttpLimits.requestMsMax)
assert(defaultHttpLimits.bodyBytesMax < defaultHttpLimits.bodyBytesInFlightMax)
assert(defaultHttpLimits.bodyBytesMax < defaultHttpLimits.discardedBytesMax)
