/** The methods debug_trace… on a chain: what is found, executed anew in order, and refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assemble, initCodeOf } from '../testing/assemble.ts'
import { openRpcTestNode, type RpcTestNode } from '../testing/rpc-node.ts'
import { type MinedReceipt, SealingClient } from '../testing/sealing-client.ts'

interface Call {
  readonly output?: string
  readonly error?: string
  readonly from: string
  readonly value?: string
}

let node: RpcTestNode
let client: SealingClient
let counter: string
let hashes: string[]
let block: { readonly hash: string; readonly number: string }

const resultOf = <T>(method: string, ...params: unknown[]) => client.result<T>(method, ...params)
const errorOf = (method: string, ...params: unknown[]) => client.error(method, ...params)

const callTracer = { tracer: 'callTracer' }
const word = (value: number) => `0x${value.toString(16).padStart(64, '0')}`

beforeAll(async () => {
  node = await openRpcTestNode()
  client = new SealingClient(node)
  // Counts its calls and returns the count.
  const made = client.submit({
    data: initCodeOf(assemble('0 SLOAD 1 ADD DUP1 0 SSTORE 0 MSTORE 32 0 RETURN')),
  })
  counter = (await client.mined(made)).contractAddress
  // In one turn of the event loop, so that one block takes them.
  hashes = [1, 2, 3].map(() => client.submit({ to: counter }))
  const receipts = await Promise.all(hashes.map((hash) => client.mined(hash)))
  expect(new Set(receipts.map(({ blockHash }) => blockHash)).size).toBe(1)
  const [{ blockHash, blockNumber }] = receipts as [MinedReceipt]
  block = { hash: blockHash, number: blockNumber }
})
afterAll(() => node.close())

describe('traces of a block', () => {
  it('have the state that each transaction found', async () => {
    const traces = hashes.map((hash) => resultOf<Call>('debug_traceTransaction', hash, callTracer))
    expect((await Promise.all(traces)).map(({ output }) => output)).toEqual([1, 2, 3].map(word))
  })

  it('are the same by number, hash and bytes', async () => {
    const byHash = await resultOf<{ txHash: string; result: Call }[]>(
      'debug_traceBlockByHash',
      block.hash,
      callTracer,
    )
    expect(byHash.map(({ txHash }) => txHash)).toEqual(hashes)
    expect(byHash.map(({ result }) => result.output)).toEqual([1, 2, 3].map(word))
    expect(await resultOf('debug_traceBlockByNumber', block.number, callTracer)).toEqual(byHash)
    const bytes = await resultOf<string>('debug_getRawBlock', block.number)
    expect(await resultOf('debug_traceBlock', bytes, callTracer)).toEqual(byHash)
    const one = await resultOf('debug_traceTransaction', hashes[1], callTracer)
    expect(byHash[1]?.result).toEqual(one)
  })

  it('tell steps unless a tracer is named, and refuse nothing for null', async () => {
    const steps = await resultOf<{ gas: number; structLogs: unknown[] }>(
      'debug_traceTransaction',
      hashes[0],
      null,
    )
    expect(steps.structLogs).toHaveLength(12)
    const receipt = await resultOf<{ gasUsed: string }>('eth_getTransactionReceipt', hashes[0])
    expect(steps.gas).toBe(Number(receipt.gasUsed))
  })
})

describe('traces of calls', () => {
  const message = () => ({ to: counter })

  it('run after a block, or between two of its transactions', async () => {
    const after = await resultOf<Call>('debug_traceCall', message(), block.number, callTracer)
    expect(after.output).toBe(word(4))
    const outputs = ['0x0', '0x1', '0x2'].map(
      async (txIndex) =>
        (await resultOf<Call>('debug_traceCall', message(), block.hash, { ...callTracer, txIndex }))
          .output,
    )
    expect(await Promise.all(outputs)).toEqual([1, 2, 3].map(word))
    expect(
      await errorOf('debug_traceCall', message(), block.hash, { ...callTracer, txIndex: '0x3' }),
    ).toBe(`transaction index 3 out of range for block ${block.hash}`)
  })

  it('leave nothing behind', async () => {
    await resultOf('debug_traceCall', message(), 'latest', callTracer)
    expect(await resultOf('eth_call', message(), 'latest')).toBe(word(4))
  })

  it('take overrides of state and block', async () => {
    const number = assemble('NUMBER 0 MSTORE 32 0 RETURN')
    const options = {
      ...callTracer,
      stateOverrides: { [counter]: { code: `0x${number}` } },
      blockOverrides: { number: '0x2a' },
    }
    const traced = await resultOf<Call>('debug_traceCall', message(), 'latest', options)
    expect(traced.output).toBe(word(42))
  })

  it('pay for gas if a price is named, as a transaction would', async () => {
    const from = `0x${'77'.repeat(20)}`
    const options = {
      tracer: 'prestateTracer',
      tracerConfig: { diffMode: true },
      stateOverrides: { [from]: { balance: '0xde0b6b3a7640000', nonce: '0x3' } },
    }
    const balances = async (price: object) => {
      const call = { from, to: counter, gas: '0x186a0', ...price }
      const { post } = await resultOf<{ post: Record<string, object> }>(
        'debug_traceCall',
        ...[call, 'latest', options],
      )
      return post[from]
    }
    expect(await balances({})).toEqual({ nonce: 4 })
    const { gas } = await resultOf<{ gas: number }>('debug_traceCall', { to: counter }, 'latest')
    const left = 10n ** 18n - BigInt(gas) * 2n * 10n ** 9n
    const paid = { nonce: 4, balance: `0x${left.toString(16)}` }
    expect(await balances({ gasPrice: '0x77359400' })).toEqual(paid)
  })

  it('say why a message may not run', async () => {
    const poor = { to: counter, from: `0x${'99'.repeat(20)}`, value: '0x1' }
    expect(await errorOf('debug_traceCall', poor, 'latest', callTracer)).toMatch(
      /^tracing failed: insufficient funds for gas \* price \+ value/,
    )
    const small = { to: counter, gas: '0x1' }
    expect(await errorOf('debug_traceCall', small, 'latest', callTracer)).toMatch(
      /^tracing failed: intrinsic gas too low/,
    )
  })
})

describe('what is refused', () => {
  it('is debug over HTTP, where it was not asked for', async () => {
    const answer = await fetch(node.httpUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ jsonrpc: '2.0', id: 1 },
        ...{ method: 'debug_traceTransaction', params: [hashes[0]] },
      }),
    })
    expect(await answer.json()).toMatchObject({
      error: {
        code: -32601,
        message: 'the method debug_traceTransaction does not exist/is not available',
      },
    })
  })

  it.each([
    ['debug_traceTransaction', [word(5)], 'transaction not found'],
    ['debug_traceBlockByNumber', ['0x0'], 'genesis is not traceable'],
    ['debug_traceBlockByNumber', ['0xffff'], 'block #65535 not found'],
    ['debug_traceBlockByHash', [word(7)], `block ${word(7)} not found`],
    ['debug_traceBlockByNumber', ['pending'], 'tracing on top of pending is not supported'],
    ['debug_traceCall', [{}, 'pending'], 'tracing on top of pending is not supported'],
    ['debug_traceBlock', ['0xc0'], expect.stringMatching(/^could not decode block: /)],
    ['debug_traceCall', [{}], 'missing value for required argument 1'],
    [
      'debug_traceTransaction',
      [word(5), { tracer: '{step: function() {}}' }],
      expect.stringMatching(/^invalid argument 1: tracers in JavaScript are not supported/),
    ],
  ])('%s %j', async (method, params, message) => {
    expect(await errorOf(method, ...params)).toEqual(message)
  })

  it('is a transaction that does not end in its time', async () => {
    const endless = { [counter]: { code: '0x5b5f56' } }
    const options = { ...callTracer, timeout: '1ms', stateOverrides: endless }
    expect(await errorOf('debug_traceCall', { to: counter }, 'latest', options)).toBe(
      'execution timeout',
    )
  })

  it('is a block whose state before it is not kept any more', async () => {
    for (let i = 0; i < 130; i++) await client.mined(client.submit({ to: counter }))
    expect(await errorOf('debug_traceTransaction', hashes[0], callTracer)).toBe(
      'required historical state unavailable (reexec=128)',
    )
    const options = { ...callTracer, reexec: 9 }
    expect(await errorOf('debug_traceBlockByHash', block.hash, options)).toBe(
      'required historical state unavailable (reexec=9)',
    )
    const last = await resultOf<Call>('debug_traceCall', { to: counter }, 'latest', callTracer)
    expect(last.output).toBe(word(134))
  })
})
