/** Timestamps: instants, local time at the edges of the calendar, order. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseIon } from './text-reader.ts'
import { compareTimestamps, formatTimestamp, timestampToMs } from './timestamp.ts'
import { type IonTimestamp, ionTimestampFromMs } from './value.ts'

function at(text: string): IonTimestamp {
  const value = parseIon(text)
  if (value.type !== 'timestamp') throw new TypeError('not a timestamp')
  return value
}

describe('timestamps', () => {
  it('agree with Date on milliseconds', () => {
    const min = Date.UTC(1, 0, 1) - 1899 * 365.2425 * 86_400_000
    fc.assert(
      fc.property(fc.integer({ min: Math.ceil(min), max: Date.UTC(9999, 11, 31) }), (ms) => {
        const year = new Date(ms).getUTCFullYear()
        fc.pre(year >= 1)
        const value = ionTimestampFromMs(ms)
        expect(timestampToMs(value)).toBe(ms)
        expect(new Date(formatTimestamp(value)).getTime()).toBe(ms)
      }),
    )
  })

  it.each([
    ['0001-01-01T00:00:00Z', -62_135_596_800_000],
    ['1970T', 0],
    ['1970-01-01T00:00-00:00', 0],
    ['1970-01-01T01:00+01:00', 0],
    ['1969-12-31T23:59:59.9999Z', -1],
    ['2000-02-29T12:00:00.1Z', 951_825_600_100],
    ['2020-01-01T00:00:00.123999999Z', 1_577_836_800_123],
  ])('%s is %d ms after the epoch', (text, ms) => {
    expect(timestampToMs(at(text))).toBe(ms)
  })

  it('show local time at the edges of days, years and the calendar', () => {
    for (const text of [
      '2019-12-31T23:59-00:01',
      '2020-01-01T00:00+00:01',
      '2020-02-29T23:30-23:59',
      '0001-01-01T00:00+23:59',
      '9999-12-31T23:59:59.9-23:59',
      '2000-03-01T00:00:00.000+14:00',
    ]) {
      expect(formatTimestamp(at(text))).toBe(text)
    }
    expect(at('0001-01-01T00:00+23:59').year).toBe(0)
    expect(at('9999-12-31T23:59-23:59').year).toBe(10_000)
  })

  it('order by instant, whatever precision and offset', () => {
    const sign = (a: string, b: string) => Math.sign(compareTimestamps(at(a), at(b)))
    expect(sign('2020T', '2020-01-01T00:00:00.000+00:00')).toBe(0)
    expect(sign('2020-01-01T01:00+01:00', '2020-01-01T00:00Z')).toBe(0)
    expect(sign('2020-01-01T00:00:00.1Z', '2020-01-01T00:00:00.10000000000000000001Z')).toBe(-1)
    expect(sign('2020-01-01T00:00:01Z', '2020-01-01T00:00:00.999Z')).toBe(1)
    expect(sign('2019-12-31T23:59:59.9Z', '2020T')).toBe(-1)
  })
})
