/** callTracer and its kin against what geth 1.13 answers: nested calls, contracts, faults, logs. */
import { describe, expect, it } from 'vitest'
import { assemble } from '../testing/assemble.ts'
import { revertWith } from '../testing/revert-with.ts'
import { addressOf, senderNumber, TraceFixture } from '../testing/trace-fixture.ts'

/** Calls with 4 bytes of input and up to 32 of output. */
function call(opcode: string, to: number, value: number | undefined, gas: number): string {
  return `32 0 4 28 ${value ?? ''} ${to} ${gas} ${opcode} POP`
}

const reverting = revertWith('no luck')
const childInit = assemble('0 0 LOG0 0x6001 0 MSTORE 2 30 RETURN')

/** Writes, logs with one topic, and returns the word 7. */
const worker = '1 0 SSTORE 7 0 MSTORE 99 32 0 LOG1 32 0 RETURN'

const fixture = new TraceFixture({
  '0x100': { code: worker },
  '0x200': { code: reverting },
  '0x300': { code: 'INVALID' },
  '0x301': { code: '0x01 0x02 ADD ADD' },
  '0x302': { code: '3 JUMP' },
  '0x303': { code: '0xffffff 0 KECCAK256' },
  '0x400': { code: '0x99 SELFDESTRUCT', balance: 3n },
  '0x500': {
    code: `0xaabbccdd 0 MSTORE ${call('CALL', 0x100, 5, 100_000)} STOP`,
    balance: 100n,
  },
  '0x501': { code: `${call('DELEGATECALL', 0x100, undefined, 50_000)} STOP` },
  '0x502': { code: `${call('STATICCALL', 0x100, undefined, 50_000)} STOP` },
  '0x503': { code: `${call('CALL', 0x200, 0, 50_000)} 0 0 LOG0 0 0 REVERT` },
  '0x504': {
    code: [0x300, 0x301, 0x302, 0x303].map((to) => call('CALL', to, 0, 1000)).join(' '),
  },
  '0x505': { code: `${call('CALL', 0x400, 0, 50_000)} STOP` },
  '0x506': {
    code: `${call('STATICCALL', 2, undefined, 5000)} ${call('STATICCALL', 9, undefined, 5000)}`,
  },
  '0x507': {
    code: `0x${childInit.padEnd(64, '0')} 0 MSTORE ${childInit.length / 2} 0 0 CREATE POP
           9 ${childInit.length / 2} 0 2 CREATE2 POP STOP`,
    balance: 10n,
  },
  // More than it has, and nobody to call.
  '0x508': { code: `${call('CALL', 0x100, 1000, 5000)} ${call('CALL', 0x777, 0, 5000)} STOP` },
  '0x509': { code: `${call('CALLCODE', 0x100, 0, 50_000)} STOP` },
  '0x50a': {
    code: `${call('CALL', 0x500, 0, 200_000)} 0 0 LOG0 ${call('CALL', 0x100, 0, 50_000)}`,
  },
})

const withLog = { tracer: 'callTracer', tracerConfig: { withLog: true } }
const frames = (to: number, options: unknown = { tracer: 'callTracer' }) =>
  fixture.trace<Frame>({ to }, options)

interface Frame {
  readonly calls?: readonly Frame[]
  readonly [name: string]: unknown
}

describe('callTracer', () => {
  it('tells nested calls with fields in the order of geth', () => {
    const top = fixture.trace<Frame>({ to: 0x500, value: 9n, data: '0x11223344' }, withLog)
    const { gasUsed } = fixture.execute({ to: 0x500, value: 9n, data: '0x11223344' })
    expect(JSON.stringify(top)).toBe(
      JSON.stringify({
        from: addressOf(senderNumber),
        // All that the transaction had.
        gas: '0xf4240',
        gasUsed: `0x${gasUsed.toString(16)}`,
        to: addressOf(0x500),
        input: '0x11223344',
        calls: [
          {
            from: addressOf(0x500),
            // 100,000 and the stipend.
            gas: '0x18f9c',
            gasUsed: top.calls?.[0]?.['gasUsed'],
            to: addressOf(0x100),
            input: '0xaabbccdd',
            output: `0x${'7'.padStart(64, '0')}`,
            logs: [
              {
                address: addressOf(0x100),
                topics: [`0x${(99).toString(16).padStart(64, '0')}`],
                data: `0x${'7'.padStart(64, '0')}`,
                position: '0x0',
              },
            ],
            value: '0x5',
            type: 'CALL',
          },
        ],
        value: '0x9',
        type: 'CALL',
      }),
    )
    // A cold SSTORE, a LOG1 of 32 bytes, six numbers that are not zero, three that are, MSTORE and its word.
    const logGas = 375 * 2 + 8 * 32
    expect(Number(top.calls?.[0]?.['gasUsed'])).toBe(22_100 + logGas + 5 * 3 + 4 * 2 + 3 + 3)
  })

  it('tells a DELEGATECALL with the value of the frame, a STATICCALL without', () => {
    const delegated = fixture.trace<Frame>({ to: 0x501, value: 8n }, withLog).calls?.[0]
    expect(delegated).toMatchObject({
      type: 'DELEGATECALL',
      from: addressOf(0x501),
      to: addressOf(0x100),
      value: '0x8',
      // The log is of the contract that the code worked for.
      logs: [{ address: addressOf(0x501) }],
    })
    const still = frames(0x502, withLog).calls?.[0]
    expect(still).toMatchObject({ type: 'STATICCALL', error: 'write protection', gas: '0xc350' })
    expect(still).not.toHaveProperty('value')
    expect(still).not.toHaveProperty('output')
    expect(frames(0x509).calls?.[0]).toMatchObject({ type: 'CALLCODE', from: addressOf(0x509) })
  })

  it('tells reasons of reverts, and no logs of what failed', () => {
    const top = frames(0x503, withLog)
    expect(top).toMatchObject({ error: 'execution reverted' })
    expect(top).not.toHaveProperty('logs')
    expect(top).not.toHaveProperty('output')
    expect(top.calls?.[0]).toMatchObject({
      error: 'execution reverted',
      revertReason: 'no luck',
      output: expect.stringMatching(/^0x08c379a0/),
    })
  })

  it('names faults as geth does', () => {
    expect(frames(0x504).calls?.map(({ error }) => error)).toEqual([
      'invalid opcode: INVALID',
      'stack underflow (1 <=> 2)',
      'invalid jump destination',
      'out of gas',
    ])
    expect(frames(0x300)).toMatchObject({ error: 'invalid opcode: INVALID', gasUsed: '0xf4240' })
  })

  it('tells self-destruction as a call without gas', () => {
    expect(frames(0x505).calls?.[0]?.calls).toEqual([
      {
        from: addressOf(0x400),
        gas: '0x0',
        gasUsed: '0x0',
        to: addressOf(0x99),
        input: '0x',
        value: '0x3',
        type: 'SELFDESTRUCT',
      },
    ])
  })

  it('tells built-in contracts as calls', () => {
    const [hash, blake] = frames(0x506).calls ?? []
    expect(hash).toMatchObject({ to: addressOf(2), gasUsed: '0x48', type: 'STATICCALL' })
    expect(blake).toMatchObject({ error: 'invalid input length', gasUsed: '0x1388' })
  })

  it('tells contracts that are made, and those that fail without their address', () => {
    const [first, second] = frames(0x507, withLog).calls ?? []
    expect(first).toMatchObject({
      type: 'CREATE',
      input: `0x${childInit}`,
      output: '0x6001',
      to: expect.stringMatching(/^0x[0-9a-f]{40}$/),
      logs: [{ topics: [], data: '0x', position: '0x0' }],
    })
    expect(second).toMatchObject({ type: 'CREATE2', value: '0x2' })
    const failed = fixture.trace<Frame>({ data: `0x${assemble('INVALID')}` }, withLog)
    expect(failed).toMatchObject({ type: 'CREATE', error: 'invalid opcode: INVALID' })
    expect(failed).not.toHaveProperty('to')
  })

  it('leaves out calls that are refused before they begin, and not those to nobody', () => {
    expect(frames(0x508).calls).toHaveLength(1)
    expect(frames(0x508).calls?.[0]).toMatchObject({ to: addressOf(0x777), gasUsed: '0x0' })
  })

  it('says between which calls a log came', () => {
    const top = frames(0x50a, withLog)
    expect(top.calls).toHaveLength(2)
    expect(top).toMatchObject({ logs: [{ position: '0x1' }] })
  })

  it('tells calls as deep as they go', () => {
    // Calls itself with all gas but a 64th, which is enough for all 1024 frames.
    const deep = new TraceFixture({ '0x600': { code: '0 0 0 0 0 ADDRESS GAS CALL STOP' } })
    const given = { to: 0x600, gasLimit: 10n ** 12n }
    let depth = 0
    let frame: Frame | undefined = deep.trace<Frame>(given, { tracer: 'callTracer' })
    for (; frame !== undefined; frame = frame.calls?.[0]) depth++
    expect(depth).toBe(1025)
    const flat = deep.trace<Frame[]>(given, { tracer: 'flatCallTracer' })
    expect(flat).toHaveLength(1025)
    expect(flat.at(-1)?.['traceAddress']).toHaveLength(1024)
  })

  it('tells the first call only, if that is wanted', () => {
    const onlyTopCall = { onlyTopCall: true, withLog: true }
    const top = frames(0x50a, { tracer: 'callTracer', tracerConfig: onlyTopCall })
    expect(top).not.toHaveProperty('calls')
    expect(top).toMatchObject({ logs: [{ address: addressOf(0x50a), position: '0x0' }] })
    const gone = frames(0x400, { tracer: 'callTracer', tracerConfig: { onlyTopCall: true } })
    expect(gone).not.toHaveProperty('calls')
  })
})

describe('flatCallTracer', () => {
  const flat = (to: number, tracerConfig: unknown = {}) =>
    fixture.trace<Frame[]>({ to }, { tracer: 'flatCallTracer', tracerConfig })

  it('lists calls with their path', () => {
    const entries = flat(0x50a)
    expect(entries.map(({ traceAddress }) => traceAddress)).toEqual([[], [0], [0, 0], [1]])
    expect(entries.map(({ subtraces }) => subtraces)).toEqual([2, 1, 0, 0])
    expect(entries[2]).toEqual({
      action: {
        callType: 'call',
        from: addressOf(0x500),
        gas: '0x18f9c',
        input: '0xaabbccdd',
        to: addressOf(0x100),
        value: '0x5',
      },
      blockHash: `0x${'b1'.repeat(32)}`,
      blockNumber: 300,
      result: { gasUsed: expect.any(String), output: `0x${'7'.padStart(64, '0')}` },
      subtraces: 0,
      traceAddress: [0, 0],
      transactionHash: `0x${'5'.padStart(64, '0')}`,
      transactionPosition: 0,
      type: 'call',
    })
  })

  it('leaves out built-in contracts unless told', () => {
    expect(flat(0x506)).toHaveLength(1)
    expect(flat(0x506, { includePrecompiles: true })).toHaveLength(3)
  })

  it('says errors as geth, or as Parity did', () => {
    const errors = (options: unknown) => flat(0x504, options).map(({ error }) => error)
    expect(errors({})).toEqual([
      undefined,
      'invalid opcode: INVALID',
      'stack underflow (1 <=> 2)',
      'invalid jump destination',
      'out of gas',
    ])
    expect(errors({ convertParityErrors: true })).toEqual([
      undefined,
      'Bad instruction',
      'Stack underflow',
      'Bad jump destination',
      'Out of gas',
    ])
  })

  it('has forms of its own for contracts and self-destruction', () => {
    expect(flat(0x507)[1]).toMatchObject({
      type: 'create',
      action: { init: `0x${childInit}`, value: '0x0' },
      result: { code: '0x6001', address: expect.any(String) },
    })
    expect(flat(0x505)[2]).toMatchObject({
      type: 'suicide',
      action: { address: addressOf(0x400), balance: '0x3', refundAddress: addressOf(0x99) },
    })
  })
})

describe('small tracers', () => {
  it('4byteTracer counts selectors, not those of built-in and new contracts', () => {
    const data = `0x11223344${'00'.repeat(32)}`
    expect(fixture.trace({ to: 0x500, data }, { tracer: '4byteTracer' })).toEqual({
      '0x11223344-32': 1,
      '0xaabbccdd-0': 1,
    })
    expect(fixture.trace({ to: 0x506 }, { tracer: '4byteTracer' })).toEqual({})
    expect(fixture.trace({ to: 0x507 }, { tracer: '4byteTracer' })).toEqual({})
  })

  it('noopTracer tells nothing', () => {
    expect(fixture.trace({ to: 0x500 }, { tracer: 'noopTracer' })).toEqual({})
  })

  it('muxTracer is several at once', () => {
    const tracerConfig = { prestateTracer: { diffMode: true }, callTracer: { onlyTopCall: true } }
    const both = fixture.trace<Frame>({ to: 0x500 }, { tracer: 'muxTracer', tracerConfig })
    expect(Object.keys(both)).toEqual(['callTracer', 'prestateTracer'])
    expect(both['callTracer']).toEqual(
      frames(0x500, { tracer: 'callTracer', tracerConfig: { onlyTopCall: true } }),
    )
    expect(both['prestateTracer']).toHaveProperty('post')
  })
})
