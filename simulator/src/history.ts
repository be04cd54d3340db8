/** What clients did and were told: the one thing that the checkers may believe besides what the disk holds. */
import type { Step } from './steps.ts'

export interface RecordedStep {
  readonly step: Step
  /** Undefined when the statement was refused. */
  readonly answer: readonly string[] | undefined
}

/**
 * `absent`: was refused, or never asked to commit. `unknown`: asked to commit, and no answer tells. The journal decides
 * then, and `settle` notes it.
 */
export type Outcome = 'absent' | 'unknown' | 'committed'

export interface RecordedTransaction {
  readonly clientNo: number
  /** Durable blocks when it was about to begin: it must see at least these. */
  readonly durableBefore: number
  id: string
  readonly steps: RecordedStep[]
  outcome: Outcome
  /** Whether a client was told that it is committed. */
  isAcknowledged: boolean
  /** Durable blocks when the answer came. */
  durableAfter: number
  /** Where the block is, when a client was told. */
  blockNo: number | undefined
  /** Order of beginnings and ends as the clients saw them. */
  readonly begunAt: number
  endedAt: number
}

export class History {
  /** In the order of their beginnings. */
  readonly transactions: RecordedTransaction[] = []
  #eventCount = 0

  begin(clientNo: number, durableBefore: number): RecordedTransaction {
    const transaction: RecordedTransaction = {
      clientNo,
      durableBefore,
      id: '',
      steps: [],
      outcome: 'absent',
      isAcknowledged: false,
      durableAfter: Number.POSITIVE_INFINITY,
      blockNo: undefined,
      begunAt: this.#eventCount++,
      endedAt: Number.POSITIVE_INFINITY,
    }
    this.transactions.push(transaction)
    return transaction
  }

  acknowledge(
    transaction: RecordedTransaction,
    durableAfter: number,
    blockNo: number | undefined,
  ): void {
    transaction.outcome = 'committed'
    transaction.isAcknowledged = true
    transaction.durableAfter = durableAfter
    transaction.blockNo = blockNo
    transaction.endedAt = this.#eventCount++
  }
}

/** Revisions that somebody redacted, as `document version`, whether the transaction is known to be committed or not. */
export function redactedRevisions({ transactions }: History): ReadonlySet<string> {
  const out = new Set<string>()
  for (const { steps, outcome } of transactions) {
    if (outcome === 'absent') continue
    for (const { step, answer } of steps) {
      if (step.kind === 'redact' && answer !== undefined) {
        out.add(`${step.documentId} ${step.version}`)
      }
    }
  }
  return out
}

export function writes(transaction: RecordedTransaction): boolean {
  return transaction.steps.some(({ step, answer }) => {
    if (answer === undefined) return false
    switch (step.kind) {
      case 'select':
      case 'committed':
      case 'history':
      case 'tables':
        return false
      case 'set':
      case 'append':
      case 'delete':
        return answer.length > 0
      default:
        return true
    }
  })
}
