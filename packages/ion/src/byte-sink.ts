/** A growing output buffer that codecs reuse between calls. Plain fields, so that hot loops read them directly. */

/** A buffer that grew beyond this is given back after the call that needed it. */
const keptBytesMax = 1 << 20
const initialBytesSize = 4096

export class ByteSink {
  bytes: Uint8Array = new Uint8Array(initialBytesSize)
  /** Where the next byte goes. */
  size = 0

  /** Makes room for `count` bytes behind `size`. */
  reserve(count: number): void {
    if (this.size + count > this.bytes.length) this.#grow(count)
  }

  #grow(count: number): void {
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.size + count))
    grown.set(this.bytes.subarray(0, this.size))
    this.bytes = grown
  }

  /** Empties the sink before a call. */
  reset(): void {
    this.size = 0
    if (this.bytes.length > keptBytesMax) this.bytes = new Uint8Array(initialBytesSize)
  }

  writeByte(byte: number): void {
    if (this.size === this.bytes.length) this.#grow(1)
    this.bytes[this.size++] = byte
  }

  writeBytes(source: Uint8Array): void {
    const { length } = source
    this.reserve(length)
    const { bytes, size } = this
    // Below 48 bytes a loop beats the call of `set`.
    if (length > 48) bytes.set(source, size)
    else for (let i = 0; i < length; i++) bytes[size + i] = source[i] as number
    this.size = size + length
  }

  /** A VarUInt: seven bits a byte, the last byte marked. `value` is a safe integer of at least 0. */
  writeVarUint(value: number): void {
    if (value < 0x80) {
      this.writeByte(value | 0x80)
      return
    }
    const length = varUintSize(value)
    this.reserve(length)
    let rest = value
    for (let i = length - 1; i >= 0; i--) {
      this.bytes[this.size + i] = (rest % 0x80) | (i === length - 1 ? 0x80 : 0)
      rest = Math.floor(rest / 0x80)
    }
    this.size += length
  }

  /** A VarInt: as VarUInt, with the sign in the second bit of the first byte. */
  writeVarInt(value: number): void {
    const sign = value < 0 ? 0x40 : 0
    const magnitude = Math.abs(value)
    if (magnitude < 0x40) {
      this.writeByte(0x80 | sign | magnitude)
      return
    }
    let length = 1
    for (let rest = Math.floor(magnitude / 0x40); rest > 0; rest = Math.floor(rest / 0x80)) length++
    this.reserve(length)
    let rest = magnitude
    for (let i = length - 1; i >= 0; i--) {
      this.bytes[this.size + i] = (rest % 0x80) | (i === length - 1 ? 0x80 : 0)
      rest = Math.floor(rest / 0x80)
    }
    this.bytes[this.size] = (this.bytes[this.size] as number) | sign
    this.size += length
  }

  /** The magnitude of an integer, big-endian, no leading zero; nothing for zero. */
  writeMagnitude(value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.writeBytes(bigintMagnitude(value))
      return
    }
    const magnitude = Math.abs(value)
    const length = magnitudeSize(magnitude)
    this.reserve(length)
    let rest = magnitude
    for (let i = length - 1; i >= 0; i--) {
      this.bytes[this.size + i] = rest % 0x100
      rest = Math.floor(rest / 0x100)
    }
    this.size += length
  }

  /** An Int: magnitude with the sign in its top bit, one more byte when that bit is taken. Nothing for +0. */
  writeSignedMagnitude(value: bigint, isNegative: boolean): void {
    if (value === 0n) {
      if (isNegative) this.writeByte(0x80)
      return
    }
    const start = this.size
    const isSmall = value > -0x1_0000_0000n && value < 0x1_0000_0000n
    this.writeByte(0)
    this.writeMagnitude(isSmall ? Number(value) : value)
    const first = this.bytes[start + 1] as number
    if (first < 0x80) {
      this.bytes.copyWithin(start, start + 1, this.size)
      this.size--
    }
    if (isNegative) this.bytes[start] = (this.bytes[start] as number) | 0x80
  }
}

export function varUintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  let size = 4
  for (let rest = Math.floor(value / 0x1000_0000); rest > 0; rest = Math.floor(rest / 0x80)) size++
  return size
}

function magnitudeSize(magnitude: number): number {
  if (magnitude < 0x100) return magnitude === 0 ? 0 : 1
  if (magnitude < 0x1_0000) return 2
  if (magnitude < 0x100_0000) return 3
  if (magnitude < 0x1_0000_0000) return 4
  let size = 4
  for (
    let rest = Math.floor(magnitude / 0x1_0000_0000);
    rest > 0;
    rest = Math.floor(rest / 0x100)
  ) {
    size++
  }
  return size
}

/** Big-endian magnitude of a bigint without leading zeros. */
function bigintMagnitude(value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array(0)
  // By way of hexadecimal the cost stays linear; shifting a bigint byte by byte is quadratic.
  const hex = (value < 0n ? -value : value).toString(16)
  const length = (hex.length + 1) >> 1
  const out = new Uint8Array(length)
  let end = hex.length
  for (let i = length - 1; i >= 0; i--) {
    out[i] = Number.parseInt(hex.slice(Math.max(0, end - 2), end), 16)
    end -= 2
  }
  return out
}
