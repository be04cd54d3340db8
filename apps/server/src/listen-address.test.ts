import { describe, expect, it } from 'vitest'
import { formatUrl, isLoopback, isWildcard, parseListenAddress } from './listen-address.ts'

describe('parseListenAddress', () => {
  it.each([
    ['127.0.0.1:4510', { host: '127.0.0.1', port: 4510 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['localhost:65535', { host: 'localhost', port: 65_535 }],
  ])('reads %s', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address)
  })

  it.each([
    '',
    '4510',
    ':4510',
    '127.0.0.1',
    '127.0.0.1:65536',
    '::1:4510',
    '[localhost]:1',
    'a b:1',
  ])('refuses "%s" and says what to write', (text) => {
    expect(() => parseListenAddress(text)).toThrow(/Write HOST:PORT/)
  })
})

describe('isLoopback', () => {
  it('holds for loopback addresses and the one name for them', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].every(isLoopback)).toBe(true)
    expect(['0.0.0.0', '::', '192.0.2.1', 'example.org', '127.example.org'].some(isLoopback)).toBe(
      false,
    )
  })
})

it('isWildcard holds for the addresses that mean all', () => {
  expect(['0.0.0.0', '::', '0:0::0'].every(isWildcard)).toBe(true)
  expect(['::1', '10.0.0.0', 'localhost'].some(isWildcard)).toBe(false)
})

it('formatUrl puts IPv6 addresses in brackets', () => {
  expect(formatUrl('http', { host: '::1', port: 1 })).toBe('http://[::1]:1')
  expect(formatUrl('https', { host: '127.0.0.1', port: 2 })).toBe('https://127.0.0.1:2')
})
