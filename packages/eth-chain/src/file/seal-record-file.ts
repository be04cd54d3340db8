/**
 * The file of a seal record: two slots that are written in turn, each one over what stood there the time before last.
 * What a crash tears was never granted, and the other slot stands. One write to the disk for each block, where a new
 * file with its name would take three.
 *
 *   at 0 and at 16 MiB     "SEAL" ‖ sequence u64 ‖ size u32 ‖ CRC-32 of sequence, size and record u32 ‖ record
 */
import { crc32 } from 'node:zlib'
import { assert, type FileSystem, type OpenFile, utf8 } from '@cairn/core'
import type { SealRecordStore } from '../clique/seal-record.ts'
import { chainDamaged } from '../errors.ts'

/** Twice what a sealer puts into a block. Between the slots the file has no pages on the disk. */
const slotBytesSize = 16 * 1024 * 1024
const slotCount = 2
const magic = utf8('SEAL')
const headBytesSize = 20
const fileMode = 0o600

interface Slot {
  readonly sequence: bigint
  readonly record: Uint8Array
}

export class SealRecordFile implements SealRecordStore {
  readonly #path: string
  readonly #fileSystem: FileSystem
  #file: OpenFile | undefined
  /** Of the last record; undefined while the file has no slots. */
  #sequence: bigint | undefined

  constructor(path: string, fileSystem: FileSystem) {
    this.#path = path
    this.#fileSystem = fileSystem
  }

  /** @throws ChainError CHAIN_DAMAGED when neither slot can be read. */
  async read(): Promise<Uint8Array | undefined> {
    if (!(await this.#fileSystem.exists(this.#path))) return undefined
    const bytes = await this.#fileSystem.readFile(this.#path)
    // As it was before there were slots: the record as JSON, and nothing else.
    if (bytes[0] === '{'.charCodeAt(0)) return bytes
    const slots = [0, slotBytesSize].flatMap((start) => readSlot(bytes, start) ?? [])
    const [last] = slots.sort((a, b) => (a.sequence > b.sequence ? -1 : 1))
    if (last === undefined) throw chainDamaged(`the record of sealed blocks, ${this.#path}`)
    this.#sequence = last.sequence
    return last.record
  }

  async write(record: Uint8Array): Promise<void> {
    const sequence = (this.#sequence ?? -1n) + 1n
    const slot = encodeSlot(sequence, record)
    if (this.#sequence === undefined) {
      await this.#fileSystem.writeFileAtomic(this.#path, slot, fileMode)
    } else {
      this.#file ??= await this.#fileSystem.open(this.#path, 'durable')
      await this.#file.write(slot, Number(sequence % BigInt(slotCount)) * slotBytesSize)
    }
    this.#sequence = sequence
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }
}

function encodeSlot(sequence: bigint, record: Uint8Array): Uint8Array {
  assert(headBytesSize + record.length <= slotBytesSize, 'a sealed block is too large for its slot')
  const slot = new Uint8Array(headBytesSize + record.length)
  const view = new DataView(slot.buffer)
  slot.set(magic)
  view.setBigUint64(4, sequence)
  view.setUint32(12, record.length)
  slot.set(record, headBytesSize)
  view.setUint32(16, checksum(slot))
  return slot
}

/** Undefined when there is none, or none that is whole. */
function readSlot(file: Uint8Array, start: number): Slot | undefined {
  const end = start + headBytesSize
  if (end > file.length || magic.some((byte, index) => file[start + index] !== byte)) {
    return undefined
  }
  const view = new DataView(file.buffer, file.byteOffset + start, headBytesSize)
  const size = view.getUint32(12)
  if (end + size > file.length) return undefined
  const slot = file.subarray(start, end + size)
  if (checksum(slot) !== view.getUint32(16)) return undefined
  return { sequence: view.getBigUint64(4), record: slot.slice(headBytesSize) }
}

function checksum(slot: Uint8Array): number {
  return crc32(slot.subarray(headBytesSize), crc32(slot.subarray(4, 16)))
}
