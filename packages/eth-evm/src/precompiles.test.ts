import { createHash } from 'node:crypto'
import { sha256, toHex } from '@cairn/core'
import { keccak256, publicKeyOf, signHash } from '@cairn/eth-codec'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Evm } from './evm.ts'
import { forks } from './forks.ts'
import { type PrecompileHelper, runPrecompile } from './precompiles.ts'
import { hex } from './testing/memory-reader.ts'

const gas = 10n ** 12n

function answer(number: number, input: Uint8Array, helper: PrecompileHelper = {}): string {
  const result = runPrecompile(number, input, gas, forks.cancun, helper)
  return result.isSuccess ? toHex(result.output) : result.fault
}

function cost(number: number, input: Uint8Array, fork: keyof typeof forks): bigint {
  const result = runPrecompile(number, input, gas, forks[fork])
  return result.isSuccess ? result.gasUsed : -1n
}

const word = (value: bigint): string => value.toString(16).padStart(64, '0')

describe('built-in contracts', () => {
  it('1 recovers who signed, and gives nothing for what nobody signed', () => {
    const key = new Uint8Array(32).fill(7)
    const hash = keccak256(hex('616263'))
    const { yParity, r, s } = signHash(hash, key)
    const input = hex(toHex(hash) + word(27n + BigInt(yParity)) + toHex(r) + toHex(s))
    const address = toHex(keccak256(publicKeyOf(key)).slice(12))
    expect(answer(1, input)).toBe(address.padStart(64, '0'))
    for (const wrong of [new Uint8Array(0), input.slice(0, 96), hex(toHex(hash) + word(29n))]) {
      expect(answer(1, wrong)).toBe('')
    }
    expect(cost(1, input, 'frontier')).toBe(3000n)
  })

  it('2 to 4 hash and copy', () => {
    const input = hex('616263')
    expect(answer(2, input)).toBe(toHex(sha256(input)))
    const ripemd = '8eb208f7e05d987a9b044a8e98c6b087f15a0bfc'
    expect(answer(3, input)).toBe(ripemd.padStart(64, '0'))
    expect(answer(4, input)).toBe('616263')
    expect([2, 3, 4].map((each) => cost(each, input, 'frontier'))).toEqual([72n, 720n, 18n])
  })

  it('5 raises to powers', () => {
    const number = fc.bigInt({ min: 0n, max: 2n ** 80n })
    fc.assert(
      fc.property(number, fc.bigInt({ min: 0n, max: 300_000n }), number, (base, power, modulus) => {
        let expected = 1n
        let square = base
        for (let rest = power; rest > 0n && modulus > 0n; rest >>= 1n) {
          if ((rest & 1n) === 1n) expected = (expected * square) % modulus
          square = (square * square) % modulus
        }
        expected = modulus === 0n ? 0n : expected % modulus
        const lengths = word(32n).repeat(3)
        const input = hex(lengths + word(base) + word(power) + word(modulus))
        expect(answer(5, input)).toBe(word(expected))
      }),
      { numRuns: 200 },
    )
  })

  it('5 costs what EIP-2565 says, and what EIP-198 said', () => {
    // 256 bytes to the power of 3, modulo 256 bytes: the example nagydani-4-qube of EIP-2565.
    const lengths = word(256n) + word(1n) + word(256n)
    const input = hex(`${lengths}${'ff'.repeat(256)}03${'ff'.repeat(256)}`)
    expect(cost(5, input, 'berlin')).toBe(341n)
    expect(cost(5, input, 'byzantium')).toBe(1894n)
  })

  it('6 to 8 add, multiply and pair points, and refuse what is none', () => {
    const generator = word(1n) + word(2n)
    const prime = 21888242871839275222246405745257275088696311157297823662689037894645226208583n
    const negated = word(1n) + word(prime - 2n)
    const twist = [
      0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2n,
      0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6edn,
      0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975bn,
      0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daan,
    ]
      .map(word)
      .join('')
    const doubled = answer(6, hex(generator + generator))
    expect(answer(7, hex(generator + word(2n)))).toBe(doubled)
    expect(answer(6, hex(generator + negated))).toBe(word(0n).repeat(2))
    expect(answer(8, hex(generator + twist + negated + twist))).toBe(word(1n))
    expect(answer(8, hex(generator + twist + generator + twist))).toBe(word(0n))
    expect(answer(8, new Uint8Array(0))).toBe(word(1n))
    for (const [number, wrong] of [
      [6, word(1n) + word(3n)],
      [6, word(prime) + word(2n)],
      [7, word(1n) + word(1n)],
      [8, generator],
      [8, generator + twist.slice(64) + twist.slice(0, 64)],
    ] as const) {
      expect(answer(number, hex(wrong))).toBe('PRECOMPILE_FAILED')
    }
  })

  it('9 is the heart of BLAKE2b, in JavaScript and in WebAssembly', () => {
    const start =
      '48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5' +
      'd182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b'
    const { interpreter } = new Evm({ interpreter: 'wasm' })
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 128 }), (message) => {
        const block = toHex(message).padEnd(256, '0')
        const counter = message.length.toString(16).padStart(2, '0').padEnd(32, '0')
        const input = hex(`0000000c${start}${block}${counter}01`)
        const expected = createHash('blake2b512').update(message).digest('hex')
        expect(answer(9, input)).toBe(expected)
        expect(answer(9, input, interpreter)).toBe(expected)
      }),
      { numRuns: 50 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 208, maxLength: 208 }), fc.nat(30), (rest, rounds) => {
        const input = hex(`${rounds.toString(16).padStart(8, '0')}${toHex(rest)}00`)
        expect(answer(9, input, interpreter)).toBe(answer(9, input))
      }),
      { numRuns: 50 },
    )
    expect(answer(9, new Uint8Array(212))).toBe('PRECOMPILE_FAILED')
    expect(answer(9, new Uint8Array(213).fill(2))).toBe('PRECOMPILE_FAILED')
  })

  it('10 refuses what is no proof', () => {
    expect(answer(10, new Uint8Array(192))).toBe('PRECOMPILE_FAILED')
    expect(answer(10, new Uint8Array(191))).toBe('PRECOMPILE_FAILED')
  })

  it('fail when their gas is not there', () => {
    const result = runPrecompile(2, new Uint8Array(33), 83n, forks.frontier)
    expect(result).toEqual({ isSuccess: false, fault: 'OUT_OF_GAS' })
    expect(runPrecompile(2, new Uint8Array(33), 84n, forks.frontier).isSuccess).toBe(true)
  })
})
