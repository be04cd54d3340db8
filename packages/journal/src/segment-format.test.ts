import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  alignUp,
  decodeFooter,
  decodeHeader,
  encodeFooter,
  encodeFrame,
  encodeHeader,
  footerBytesSize,
  frameBytesFor,
  frameGroupFirstSequenceNo,
  frameLengthAt,
  frameSequenceNo,
  isFrameIntact,
  parseSegmentName,
  segmentName,
  viewOf,
} from './segment-format.ts'

const bytesOf = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
const numbers = fc.maxSafeNat()
const headers = fc.record({ salt: bytesOf(8), firstSequenceNo: numbers, previousHash: bytesOf(32) })

describe('the format of a segment', () => {
  it('reads back headers and notices each flipped bit', () => {
    fc.assert(
      fc.property(headers, fc.nat({ max: 64 * 8 - 1 }), (header, bit) => {
        const bytes = encodeHeader(header)
        expect(decodeHeader(bytes)).toEqual(header)
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
        expect(decodeHeader(bytes)).toBeUndefined()
        expect(decodeHeader(bytes.subarray(0, 63))).toBeUndefined()
      }),
    )
  })

  it('reads back footers, of their own segment only', () => {
    const footers = fc.record({
      recordCount: numbers,
      lastHash: bytesOf(32),
      sha256: bytesOf(32),
    })
    fc.assert(
      fc.property(headers, footers, fc.nat({ max: 96 * 8 - 1 }), (header, footer, bit) => {
        const bytes = encodeFooter(header, footer)
        const view = viewOf(bytes)
        expect(bytes.length).toBe(footerBytesSize)
        expect(decodeFooter(bytes, view, 0, header)).toEqual(footer)
        const salt = header.salt.map((byte) => byte ^ 1)
        expect(decodeFooter(bytes, view, 0, { ...header, salt })).toBeUndefined()
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
        expect(decodeFooter(bytes, view, 0, header)).toBeUndefined()
      }),
    )
  })

  it('reads back frames in a used buffer and notices each flipped bit, padding included', () => {
    const frames = fc.record({
      salt: bytesOf(8),
      sequenceNo: numbers,
      group: numbers,
      hash: bytesOf(32),
      previousHash: bytesOf(32),
      body: fc.uint8Array({ maxLength: 100 }),
    })
    fc.assert(
      fc.property(frames, fc.nat(), (frame, flip) => {
        const size = frameBytesFor(frame.body.length)
        const bytes = new Uint8Array(8 + size).fill(0xaa)
        const view = viewOf(bytes)
        const { salt, sequenceNo, group, hash, previousHash, body } = frame
        encodeFrame(bytes, view, 8, salt, sequenceNo, group, hash, previousHash, body)
        const length = frameLengthAt(view, 8)
        expect(alignUp(length)).toBe(size)
        expect(isFrameIntact(bytes, view, 8, length, salt)).toBe(true)
        expect(frameSequenceNo(view, 8)).toBe(sequenceNo)
        expect(frameGroupFirstSequenceNo(view, 8)).toBe(group)
        expect(bytes.slice(40, 72)).toEqual(hash)
        expect(bytes.slice(72, 104)).toEqual(previousHash)
        expect(bytes.slice(104, 8 + length)).toEqual(body)
        const at = 8 + (flip % size)
        bytes[at] = (bytes[at] as number) ^ (1 << (flip % 8))
        // A changed length that leads out of the buffer is the reader's to refuse.
        const changed = frameLengthAt(view, 8)
        const isInside = changed !== 0 && alignUp(changed) <= size
        expect(isInside && isFrameIntact(bytes, view, 8, changed, salt)).toBe(false)
      }),
    )
  })

  it('names segments so that names sort as numbers do', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        expect(parseSegmentName(segmentName(a))).toBe(a)
        expect(segmentName(a) < segmentName(b)).toBe(a < b)
      }),
    )
    for (const name of ['1.journal', 'positions', `${segmentName(0)}.torn-64`, 'spare.journal']) {
      expect(parseSegmentName(name)).toBeUndefined()
    }
    expect(parseSegmentName('99999999999999999999.journal')).toBeUndefined()
  })
})
