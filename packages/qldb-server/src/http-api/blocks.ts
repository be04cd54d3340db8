/** Blocks of a journal in order, for followers: `cairn ledger tail`. Waits a while for the next when there is none. */
import { parseQuery } from '@cairn/aws-protocol'
import { type Clock, utf8 } from '@cairn/core'
import { formatIon, formatIonAsJson } from '@cairn/ion'
import type { Ledger } from '@cairn/ledger'
import { requestInvalid } from '../errors.ts'

/** Of an answer, about: a block is never cut. */
const answerBytesMax = 1024 * 1024
export const blockCountMax = 1000
/** A wait ends before clients and proxies give up on the answer. */
export const waitMsMax = 25_000

/**
 * `from`: the first block wanted, default 0. `limit`: blocks at most, default and most 1000. `waitMs`: how long to wait
 * for the first, default 0. `format`: json, or ion for strings of Ion text.
 * @returns The JSON body of the answer: `{"blocks":[…],"nextSequenceNo":12}`.
 * @throws QldbServerError REQUEST_INVALID; LedgerError ADDRESS_INVALID
 */
export async function readBlocks(
  ledger: Ledger,
  queryText: string,
  clock: Clock,
  closing: AbortSignal,
): Promise<string> {
  const query = parseQuery(queryText)
  const from = wholeNumber(query, 'from', 0, Number.MAX_SAFE_INTEGER)
  const limit = wholeNumber(query, 'limit', blockCountMax, blockCountMax)
  const waitMs = wholeNumber(query, 'waitMs', 0, waitMsMax)
  const format = query.get('format')?.[0] ?? 'json'
  if (format !== 'json' && format !== 'ion') {
    throw requestInvalid('format', 'format must be json or ion.')
  }
  if (waitMs > 0 && from >= ledger.blockCount) {
    await untilBlock(ledger, from, waitMs, clock, closing)
  }
  const texts: string[] = []
  let nextSequenceNo = from
  let bytes = 0
  if (from < ledger.blockCount) {
    for (const { sequenceNo, value } of ledger.blocksFrom(from)) {
      if (texts.length >= limit || bytes >= answerBytesMax) break
      const text = format === 'json' ? formatIonAsJson(value) : JSON.stringify(formatIon(value))
      texts.push(text)
      bytes += utf8(text).length
      nextSequenceNo = sequenceNo + 1
    }
  }
  return `{"blocks":[${texts.join(',\n')}],"nextSequenceNo":${nextSequenceNo}}`
}

/** Resolves with the block, with the time, or when the server closes. */
async function untilBlock(
  ledger: Ledger,
  sequenceNo: number,
  waitMs: number,
  clock: Clock,
  closing: AbortSignal,
): Promise<void> {
  const either = new AbortController()
  const stop = () => either.abort(new Error('The wait is over.'))
  closing.addEventListener('abort', stop, { once: true })
  if (closing.aborted) stop()
  const wait = clock.sleep(waitMs, either.signal).catch(() => undefined)
  try {
    await Promise.race([
      wait,
      ledger.untilBlock(sequenceNo, either.signal).catch((error: unknown) => {
        // Ended by ourselves, or a ledger that is no more: reading says which.
        if (!either.signal.aborted) throw error
      }),
    ])
  } finally {
    closing.removeEventListener('abort', stop)
    stop()
  }
}

function wholeNumber(
  query: ReadonlyMap<string, readonly string[]>,
  name: string,
  standard: number,
  valueMax: number,
): number {
  const text = query.get(name)?.[0]
  if (text === undefined) return standard
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (value <= valueMax) return value
  throw requestInvalid(name, `${name} must be a whole number up to ${valueMax}.`)
}
