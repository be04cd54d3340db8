/**
 * Keeps zeros written and synced ahead of the writer, in the background, so that a commit overwrites blocks that the
 * file already has: fdatasync then has no size change to log. Median of one 300-byte append with 1 caller 0.12 ms
 * instead of 0.17, with 16 callers 0.13 instead of 0.24; with 256 callers the second writing costs what it gains.
 */
import type { FileSystem } from '@cairn/core'
import { systemCodeOf } from './errors.ts'

/** What a small ledger costs on disk. */
const leadBytesAtFirst = 1024 * 1024
/** The lead doubles with each step: a busy ledger gets long ones, an idle one never pays for them. */
const leadBytesMax = 8 * 1024 * 1024
const chunkBytesSize = 1024 * 1024
const zeros = new Uint8Array(chunkBytesSize)

export class ZeroAhead {
  readonly #path: string
  readonly #fileSystem: FileSystem
  readonly #limit: number
  readonly #onFailure: (error: unknown) => void
  #filledEnd: number
  #leadBytes = leadBytesAtFirst
  #step: Promise<void> | undefined
  #isStopped = false
  #isAwaited = false

  /** @param limit No zeros at or behind this offset. */
  constructor(
    fileSystem: FileSystem,
    path: string,
    filledEnd: number,
    limit: number,
    onFailure: (error: unknown) => void,
  ) {
    this.#fileSystem = fileSystem
    this.#path = path
    this.#filledEnd = filledEnd
    this.#limit = limit
    this.#onFailure = onFailure
  }

  get isFull(): boolean {
    return this.#filledEnd >= this.#limit
  }

  /** Starts a step when fewer than half of the lead is left in front of `writtenEnd`. */
  keepAhead(writtenEnd: number): void {
    if (this.#isStopped || this.#step !== undefined || this.isFull) return
    if (this.#filledEnd - writtenEnd >= this.#leadBytes / 2) return
    const end = Math.min(this.#limit, writtenEnd + this.#leadBytes)
    this.#leadBytes = Math.min(leadBytesMax, 2 * this.#leadBytes)
    this.#step = this.#fill(end).finally(() => {
      this.#step = undefined
    })
  }

  /** Waits until no zeros are on their way to below `end`, where the caller is about to write. */
  async reserve(end: number): Promise<void> {
    if (end <= this.#filledEnd) return
    // The step ends with the chunk it is writing: waiting for all of a long one would be slower than growing the file.
    this.#isAwaited = true
    await this.#step
    this.#isAwaited = false
    this.#filledEnd = Math.max(this.#filledEnd, end)
  }

  /** Waits for the step that is under way. */
  async settle(): Promise<void> {
    await this.#step
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#step
  }

  async #fill(end: number): Promise<void> {
    try {
      // A descriptor of its own: Linux reports a failed write-back once per descriptor, and a report that went to
      // this sync would be missing from the commit's.
      const file = await this.#fileSystem.open(this.#path, 'readWrite')
      try {
        let offset = this.#filledEnd
        while (offset < end && !this.#isStopped && !this.#isAwaited) {
          const size = Math.min(chunkBytesSize, end - offset)
          await file.write(zeros.subarray(0, size), offset)
          offset += size
        }
        await file.syncData()
        this.#filledEnd = offset
      } finally {
        await file.close()
      }
    } catch (error) {
      this.#isStopped = true
      // A full disk is not the journal's end yet: the next group may fit into what is filled.
      if (systemCodeOf(error) !== 'ENOSPC') this.#onFailure(error)
    }
  }
}
