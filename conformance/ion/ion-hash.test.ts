/**
 * The ion-hash-test of the Ion project: every expected digest with the hash functions it names (the identity, MD5),
 * and the big list of naughty strings against ion-hash-js with SHA-256. No case is left out.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { concatBytes, toHex, utf8 } from '@cairn/core'
import {
  encodeIon,
  fieldOf,
  formatIon,
  hashIon,
  hashIonBytes,
  hashIonBytesWith,
  hashIonWith,
  type IonHashFunction,
  type IonStruct,
  type IonValue,
  ionBlob,
  ionClob,
  ionList,
  ionNull,
  ionSexp,
  ionString,
  ionStruct,
  ionSymbol,
  parseIon,
  parseIonAll,
} from '@cairn/ion'
import ionHashJs from 'ion-hash-js'
import { makeReader } from 'ion-js'
import { describe, expect, it } from 'vitest'
import { openVectors } from '../vectors.ts'

const folder = openVectors('ion-hash-test.tar.gz')
const root = join(folder ?? '', 'ion-hash-test')

const hashFunctions: Readonly<Record<string, IonHashFunction>> = {
  identity: (bytes) => bytes.slice(),
  md5: (bytes) => new Uint8Array(createHash('md5').update(bytes).digest()),
}

interface Case {
  readonly name: string
  readonly stream: Uint8Array
  /** Only where the case gives a value and no bytes. */
  readonly value: IonValue | undefined
  readonly algorithm: string
  /** Hexadecimal, in the order of the calls. */
  readonly digests: readonly string[]
  /** Only the last digest is stated. */
  readonly isFinalOnly: boolean
}

function octets(value: IonValue | undefined): Uint8Array {
  if (value?.type !== 'sexp') throw new TypeError('not a list of bytes')
  return Uint8Array.from(value.values, (one) =>
    one.type === 'int' ? Number(one.value) : Number.NaN,
  )
}

function casesOf(test: IonStruct): Case[] {
  const value = fieldOf(test, 'ion')
  const stream =
    value === undefined
      ? concatBytes(Uint8Array.of(0xe0, 1, 0, 0xea), octets(fieldOf(test, '10n')))
      : encodeIon(value)
  const expectations = fieldOf(test, 'expect')
  if (expectations?.type !== 'struct') throw new TypeError('a case expects nothing')
  const [label] = test.annotations
  const source = value === undefined ? toHex(stream) : formatIon(value)
  const name = typeof label === 'string' ? label : source.slice(0, 60)
  return expectations.fields.map((expectation) => {
    const calls = expectation.value.type === 'sexp' ? expectation.value.values : []
    const digests = calls.filter((call) => /digest$/.test(String(call.annotations[0])))
    return {
      name,
      stream,
      value,
      algorithm: String(expectation.name),
      digests: digests.map((call) => toHex(octets(call))),
      isFinalOnly: digests.some((call) => call.annotations[0] === 'final_digest'),
    }
  })
}

function readCases(): Case[] {
  if (folder === undefined) return []
  const tests = parseIonAll(readFileSync(join(root, 'ion_hash_tests.ion'), 'utf8'))
  return tests.flatMap((test) => (test.type === 'struct' ? casesOf(test) : []))
}

function check(one: Case, run: (hash: IonHashFunction) => Uint8Array): void {
  const log: string[] = []
  const hash = hashFunctions[one.algorithm]
  if (hash === undefined) throw new TypeError(`no hash function ${one.algorithm}`)
  run((bytes) => {
    const digest = hash(bytes)
    log.push(toHex(digest))
    return digest
  })
  expect(one.isFinalOnly ? log.slice(-1) : log).toEqual(one.digests)
}

const cases = readCases()

describe.skipIf(folder === undefined)('ion-hash-test (vectors/ion-hash-test.tar.gz)', () => {
  it('is all there', () => {
    expect(cases.filter((one) => one.algorithm === 'identity')).toHaveLength(166)
    expect(cases.filter((one) => one.algorithm === 'md5')).toHaveLength(5)
    expect(cases.every((one) => one.digests.length > 0)).toBe(true)
  })

  it.each(cases)('$name, $algorithm', (one) => {
    check(one, (hash) => hashIonBytesWith(one.stream, hash))
    const { value } = one
    if (value !== undefined) check(one, (hash) => hashIonWith(value, hash))
  })
})

/** A line as every kind of value that can hold it, alone, annotated, as a field and in containers. */
function naughtyValues(line: string): IonValue[] {
  const text = line.replace(/^(invalid_)?ion::/, '')
  const plain: IonValue[] = [
    ionSymbol(text),
    ionString(text),
    ionClob(utf8(text)),
    ionBlob(utf8(text)),
    ionStruct([]),
    ionNull('string'),
  ]
  if (line.startsWith('ion::')) plain.push(parseIon(text))
  const annotated = plain.map((value): IonValue => ({ ...value, annotations: [text] }))
  return [
    ...plain,
    ...annotated,
    ...annotated.map((value) => ionStruct([{ name: text, value }], [text])),
    ionList(annotated, [text]),
    ionSexp(plain, [text]),
    ionStruct(plain.map((value) => ({ name: text, value }))),
  ]
}

const lines =
  folder === undefined
    ? []
    : readFileSync(join(root, 'big_list_of_naughty_strings.txt'), 'utf8')
        .split(/\r?\n/)
        .filter((line) => line !== '' && !line.startsWith('#'))

describe.skipIf(folder === undefined)('naughty strings (vectors/ion-hash-test.tar.gz)', () => {
  it('are all there', () => {
    expect(lines).toHaveLength(495)
  })

  it.each(lines)('%j', (line) => {
    for (const value of naughtyValues(line)) {
      const stream = encodeIon(value)
      const reader = ionHashJs.makeHashReader(
        makeReader(stream),
        ionHashJs.cryptoHasherProvider('sha256'),
      )
      reader.next()
      reader.next()
      const hash = hashIon(value)
      expect(hash).toEqual(new Uint8Array(reader.digest()))
      expect(hashIonBytes(stream)).toEqual(hash)
      expect(hashIon(parseIon(formatIon(value)))).toEqual(hash)
    }
  })

  it.each(lines.filter((line) => line.startsWith('invalid_ion::')))('refuses %j', (line) => {
    expect(() => parseIonAll(line.slice('invalid_ion::'.length))).toThrow()
  })
})
