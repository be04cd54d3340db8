/** Bounds of the server: sizes, counts and times, each with its reason. All configurable. */
import { assert } from '@cairn/core'
import { defaultHttpLimits, type HttpLimits } from '@cairn/http-server'
import { defaultLimits } from '@cairn/ledger'

export interface QldbServerLimits {
  /** Largest request body. 1 MB of parameters make about 1.4 MB of base64 (qldb-compat 1.2 asks for 8 MiB or more). */
  readonly bodyBytesMax: number
  /** All request bodies of a listener in memory together; beyond it requests are told to come back. */
  readonly bodyBytesInFlightMax: number
  /** How much of a body that is too large is read and thrown away, so that the client gets to read the fault. */
  readonly discardedBytesMax: number
  /**
   * Requests running or waiting for their turn in a session. At this count nothing new is begun; requests of begun
   * transactions are taken up to twice as many.
   */
  readonly commandCountMax: number
  /** Per ledger. */
  readonly activeSessionCountMax: number
  readonly sessionMsMax: number
  readonly sessionIdleMsMax: number
  /** Expired sessions remembered, so that their clients learn why. */
  readonly expiredSessionCountMax: number
  /** The life of a transaction; what the engine is given. */
  readonly transactionMsMax: number
  readonly pageValueCountMax: number
  /** Ion bytes of a page, before base64. */
  readonly pageBytesMax: number
  /** Results of one transaction with pages still to be read. */
  readonly openResultCountMax: number
  /** Characters of pages kept for clients that ask for one again. */
  readonly recentPagesLengthMax: number
  /** Commits remembered, so that a repeated CommitTransaction finds its first answer (qldb-compat 6). */
  readonly finishedTransactionCountMax: number
  readonly finishedTransactionMsMax: number
  /** Of the HTTP API, in one request. */
  readonly statementCountMax: number
  /** Ion bytes of all rows of an answer of the HTTP API. */
  readonly resultBytesMax: number
  /** How often the HTTP API runs a transaction that meets others. */
  readonly attemptCountMax: number
  readonly idempotencyMsMax: number
  readonly idempotencyCountMax: number
  /** Characters of all answers kept for idempotency keys. */
  readonly idempotencyLengthMax: number
  /** How long `close` waits for commands under way. */
  readonly drainMsMax: number
}

export const defaultQldbServerLimits: QldbServerLimits = {
  bodyBytesMax: 8 * 1024 * 1024,
  bodyBytesInFlightMax: 256 * 1024 * 1024,
  discardedBytesMax: 64 * 1024 * 1024,
  commandCountMax: 2048,
  activeSessionCountMax: defaultLimits.activeSessionCountMax,
  // QLDB ended sessions after 13 to 17 minutes (qldb-compat 1.3). Drivers pool idle sessions: no less for them.
  sessionMsMax: 15 * 60_000,
  sessionIdleMsMax: 15 * 60_000,
  expiredSessionCountMax: 10_000,
  transactionMsMax: defaultLimits.transactionMsMax,
  pageValueCountMax: 200,
  pageBytesMax: 1024 * 1024,
  openResultCountMax: 1000,
  recentPagesLengthMax: 32 * 1024 * 1024,
  finishedTransactionCountMax: 10_000,
  finishedTransactionMsMax: 5 * 60_000,
  // A transaction writes 40 documents at most; some more statements read.
  statementCountMax: 100,
  resultBytesMax: 4 * 1024 * 1024,
  // The first, and the four retries that QLDB's drivers make.
  attemptCountMax: 5,
  // Longer than any client waits before it asks again.
  idempotencyMsMax: 10 * 60_000,
  // With answers of 300 characters about 100 MB.
  idempotencyCountMax: 200_000,
  idempotencyLengthMax: 64 * 1024 * 1024,
  drainMsMax: 10_000,
}

/** What of it a listener holds its connections to. */
export function httpLimitsOf(limits: QldbServerLimits): Partial<HttpLimits> {
  const { bodyBytesMax, bodyBytesInFlightMax, discardedBytesMax } = limits
  return { bodyBytesMax, bodyBytesInFlightMax, discardedBytesMax }
}

assert(defaultQldbServerLimits.bodyBytesMax < defaultQldbServerLimits.bodyBytesInFlightMax)
assert(defaultQldbServerLimits.bodyBytesMax < defaultQldbServerLimits.discardedBytesMax)
// A command on every session of a full ledger at once is not overload.
assert(defaultQldbServerLimits.activeSessionCountMax < defaultQldbServerLimits.commandCountMax)
// A server that closes idle connections first races with the next request: the driver sees ECONNRESET, and does not
// retry it. So a connection may be idle for longer than a session lives.
assert(defaultQldbServerLimits.sessionMsMax < defaultHttpLimits.idleMsMax)
// An answer takes at most the life of a transaction.
assert(defaultQldbServerLimits.transactionMsMax < defaultHttpLimits.writeMsMax)
assert(defaultQldbServerLimits.transactionMsMax < defaultQldbServerLimits.sessionMsMax)
assert(defaultQldbServerLimits.transactionMsMax < defaultQldbServerLimits.idempotencyMsMax)
