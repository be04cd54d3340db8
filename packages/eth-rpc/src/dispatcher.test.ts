/** Calls, batches and what geth answers to those that are none; parameters read and refused as geth does. */
import { createVirtualClock } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { Dispatcher, type DispatcherLimits } from './dispatcher.ts'
import { faults } from './faults.ts'
import { type CallContext, method, optional } from './method.ts'
import { parameters } from './parameters.ts'

const context: CallContext = { transport: 'http', subscriber: undefined }

function start(limits: Partial<DispatcherLimits> = {}) {
  const calls: string[] = []
  const dispatcher = new Dispatcher({
    clock: createVirtualClock(),
    limits,
    onCall: (call) => calls.push(call.method),
    namespaces: {
      test: {
        test_now: method([], () => '0x1'),
        test_later: method([], async () => '0x2'),
        test_address: method([parameters.address, optional(parameters.block)], ([, block]) =>
          block === undefined ? 'none' : block.kind,
        ),
        test_quantity: method([parameters.quantity], ([value]) => String(value)),
        test_revert: method([], () => {
          throw faults.reverted('no', Uint8Array.of(1, 2))
        }),
        test_bug: method([], () => {
          throw new Error('secret')
        }),
        // What JSON cannot hold.
        test_unwritable: method([optional(parameters.boolean)], ([isLater]) =>
          isLater === true ? Promise.resolve(1n) : 1n,
        ),
      },
    },
  })
  const ask = async (message: unknown) => {
    const text = typeof message === 'string' ? message : JSON.stringify(message)
    const answer = await dispatcher.dispatch(text, context)
    return answer === undefined ? undefined : JSON.parse(answer)
  }
  const call = (name: string, ...params: unknown[]) =>
    ask({ jsonrpc: '2.0', id: 1, method: name, params })
  const dispatch = (text: string) => dispatcher.dispatch(text, context)
  return { ask, call, calls, dispatch }
}

describe('calls', () => {
  it('are answered with their id, at once or later', async () => {
    const { ask } = start()
    for (const id of [7, 'a', null]) {
      const answer = await ask({ jsonrpc: '2.0', id, method: 'test_later', params: [] })
      expect(answer).toEqual({ jsonrpc: '2.0', id, result: '0x2' })
    }
  })

  it('are answered with numbers as they were sent, however many digits they have', async () => {
    const { dispatch } = start()
    for (const id of ['9007199254740993', '-123456789012345678901234567890', '1e400', '1.50']) {
      const call = (method: string) => `{"jsonrpc":"2.0","id": ${id},"method":"${method}"}`
      expect(await dispatch(call('test_now'))).toBe(`{"jsonrpc":"2.0","id":${id},"result":"0x1"}`)
      expect(await dispatch(call('test_bug'))).toContain(`"id":${id},"error"`)
      expect(await dispatch(`{"id":${id}}`)).toContain(`"id":${id},"error"`)
      expect(await dispatch(`[1,${call('test_later')},${call('test_now')}]`)).toContain(
        `{"jsonrpc":"2.0","id":${id},"result":"0x2"},{"jsonrpc":"2.0","id":${id},"result":"0x1"}]`,
      )
    }
    const { dispatch: limited } = start({ batchCountMax: 1 })
    expect(await limited('[{"id":9007199254740993},{}]')).toContain('"id":9007199254740993,')
  })

  it('whose answer cannot be written down fail inside', async () => {
    const { call, calls } = start()
    for (const isLater of [true, false]) {
      expect(await call('test_unwritable', isLater)).toMatchObject({ error: { code: -32603 } })
    }
    expect(calls).toHaveLength(2)
  })

  it('need no parameters, and are not answered without an id', async () => {
    const { ask, calls } = start()
    expect(await ask({ jsonrpc: '2.0', method: 'test_now' })).toBeUndefined()
    expect(await ask({ jsonrpc: '2.0', id: 1, method: 'test_now' })).toMatchObject({
      result: '0x1',
    })
    expect(calls).toEqual(['test_now', 'test_now'])
  })

  it.each([
    ['{', -32700, 'parse error'],
    ['[]', -32600, 'empty batch'],
    ['7', -32600, 'invalid request'],
    ['{"jsonrpc":"1.0","id":1,"method":"test_now"}', -32600, 'invalid request'],
    ['{"jsonrpc":"2.0","id":{},"method":"test_now"}', -32600, 'invalid request'],
    [
      '{"jsonrpc":"2.0","id":1,"method":"no_such"}',
      -32601,
      'the method no_such does not exist/is not available',
    ],
    ['{"jsonrpc":"2.0","id":1,"method":"test_now","params":{}}', -32602, 'non-array args'],
  ])('%s is answered %i', async (text, code, message) => {
    expect((await start().ask(text)).error).toEqual({ code, message })
  })

  it('say why a contract reverted, and nothing of what was not foreseen', async () => {
    const { call } = start()
    expect((await call('test_revert')).error).toEqual({
      code: 3,
      message: 'execution reverted: no',
      data: '0x0102',
    })
    expect((await call('test_bug')).error).toEqual({ code: -32603, message: 'internal error' })
  })
})

describe('batches', () => {
  const now = { jsonrpc: '2.0', method: 'test_now' }

  it('are answered in order, notifications left out', async () => {
    const { ask } = start()
    const answers = await ask([
      { jsonrpc: '2.0', id: 1, method: 'test_later' },
      { jsonrpc: '2.0', method: 'test_now' },
      { jsonrpc: '2.0', id: 2, method: 'test_now' },
      3,
    ])
    expect(answers).toEqual([
      { jsonrpc: '2.0', id: 1, result: '0x2' },
      { jsonrpc: '2.0', id: 2, result: '0x1' },
      { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'invalid request' } },
    ])
    expect(await ask([{ jsonrpc: '2.0', method: 'test_now' }])).toBeUndefined()
  })

  it('have bounds: calls, and characters of the answers', async () => {
    const { ask } = start({ batchCountMax: 2, batchAnswerLengthMax: 60 })
    const call = (id: number) => ({ jsonrpc: '2.0', id, method: 'test_now' })
    expect(await ask([call(1), call(2), call(3)])).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32600, message: 'batch too large' },
    })
    const [first, second] = await ask([call(1), call(2)])
    expect(first.result).toBe('0x1')
    expect(second.error).toEqual({ code: -32003, message: 'response too large' })
  })

  it('do no more once the answers are too long', async () => {
    const { ask, calls } = start({ batchAnswerLengthMax: 100 })
    const batch = Array.from({ length: 20 }, (_, id) => ({ ...now, id }))
    const answers = await ask(batch)
    expect(answers.map(({ id }: { id: number }) => id)).toEqual(batch.map(({ id }) => id))
    expect(answers[19].error).toEqual({ code: -32003, message: 'response too large' })
    expect(calls.length).toBeLessThan(5)
  })

  it('do not begin all at once what takes its time', async () => {
    const { ask, calls } = start({ batchAnswerLengthMax: 100 })
    const later = { ...now, method: 'test_later' }
    const answers = await ask(Array.from({ length: 1000 }, (_, id) => ({ ...later, id })))
    expect(answers).toHaveLength(1000)
    expect(answers[0].result).toBe('0x2')
    expect(answers[999].error).toEqual({ code: -32003, message: 'response too large' })
    expect(calls.length).toBeLessThan(200)
  })

  it('leave turns to others', async () => {
    const clock = createVirtualClock()
    const began: number[] = []
    const busy = method([parameters.count], ([id]) => {
      began.push(id)
      void clock.advance(20)
      return id
    })
    const dispatcher = new Dispatcher({ clock, namespaces: { test: { test_busy: busy } } })
    const batch = [0, 1, 2].map((id) => ({ ...now, id, method: 'test_busy', params: [id] }))
    const answer = dispatcher.dispatch(JSON.stringify(batch), context)
    expect(began).toEqual([0])
    expect(JSON.parse((await answer) ?? '')).toHaveLength(3)
    expect(began).toEqual([0, 1, 2])
  })
})

describe('parameters', () => {
  const address = `0x${'1f'.repeat(20)}`

  it.each([
    [[], 'missing value for required argument 0'],
    [[null], 'missing value for required argument 0'],
    [[address, 'latest', 1], 'too many arguments, want at most 2'],
    [
      ['1f'],
      'invalid argument 0: json: cannot unmarshal hex string without 0x prefix into Go value of type common.Address',
    ],
    [['0x1f'], 'invalid argument 0: hex string has length 2, want 40 for common.Address'],
    [
      [7],
      'invalid argument 0: json: cannot unmarshal non-string into Go value of type common.Address',
    ],
    [[address, '17'], 'invalid argument 1: hex string without 0x prefix'],
    [[address, '0x01'], 'invalid argument 1: hex number with leading zero digits'],
    [
      [address, { blockHash: `0x${'0'.repeat(64)}`, blockNumber: '0x1' }],
      'invalid argument 1: cannot specify both BlockHash and BlockNumber, choose one or the other',
    ],
  ])('%j: %s', async (params, message) => {
    const { call } = start()
    expect((await call('test_address', ...params)).error).toEqual({ code: -32602, message })
  })

  it.each([
    [undefined, 'none'],
    [null, 'none'],
    ['latest', 'tag'],
    ['0x11', 'number'],
    [`0x${'ab'.repeat(32)}`, 'hash'],
    [{ blockNumber: '0x2' }, 'number'],
    [{ blockHash: `0x${'ab'.repeat(32)}`, requireCanonical: true }, 'hash'],
  ])('a block may be %j', async (block, kind) => {
    expect((await start().call('test_address', address, block)).result).toBe(kind)
  })

  it.each([
    ['0x0', '0'],
    ['0xfF', '255'],
    [`0x${'f'.repeat(64)}`, String(2n ** 256n - 1n)],
  ])('%s is the quantity %s', async (text, value) => {
    expect((await start().call('test_quantity', text)).result).toBe(value)
  })

  it.each(['0x', '0x00', '0x0a', '12', '', `0x1${'0'.repeat(64)}`, '0xg', 12])(
    '%j is no quantity',
    async (value) => {
      expect((await start().call('test_quantity', value)).error.code).toBe(-32602)
    },
  )
})
