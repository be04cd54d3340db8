/**
 * Where records lie within their segments: a table in memory for segments that are being written or were scanned, a
 * flat file for the rest. The file is a projection: never trusted (each read checks the frame it finds), rebuilt
 * segment by segment when it is missing, short or wrong.
 *
 *     entry of record n, at byte 8 n of the file:   0  offset of the frame in its segment, u32
 *                                                   4  length of the frame without padding, u32
 */
import type { FileSystem, OpenFile } from '@cairn/core'
import { viewOf } from './segment-format.ts'

const entryBytesSize = 8
const entriesAtFirst = 64

/** Positions of consecutive records of one segment. At least 96 bytes of segment per 8 bytes here. */
export class PositionTable {
  count = 0
  #entries: Uint32Array = new Uint32Array(2 * entriesAtFirst)

  push(offset: number, length: number): void {
    const at = 2 * this.count
    if (at === this.#entries.length) {
      const grown = new Uint32Array(2 * at)
      grown.set(this.#entries)
      this.#entries = grown
    }
    this.#entries[at] = offset
    this.#entries[at + 1] = length
    this.count++
  }

  offsetAt(index: number): number {
    return this.#entries[2 * index] as number
  }

  lengthAt(index: number): number {
    return this.#entries[2 * index + 1] as number
  }

  encode(): Uint8Array {
    const out = new Uint8Array(this.count * entryBytesSize)
    const view = viewOf(out)
    for (let i = 0; i < 2 * this.count; i++) {
      view.setUint32(4 * i, this.#entries[i] as number, true)
    }
    return out
  }
}

export const positionsFileName = 'positions'

export class PositionFile {
  /** Of the last successful `lookUp`. */
  offset = 0
  length = 0
  readonly #path: string
  readonly #fileSystem: FileSystem
  readonly #entry: Uint8Array = new Uint8Array(entryBytesSize)
  readonly #entryView: DataView = viewOf(this.#entry)
  #file: OpenFile | undefined

  constructor(directory: string, fileSystem: FileSystem) {
    this.#path = `${directory}/${positionsFileName}`
    this.#fileSystem = fileSystem
  }

  async open(): Promise<void> {
    const exists = await this.#fileSystem.exists(this.#path)
    this.#file = await this.#fileSystem.open(this.#path, exists ? 'readWrite' : 'create')
  }

  /** Whether there is an entry for the record; it is then in `offset` and `length`. */
  lookUp(sequenceNo: number): boolean {
    if (this.#file === undefined) return false
    const count = this.#file.readSync(this.#entry, sequenceNo * entryBytesSize)
    if (count < entryBytesSize) return false
    this.offset = this.#entryView.getUint32(0, true)
    this.length = this.#entryView.getUint32(4, true)
    return this.length > 0
  }

  /** Stores a segment's positions. Synced, so that a power loss costs no scan; off the path of commits. */
  async store(firstSequenceNo: number, positions: PositionTable): Promise<void> {
    if (this.#file === undefined) await this.open()
    await this.#file?.write(positions.encode(), firstSequenceNo * entryBytesSize)
    await this.#file?.syncData()
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }
}
