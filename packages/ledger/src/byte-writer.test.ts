/** Records side by side in slabs: each is what was written, whatever came before and comes after. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from './byte-writer.ts'

const parts = fc.oneof(
  fc.record({ kind: fc.constant('u8' as const), value: fc.nat(255) }),
  fc.record({ kind: fc.constant('varuint' as const), value: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('text' as const), value: fc.string({ maxLength: 300 }) }),
  fc.record({
    kind: fc.constant('text' as const),
    value: fc.string({ unit: 'grapheme', maxLength: 130 }),
  }),
  fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 300 }) }),
)
type Part = typeof parts extends fc.Arbitrary<infer P> ? P : never

function write(writer: ByteWriter, part: Part): void {
  if (part.kind === 'u8') writer.u8(part.value)
  else if (part.kind === 'varuint') writer.varuint(part.value)
  else if (part.kind === 'text') writer.text(part.value)
  else writer.bytes(part.value)
}

function read(reader: ByteReader, kind: Part['kind']): Part['value'] {
  if (kind === 'u8') return reader.u8()
  if (kind === 'varuint') return reader.varuint()
  return kind === 'text' ? reader.text() : Uint8Array.from(reader.bytesView())
}

describe('ByteWriter', () => {
  it('keeps every record as it was written', () => {
    const writer = new ByteWriter()
    fc.assert(
      fc.property(fc.array(fc.array(parts, { maxLength: 20 }), { minLength: 1 }), (records) => {
        const taken = records.map((record, i) => {
          for (const part of record) write(writer, part)
          return i % 3 === 0 ? writer.take() : writer.takeView()
        })
        for (const [i, record] of records.entries()) {
          const reader = new ByteReader(taken[i] as Uint8Array)
          for (const { kind, value } of record) expect(read(reader, kind)).toEqual(value)
          expect(reader.isAtEnd).toBe(true)
        }
      }),
    )
  })

  it('keeps records of every size, next to each other and over the end of a slab', () => {
    const writer = new ByteWriter()
    const sizes = [0, 1, 8191, 8192, 8193, 65_535, 65_536, 65_537, 300_000]
    const taken: [number, number, Uint8Array][] = []
    for (let i = 0; i < 400; i++) {
      const size = i % 40 === 0 ? (sizes[(i / 40) % sizes.length] as number) : (i * 37) % 9000
      writer.raw(new Uint8Array(size).fill(i))
      writer.u8(i)
      taken.push([i & 255, size + 1, i % 7 === 0 ? writer.take() : writer.takeView()])
    }
    for (const [byte, size, record] of taken) {
      expect(record).toHaveLength(size)
      expect(record.every((it) => it === byte)).toBe(true)
    }
  })

  it('gives views of small records and buffers of their own to large ones', () => {
    const writer = new ByteWriter()
    for (const size of [10_000, 100_000]) {
      writer.raw(new Uint8Array(size))
      expect(writer.takeView().buffer.byteLength).toBe(size)
    }
    writer.raw(new Uint8Array(100))
    expect(writer.takeView().buffer.byteLength).toBe(65_536)
  })

  it('goes on when a record that was taken is transferred', () => {
    const writer = new ByteWriter()
    writer.text('before')
    const before = writer.takeView()
    for (const size of [10, 10_000, 100_000]) {
      writer.raw(new Uint8Array(size))
      const record = writer.take()
      expect(record.buffer.byteLength).toBe(size)
      structuredClone(record.buffer, { transfer: [record.buffer] })
    }
    writer.text('after')
    expect(new ByteReader(writer.takeView()).text()).toBe('after')
    expect(new ByteReader(before).text()).toBe('before')
  })

  it('writes texts as UTF-8 at every length, half a surrogate pair as U+FFFD', () => {
    const writer = new ByteWriter()
    for (let length = 0; length < 300; length++) {
      for (const last of ['', 'é', '\u20ac', '\u{1f600}', '\ud800']) {
        const text = 'x'.repeat(length) + last
        writer.text(text)
        expect(new ByteReader(writer.take()).text()).toBe(Buffer.from(text, 'utf8').toString())
      }
    }
  })
})
