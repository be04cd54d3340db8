import { describe, expect, it } from 'vitest'
import { consoleObjects } from './console-objects.ts'
import { Polls } from './console-polls.ts'

const polls = new Polls((error) => {
  throw error
})

function start(results: Readonly<Record<string, unknown>>) {
  const calls: unknown[][] = []
  const objects = consoleObjects((method, params) => {
    calls.push([method, ...params])
    return results[method]
  }, polls) as Record<string, Record<string, unknown>>
  const call = (namespace: string, name: string, ...args: unknown[]) => {
    const run = objects[namespace]?.[name] as (...args: unknown[]) => unknown
    return run(...args)
  }
  return { objects, calls, call }
}

describe('the console', () => {
  it('has properties for what takes no argument, and functions for the rest', () => {
    const { objects, calls, call } = start({
      eth_blockNumber: '0x10',
      eth_getBalance: '0xde0b6b3a7640000',
      eth_coinbase: '0x00000000000000000000000000000000000000aa',
    })
    expect(objects['eth']?.['blockNumber']).toBe(16)
    expect(call('eth', 'getBalance', '0xaa', 3)).toBe(10n ** 18n)
    expect(objects['eth']?.['coinbase']).toBe('0x00000000000000000000000000000000000000aa')
    expect(calls).toEqual([
      ['eth_blockNumber'],
      ['eth_getBalance', '0xaa', '0x3'],
      ['eth_coinbase'],
    ])
  })

  it('shows counts and amounts as numbers, and leaves hashes alone', () => {
    const hash = `0x${'0'.repeat(63)}1`
    const { call } = start({
      eth_getBlockByNumber: {
        number: '0x5',
        hash,
        baseFeePerGas: '0x7',
        nonce: '0x0000000000000000',
      },
      eth_getTransactionByHash: { nonce: '0x2', value: '0x9', gasPrice: '0x1', input: '0x12' },
    })
    expect(call('eth', 'getBlock', 'x')).toEqual({
      number: 5,
      hash,
      baseFeePerGas: 7n,
      nonce: '0x0000000000000000',
    })
    expect(call('eth', 'getTransactionByHash', 'x')).toEqual({
      nonce: 2,
      value: 9n,
      gasPrice: 1n,
      input: '0x12',
    })
  })

  it('names methods as web3 does, and leaves out the block where that takes the latest one', () => {
    const hash = `0x${'a'.repeat(64)}`
    const { calls, call } = start({})
    call('eth', 'getBalance', '0xaa')
    call('eth', 'getBlock', hash)
    call('eth', 'getBlock', 'latest', true)
    call('eth', 'getTransaction', hash)
    call('eth', 'getBlockTransactionCount', 4)
    call('eth', 'sendTransaction', { value: '1000', data: '0x12', gas: 21000 })
    call('clique', 'propose', '0xaa', true)
    call('personal', 'sendTransaction', { gas: 21000 }, 'x')
    call('personal', 'unlockAccount', '0xaa', 'x', 60)
    expect(calls).toEqual([
      ['eth_getBalance', '0xaa', 'latest'],
      ['eth_getBlockByHash', hash, false],
      ['eth_getBlockByNumber', 'latest', true],
      ['eth_getTransactionByHash', hash],
      ['eth_getBlockTransactionCountByNumber', '0x4'],
      ['eth_sendTransaction', { value: 1000n, data: '0x12', gas: '0x5208' }],
      ['clique_propose', '0xaa', true],
      ['personal_sendTransaction', { gas: '0x5208' }, 'x'],
      ['personal_unlockAccount', '0xaa', 'x', 60],
    ])
  })

  it('computes as web3 does', () => {
    const { call } = start({})
    expect(call('web3', 'fromWei', 1_500_000_000_000_000_000n)).toBe('1.5')
    expect(call('web3', 'fromWei', '7', 'gwei')).toBe('0.000000007')
    expect(call('web3', 'toWei', 2, 'gwei')).toBe(2_000_000_000n)
    expect(call('web3', 'fromWei', 2n * 10n ** 15n, 'finney')).toBe('2')
    expect(call('web3', 'isAddress', '0x00')).toBe(false)
  })
})
