import { describe, expect, it } from 'vitest'
import { createRouter, parseQuery } from './router.ts'

const router = createRouter([
  { method: 'GET', pattern: '/ledgers', operation: 'ListLedgers' },
  { method: 'GET', pattern: '/ledgers/{Name}', operation: 'DescribeLedger' },
  { method: 'POST', pattern: '/ledgers/{Name}/digest', operation: 'GetDigest' },
  { method: 'GET', pattern: '/tags/{ResourceArn+}', operation: 'ListTagsForResource' },
])

describe('createRouter', () => {
  it('finds the operation and its labels', () => {
    expect(router.match('GET', '/ledgers')).toEqual({ operation: 'ListLedgers', labels: {} })
    expect(router.match('GET', '/ledgers/a%20b')).toEqual({
      operation: 'DescribeLedger',
      labels: { Name: 'a b' },
    })
    expect(router.match('POST', '/ledgers/a/digest')?.operation).toBe('GetDigest')
  })

  it('routes before decoding, so an encoded slash does not split a label', () => {
    expect(router.match('GET', '/ledgers/a%2Fdigest')?.labels).toEqual({ Name: 'a/digest' })
    const arn = 'arn:aws:qldb:us-east-1:000000000000:ledger/L'
    for (const path of [encodeURIComponent(arn), arn]) {
      expect(router.match('GET', `/tags/${path}`)?.labels).toEqual({ ResourceArn: arn })
    }
  })

  it('does not mind a slash at the end', () => {
    expect(router.match('GET', '/ledgers/')?.operation).toBe('ListLedgers')
  })

  it.each([
    ['PUT', '/ledgers'],
    ['GET', '/'],
    ['GET', ''],
    ['GET', '/ledgers//'],
    ['GET', '/ledgers/a/b'],
    ['GET', '/tags'],
    ['POST', '/ledgers//digest'],
  ])('knows no %s %s', (method, path) => {
    expect(router.match(method, path)).toBeUndefined()
  })

  it('refuses labels and parameters that are not percent-encoded UTF-8', () => {
    expect(() => router.match('GET', '/ledgers/%zz')).toThrow('percent-encoded')
    expect(() => parseQuery('a=%ff')).toThrow('percent-encoded')
  })
})

describe('parseQuery', () => {
  it('keeps repeated names in order', () => {
    const parameters = parseQuery('tagKeys=a&tagKeys=b%26c&max_results=3&x')
    expect([...parameters]).toEqual([
      ['tagKeys', ['a', 'b&c']],
      ['max_results', ['3']],
      ['x', ['']],
    ])
  })
})
