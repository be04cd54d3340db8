/**
 * The journal: a hash-chained, append-only log of opaque records in segment files (segment-format.ts), written in
 * groups. One writer per directory; see directory-lock.ts for how a second process is kept out.
 *
 *     append ──► filling group ──► queue ──► one durable write ───────► promises of the group resolve
 *                (encoded in place)          the next group fills meanwhile
 *
 * The next group's write starts only after the previous group is on the disk: recovery tells torn from damaged by it.
 */
import { createHash, type Hash } from 'node:crypto'
import {
  assert,
  type FileSystem,
  hashBytesSize,
  type Logger,
  type OpenFile,
  type Random,
  silentLogger,
} from '@cairn/core'
import { damaged, JournalError, overwriteFailed, writeFailed } from './errors.ts'
import { type Group, GroupBuffers } from './group.ts'
import {
  hashSegment,
  type Overwritten,
  overwrittenBytesMax,
  patchesFor,
  RedoNotWritten,
  removeRemains,
  writeRedo,
} from './overwrite.ts'
import { PositionFile, PositionTable } from './positions.ts'
import { recover, spareFileName } from './recovery.ts'
import { applyPatches, removeRedo } from './redo-file.ts'
import { type Segment, segmentOf } from './segment.ts'
import {
  alignUp,
  encodeFooter,
  encodeHeader,
  footerBytesSize,
  frameBytesFor,
  frameHeaderBytesSize,
  frameSequenceNo,
  headerBytesSize,
  isFrameIntact,
  recordBytesMax,
  saltBytesSize,
  segmentBytesMax,
  segmentBytesMin,
  segmentName,
  viewOf,
} from './segment-format.ts'
import { readUpToEnd, SegmentReader } from './segment-reader.ts'
import { ZeroAhead } from './zero-ahead.ts'

export interface JournalRecord {
  readonly sequenceNo: number
  /** 32 bytes. */
  readonly hash: Uint8Array
  /** 32 bytes; zeros for record 0. */
  readonly previousHash: Uint8Array
  readonly body: Uint8Array
}

export interface JournalOptions {
  /** Made when it does not exist, in a folder that should. Nothing else may write to it. */
  readonly directory: string
  readonly fileSystem: FileSystem
  /** For the salts of segments. */
  readonly random: Random
  /** Size of a segment, 64 MiB unless told. A record must fit into one, so smaller segments mean smaller records. */
  readonly segmentBytes?: number
  readonly logger?: Logger
  /** Told of each group that is on the disk; `ms` is how long that took. */
  onGroupWritten?(recordCount: number, bytes: number, ms: number): void
}

export interface Journal {
  /** Number of the next record to append: appended so far, durable or not. */
  readonly nextSequenceNo: number
  /** Records below this number are on the disk. */
  readonly durableCount: number
  /** Of all records, with headers and footers; what is written ahead is left out. */
  readonly bytesSize: number
  /** Hash of the last appended record, 32 zero bytes when empty. The caller may keep it. */
  readonly tipHash: Uint8Array
  /**
   * Queues one record; its number is `nextSequenceNo`, its previousHash the `tipHash`. Both inputs are copied before
   * this returns. Resolves when the record is on the disk; the records of one group share the promise.
   * Rejects without taking a number: RECORD_TOO_LARGE, QUEUE_FULL (try again when an earlier append has resolved),
   * CLOSED, and WRITE_FAILED for this and every later record once a write or a sync failed.
   */
  append(hash: Uint8Array, body: Uint8Array): Promise<void>
  /**
   * One record, durable or still queued; the caller may keep it.
   * @throws JournalError UNKNOWN_RECORD, DAMAGED, SHORT_READ
   */
  read(sequenceNo: number): JournalRecord
  /**
   * In order from `sequenceNo` to the durable end, as far as that has come by then. Hashes and bodies are views into
   * chunks of about 1 MiB that are not used again: copy what you keep for long.
   * @throws JournalError UNKNOWN_RECORD, DAMAGED, SHORT_READ
   */
  readFrom(sequenceNo: number): Generator<JournalRecord>
  /**
   * Puts other bodies of the same lengths in place of those of durable records; hashes and links stay as they are, so
   * it is the caller who knows that the records still mean what they did. Resolves when the old bytes are in no file of
   * the journal, and a crash cannot bring them back. May be repeated.
   * @throws JournalError UNKNOWN_RECORD, DAMAGED, SHORT_READ, CLOSED; WRITE_FAILED, after which the journal may still
   *   take records: when it does, the call may be repeated.
   */
  overwrite(
    records: readonly { readonly sequenceNo: number; readonly body: Uint8Array }[],
  ): Promise<void>
  /** Waits for queued appends. */
  close(): Promise<void>
}

export const segmentBytesDefault: number = 64 * 1024 * 1024
/** A group is closed when it has reached this size. Larger ones make commits wait longer and the disk no busier. */
const groupBytesMax = 1024 * 1024
/** Appends are refused above this; it bounds memory when the disk is slower than the callers. */
const queuedBytesMax = 64 * 1024 * 1024
assert(frameBytesFor(recordBytesMax) <= queuedBytesMax)
assert(headerBytesSize + frameBytesFor(recordBytesMax) + footerBytesSize <= segmentBytesDefault)
/** The next segment is prepared when this part of the current one is written. */
const spareThreshold = 0.5

/**
 * Opens the journal in `options.directory`, or an empty one where there is none; recovers from a crash.
 * @throws JournalError DAMAGED when acknowledged bytes are not intact, SHORT_READ when they could not be read; nothing
 *   was changed then.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { directory, fileSystem, logger = silentLogger, onGroupWritten = () => {} } = options
  const segmentBytes = options.segmentBytes ?? segmentBytesDefault
  assert(segmentBytes >= segmentBytesMin && segmentBytes <= segmentBytesMax, 'segmentBytes')
  if (!(await fileSystem.exists(directory))) await fileSystem.makeDirectory(directory)
  // Also when it exists: the process that made it may have ended before it got here.
  await fileSystem.syncDirectory(parentOf(directory))
  const recovered = await recover(directory, fileSystem, logger)
  const journal = new FileJournal(
    { directory, fileSystem, random: options.random, segmentBytes, logger, onGroupWritten },
    recovered.segments,
    recovered.nextSequenceNo,
    recovered.tipHash,
    recovered.sha256,
  )
  await journal.openPositions()
  return journal
}

function parentOf(directory: string): string {
  const slash = directory.lastIndexOf('/')
  if (slash < 0) return '.'
  return slash === 0 ? '/' : directory.slice(0, slash)
}

class FileJournal implements Journal {
  readonly #options: Required<JournalOptions>
  readonly #segments: Segment[]
  readonly #positionFile: PositionFile
  readonly #buffers: GroupBuffers = new GroupBuffers(groupBytesMax)
  /** Not yet durable, oldest first; the last one may still be filling. */
  readonly #groups: Group[] = []
  #filling: Group | undefined
  #queuedBytes = 0
  #nextSequenceNo: number
  #durableCount: number
  #tipHash: Uint8Array
  /** Over the written part of the segment that is being written. */
  #sha256: Hash
  #zeroAhead: ZeroAhead | undefined
  #spare: Promise<boolean> | undefined
  #isWriting = false
  #closed: Promise<void> | undefined
  #failure: JournalError | undefined
  /** Records that are being overwritten, as they will be: on the disk they may be in two for a moment. */
  readonly #overwriting = new Map<number, JournalRecord>()
  /** How often records were overwritten: what was read in larger chunks before may be the old bodies. */
  #overwrittenCount = 0
  /** Sealing a segment and overwriting records take turns. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Work on positions that close() waits for. */
  readonly #background = new Set<Promise<void>>()
  #onIdle: (() => void) | undefined

  constructor(
    options: Required<JournalOptions>,
    segments: Segment[],
    nextSequenceNo: number,
    tipHash: Uint8Array,
    sha256: Hash,
  ) {
    this.#options = options
    this.#segments = segments
    this.#nextSequenceNo = nextSequenceNo
    this.#durableCount = nextSequenceNo
    this.#tipHash = tipHash
    this.#sha256 = sha256
    this.#positionFile = new PositionFile(options.directory, options.fileSystem)
    const last = segments.at(-1)
    if (last !== undefined && !last.isSealed) this.#startZeroAhead(last)
  }

  get nextSequenceNo(): number {
    return this.#nextSequenceNo
  }

  get durableCount(): number {
    return this.#durableCount
  }

  get bytesSize(): number {
    return this.#segments.reduce((size, segment) => size + segment.end, 0)
  }

  get tipHash(): Uint8Array {
    return this.#tipHash
  }

  // Appending

  append(hash: Uint8Array, body: Uint8Array): Promise<void> {
    assert(hash.length === hashBytesSize, 'a hash has 32 bytes')
    const frameBytes = frameBytesFor(body.length)
    const refusal = this.#refusal(body.length, frameBytes)
    if (refusal !== undefined) return Promise.reject(refusal)
    const group = this.#groupFor(frameBytes)
    const { segment } = group
    const sequenceNo = this.#nextSequenceNo
    const offset = segment.end
    group.add(sequenceNo, hash, this.#tipHash, body)
    segment.positions?.push(offset, frameHeaderBytesSize + body.length)
    segment.end = offset + frameBytes
    segment.recordCount++
    this.#queuedBytes += frameBytes
    this.#nextSequenceNo = sequenceNo + 1
    this.#tipHash = hash.slice()
    if (!this.#isWriting) {
      this.#isWriting = true
      // What is appended in this turn of the event loop shares the group.
      setImmediate(() => void this.#writeGroups())
    }
    return group.written
  }

  #closedError(): JournalError {
    const { directory } = this.#options
    return new JournalError(
      { code: 'CLOSED', directory },
      { shortMessage: 'The journal is closed.', metaMessages: [`Directory: ${directory}`] },
    )
  }

  #refusal(bodyBytes: number, frameBytes: number): JournalError | undefined {
    if (this.#failure !== undefined) return this.#failure
    const { segmentBytes } = this.#options
    if (this.#closed !== undefined) return this.#closedError()
    const room = segmentBytes - headerBytesSize - footerBytesSize
    if (bodyBytes > recordBytesMax || frameBytes > room) {
      const bytesMax = Math.min(recordBytesMax, room - frameHeaderBytesSize)
      return new JournalError(
        { code: 'RECORD_TOO_LARGE', bytes: bodyBytes, bytesMax },
        {
          shortMessage: 'The record is larger than a journal record may be.',
          metaMessages: [`Bytes: ${bodyBytes}`, `Most: ${bytesMax}`, 'Write less in one record.'],
        },
      )
    }
    if (this.#queuedBytes > 0 && this.#queuedBytes + frameBytes > queuedBytesMax) {
      return new JournalError(
        { code: 'QUEUE_FULL', queuedBytes: this.#queuedBytes, queuedBytesMax },
        {
          shortMessage: 'More waits to be written than the journal holds in memory.',
          metaMessages: [
            `Waiting: ${this.#queuedBytes} bytes of at most ${queuedBytesMax}`,
            'The disk is slower than the appends. Try again when an earlier append is durable.',
          ],
        },
      )
    }
    return undefined
  }

  /** The group that the next frame goes into: of the right segment and with room for it. */
  #groupFor(frameBytes: number): Group {
    let segment = this.#segments.at(-1)
    if (segment === undefined || !this.#hasRoom(segment, frameBytes)) segment = this.#planSegment()
    const filling = this.#filling
    if (filling !== undefined && filling.segment === segment && filling.hasRoom(frameBytes)) {
      return filling
    }
    const group = this.#buffers.take(segment, this.#nextSequenceNo, frameBytes)
    this.#groups.push(group)
    this.#filling = group
    return group
  }

  #hasRoom(segment: Segment, frameBytes: number): boolean {
    if (segment.isSealed) return false
    // An empty one takes its record even when it was made under a smaller limit: no two may have the same name.
    if (segment.recordCount === 0) return true
    return segment.end + frameBytes + footerBytesSize <= this.#options.segmentBytes
  }

  /** A segment in memory; the file is made when its first group is written. */
  #planSegment(): Segment {
    const name = segmentName(this.#nextSequenceNo)
    const segment: Segment = {
      name,
      path: `${this.#options.directory}/${name}`,
      header: {
        salt: this.#options.random.bytes(saltBytesSize),
        firstSequenceNo: this.#nextSequenceNo,
        previousHash: this.#tipHash,
      },
      file: undefined,
      end: headerBytesSize,
      recordCount: 0,
      positions: new PositionTable(),
      isSealed: false,
      isOverwritten: false,
    }
    this.#segments.push(segment)
    return segment
  }

  // Writing

  async #writeGroups(): Promise<void> {
    for (let group = this.#groups[0]; group !== undefined; group = this.#groups[0]) {
      if (this.#failure !== undefined) break
      if (this.#filling === group) this.#filling = undefined
      const startedMs = performance.now()
      try {
        await this.#writeGroup(group)
      } catch (error) {
        this.#fail(error)
        break
      }
      this.#groups.shift()
      this.#queuedBytes -= group.used
      this.#durableCount = group.endSequenceNo
      this.#noteGroup(group, performance.now() - startedMs)
      group.resolve()
      this.#buffers.give(group)
      // Whoever was waiting appends again in this turn, and shares the next group with what queued up meanwhile.
      if (this.#groups.length < 2) await turn()
    }
    this.#isWriting = false
    this.#onIdle?.()
  }

  #noteGroup({ firstSequenceNo, endSequenceNo, used }: Group, ms: number): void {
    this.#options.onGroupWritten(endSequenceNo - firstSequenceNo, used, ms)
  }

  async #writeGroup(group: Group): Promise<void> {
    const { segment } = group
    if (segment.file === undefined) await this.#startSegment(segment)
    const file = segment.file as OpenFile | undefined
    assert(file !== undefined, 'a started segment is open')
    await this.#zeroAhead?.reserve(group.endOffset)
    const bytes = group.bytesView()
    const written = file.write(bytes, group.startOffset)
    // While the disk works: 0.6 ms for 1 MiB.
    this.#sha256.update(bytes)
    await written
    if (this.#failure !== undefined) throw this.#failure
    this.#zeroAhead?.keepAhead(group.endOffset)
    if (group.endOffset > spareThreshold * this.#options.segmentBytes) this.#prepareSpare()
  }

  /** Seals the segment before it, then gives the new one its file: header first, then the name. */
  async #startSegment(segment: Segment): Promise<void> {
    const { directory, fileSystem } = this.#options
    const previous = this.#segments[this.#segments.indexOf(segment) - 1]
    if (previous !== undefined && !previous.isSealed) {
      await this.#inTurn(() => this.#seal(previous, segment))
    }
    const sparePath = `${directory}/${spareFileName}`
    const isSpareReady = await this.#spare
    this.#spare = undefined
    if (isSpareReady !== true) await (await fileSystem.open(sparePath, 'create')).close()
    const file = await fileSystem.open(sparePath, 'durable')
    segment.file = file
    const header = encodeHeader(segment.header)
    await file.write(header, 0)
    await fileSystem.rename(sparePath, segment.path)
    await fileSystem.syncDirectory(directory)
    this.#sha256 = createHash('sha256').update(header)
    this.#startZeroAhead(segment)
  }

  /** @param next Holds the hash of the last record of `segment`. */
  async #seal(segment: Segment, next: Segment): Promise<void> {
    const { file } = segment
    assert(file !== undefined, 'a segment with a successor was written')
    await this.#zeroAhead?.stop()
    const sha256 = segment.isOverwritten
      ? (await hashSegment(file, segment.end, [])).after
      : this.#sha256.digest()
    const footer = encodeFooter(segment.header, {
      recordCount: segment.recordCount,
      lastHash: next.header.previousHash,
      sha256,
    })
    await file.write(footer, segment.end)
    await file.truncate(segment.end + footerBytesSize)
    await file.syncData()
    segment.isSealed = true
    this.#storePositions(segment)
  }

  #startZeroAhead(segment: Segment): void {
    const { fileSystem, segmentBytes } = this.#options
    this.#zeroAhead = new ZeroAhead(
      fileSystem,
      segment.path,
      segment.file?.sizeSync() ?? 0,
      segmentBytes,
      (error) => this.#fail(error),
    )
    this.#zeroAhead.keepAhead(segment.end)
  }

  /** Makes the next segment's file in the background, once nothing is left to fill in the current one. */
  #prepareSpare(): void {
    if (this.#spare !== undefined || this.#zeroAhead?.isFull !== true) return
    this.#spare = this.#makeSpare()
  }

  async #makeSpare(): Promise<boolean> {
    const { directory, fileSystem, segmentBytes, logger } = this.#options
    const path = `${directory}/${spareFileName}`
    try {
      const file = await fileSystem.open(path, 'create')
      await file.close()
      const zeroAhead = new ZeroAhead(fileSystem, path, 0, segmentBytes, (error) => {
        logger.log('warn', 'journal: the next segment could not be prepared', { path, error })
      })
      zeroAhead.keepAhead(0)
      await zeroAhead.settle()
      return true
    } catch (error) {
      logger.log('warn', 'journal: the next segment could not be prepared', { path, error })
      return false
    }
  }

  /** Stops writing for good. What is queued stays readable: the callers' own state may refer to it. */
  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = writeFailed(this.#options.directory, cause)
    this.#options.logger.log('error', 'journal: writing failed', { error: this.#failure })
    this.#filling = undefined
    for (const group of this.#groups) group.reject(this.#failure)
  }

  // Reading

  read(sequenceNo: number): JournalRecord {
    this.#checkKnown(sequenceNo, this.#nextSequenceNo - 1)
    const overwriting = this.#overwriting.get(sequenceNo)
    if (overwriting !== undefined) return overwriting
    const segment = segmentOf(this.#segments, sequenceNo)
    return sequenceNo < this.#durableCount
      ? this.#readFile(segment, sequenceNo)
      : this.#readQueued(segment, sequenceNo)
  }

  #checkKnown(sequenceNo: number, last: number): void {
    if (Number.isSafeInteger(sequenceNo) && sequenceNo >= 0 && sequenceNo <= last) return
    throw new JournalError(
      { code: 'UNKNOWN_RECORD', sequenceNo, nextSequenceNo: this.#nextSequenceNo },
      {
        shortMessage: 'The journal has no such record.',
        metaMessages: [`Record: ${sequenceNo}`, `Records: ${this.#nextSequenceNo}, from 0 on`],
      },
    )
  }

  #readQueued(segment: Segment, sequenceNo: number): JournalRecord {
    const group = this.#groups.find((candidate) => sequenceNo < candidate.endSequenceNo)
    const { positions } = segment
    assert(group !== undefined && positions !== undefined, 'a record that is not durable is queued')
    const index = sequenceNo - segment.header.firstSequenceNo
    const start = positions.offsetAt(index) - group.startOffset
    return recordIn(group.bytesView().slice(start, start + positions.lengthAt(index)), sequenceNo)
  }

  #readFile(segment: Segment, sequenceNo: number): JournalRecord {
    const first = this.#lookUp(segment, sequenceNo)
    const record = first && this.#readFrame(segment, sequenceNo, first.offset, first.length)
    if (record !== undefined) return record
    // Either the positions or the record: scanning the segment tells.
    const positions = this.#scanPositions(segment, sequenceNo)
    const index = sequenceNo - segment.header.firstSequenceNo
    const offset = positions.offsetAt(index)
    const length = positions.lengthAt(index)
    const again = this.#readFrame(segment, sequenceNo, offset, length, readUpToEnd)
    if (again !== undefined) return again
    throw this.#damagedFrame(segment, sequenceNo, offset, offset + alignUp(length))
  }

  #lookUp(segment: Segment, sequenceNo: number): { offset: number; length: number } | undefined {
    const { positions } = segment
    if (positions !== undefined) {
      const index = sequenceNo - segment.header.firstSequenceNo
      return { offset: positions.offsetAt(index), length: positions.lengthAt(index) }
    }
    if (!this.#positionFile.lookUp(sequenceNo)) return undefined
    const { offset, length } = this.#positionFile
    const isPlausible =
      offset >= headerBytesSize &&
      offset === alignUp(offset) &&
      length >= frameHeaderBytesSize &&
      offset + alignUp(length) <= segment.end
    return isPlausible ? { offset, length } : undefined
  }

  /** The record at this place, or undefined when it is not there whole. */
  #readFrame(
    segment: Segment,
    sequenceNo: number,
    offset: number,
    length: number,
    read: typeof readUpToEnd = readSome,
  ): JournalRecord | undefined {
    const bytes = new Uint8Array(alignUp(length))
    const count = read(segment.file as OpenFile, bytes, offset)
    const view = viewOf(bytes)
    const isIntact =
      count === bytes.length &&
      view.getUint32(4, true) === length &&
      frameSequenceNo(view, 0) === sequenceNo &&
      isFrameIntact(bytes, view, 0, length, segment.header.salt)
    return isIntact ? recordIn(bytes.subarray(0, length), sequenceNo) : undefined
  }

  #damagedFrame(
    segment: Segment,
    sequenceNo: number,
    startOffset: number,
    endOffset: number,
    endSequenceNo: number = sequenceNo + 1,
  ): JournalError {
    const range = { startOffset, endOffset, startSequenceNo: sequenceNo, endSequenceNo }
    return damaged({ file: segment.path, ...range }, 'a record is not what was written')
  }

  *readFrom(sequenceNo: number): Generator<JournalRecord> {
    this.#checkKnown(sequenceNo, this.#nextSequenceNo)
    let next = sequenceNo
    while (next < this.#durableCount) {
      const segment = segmentOf(this.#segments, next)
      yield* this.#readSegmentFrom(segment, next)
      next = segment.header.firstSequenceNo + segment.recordCount
      // Queued records: the durable end is in this segment.
      if (next > this.#durableCount) return
    }
  }

  *#readSegmentFrom(segment: Segment, sequenceNo: number): Generator<JournalRecord> {
    const { header } = segment
    const reader = new SegmentReader(segment.file as OpenFile, header, true)
    let next = sequenceNo
    let offset = headerBytesSize
    let previousHash = header.previousHash
    if (next > header.firstSequenceNo) {
      const before = this.read(next - 1)
      previousHash = before.hash
      offset = this.#endOf(segment, next - 1)
    }
    let overwrittenCount = this.#overwrittenCount
    while (next < Math.min(this.#durableCount, header.firstSequenceNo + segment.recordCount)) {
      if (overwrittenCount !== this.#overwrittenCount) {
        overwrittenCount = this.#overwrittenCount
        reader.refresh()
      }
      const overwriting = this.#overwriting.get(next)
      if (overwriting !== undefined) {
        previousHash = overwriting.hash
        offset += frameBytesFor(overwriting.body.length)
        yield overwriting
        next++
        continue
      }
      // The chunk may have been read before this record was written.
      let isFrame = reader.readFrame(offset)
      if (!isFrame) {
        reader.refresh()
        isFrame = reader.readFrame(offset)
      }
      if (!isFrame || reader.sequenceNo !== next || !reader.hasPreviousHash(previousHash)) {
        const place = reader.findIntact(offset + 8, next + 1)
        throw this.#damagedFrame(
          segment,
          next,
          offset,
          place?.offset ?? segment.end,
          place?.sequenceNo ?? header.firstSequenceNo + segment.recordCount,
        )
      }
      const hash = reader.hashView()
      previousHash = hash
      offset += alignUp(reader.length)
      yield {
        sequenceNo: next,
        hash,
        previousHash: reader.previousHashView(),
        body: reader.bodyView(),
      }
      next++
    }
  }

  /** Offset behind a record that was just read. */
  #endOf(segment: Segment, sequenceNo: number): number {
    const place = this.#lookUp(segment, sequenceNo)
    assert(place !== undefined, 'a record that was read has a position')
    return place.offset + alignUp(place.length)
  }

  // Overwriting

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task)
    this.#turn = done.catch(() => undefined)
    return done
  }

  overwrite(
    records: readonly { readonly sequenceNo: number; readonly body: Uint8Array }[],
  ): Promise<void> {
    return this.#inTurn(async () => {
      for (const portion of this.#portions(records)) await this.#overwritePortion(portion)
      await removeRemains(this.#options.directory, this.#options.fileSystem)
    })
  }

  /** Records of one segment, at most so many bytes. */
  *#portions(
    records: readonly { readonly sequenceNo: number; readonly body: Uint8Array }[],
  ): Generator<readonly { readonly sequenceNo: number; readonly body: Uint8Array }[]> {
    const sorted = [...records].sort((a, b) => a.sequenceNo - b.sequenceNo)
    let portion: { readonly sequenceNo: number; readonly body: Uint8Array }[] = []
    let portionBytes = 0
    for (const record of sorted) {
      this.#checkKnown(record.sequenceNo, this.#durableCount - 1)
      const first = portion[0]
      const isOfPortion =
        first === undefined ||
        (segmentOf(this.#segments, first.sequenceNo) ===
          segmentOf(this.#segments, record.sequenceNo) &&
          portionBytes + record.body.length <= overwrittenBytesMax)
      if (!isOfPortion) {
        yield portion
        portion = []
        portionBytes = 0
      }
      portion.push(record)
      portionBytes += record.body.length
    }
    if (portion.length > 0) yield portion
  }

  async #overwritePortion(
    portion: readonly { readonly sequenceNo: number; readonly body: Uint8Array }[],
  ): Promise<void> {
    const { directory, fileSystem } = this.#options
    if (this.#failure !== undefined) throw this.#failure
    if (this.#closed !== undefined) throw this.#closedError()
    const segment = segmentOf(this.#segments, (portion[0] as { sequenceNo: number }).sequenceNo)
    const overwritten = portion.map(({ sequenceNo, body }): Overwritten => {
      const before = this.#readFile(segment, sequenceNo)
      assert(before.body.length === body.length, 'a body is overwritten by one of its length')
      const offset = this.#endOf(segment, sequenceNo) - frameBytesFor(body.length)
      return { record: { ...before, body }, offset }
    })
    const { salt, firstSequenceNo } = segment.header
    const patches = await patchesFor(segment, overwritten)
    for (const { record } of overwritten) this.#overwriting.set(record.sequenceNo, record)
    this.#overwrittenCount++
    try {
      await writeRedo({ salt, firstSequenceNo, patches }, directory, fileSystem)
      segment.isOverwritten = true
      await applyPatches(segment.path, patches, fileSystem)
      await removeRedo(directory, fileSystem)
    } catch (error) {
      if (error instanceof RedoNotWritten) {
        for (const { record } of overwritten) this.#overwriting.delete(record.sequenceNo)
        throw overwriteFailed(directory, error.cause)
      }
      // The segment may be half changed, and stays so until the next opening; readers have the new bodies from memory.
      this.#fail(error)
      throw this.#failure ?? error
    }
    for (const { record } of overwritten) this.#overwriting.delete(record.sequenceNo)
    this.#overwrittenCount++
  }

  // Positions

  async openPositions(): Promise<void> {
    const sealed = this.#segments.filter((segment) => segment.isSealed)
    if (sealed.length === 0) return
    await this.#positionFile.open()
    for (const segment of sealed) {
      if (segment.positions !== undefined) this.#storePositions(segment)
    }
  }

  /** @throws JournalError DAMAGED when the frames up to `sequenceNo` are not intact. */
  #scanPositions(segment: Segment, sequenceNo: number): PositionTable {
    const reader = new SegmentReader(segment.file as OpenFile, segment.header)
    const positions = new PositionTable()
    let offset = headerBytesSize
    const { firstSequenceNo } = segment.header
    for (let i = 0; i < segment.recordCount; i++) {
      if (!reader.readFrame(offset) || reader.sequenceNo !== firstSequenceNo + i) break
      positions.push(offset, reader.length)
      offset += alignUp(reader.length)
    }
    if (positions.count < segment.recordCount) {
      const next = firstSequenceNo + positions.count
      // Records before the broken place are as good as ever.
      if (sequenceNo < next) return positions
      const place = reader.findIntact(offset + 8, next + 1)
      throw this.#damagedFrame(
        segment,
        next,
        offset,
        place?.offset ?? segment.end,
        place?.sequenceNo ?? firstSequenceNo + segment.recordCount,
      )
    }
    segment.positions = positions
    if (segment.isSealed) this.#storePositions(segment)
    return positions
  }

  /** Moves a sealed segment's positions to the file, in the background. A failure only costs memory and a scan. */
  #storePositions(segment: Segment): void {
    const { positions } = segment
    if (positions === undefined) return
    const stored = this.#positionFile
      .store(segment.header.firstSequenceNo, positions)
      .then(() => {
        segment.positions = undefined
      })
      .catch((error: unknown) => {
        this.#options.logger.log('warn', 'journal: positions could not be stored', { error })
      })
      .finally(() => this.#background.delete(stored))
    this.#background.add(stored)
  }

  // Closing

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    if (this.#isWriting) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    await this.#turn
    await this.#zeroAhead?.stop()
    await this.#spare
    await Promise.all(this.#background)
    await this.#positionFile.close()
    for (const segment of this.#segments) await segment.file?.close()
  }
}

/** For a first attempt: what it does not give whole is read again. */
function readSome(file: OpenFile, buffer: Uint8Array, position: number): number {
  return file.readSync(buffer, position)
}

/** @param frame Of its own memory, without padding. */
function recordIn(frame: Uint8Array, sequenceNo: number): JournalRecord {
  return {
    sequenceNo,
    hash: frame.subarray(32, 64),
    previousHash: frame.subarray(64, 96),
    body: frame.subarray(frameHeaderBytesSize),
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
