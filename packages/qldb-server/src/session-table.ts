/**
 * The active sessions, found by their tokens. A session ends by EndSession, with its ledger, after its life, or unused
 * for too long; the last two leave a trace for a while, so that the client learns what happened.
 */
import type { Clock, IdSource } from '@cairn/core'
import type { Ledger } from '@cairn/ledger'
import { serverError } from './errors.ts'
import type { QldbServerLimits } from './limits.ts'
import { Session } from './session.ts'

const sweepIntervalMs = 1000

export class SessionTable {
  readonly #clock: Clock
  readonly #ids: IdSource
  readonly #limits: QldbServerLimits
  /** By token, the oldest first. */
  readonly #sessions = new Map<string, Session>()
  readonly #countByStrand = new Map<string, number>()
  /** Ids of expired sessions by token, the oldest first. */
  readonly #expiredIds = new Map<string, string>()
  #sweptMs = 0

  constructor(clock: Clock, ids: IdSource, limits: QldbServerLimits) {
    this.#clock = clock
    this.#ids = ids
    this.#limits = limits
  }

  /**
   * Ends transactions that are out of time in sessions whose clients are silent. Called with every new transaction:
   * what is held in memory grows with those alone, so no timer is needed. Looks around once in a second.
   */
  sweep(): void {
    const nowMs = this.#clock.nowMs()
    if (nowMs - this.#sweptMs < sweepIntervalMs) return
    this.#sweptMs = nowMs
    for (const session of this.#sessions.values()) {
      session.expireTransactionIfOld(nowMs, this.#limits.transactionMsMax)
    }
  }

  /** @throws QldbServerError SESSION_LIMIT_EXCEEDED */
  start(ledger: Ledger, ledgerArn: string, principal: string): Session {
    const nowMs = this.#clock.nowMs()
    this.#expireOld(nowMs)
    if (this.#countOf(ledger) >= this.#limits.activeSessionCountMax) this.#expireIdle(nowMs)
    const count = this.#countOf(ledger)
    const sessionCountMax = this.#limits.activeSessionCountMax
    if (count >= sessionCountMax) {
      throw serverError(
        { code: 'SESSION_LIMIT_EXCEEDED', ledgerName: ledger.name, sessionCountMax },
        'The ledger has as many active sessions as it may have.',
      )
    }
    // Two ids of 128 random bits each: one to be shown, one to be kept.
    const [id, token] = [this.#ids.random(), this.#ids.random()]
    const session = new Session(id, token, ledger, ledgerArn, principal, nowMs)
    this.#sessions.set(token, session)
    this.#countByStrand.set(ledger.strandId, count + 1)
    return session
  }

  /**
   * The session of `token`, marked as used now.
   * @throws QldbServerError SESSION_EXPIRED, SESSION_NOT_FOUND; the latter also for the token of another identity.
   */
  get(token: string, principal: string): Session {
    const session = this.#sessions.get(token)
    if (session === undefined || session.principal !== principal) {
      const expiredId = this.#expiredIds.get(token)
      throw expiredId === undefined
        ? serverError({ code: 'SESSION_NOT_FOUND' }, 'There is no such session.')
        : sessionExpired(expiredId)
    }
    const nowMs = this.#clock.nowMs()
    if (this.#isExpired(session, nowMs)) {
      this.#expire(session)
      throw sessionExpired(session.id)
    }
    session.lastUsedMs = nowMs
    return session
  }

  end(session: Session): void {
    if (!this.#sessions.delete(session.token)) return
    session.isEnded = true
    session.abortTransaction()
    const count = this.#countOf(session.ledger) - 1
    if (count > 0) this.#countByStrand.set(session.ledger.strandId, count)
    else this.#countByStrand.delete(session.ledger.strandId)
  }

  /** For a ledger that is deleted. */
  endOf(strandId: string): void {
    for (const session of this.#sessions.values()) {
      if (session.ledger.strandId === strandId) this.end(session)
    }
  }

  endAll(): void {
    for (const session of this.#sessions.values()) this.end(session)
  }

  get count(): number {
    return this.#sessions.size
  }

  #countOf(ledger: Ledger): number {
    return this.#countByStrand.get(ledger.strandId) ?? 0
  }

  #isExpired(session: Session, nowMs: number): boolean {
    return (
      nowMs - session.startedMs >= this.#limits.sessionMsMax ||
      nowMs - session.lastUsedMs >= this.#limits.sessionIdleMsMax
    )
  }

  /** All have the same life, so those whose life is over stand in front. */
  #expireOld(nowMs: number): void {
    for (const session of this.#sessions.values()) {
      if (nowMs - session.startedMs < this.#limits.sessionMsMax) return
      this.#expire(session)
    }
  }

  #expireIdle(nowMs: number): void {
    for (const session of this.#sessions.values()) {
      if (this.#isExpired(session, nowMs)) this.#expire(session)
    }
  }

  #expire(session: Session): void {
    this.end(session)
    this.#expiredIds.set(session.token, session.id)
    if (this.#expiredIds.size <= this.#limits.expiredSessionCountMax) return
    for (const oldest of this.#expiredIds.keys()) {
      this.#expiredIds.delete(oldest)
      break
    }
  }
}

function sessionExpired(sessionId: string) {
  return serverError({ code: 'SESSION_EXPIRED', sessionId }, 'The session has expired.')
}
