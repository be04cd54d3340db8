/**
 * The execution rules of every fork from Frontier to Cancun as one table; nothing else in this package asks for a
 * fork's name. EIP numbers stand beside each rule. Not here: when a fork begins (eth-codec's chain configuration),
 * block rewards, difficulty, blobs (EIP-4844) and beacon roots (EIP-4788).
 */
import { assert } from '@cairn/core'
import { type ForkName, forkNames } from '@cairn/eth-codec'
import { opcodeTable } from './opcodes.ts'

/** How SSTORE is charged and refunded. */
export type StorageRule = 'frontier' | 'eip1283' | 'eip2200' | 'eip2929' | 'eip3529'

export interface ForkRules {
  readonly name: ForkName
  /** Gas of a transaction that creates a contract, before its data. EIP-2: 53000. */
  readonly createTransactionGas: number
  /** EIP-2: a creation that cannot pay for its code fails. Before, it left an account without code. */
  readonly failsUnpaidDeposit: boolean
  /** EIP-150: a call gets at most 63/64 of what is left. Before, asking for more than that failed. */
  readonly capsCallGas: boolean
  /** EIP-161: empty accounts go when touched, new contracts start at nonce 1, and existing means not being empty. */
  readonly removesEmptyAccounts: boolean
  /** EIP-170. */
  readonly codeBytesMax: number
  /** EIP-3541: code may not begin with 0xEF. */
  readonly refusesCodeEf: boolean
  /** EIP-3860. */
  readonly initCodeBytesMax: number
  readonly initCodeWordGas: number
  /** EIP-160. */
  readonly expByteGas: number
  /** EIP-2028. */
  readonly dataNonZeroByteGas: number
  readonly storageRule: StorageRule
  /** EIP-2929 and 2930. */
  readonly hasAccessLists: boolean
  /** EIP-1559. */
  readonly hasFeeMarket: boolean
  /** EIP-3651. */
  readonly isCoinbaseWarm: boolean
  /** EIP-3529: gas used divided by this is the largest refund. */
  readonly refundDivisor: number
  /** EIP-150: charged by SELFDESTRUCT that makes an account. */
  readonly selfDestructNewAccountGas: number
  readonly selfDestructRefund: number
  /** EIP-6780: only contracts made in the same transaction go. */
  readonly keepsOldSelfDestructed: boolean
  /** Contracts at addresses from 1 on. */
  readonly precompileCount: number
  /** EIP-1108. */
  readonly hasCheapCurves: boolean
  /** EIP-2565. */
  readonly hasCheapModexp: boolean
  /**
   * By opcode, eight bytes each, as the WebAssembly interpreter reads it: bits 0-31 gas charged before anything else,
   * 32-39 words that must be on the stack, 40-55 the most that may be, 56 whether the opcode exists.
   */
  readonly opcodes: BigUint64Array
}

type Values = Omit<ForkRules, 'name' | 'opcodes'>

const frontier: Values = {
  createTransactionGas: 21_000,
  failsUnpaidDeposit: false,
  capsCallGas: false,
  removesEmptyAccounts: false,
  codeBytesMax: Number.MAX_SAFE_INTEGER,
  refusesCodeEf: false,
  initCodeBytesMax: Number.MAX_SAFE_INTEGER,
  initCodeWordGas: 0,
  expByteGas: 10,
  dataNonZeroByteGas: 68,
  storageRule: 'frontier',
  hasAccessLists: false,
  hasFeeMarket: false,
  isCoinbaseWarm: false,
  refundDivisor: 2,
  selfDestructNewAccountGas: 0,
  selfDestructRefund: 24_000,
  keepsOldSelfDestructed: false,
  precompileCount: 4,
  hasCheapCurves: false,
  hasCheapModexp: false,
}

const changes: Readonly<Record<ForkName, Partial<Values>>> = {
  frontier: {},
  homestead: { createTransactionGas: 53_000, failsUnpaidDeposit: true },
  tangerineWhistle: { capsCallGas: true, selfDestructNewAccountGas: 25_000 },
  spuriousDragon: { removesEmptyAccounts: true, codeBytesMax: 24_576, expByteGas: 50 },
  byzantium: { precompileCount: 8 },
  constantinople: { storageRule: 'eip1283' },
  petersburg: { storageRule: 'frontier' },
  istanbul: {
    storageRule: 'eip2200',
    dataNonZeroByteGas: 16,
    precompileCount: 9,
    hasCheapCurves: true,
  },
  berlin: { storageRule: 'eip2929', hasAccessLists: true, hasCheapModexp: true },
  london: {
    storageRule: 'eip3529',
    hasFeeMarket: true,
    refundDivisor: 5,
    selfDestructRefund: 0,
    refusesCodeEf: true,
  },
  paris: {},
  shanghai: { isCoinbaseWarm: true, initCodeBytesMax: 49_152, initCodeWordGas: 2 },
  cancun: { precompileCount: 10, keepsOldSelfDestructed: true },
}

export const forks: Readonly<Record<ForkName, ForkRules>> = buildForks()

function buildForks(): Record<ForkName, ForkRules> {
  let values = frontier
  const entries = forkNames.map((name, index): [ForkName, ForkRules] => {
    values = { ...values, ...changes[name] }
    return [name, Object.freeze({ ...values, name, opcodes: opcodeTable(index) })]
  })
  const table = Object.fromEntries(entries) as Record<ForkName, ForkRules>
  assert(table.cancun.initCodeBytesMax === 2 * table.cancun.codeBytesMax)
  return table
}
