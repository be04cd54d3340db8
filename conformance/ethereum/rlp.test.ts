/** RLPTests of ethereum/tests: every case that is valid or not, read and written. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex, toHex, utf8 } from '@cairn/core'
import { decodeRlp, encodeRlp, numberToBytes, type RlpItem } from '@cairn/eth-codec'
import { describe, expect, it } from 'vitest'
import { openVectors } from '../vectors.ts'

const root = openVectors('ethereum-tests.tar.gz')

interface RlpCase {
  readonly in: unknown
  readonly out: string
}

/** Text, numbers, and texts of large numbers behind `#`, in lists. */
function itemOf(value: unknown): RlpItem {
  if (Array.isArray(value)) return value.map(itemOf)
  if (typeof value === 'number') return numberToBytes(BigInt(value))
  const text = String(value)
  return text.startsWith('#') ? numberToBytes(BigInt(text.slice(1))) : utf8(text)
}

function readCases(): [string, RlpCase][] {
  if (root === undefined) return []
  const folder = join(root, 'ethereum-tests', 'RLPTests')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .sort()
    .flatMap((file) => Object.entries(JSON.parse(readFileSync(join(folder, file), 'utf8'))))
    .map(([name, each]) => [name, each as RlpCase])
}

const cases = readCases()

describe.skipIf(root === undefined)('RLPTests', () => {
  it('are all there', () => expect(cases.length).toBe(55))

  it.each(cases)('%s', (_name, { in: value, out }) => {
    const bytes = fromHex(out.replace(/^0x/, ''))
    if (value === 'INVALID') {
      expect(() => decodeRlp(bytes)).toThrow()
      return
    }
    const item = value === 'VALID' ? decodeRlp(bytes) : itemOf(value)
    expect(toHex(encodeRlp(item))).toBe(toHex(bytes))
    expect(decodeRlp(bytes)).toEqual(item)
  })
})
