/** What callers may ask of debug_trace…, and what they are told when it is not understood. */
import { describe, expect, it } from 'vitest'
import { readTraceCallConfig, readTraceConfig, traceTimeoutMsMax } from './trace-config.ts'

describe('a trace configuration', () => {
  it('is the struct logger for 5 seconds unless told', () => {
    expect(readTraceConfig({})).toMatchObject({
      tracer: { name: 'structLogger', options: { enableMemory: false, limit: 0 } },
      timeoutMs: 5000,
      reexec: 128n,
    })
  })

  it.each([
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['1.5s', 1500],
    ['250ms', 250],
    ['2h', traceTimeoutMsMax],
  ])('reads %s as Go does', (timeout, ms) => {
    expect(readTraceConfig({ timeout }).timeoutMs).toBe(ms)
  })

  it.each([
    [{ timeout: '5' }, 'time: missing unit in duration "5"'],
    [{ timeout: 'soon' }, 'time: invalid duration "soon"'],
    [{ timeout: 5 }, 'field Timeout into Go value of type string'],
    [{ enableMemory: 'yes' }, 'field enableMemory into Go value of type bool'],
    [{ limit: -1 }, 'field limit into Go value'],
    [{ tracer: 'callTracr' }, 'tracer callTracr not found; there are callTracer'],
    [{ tracer: '{result: () => 1}' }, 'tracers in JavaScript are not supported; there are callT'],
    [{ overrides: { cancunTime: 0 } }, 'overrides of the chain configuration are not supported'],
    [{ tracer: 'muxTracer', tracerConfig: { nope: {} } }, 'tracer nope not found'],
    [[], 'cannot unmarshal array'],
  ])('refuses %j', (given, text) => {
    expect(() => readTraceConfig(given)).toThrow(text)
  })

  it('bounds tracers within tracers', () => {
    const mux = (inner: unknown) => ({ tracer: 'muxTracer', tracerConfig: inner })
    const deep = { muxTracer: { muxTracer: { muxTracer: { muxTracer: { callTracer: {} } } } } }
    expect(() => readTraceConfig(mux(deep))).toThrow('too many tracers in a muxTracer')
  })

  it('takes overrides and an index for calls', () => {
    const address = `0x${'11'.repeat(20)}`
    const config = readTraceCallConfig({
      txIndex: '0x2',
      stateOverrides: { [address]: { balance: '0x5' } },
      blockOverrides: { number: '0x7' },
    })
    expect(config).toMatchObject({
      transactionIndex: 2,
      overrides: [{ balance: 5n }],
      blockOverrides: { number: 7n },
    })
  })
})
