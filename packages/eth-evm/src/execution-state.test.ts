import { toHex } from '@cairn/core'
import { keccak256, type StateChanges } from '@cairn/eth-codec'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExecutionState } from './execution-state.ts'
import { addressOf, hex, memoryReader, word } from './testing/memory-reader.ts'
import { bytesToWord } from './words.ts'

const reader = memoryReader({
  1: { nonce: 3n, balance: 100n },
  2: { nonce: 1n, balance: 5n, code: '6001', storage: { 1: 7, 2: 8 } },
  3: {},
})

function store(state: ExecutionState, byte: number, slot: number, value: number): void {
  const words = new Int32Array(16)
  bytesToWord(word(slot), words, 0)
  bytesToWord(word(value), words, 8)
  const entry = state.accountOf(addressOf(byte))
  state.setSlot(entry, state.slotAt(entry, words, 0), words, 8)
}

function shown({ accounts, codes }: StateChanges): unknown {
  return {
    accounts: accounts
      .map(({ address, account, storageCleared, storage }) => ({
        address: toHex(address).slice(0, 2),
        nonce: account?.nonce,
        balance: account?.balance,
        storageCleared,
        storage: storage.map(({ slot, value }) => `${slot[31]}=${value[31]}`).sort(),
      }))
      .sort((a, b) => (a.address < b.address ? -1 : 1)),
    codes: codes.map(({ code }) => toHex(code)),
  }
}

interface Step {
  readonly kind: string
  readonly byte: number
  readonly slot: number
  readonly value: number
}

describe('ExecutionState', () => {
  it('hands out each account and slot once, with its last value, and then counts it as known', () => {
    const state = new ExecutionState(reader)
    state.beginTransaction()
    state.addBalance(state.entryOf(addressOf(1)), 1n)
    state.addBalance(state.entryOf(addressOf(1)), 2n)
    store(state, 2, 1, 9)
    store(state, 2, 1, 10)
    store(state, 2, 2, 8)
    state.finishTransaction(true)
    expect(shown(state.takeChanges())).toEqual({
      accounts: [
        { address: '01', nonce: 3n, balance: 103n, storageCleared: false, storage: [] },
        { address: '02', nonce: 1n, balance: 5n, storageCleared: false, storage: ['1=10'] },
      ],
      codes: [],
    })
    expect(shown(state.takeChanges())).toEqual({ accounts: [], codes: [] })
  })

  it('says nothing of what came back to what it was', () => {
    const state = new ExecutionState(reader)
    state.beginTransaction()
    state.addBalance(state.entryOf(addressOf(1)), 1n)
    state.addBalance(state.entryOf(addressOf(1)), -1n)
    store(state, 2, 1, 9)
    store(state, 2, 1, 7)
    state.finishTransaction(true)
    expect(shown(state.takeChanges())).toEqual({ accounts: [], codes: [] })
  })

  it('removes touched empty accounts from EIP-161 on, and keeps them before', () => {
    for (const removes of [true, false]) {
      const state = new ExecutionState(reader)
      state.beginTransaction()
      state.addBalance(state.entryOf(addressOf(3)), 0n)
      state.addBalance(state.entryOf(addressOf(9)), 0n)
      state.finishTransaction(removes)
      const addresses = state
        .takeChanges()
        .accounts.map(({ address, account }) => [address[0], account !== undefined])
      expect(addresses).toEqual(removes ? [[3, false]] : [[9, true]])
    }
  })

  it('clears the storage of what self-destructed, and of what is made anew over it', () => {
    const state = new ExecutionState(reader)
    const entry = state.accountOf(addressOf(2))
    state.beginTransaction()
    state.setBalance(entry, 0n)
    state.destruct(entry)
    state.finishTransaction(true)
    expect(state.readStorage(addressOf(2), word(1))).toEqual(word(0))
    state.beginTransaction()
    state.createContract(entry)
    state.setNonce(entry, 1n)
    const code = hex('6002')
    state.setCode(entry, code, keccak256(code))
    store(state, 2, 2, 5)
    state.finishTransaction(true)
    expect(shown(state.takeChanges())).toEqual({
      accounts: [{ address: '02', nonce: 1n, balance: 0n, storageCleared: true, storage: ['2=5'] }],
      codes: ['6002'],
    })
  })

  it('takes whole transactions back to a checkpoint', () => {
    const actions = fc.array(
      fc.record({
        kind: fc.constantFrom('pay', 'store', 'create', 'destruct', 'nonce', 'finish'),
        byte: fc.integer({ min: 1, max: 4 }),
        slot: fc.integer({ min: 1, max: 3 }),
        value: fc.integer({ min: 0, max: 3 }),
      }),
      { maxLength: 30 },
    )
    const run = (state: ExecutionState, steps: readonly Step[]): void => {
      state.beginTransaction()
      for (const { kind, byte, slot, value } of steps) {
        const entry = state.accountOf(addressOf(byte))
        if (kind === 'pay') state.addBalance(entry, BigInt(value))
        if (kind === 'store') store(state, byte, slot, value)
        if (kind === 'create') state.createContract(entry)
        if (kind === 'destruct') state.destruct(entry)
        if (kind === 'nonce') state.setNonce(entry, entry.nonce + 1n)
        if (kind === 'finish') {
          state.finishTransaction(true)
          state.beginTransaction()
        }
      }
      state.finishTransaction(true)
    }
    fc.assert(
      fc.property(actions, actions, actions, (before, taken, after) => {
        const straight = new ExecutionState(reader)
        run(straight, before)
        run(straight, after)
        const winding = new ExecutionState(reader)
        run(winding, before)
        const checkpoint = winding.checkpoint()
        run(winding, taken)
        winding.revert(checkpoint)
        run(winding, after)
        expect(shown(winding.takeChanges())).toEqual(shown(straight.takeChanges()))
      }),
    )
  })

  it('refuses to hand out changes that may still be taken back', () => {
    const state = new ExecutionState(reader)
    state.checkpoint()
    expect(() => state.takeChanges()).toThrow()
  })
})
