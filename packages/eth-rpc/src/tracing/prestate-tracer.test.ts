/** prestateTracer against what geth 1.13 answers, with and without diffMode. */

import { dataFromHex, dataToHex } from '@cairn/eth-codec'
import { createAddress } from '@cairn/eth-evm'
import { describe, expect, it } from 'vitest'
import { assemble } from '../testing/assemble.ts'
import {
  addressOf,
  coinbaseNumber,
  gasPrice,
  senderBalance,
  senderNumber,
  TraceFixture,
} from '../testing/trace-fixture.ts'

type Accounts = Readonly<Record<string, Readonly<Record<string, unknown>>>>
interface Difference {
  readonly pre: Accounts
  readonly post: Accounts
}

const word = (value: number) => `0x${value.toString(16).padStart(64, '0')}`
const sender = addressOf(senderNumber)
const coinbase = addressOf(coinbaseNumber)
const quantity = (value: bigint) => `0x${value.toString(16)}`

const writer = '1 SLOAD POP 2 0 SSTORE 0 3 SSTORE 0x77 BALANCE POP STOP'
const fixture = new TraceFixture({
  '0x100': { code: writer, balance: 7n, storage: { 0: 1, 1: 5, 3: 9 } },
  '0x200': { code: '0 0 0 0 4 0x300 50000 CALL STOP', balance: 10n },
  '0x300': { code: 'STOP' },
  '0x400': { code: '0x99 SELFDESTRUCT', balance: 3n, storage: { 1: 1 } },
  '0x500': { code: `0 0 0 CREATE POP 9 0 0 0 CREATE2 POP STOP` },
  '0x600': { code: '1 0 SSTORE 0 0 REVERT' },
})

const before = (to: number, value = 0n) =>
  fixture.trace<Accounts>({ to, value }, { tracer: 'prestateTracer' })
const difference = (to: number, value = 0n) =>
  fixture.trace<Difference>(
    { to, value },
    { tracer: 'prestateTracer', tracerConfig: { diffMode: true } },
  )
const contract = dataToHex(createAddress(dataFromHex(sender), 5n))

describe('prestateTracer', () => {
  it('tells what was there before: paid from, paid to, read, written', () => {
    expect(before(0x100, 2n)).toEqual({
      [sender]: { balance: quantity(senderBalance), nonce: 5 },
      [addressOf(0x77)]: { balance: '0x0' },
      [addressOf(0x100)]: {
        balance: '0x7',
        code: `0x${assemble(writer)}`,
        nonce: 1,
        storage: { [word(0)]: word(1), [word(1)]: word(5), [word(3)]: word(9) },
      },
      [coinbase]: { balance: '0x0' },
    })
    expect(Object.keys(before(0x100))).toEqual([
      addressOf(0x77),
      addressOf(0x100),
      sender,
      coinbase,
    ])
  })

  it('leaves out a contract that the transaction makes', () => {
    const traced = fixture.trace<Accounts>({ data: '0x00' }, { tracer: 'prestateTracer' })
    expect(Object.keys(traced)).toEqual([sender, coinbase])
    // With a slot written it stays, as it does with geth.
    const data = `0x${assemble('1 0 SSTORE 0 0 RETURN')}`
    const written = fixture.trace<Accounts>({ data }, { tracer: 'prestateTracer' })
    expect(written[contract]).toEqual({ balance: '0x0', storage: { [word(0)]: word(0) } })
  })

  it('does not count what an opcode could not pay for', () => {
    const slots = (gasLimit: bigint) =>
      fixture.trace<Accounts>({ to: 0x100, gasLimit }, { tracer: 'prestateTracer' })[
        addressOf(0x100)
      ]?.['storage']
    expect(slots(22_000n)).toBeUndefined()
    expect(slots(23_110n)).toEqual({ [word(1)]: word(5) })
  })
})

describe('prestateTracer with diffMode', () => {
  it('tells what changed, before and after', () => {
    const { pre, post } = difference(0x100, 2n)
    const { gasUsed } = fixture.execute({ to: 0x100, value: 2n })
    expect(post).toEqual({
      [addressOf(0x100)]: { balance: '0x9', storage: { [word(0)]: word(2) } },
      [sender]: { balance: quantity(senderBalance - 2n - gasUsed * gasPrice), nonce: 6 },
      [coinbase]: { balance: quantity(gasUsed * 3n) },
    })
    expect(pre).toEqual({
      [addressOf(0x100)]: {
        balance: '0x7',
        code: `0x${assemble(writer)}`,
        nonce: 1,
        storage: { [word(0)]: word(1), [word(3)]: word(9) },
      },
      [sender]: { balance: quantity(senderBalance), nonce: 5 },
      [coinbase]: { balance: '0x0' },
    })
  })

  it('tells accounts that are paid within', () => {
    const { pre, post } = difference(0x200)
    expect(post[addressOf(0x300)]).toEqual({ balance: '0x4' })
    expect(post[addressOf(0x200)]).toEqual({ balance: '0x6' })
    expect(pre[addressOf(0x300)]).toEqual({ balance: '0x0', code: '0x00', nonce: 1 })
  })

  it('tells nothing of afterwards of what self-destructed', () => {
    const { pre, post } = difference(0x400)
    expect(pre[addressOf(0x400)]).toMatchObject({ balance: '0x3' })
    expect(post).not.toHaveProperty(addressOf(0x400))
    expect(post[addressOf(0x99)]).toEqual({ balance: '0x3' })
  })

  it('tells new contracts afterwards only', () => {
    const { pre, post } = difference(0x500)
    const made = Object.keys(post).filter((key) => !(key in pre))
    expect(made).toHaveLength(2)
    expect(made.map((key) => post[key])).toEqual([{ nonce: 1 }, { nonce: 1 }])
    const data = `0x${assemble('1 0 SSTORE 0x6001 0 MSTORE 2 30 RETURN')}`
    const own = fixture.trace<Difference>(
      { data },
      { tracer: 'prestateTracer', tracerConfig: { diffMode: true } },
    )
    expect(own.post[contract]).toEqual({
      code: '0x6001',
      nonce: 1,
      storage: { [word(0)]: word(1) },
    })
    expect(own.pre).not.toHaveProperty(contract)
  })

  it('leaves out what came to nothing', () => {
    const { pre, post } = difference(0x600)
    expect(Object.keys(post)).toEqual([sender, coinbase])
    expect(Object.keys(pre)).toEqual([sender, coinbase])
  })
})
