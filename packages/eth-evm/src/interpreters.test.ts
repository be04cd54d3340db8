/** Both interpreters against each other and against bigint, opcode by opcode; what fuzz/ does with whole codes. */
import { toHex } from '@cairn/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Evm } from './evm.ts'
import { executeCall } from './execute-transaction.ts'
import type { Fault, FaultPlace } from './interpreter.ts'
import { addressOf, hex, memoryReader } from './testing/memory-reader.ts'

const evms = [new Evm({ interpreter: 'wasm' }), new Evm({ interpreter: 'typescript' })]
const wordMax = 2n ** 256n - 1n
const block = {
  number: 300n,
  timestamp: 1n,
  coinbase: addressOf(0xcb),
  gasLimit: 30_000_000n,
  difficulty: 1n,
  baseFeePerGas: 0n,
  blockHash: () => undefined,
}

/** Runs `code` and gives what it returned, or how it failed. */
function run(evm: Evm, code: string): string {
  const state = evm.createState(memoryReader({ 1: { nonce: 1n, code } }))
  const result = executeCall({
    ...{ evm, state, block, fork: 'cancun', chainId: 1n, from: addressOf(9), to: addressOf(1) },
    ...{ data: hex('0102030405'), value: 0n, gasLimit: 1_000_000n, gasPrice: 0n, accessList: [] },
  })
  const { fault, faultPlace, status, gasUsed, returnData } = result
  return `${fault ?? status}${placeText(fault, faultPlace)} ${gasUsed} ${toHex(returnData)}`
}

/** Other faults have no opcode to blame. */
function placeText(fault: Fault | undefined, place: FaultPlace | undefined): string {
  const isTold = ['STACK_UNDERFLOW', 'STACK_OVERFLOW', 'INVALID_OPCODE'].includes(fault ?? '')
  return isTold ? ` at ${place?.opcode} on ${place?.stackSize}` : ''
}

function push(value: bigint): string {
  return `7f${value.toString(16).padStart(64, '0')}`
}

const returnTop = '5f5260205ff3'

// Numbers at the edges of limbs and digits, where carries and estimates go wrong, as often as any others.
const edge = fc
  .tuple(fc.integer({ min: 0, max: 256 }), fc.integer({ min: -2, max: 2 }))
  .map(([bits, distance]) => BigInt.asUintN(256, 2n ** BigInt(bits) + BigInt(distance)))
const operand = fc.oneof(
  edge,
  fc.bigInt({ min: 0n, max: wordMax }),
  fc.bigInt({ min: 0n, max: 300n }),
)

describe('both interpreters', () => {
  const opcodes = [
    ...['01', '02', '03', '04', '05', '06', '07', '08', '09', '0a', '0b', '10', '11', '12', '13'],
    ...['14', '15', '16', '17', '18', '19', '1a', '1b', '1c', '1d'],
  ]
  it.each(opcodes)('agree on opcode 0x%s', (opcode) => {
    fc.assert(
      fc.property(operand, operand, operand, (a, b, c) => {
        const code = push(c) + push(b) + push(a) + opcode + returnTop
        const [wasm, typescript] = evms.map((evm) => run(evm, code))
        expect(wasm).toBe(typescript)
      }),
      { numRuns: 60 },
    )
  })

  it('divide as bigint does', () => {
    fc.assert(
      fc.property(operand, operand, operand, (a, b, n) => {
        const [wasm] = evms as [Evm]
        const word = (value: bigint): string => value.toString(16).padStart(64, '0')
        const answer = (code: string): string => run(wasm, code + returnTop).slice(-64)
        expect(answer(`${push(b)}${push(a)}04`)).toBe(word(b === 0n ? 0n : a / b))
        expect(answer(`${push(b)}${push(a)}06`)).toBe(word(b === 0n ? 0n : a % b))
        const product = `${push(n)}${push(b)}${push(a)}09`
        expect(answer(product)).toBe(word(n === 0n ? 0n : (a * b) % n))
        const sum = `${push(n)}${push(b)}${push(a)}08`
        expect(answer(sum)).toBe(word(n === 0n ? 0n : (a + b) % n))
      }),
      { numRuns: 300 },
    )
  })

  it('agree on any bytes as code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const [wasm, typescript] = evms.map((evm) => run(evm, Buffer.from(bytes).toString('hex')))
        expect(wasm).toBe(typescript)
      }),
      { numRuns: 400 },
    )
  })

  it.each([
    ['a PUSH32 that ends beyond the code', '7f01'],
    ['a jump into the operand of a PUSH', '60035b605b56'],
    ['a jump to the end of the code', '600356'],
    ['1024 words, and one more', `${'5f'.repeat(1024)}00`],
    ['1025 words', `${'5f'.repeat(1025)}00`],
    ['an empty stack', '01'],
    ['memory that nobody can pay', '63ffffffff51'],
    ['memory beyond any', `${push(wordMax)}51`],
    ['return data that is not there', '60015f5f3e'],
    ['a copy of input beyond its end', '602060035f3760205ff3'],
    ['input loaded across its end', '60033560005260205ff3'],
    [
      'MCOPY over itself',
      '7f0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f205f52601f5f60015e60405ff3',
    ],
  ])('agree on %s', (_, code) => {
    const [wasm, typescript] = evms.map((evm) => run(evm, code))
    expect(wasm).toBe(typescript)
  })
})
