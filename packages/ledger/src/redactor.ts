/**
 * Takes the data of redacted revisions out of the files of a ledger, in the background, and has them shown as redacted
 * from the moment on at which their block is on the disk.
 *
 *   block on the disk → reads are masked → block projected → journal overwritten → copies elsewhere erased
 *     → projection cleaned → redaction no more pending in the projection
 *
 * The projection keeps the list of what is pending, so a process that ended in between is continued at the next start;
 * a projection that was lost is rebuilt from the journal, and the list with it. Each step may be repeated.
 */
import type { Clock, Logger } from '@cairn/core'
import { hashIonBytes } from '@cairn/ion'
import type { Journal } from '@cairn/journal'
import {
  type BlockRecord,
  type BlockRedaction,
  decodeBlockBody,
  eraseInBody,
} from './block-record.ts'
import type { PendingRedaction } from './projection.ts'
import { redacted } from './redaction.ts'

/** Redactions carried out in one go: bounds how much of the journal is in memory for it. */
const batchCountMax = 256
const batchBytesMax = 16 * 1024 * 1024
/** After a failure that the ledger survives, such as a full disk. */
const retryDelayMs = 5000

export interface RedactorParts {
  readonly ledgerName: string
  readonly journal: Journal
  readonly clock: Clock
  readonly logger: Logger
  /** See `EraseCopies`. */
  readonly eraseCopies: (revisions: readonly BlockRedaction[], signal: AbortSignal) => Promise<void>
  /** See `Projection.clean`; the projections open here are the new ones when it resolves. */
  readonly clean: (
    supersededNo: number,
    finishedNos: readonly number[],
    signal: AbortSignal,
  ) => Promise<void>
  /** A block is another on the disk: whoever has it decoded is to forget it. */
  readonly onErased: (sequenceNo: number) => void
}

interface Mask {
  readonly redaction: PendingRedaction
  isFinished: boolean
}

export class Redactor {
  readonly #parts: RedactorParts
  readonly #pending: PendingRedaction[]
  /** By block: revisions that are shown as redacted whatever is in memory or on the disk. */
  readonly #masks = new Map<number, Mask[]>()
  readonly #closing = new AbortController()
  #projectedNo = -1
  #work: Promise<void> | undefined
  #waiters: { readonly last: PendingRedaction; readonly wake: () => void }[] = []

  /** @param pending What an earlier process did not finish. */
  constructor(parts: RedactorParts, pending: readonly PendingRedaction[]) {
    this.#parts = parts
    this.#pending = [...pending]
    for (const redaction of pending) this.#mask(redaction)
  }

  /** A block with redactions was numbered. */
  note(redactingNo: number, redactions: readonly BlockRedaction[]): void {
    for (const redaction of redactions) {
      const pending = { ...redaction, redactingNo }
      this.#pending.push(pending)
      this.#mask(pending)
    }
  }

  #mask(redaction: PendingRedaction): void {
    const masks = this.#masks.get(redaction.sequenceNo) ?? []
    masks.push({ redaction, isFinished: false })
    this.#masks.set(redaction.sequenceNo, masks)
  }

  /**
   * Whether a revision is to be shown as redacted, to a view that sees the blocks up to `viewNo`: it is once the block
   * that says so is among these, or on the disk. What is not on the disk yet must not show in older views, which may be
   * confirmed without it.
   */
  isRedacted(sequenceNo: number, documentId: string, version: number, viewNo: number): boolean {
    if (this.#masks.size === 0) return false
    const { durableCount } = this.#parts.journal
    const masks = this.#masks.get(sequenceNo) ?? []
    return masks.some(
      ({ redaction }) =>
        names(redaction, documentId, version) &&
        (redaction.redactingNo <= viewNo || redaction.redactingNo < durableCount),
    )
  }

  /** The block as it is to be shown. */
  masked(block: BlockRecord, viewNo: number): BlockRecord {
    const { sequenceNo } = block
    if (this.#masks.size === 0 || !this.#masks.has(sequenceNo)) return block
    const revisions = block.revisions.map((revision) =>
      this.isRedacted(sequenceNo, revision.documentId, revision.version, viewNo)
        ? redacted(revision)
        : revision,
    )
    return { ...block, revisions }
  }

  /**
   * Blocks up to `sequenceNo` are on the disk and projected; no open view reads revisions that came after
   * `oldestNo` from memory.
   */
  projected(sequenceNo: number, oldestNo: number): void {
    this.#projectedNo = sequenceNo
    for (const [targetNo, masks] of this.#masks) {
      const kept = masks.filter(
        ({ redaction, isFinished }) => !isFinished || redaction.redactingNo > oldestNo,
      )
      if (kept.length === 0) this.#masks.delete(targetNo)
      else if (kept.length < masks.length) this.#masks.set(targetNo, kept)
    }
    if (this.#pending.length > 0) this.#start()
  }

  #start(): void {
    const { signal } = this.#closing
    if (this.#work !== undefined || signal.aborted) return
    this.#work = this.#run(signal).finally(() => {
      this.#work = undefined
    })
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, logger, ledgerName } = this.#parts
    while (!signal.aborted) {
      const batch = this.#pending.filter(({ redactingNo }) => redactingNo <= this.#projectedNo)
      if (batch.length === 0) return
      try {
        await this.#carryOut(batch, signal)
      } catch (error) {
        if (signal.aborted) return
        const message = 'redacted data could not be taken out of the files yet'
        logger.log('error', message, { ledger: ledgerName, error })
        await clock.sleep(retryDelayMs, signal).catch(() => undefined)
      }
    }
  }

  async #carryOut(candidates: readonly PendingRedaction[], signal: AbortSignal): Promise<void> {
    const { batch, bodies } = this.#erase(candidates)
    if (bodies.length > 0) await this.#parts.journal.overwrite(bodies)
    // Before what ends the redaction, so that a process killed meanwhile is continued here too.
    await this.#parts.eraseCopies(batch, signal)
    // No copy can be younger than the block that redacts: the revision was superseded before.
    const copiedUpTo = ({ supersededNo, redactingNo }: PendingRedaction) =>
      supersededNo ?? redactingNo
    const finishedNos = [...new Set(batch.map(({ redactingNo }) => redactingNo))]
    await this.#parts.clean(Math.max(...batch.map(copiedUpTo)), finishedNos, signal)
    for (const redaction of batch) {
      this.#parts.onErased(redaction.sequenceNo)
      this.#pending.splice(this.#pending.indexOf(redaction), 1)
      for (const mask of this.#masks.get(redaction.sequenceNo) ?? []) {
        if (mask.redaction === redaction) mask.isFinished = true
      }
    }
    this.#wake()
    const { logger, ledgerName } = this.#parts
    logger.log('info', 'redacted data is gone from the files', {
      ledger: ledgerName,
      revisions: batch.length,
    })
  }

  /** Bodies without the data, of as many of the redactions as fit into memory. */
  #erase(candidates: readonly PendingRedaction[]): {
    readonly batch: readonly PendingRedaction[]
    readonly bodies: readonly { readonly sequenceNo: number; readonly body: Uint8Array }[]
  } {
    const bodies = new Map<number, Uint8Array>()
    const batch: PendingRedaction[] = []
    let bytes = 0
    for (const redaction of candidates) {
      const { sequenceNo } = redaction
      // All redactions of one block are finished together.
      const isFull = batch.length >= batchCountMax || bytes >= batchBytesMax
      if (isFull && redaction.redactingNo !== batch.at(-1)?.redactingNo) break
      batch.push(redaction)
      const body = bodies.get(sequenceNo) ?? this.#parts.journal.read(sequenceNo).body
      const erased = eraseOne(body, redaction)
      if (erased === undefined) continue
      if (!bodies.has(sequenceNo)) bytes += erased.length
      bodies.set(sequenceNo, erased)
    }
    return { batch, bodies: [...bodies].map(([sequenceNo, body]) => ({ sequenceNo, body })) }
  }

  /** Whether something is pending and may still be done. */
  get hasWork(): boolean {
    return this.#pending.length > 0 && !this.#closing.signal.aborted
  }

  /** Resolves when nothing noted so far is pending, or nothing more will be done. */
  untilDone(): Promise<void> {
    const last = this.#pending.at(-1)
    if (last === undefined || this.#closing.signal.aborted) return Promise.resolve()
    return new Promise((wake) => this.#waiters.push({ last, wake }))
  }

  /** Redactions are carried out in the order of their blocks, so the last one tells. */
  #wake(): void {
    const isOver = this.#closing.signal.aborted
    const waiters = this.#waiters
    this.#waiters = waiters.filter(({ last }) => !isOver && this.#pending.includes(last))
    for (const waiter of waiters) if (!this.#waiters.includes(waiter)) waiter.wake()
  }

  /** Starts nothing any more, and breaks off what can take long. */
  stop(): void {
    this.#closing.abort()
    this.#wake()
  }

  /** Waits for the step under way. */
  async close(): Promise<void> {
    this.stop()
    await this.#work
  }
}

function names(redaction: BlockRedaction, documentId: string, version: number): boolean {
  return redaction.documentId === documentId && redaction.version === version
}

/** Undefined when the data is gone already. */
function eraseOne(body: Uint8Array, redaction: BlockRedaction): Uint8Array | undefined {
  const ordinals = new Set<number>()
  for (const [ordinal, { documentId, version }] of decodeBlockBody(body).revisions.entries()) {
    if (names(redaction, documentId, version)) ordinals.add(ordinal)
  }
  return eraseInBody(body, ordinals, hashIonBytes)
}
