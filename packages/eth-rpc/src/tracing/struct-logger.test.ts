/** The struct logger against what geth 1.13 answers: fields, costs, storage, errors, bounds. */
import { opcodes } from '@cairn/eth-evm'
import { describe, expect, it } from 'vitest'
import { addressOf, TraceFixture } from '../testing/trace-fixture.ts'

interface StructLog {
  readonly pc: number
  readonly op: string
  readonly gas: number
  readonly gasCost: number
  readonly depth: number
  readonly error?: string
  readonly stack?: readonly string[]
  readonly memory?: readonly string[]
  readonly storage?: Readonly<Record<string, string>>
  readonly returnData?: string
  readonly refund?: number
}
interface Trace {
  readonly gas: number
  readonly failed: boolean
  readonly returnValue: string
  readonly structLogs: readonly StructLog[]
}

const word = (value: number) => value.toString(16).padStart(64, '0')

const fixture = new TraceFixture({
  '0x100': { code: '0 SLOAD 1 ADD 1 SSTORE 0 0 SSTORE 42 0 MSTORE 32 0 RETURN', storage: { 0: 8 } },
  '0x200': { code: '42 0 MSTORE 32 0 REVERT' },
  '0x300': { code: 'INVALID' },
  '0x301': { code: '1 ADD' },
  '0x302': { code: '1 0x1000000 MSTORE' },
  '0x303': { code: '3 JUMP' },
  '0x304': { code: '0x7fffffffffffffff 0 MSTORE' },
  '0x400': { code: '32 0 0 0 0 0x100 50000 CALL 0 0 0 CREATE STOP', balance: 1n },
  '0x500': { code: 'JUMPDEST 0 JUMP' },
})

const trace = (to: number, options: unknown = {}) => fixture.trace<Trace>({ to }, options)

describe('the struct logger', () => {
  it('tells each step before it, with its cost', () => {
    const result = trace(0x100)
    expect(result.failed).toBe(false)
    expect(result.returnValue).toBe(word(42))
    expect(BigInt(result.gas)).toBe(fixture.execute({ to: 0x100 }).gasUsed)
    const [first, second, third] = result.structLogs
    expect(JSON.stringify(first)).toBe(
      '{"pc":0,"op":"PUSH0","gas":979000,"gasCost":2,"depth":1,"stack":[]}',
    )
    expect(JSON.stringify(second)).toBe(
      '{"pc":1,"op":"SLOAD","gas":978998,"gasCost":2100,"depth":1,"stack":["0x0"],' +
        `"storage":{"${word(0)}":"${word(8)}"}}`,
    )
    expect(third).toMatchObject({ pc: 2, op: 'PUSH1', gas: 976_898, stack: ['0x8'] })
    expect(result.structLogs.map(({ op }) => op)).toEqual([
      ...['PUSH0', 'SLOAD', 'PUSH1', 'ADD', 'PUSH1', 'SSTORE', 'PUSH0', 'PUSH0', 'SSTORE'],
      ...['PUSH1', 'PUSH0', 'MSTORE', 'PUSH1', 'PUSH0', 'RETURN'],
    ])
  })

  it('tells storage where it is used, and the refund with the step that brings it', () => {
    const logs = trace(0x100).structLogs.filter(({ storage }) => storage !== undefined)
    expect(logs.map(({ storage }) => storage)).toEqual([
      { [word(0)]: word(8) },
      { [word(0)]: word(8), [word(1)]: word(9) },
      { [word(0)]: word(0), [word(1)]: word(9) },
    ])
    expect(logs.map(({ gasCost }) => gasCost)).toEqual([2100, 22_100, 2900])
    expect(logs.map(({ refund }) => refund)).toEqual([undefined, undefined, 4800])
  })

  it('leaves out and adds what is asked for', () => {
    const options = { disableStack: true, disableStorage: true, enableMemory: true }
    const logs = trace(0x100, options).structLogs
    expect(logs.every(({ stack, storage }) => stack === undefined && storage === undefined)).toBe(
      true,
    )
    expect(logs[0]?.memory).toEqual([])
    // As it is before the step.
    expect(logs.find(({ op }) => op === 'MSTORE')?.memory).toEqual([])
    expect(logs.at(-1)?.memory).toEqual([word(42)])
    const called = trace(0x400, { enableReturnData: true }).structLogs
    expect(called.find(({ op }) => op === 'CREATE')?.returnData).toBe(`0x${word(42)}`)
    expect(called[0]).not.toHaveProperty('returnData')
    // Names in any case, as Go reads them.
    expect(trace(0x100, { DisableStack: true }).structLogs[0]).not.toHaveProperty('stack')
  })

  it('tells calls with the gas they pass on, contracts without', () => {
    const logs = trace(0x400).structLogs
    const call = logs.find(({ op }) => op === 'CALL')
    expect(call).toMatchObject({ gasCost: 2600 + 50_000 + 3, depth: 1 })
    expect(logs.find(({ depth }) => depth === 2)).toMatchObject({ pc: 0, gas: 50_000 })
    expect(logs.find(({ op }) => op === 'CREATE')?.gasCost).toBe(32_000)
  })

  it('says what a revert said, and nothing after a fault', () => {
    expect(trace(0x200)).toMatchObject({ failed: true, returnValue: word(42) })
    expect(trace(0x200).structLogs.at(-1)).not.toHaveProperty('error')
    expect(trace(0x300)).toMatchObject({ failed: true, returnValue: '', gas: 1_000_000 })
  })

  it('tells the errors that geth finds before a step, with the cost as far as it is known', () => {
    const last = (to: number) => trace(to).structLogs.at(-1)
    expect(last(0x300)).toEqual({
      ...{ pc: 0, op: 'INVALID', gas: 979_000, gasCost: 0, depth: 1, stack: [] },
    })
    expect(last(0x301)).toMatchObject({ error: 'stack underflow (1 <=> 2)', gasCost: 3 })
    // 0x80001 words of memory.
    const words = 0x80001
    const memoryGas = 3 * words + Math.floor((words * words) / 512)
    expect(last(0x302)).toMatchObject({ error: 'out of gas', gasCost: 3 + memoryGas })
    expect(last(0x303)).toMatchObject({ op: 'JUMP', gasCost: 8 })
    expect(last(0x303)).not.toHaveProperty('error')
    const poor = fixture.trace<Trace>({ to: 0x100, gasLimit: 23_120n }).structLogs.at(-1)
    expect(poor).toMatchObject({ op: 'SSTORE', gasCost: 0, error: 'out of gas' })
  })

  it('stops telling at the limit, not running', () => {
    const result = trace(0x100, { limit: 3 })
    expect(result.structLogs).toHaveLength(3)
    expect(result.returnValue).toBe(word(42))
  })

  it('refuses to tell more than there is room for, and says what helps', () => {
    expect(() => trace(0x500, { enableMemory: true, limit: 0 })).not.toThrow()
    const endless = () => fixture.trace({ to: 0x500, gasLimit: 25_000_000n }, { timeout: '30s' })
    expect(endless).toThrow(/trace is larger than 64 MiB: ask for less with limit/)
    const short = fixture.trace<Trace>({ to: 0x500, gasLimit: 25_000_000n }, { limit: 10 })
    expect(short.structLogs).toHaveLength(10)
  })

  it('has nothing to tell of a plain transfer', () => {
    expect(fixture.trace({ to: 0x9999, value: 1n })).toEqual({
      gas: 21_000,
      failed: false,
      returnValue: '',
      structLogs: [],
    })
  })

  it('knows every opcode by its name', () => {
    for (const opcode of opcodes) {
      if (opcode !== undefined) expect(opcode.name).toMatch(/^[A-Z0-9]+$/)
    }
    expect(addressOf(1)).toHaveLength(42)
  })
})
