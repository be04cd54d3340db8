/**
 * Takes redacted data out of journal exports in local buckets. Exports in an S3 service elsewhere are their owner's
 * affair: versions, locks and copies there are out of reach.
 */
import type { BucketStore } from '@cairn/aws-local'
import type { Logger } from '@cairn/core'
import { redactExports } from '@cairn/journal-export'
import type { EraseCopies } from '@cairn/ledger'

export interface LocalExportsOptions {
  readonly buckets: BucketStore
  /** Resolves when objects of the ledger that were begun before are written. */
  untilWritten(strandId: string): Promise<void>
  readonly logger: Logger
}

/** For `LedgerHostOptions.eraseCopies`. */
export function redactLocalExports(options: LocalExportsOptions): EraseCopies {
  const { buckets, untilWritten, logger } = options
  return async ({ name, strandId, revisions, blocksFrom, signal }) => {
    await untilWritten(strandId)
    const count = await redactExports({
      strandId,
      revisions,
      blocksFrom,
      objects: buckets,
      onForeign: (bucket, key) => {
        const message =
          'an object is named like an export of the ledger, is none, and is left alone'
        logger.log('warn', message, { ledger: name, bucket, key })
      },
      signal,
    })
    if (count === 0) return
    logger.log('info', 'redacted data is gone from exports', { ledger: name, objects: count })
  }
}
