/**
 * The ion-tests of the Ion project: files that must read, files that must not, and what is equal to what.
 * Beyond reading, every good value must survive both codecs and hash alike on all paths. No file is left out.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fromUtf8 } from '@cairn/core'
import {
  compareTimestamps,
  decodeIon,
  decodeIonAll,
  encodeIon,
  encodeIonAll,
  equalIon,
  formatIon,
  hashIon,
  hashIonBytes,
  IonError,
  type IonValue,
  parseIon,
  parseIonAll,
} from '@cairn/ion'
import { describe, expect, it } from 'vitest'
import { openVectors } from '../vectors.ts'

const folder = openVectors('ion-tests.tar.gz')
const root = join(folder ?? '', 'ion-tests', 'iontestdata')

function filesBelow(path: string): string[] {
  if (folder === undefined) return []
  return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ion|10n)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
}

function readAll(file: string): IonValue[] {
  const bytes = new Uint8Array(readFileSync(join(root, file)))
  return file.endsWith('.10n') ? decodeIonAll(bytes) : parseIonAll(toText(bytes))
}

/** UTF-8, or UTF-16 or UTF-32 big-endian, which the zero bytes before the first character give away. */
function toText(bytes: Uint8Array): string {
  const unitSize = bytes[0] !== 0 ? 1 : bytes[1] === 0 ? 4 : 2
  if (unitSize === 1) return fromUtf8(bytes)
  const buffer = Buffer.from(bytes)
  let text = ''
  for (let i = 0; i < buffer.length; i += unitSize) {
    text += String.fromCodePoint(buffer.readUIntBE(i, unitSize))
  }
  return text
}

/** The sets of a file of equivalents. A document is one value here: the list of its values. */
function setsOf(file: string): IonValue[][] {
  return readAll(file).map((set) => {
    expect(['list', 'sexp', 'struct']).toContain(set.type)
    if (set.type === 'struct') return set.fields.map((field) => field.value)
    if (set.type !== 'list' && set.type !== 'sexp') return []
    if (set.annotations[0] !== 'embedded_documents') return [...set.values]
    return set.values.map((document): IonValue => {
      expect(document.type).toBe('string')
      const values = document.type === 'string' ? parseIonAll(document.value) : []
      return { type: 'list', values, annotations: [] }
    })
  })
}

function eachPair(set: readonly IonValue[], check: (a: IonValue, b: IonValue) => void): void {
  for (const [index, a] of set.entries()) {
    for (const b of set.slice(index + 1)) check(a, b)
  }
}

/** Whether the hash refuses a value because a symbol has no text, as its specification asks. */
function tryHash(value: IonValue): Uint8Array | undefined {
  try {
    return hashIon(value)
  } catch (error) {
    if (error instanceof IonError && error.code === 'SYMBOL_TEXT_UNKNOWN') return undefined
    throw error
  }
}

const good = filesBelow('good')
const bad = filesBelow('bad')
const timelines = good.filter((file) => file.includes('equivTimeline'))
const equivs = good.filter((file) => file.includes('/equivs/'))
const nonEquivs = good.filter((file) => file.includes('/non-equivs/'))

describe.skipIf(folder === undefined)('ion-tests (vectors/ion-tests.tar.gz)', () => {
  it('is all there', () => {
    expect(good.length).toBe(289)
    expect(bad.length).toBe(496)
    expect(equivs.length).toBe(60)
    expect(nonEquivs.length).toBe(21)
    expect(timelines).toHaveLength(2)
  })

  describe('reads', () => {
    it.each(good)('%s', (file) => {
      const values = readAll(file)
      expect(decodeIonAll(encodeIonAll(values))).toEqual(values)
      for (const value of values) {
        expect(decodeIon(encodeIon(value))).toEqual(value)
        expect(parseIon(formatIon(value))).toEqual(value)
        expect(parseIon(formatIon(value, { pretty: true }))).toEqual(value)
        expect(equalIon(value, parseIon(formatIon(value)))).toBe(true)
        const hash = tryHash(value)
        if (hash !== undefined) expect(hashIonBytes(encodeIon(value))).toEqual(hash)
      }
    })
  })

  describe('hashes binary files as their values', () => {
    it.each(good.filter((file) => file.endsWith('.10n')))('%s', (file) => {
      const values = readAll(file)
      const stream = new Uint8Array(readFileSync(join(root, file)))
      const [value] = values
      const hash = value === undefined || values.length > 1 ? undefined : tryHash(value)
      if (hash !== undefined) {
        expect(hashIonBytes(stream)).toEqual(hash)
      } else {
        expect(() => hashIonBytes(stream)).toThrow(IonError)
      }
    })
  })

  describe('refuses', () => {
    it.each(bad)('%s', (file) => {
      let error: unknown
      try {
        readAll(file)
      } catch (caught) {
        error = caught
      }
      // Bytes that are no UTF-8 fail before there is any text.
      const isNoText = error instanceof TypeError && file.endsWith('.ion')
      expect(isNoText || error instanceof IonError, String(error)).toBe(true)
      if (file.endsWith('.10n')) {
        const stream = new Uint8Array(readFileSync(join(root, file)))
        expect(() => hashIonBytes(stream)).toThrow(IonError)
      }
    })
  })

  describe('finds equal', () => {
    it.each(equivs)('%s', (file) => {
      for (const set of setsOf(file)) {
        eachPair(set, (a, b) => {
          expect(equalIon(a, b), `${formatIon(a)} and ${formatIon(b)}`).toBe(true)
          expect(tryHash(a)).toEqual(tryHash(b))
        })
      }
    })
  })

  describe('finds different', () => {
    it.each(nonEquivs)('%s', (file) => {
      for (const set of setsOf(file)) {
        eachPair(set, (a, b) => {
          expect(equalIon(a, b), `${formatIon(a)} and ${formatIon(b)}`).toBe(false)
          expect(tryHash(a)).not.toEqual(tryHash(b))
        })
      }
    })
  })

  describe('finds at the same instant', () => {
    it.each(timelines)('%s', (file) => {
      for (const set of setsOf(file)) {
        eachPair(set, (a, b) => {
          expect([a.type, b.type]).toEqual(['timestamp', 'timestamp'])
          if (a.type === 'timestamp' && b.type === 'timestamp') {
            expect(compareTimestamps(a, b)).toBe(0)
          }
        })
      }
    })
  })
})
