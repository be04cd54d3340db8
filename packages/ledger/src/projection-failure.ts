/** What LMDB says when it cannot write, and what to do then: it names a promise of its cause instead of the cause. */
import { LedgerError } from './errors.ts'

/** Turns of the event loop in which the cause comes; it is the very next one as a rule. */
const turnCountMax = 100

export async function projectionFailed(directory: string, error: unknown): Promise<LedgerError> {
  const cause = await causeOf(error)
  const text = cause instanceof Error ? cause.message : String(cause)
  return new LedgerError(
    { code: 'PROJECTION_FAILED', directory },
    {
      shortMessage: 'Documents and indexes could not be written to LMDB, so the ledger stops.',
      metaMessages: [
        `Directory: ${directory}`,
        `Cause: ${text}`,
        'The journal has every block. Look whether the disk is full, make room or repair it, then start again.',
      ],
      docsPath: 'reference/errors#projection_failed',
      cause,
    },
  )
}

/** Whether LMDB made it for a write of a commit that failed. */
export function isCommitFailure(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'commitError' in error
}

async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = (error ?? {}) as { commitError?: unknown }
  if (!(commitError instanceof Promise)) return error
  let cause: unknown = error
  let isKnown = false
  commitError.catch((reason: unknown) => {
    cause = reason
    isKnown = true
  })
  for (let i = 0; i < turnCountMax && !isKnown; i++) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  return cause
}
