import { toHex } from '@cairn/core'
import type { ForkName, UnsignedTransaction } from '@cairn/eth-codec'
import { describe, expect, it } from 'vitest'
import type { ExecutionError } from './errors.ts'
import { Evm, type InterpreterName } from './evm.ts'
import {
  type CallInput,
  executeCall,
  executeTransaction,
  type TransactionResult,
} from './execute-transaction.ts'
import type { ExecutionState } from './execution-state.ts'
import { createAddress } from './machine.ts'
import { type AccountFields, addressOf, hex, memoryReader, word } from './testing/memory-reader.ts'
import type { Tracer } from './tracer.ts'

const ether = 10n ** 18n
const sender = addressOf(0xaa)
const coinbase = addressOf(0xcb)
const block = {
  number: 300n,
  timestamp: 1_700_000_000n,
  coinbase,
  gasLimit: 30_000_000n,
  difficulty: 2n,
  baseFeePerGas: 7n,
  blockHash: () => undefined,
}

/** What a transaction is unless the test says something else. */
const plain: UnsignedTransaction = {
  type: 2,
  chainId: 1n,
  nonce: 5n,
  maxPriorityFeePerGas: 3n,
  maxFeePerGas: 100n,
  gasLimit: 100_000n,
  to: addressOf(1),
  value: 0n,
  data: new Uint8Array(0),
  accessList: [],
}

interface Setting {
  readonly evm: Evm
  readonly state: ExecutionState
  execute(transaction: Partial<UnsignedTransaction>, more?: More): TransactionResult
  call(call: Partial<CallInput>): TransactionResult
}

interface More {
  readonly fork?: ForkName
  readonly tracer?: Tracer
  readonly shouldAbort?: () => boolean
  readonly blockGasLeft?: bigint
  readonly sentBy?: 'anyone' | 'signer'
}

function setting(
  name: InterpreterName,
  accounts: Readonly<Record<number, AccountFields>>,
): Setting {
  const evm = new Evm({ interpreter: name })
  const funded = { 170: { nonce: 5n, balance: ether }, ...accounts }
  const state = evm.createState(memoryReader(funded))
  const fixed = { evm, state, block, chainId: 1n }
  return {
    evm,
    state,
    execute: (transaction, { fork = 'cancun', ...more } = {}) =>
      executeTransaction({
        ...{ ...fixed, fork, sender, transaction: { ...plain, ...transaction } },
        ...more,
      }),
    call: (call) =>
      executeCall({
        ...{ ...fixed, fork: 'cancun', from: sender, to: addressOf(1), data: new Uint8Array(0) },
        ...{ value: 0n, gasLimit: 1_000_000n, gasPrice: 0n, accessList: [] },
        ...call,
      }),
  }
}

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return (error as ExecutionError).code
  }
  return 'ran'
}

const balanceOf = ({ state }: Setting, address: Uint8Array): bigint =>
  state.accountOf(address).balance

describe.each(['wasm', 'typescript'] as const)('a transaction, %s', (name) => {
  it('moves value, pays the tip to the coinbase and burns the base fee', () => {
    const at = setting(name, {})
    const result = at.execute({ value: 1000n })
    expect(result).toMatchObject({ status: 'success', gasUsed: 21_000n, effectiveGasPrice: 10n })
    expect(balanceOf(at, addressOf(1))).toBe(1000n)
    expect(balanceOf(at, coinbase)).toBe(21_000n * 3n)
    expect(balanceOf(at, sender)).toBe(ether - 1000n - 210_000n)
    expect(at.state.accountOf(sender).nonce).toBe(6n)
  })

  it('may come from anyone, who then pays a fee only if one is offered', () => {
    const at = setting(name, { 170: { nonce: 5n, balance: ether, code: '00' } })
    expect(refusal(() => at.execute({}))).toBe('SENDER_NOT_EOA')
    expect(refusal(() => at.execute({ nonce: 9n }, { sentBy: 'signer' }))).toBe('NONCE_TOO_HIGH')
    const free = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }
    expect(refusal(() => at.execute(free, { sentBy: 'signer' }))).toBe('FEE_CAP_TOO_LOW')
    expect(at.execute({ ...free, nonce: 9n }, { sentBy: 'anyone' }).status).toBe('success')
    const { nonce, balance } = at.state.accountOf(sender)
    expect([nonce, balance]).toEqual([6n, ether])
    expect(at.state.accountOf(coinbase).balance).toBe(0n)
    // A contract comes to be where the account's own nonce says.
    const made = at.execute({ ...free, nonce: 9n, to: undefined }, { sentBy: 'anyone' })
    expect(made.contractAddress).toEqual(createAddress(sender, 6n))
    expect(at.state.accountOf(sender).nonce).toBe(7n)
    const paid = at.execute({ nonce: 7n }, { sentBy: 'signer' })
    expect(at.state.accountOf(sender).balance).toBe(ether - paid.gasUsed * 10n)
  })

  it('is refused before anything changes', () => {
    const at = setting(name, { 2: { nonce: 0n, balance: ether, code: '00' } })
    expect(refusal(() => at.execute({ nonce: 4n }))).toBe('NONCE_TOO_LOW')
    expect(refusal(() => at.execute({ nonce: 6n }))).toBe('NONCE_TOO_HIGH')
    expect(refusal(() => at.execute({ value: ether }))).toBe('INSUFFICIENT_FUNDS')
    expect(refusal(() => at.execute({ maxFeePerGas: 6n }))).toBe('FEE_CAP_TOO_LOW')
    expect(refusal(() => at.execute({ gasLimit: 20_999n }))).toBe('INTRINSIC_GAS_TOO_LOW')
    expect(refusal(() => at.execute({ gasLimit: 30_000_001n }))).toBe('GAS_LIMIT_REACHED')
    expect(refusal(() => at.execute({}, { blockGasLeft: 99_999n }))).toBe('GAS_LIMIT_REACHED')
    expect(refusal(() => at.execute({ gasLimit: 2n ** 63n }))).toBe('GAS_TOO_LARGE')
    expect(at.state.takeChanges().accounts).toEqual([])
  })

  it('of an account with code is refused (EIP-3607)', () => {
    const at = setting(name, { 170: { nonce: 5n, balance: ether, code: '00' } })
    expect(refusal(() => at.execute({}))).toBe('SENDER_NOT_EOA')
  })

  it('makes a contract at the address of sender and nonce', () => {
    const at = setting(name, {})
    // PUSH2 6001 PUSH0 MSTORE, then two bytes of it returned.
    const result = at.execute({ to: undefined, data: hex('6160015f526002601ef3') })
    expect(result.status).toBe('success')
    expect(result.contractAddress).toEqual(createAddress(sender, 5n))
    const made = at.state.accountOf(createAddress(sender, 5n))
    expect(toHex(at.state.codeOf(made).bytes)).toBe('6001')
    expect(made.nonce).toBe(1n)
  })

  it('that reverts keeps its gas, gives its data and leaves no trace but the fee', () => {
    // SSTORE(0, 1), a log, then REVERT with a word.
    const at = setting(name, { 1: { code: '60015f555f5fa0602a5f5260205ffd' } })
    const result = at.execute({ value: 9n })
    expect(result).toMatchObject({ status: 'revert', logs: [] })
    expect(result.returnData).toEqual(word(0x2a))
    expect(result.gasUsed).toBeLessThan(50_000n)
    expect(at.state.readStorage(addressOf(1), word(0))).toEqual(word(0))
    expect(balanceOf(at, addressOf(1))).toBe(0n)
  })

  it('that fails takes all of its gas', () => {
    const at = setting(name, { 1: { code: 'fe' } })
    expect(at.execute({})).toMatchObject({
      status: 'fault',
      fault: 'INVALID_OPCODE',
      gasUsed: 100_000n,
    })
  })

  it('is refunded at most a fifth of its gas from London on, a half before', () => {
    const code = '600060005560006001556000600255'
    const storage = { 0: 1, 1: 1, 2: 1 }
    const run = (fork: ForkName): TransactionResult =>
      setting(name, { 1: { code, storage } }).execute(
        { type: 0, maxPriorityFeePerGas: 100n },
        { fork },
      )
    const london = run('london')
    const spent = london.gasUsed + london.gasRefunded
    expect(london.gasRefunded).toBe(spent / 5n)
    const petersburg = run('petersburg')
    expect(petersburg.gasRefunded).toBe((petersburg.gasUsed + petersburg.gasRefunded) / 2n)
  })

  it('that calls itself a thousand times deep ends, at whatever depth gas allows', () => {
    // CALL(gas, address, 0 …), over and over.
    const at = setting(name, { 1: { code: '5f5f5f5f5f305af100' } })
    const result = at.execute({ gasLimit: 30_000_000n, maxFeePerGas: 7n, maxPriorityFeePerGas: 0n })
    expect(result.status).toBe('success')
  })

  it('is stopped by its flag and leaves nothing', () => {
    const at = setting(name, { 1: { code: '5b5f56' } })
    let asked = 0
    const shouldAbort = (): boolean => ++asked === 3
    const run = () => at.execute({ gasLimit: 30_000_000n }, { shouldAbort })
    expect(refusal(run)).toBe('ABORTED')
    expect(asked).toBe(3)
    expect(at.state.takeChanges().accounts).toEqual([])
    expect(at.execute({ to: addressOf(3), value: 1n }).status).toBe('success')
  })

  it('leaves nothing when the store below fails', () => {
    // SSTORE(0, 1), then a call to an account whose code is not to be had.
    const reader = memoryReader({
      170: { nonce: 5n, balance: ether },
      1: { code: `60015f555f5f5f5f5f73${'02'.repeat(20)}5af1` },
      2: { code: '00' },
    })
    const evm = new Evm({ interpreter: name })
    const state = evm.createState({
      ...reader,
      readCode: (codeHash) => {
        if (codeHash[0] === reader.readAccount(addressOf(2))?.codeHash[0]) throw new Error('gone')
        return reader.readCode(codeHash)
      },
    })
    const run = (to: Uint8Array): TransactionResult =>
      executeTransaction({
        ...{ evm, state, fork: 'cancun', block, chainId: 1n, sender },
        transaction: { ...plain, to },
      })
    expect(() => run(addressOf(1))).toThrow('gone')
    expect(state.takeChanges().accounts).toEqual([])
    expect(run(addressOf(3)).status).toBe('success')
  })

  it('tells a tracer of calls, contracts and self-destruction', () => {
    // CREATE of nothing, then CALL to 2, which gives itself to 3.
    const code = '5f5f5ff0505f5f5f5f60017302020202020202020202020202020202020202025af100'
    const at = setting(name, {
      1: { balance: 5n, nonce: 1n, code },
      2: { nonce: 1n, code: `73${'03'.repeat(20)}ff` },
    })
    const seen: string[] = []
    at.execute(
      {},
      {
        tracer: {
          onEnter: ({ opcode, depth, value }) => seen.push(`${depth} ${opcode} ${value}`),
          onExit: ({ error }) => seen.push(error ?? 'ok'),
          onSelfDestruct: (_, heir, balance) => seen.push(`heir ${heir[0]} ${balance}`),
        },
      },
    )
    expect(seen).toEqual([...['0 CALL 0', '1 CREATE 0', 'ok', '1 CALL 1', 'heir 3 1', 'ok', 'ok']])
  })

  it('tells a tracer of each step, with what it cost', () => {
    const at = setting(name, { 1: { code: '600160020100' } })
    const steps: string[] = []
    at.execute(
      {},
      {
        tracer: {
          onStep: ({ programCounter, opcode, stackView }) =>
            steps.push(`${programCounter} ${opcode} [${stackView.join()}]`),
          onStepEnd: (cost) => steps.push(`cost ${cost}`),
        },
      },
    )
    expect(steps).toEqual([
      ...['0 96 []', 'cost 3', '2 96 [1]', 'cost 3', '4 1 [1,2]', 'cost 3', '5 0 [3]', 'cost 0'],
    ])
  })
})

describe.each(['wasm', 'typescript'] as const)('a call, %s', (name) => {
  it('gives its data and leaves nothing behind', () => {
    // SSTORE(0, 42), then SLOAD(0) returned.
    const at = setting(name, { 1: { code: '602a5f555f545f5260205ff3' } })
    expect(at.call({}).returnData).toEqual(word(42))
    expect(at.state.readStorage(addressOf(1), word(0))).toEqual(word(0))
    expect(at.state.takeChanges().accounts).toEqual([])
  })

  it('uses the gas that a transaction would use', () => {
    const accounts = { 1: { code: '602a5f555f545f5260205ff3' } }
    const { gasUsed } = setting(name, accounts).call({})
    expect(gasUsed).toBe(setting(name, accounts).execute({}).gasUsed)
  })

  it('sees what its overrides say, and only then', () => {
    // BALANCE(self), SLOAD(1), SLOAD(2) returned.
    const code = {
      bytes: hex('30315f5260015460205260025460405260605ff3'),
      hash: word(1),
    }
    const at = setting(name, { 1: { balance: 1n, code: '00', storage: { 1: 5, 2: 6 } } })
    const address = addressOf(1)
    const storage = [{ slot: word(1), value: word(9) }]
    const run = (override: object): string =>
      toHex(at.call({ overrides: [{ address, code, ...override }] }).returnData)
    const words = (...values: number[]): string =>
      values.map((value) => toHex(word(value))).join('')
    expect(run({ balance: 77n, storageDiff: storage })).toBe(words(77, 9, 6))
    expect(run({ storage })).toBe(words(1, 9, 0))
    expect(run({})).toBe(words(1, 5, 6))
    expect(at.call({}).returnData).toEqual(new Uint8Array(0))
  })
})
