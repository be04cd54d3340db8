/**
 * Every opcode up to Cancun: name, stack use, the gas charged before it runs, the fork that brought it. What depends on
 * operands or state (memory, words copied, cold access, calls) is charged by the interpreters.
 */

export interface Opcode {
  readonly code: number
  readonly name: string
  readonly inputs: number
  readonly outputs: number
}

interface Row extends Opcode {
  /** Index of the fork it came with, then gas by index of the fork from which the figure holds. */
  readonly since: number
  readonly gas: readonly (readonly [since: number, gas: number])[]
}

/** Largest depth of the stack. Source: yellow paper, 9.1. */
export const stackWordsMax = 1024

// Indexes into `forkNames`.
const homestead = 1
const tangerineWhistle = 2
const byzantium = 4
const constantinople = 5
const istanbul = 7
const berlin = 8
const london = 9
const shanghai = 11
const cancun = 12

const rows: Row[] = []

function add(
  code: number,
  name: string,
  inputs: number,
  outputs: number,
  gas: number | Row['gas'],
  since = 0,
): void {
  const steps: Row['gas'] = typeof gas === 'number' ? [[0, gas]] : gas
  rows.push({ code, name, inputs, outputs, since, gas: steps })
}

// EIP-150 repriced, EIP-1884 again, EIP-2929 split into warm (here) and cold (the interpreters add the rest).
const accountGas = (first: number, second: number, third: number): Row['gas'] => [
  [0, first],
  [tangerineWhistle, second],
  [istanbul, third],
  [berlin, 100],
]

add(0x00, 'STOP', 0, 0, 0)
for (const [offset, [name, gas]] of [
  ['ADD', 3],
  ['MUL', 5],
  ['SUB', 3],
  ['DIV', 5],
  ['SDIV', 5],
  ['MOD', 5],
  ['SMOD', 5],
].entries() as IterableIterator<[number, [string, number]]>) {
  add(0x01 + offset, name, 2, 1, gas)
}
add(0x08, 'ADDMOD', 3, 1, 8)
add(0x09, 'MULMOD', 3, 1, 8)
add(0x0a, 'EXP', 2, 1, 10)
add(0x0b, 'SIGNEXTEND', 2, 1, 5)
for (const [offset, name] of ['LT', 'GT', 'SLT', 'SGT', 'EQ'].entries()) {
  add(0x10 + offset, name, 2, 1, 3)
}
add(0x15, 'ISZERO', 1, 1, 3)
for (const [offset, name] of ['AND', 'OR', 'XOR'].entries()) add(0x16 + offset, name, 2, 1, 3)
add(0x19, 'NOT', 1, 1, 3)
add(0x1a, 'BYTE', 2, 1, 3)
for (const [offset, name] of ['SHL', 'SHR', 'SAR'].entries()) {
  add(0x1b + offset, name, 2, 1, 3, constantinople)
}
add(0x20, 'KECCAK256', 2, 1, 30)
add(0x30, 'ADDRESS', 0, 1, 2)
add(0x31, 'BALANCE', 1, 1, accountGas(20, 400, 700))
add(0x32, 'ORIGIN', 0, 1, 2)
add(0x33, 'CALLER', 0, 1, 2)
add(0x34, 'CALLVALUE', 0, 1, 2)
add(0x35, 'CALLDATALOAD', 1, 1, 3)
add(0x36, 'CALLDATASIZE', 0, 1, 2)
add(0x37, 'CALLDATACOPY', 3, 0, 3)
add(0x38, 'CODESIZE', 0, 1, 2)
add(0x39, 'CODECOPY', 3, 0, 3)
add(0x3a, 'GASPRICE', 0, 1, 2)
add(0x3b, 'EXTCODESIZE', 1, 1, accountGas(20, 700, 700))
add(0x3c, 'EXTCODECOPY', 4, 0, accountGas(20, 700, 700))
add(0x3d, 'RETURNDATASIZE', 0, 1, 2, byzantium)
add(0x3e, 'RETURNDATACOPY', 3, 0, 3, byzantium)
add(0x3f, 'EXTCODEHASH', 1, 1, accountGas(400, 400, 700), constantinople)
add(0x40, 'BLOCKHASH', 1, 1, 20)
for (const [offset, name] of [
  'COINBASE',
  'TIMESTAMP',
  'NUMBER',
  'DIFFICULTY',
  'GASLIMIT',
].entries()) {
  add(0x41 + offset, name, 0, 1, 2)
}
add(0x46, 'CHAINID', 0, 1, 2, istanbul)
add(0x47, 'SELFBALANCE', 0, 1, 5, istanbul)
add(0x48, 'BASEFEE', 0, 1, 2, london)
add(0x49, 'BLOBHASH', 1, 1, 3, cancun)
add(0x4a, 'BLOBBASEFEE', 0, 1, 2, cancun)
add(0x50, 'POP', 1, 0, 2)
add(0x51, 'MLOAD', 1, 1, 3)
add(0x52, 'MSTORE', 2, 0, 3)
add(0x53, 'MSTORE8', 2, 0, 3)
add(0x54, 'SLOAD', 1, 1, accountGas(50, 200, 800))
add(0x55, 'SSTORE', 2, 0, 0)
add(0x56, 'JUMP', 1, 0, 8)
add(0x57, 'JUMPI', 2, 0, 10)
add(0x58, 'PC', 0, 1, 2)
add(0x59, 'MSIZE', 0, 1, 2)
add(0x5a, 'GAS', 0, 1, 2)
add(0x5b, 'JUMPDEST', 0, 0, 1)
add(0x5c, 'TLOAD', 1, 1, 100, cancun)
add(0x5d, 'TSTORE', 2, 0, 100, cancun)
add(0x5e, 'MCOPY', 3, 0, 3, cancun)
add(0x5f, 'PUSH0', 0, 1, 2, shanghai)
for (let n = 1; n <= 32; n++) add(0x5f + n, `PUSH${n}`, 0, 1, 3)
for (let n = 1; n <= 16; n++) add(0x7f + n, `DUP${n}`, n, n + 1, 3)
for (let n = 1; n <= 16; n++) add(0x8f + n, `SWAP${n}`, n + 1, n + 1, 3)
for (let n = 0; n <= 4; n++) add(0xa0 + n, `LOG${n}`, n + 2, 0, 375 * (n + 1))
add(0xf0, 'CREATE', 3, 1, 32_000)
add(0xf1, 'CALL', 7, 1, accountGas(40, 700, 700))
add(0xf2, 'CALLCODE', 7, 1, accountGas(40, 700, 700))
add(0xf3, 'RETURN', 2, 0, 0)
add(0xf4, 'DELEGATECALL', 6, 1, accountGas(40, 700, 700), homestead)
add(0xf5, 'CREATE2', 4, 1, 32_000, constantinople)
add(0xfa, 'STATICCALL', 6, 1, accountGas(40, 700, 700), byzantium)
add(0xfd, 'REVERT', 2, 0, 0, byzantium)
add(0xff, 'SELFDESTRUCT', 1, 0, [
  [0, 0],
  [tangerineWhistle, 5000],
])

/** By code; undefined for codes that no fork here knows. INVALID (0xfe) is one of these. */
export const opcodes: readonly (Opcode | undefined)[] = Object.freeze(
  Array.from({ length: 256 }, (_, code) => rows.find((row) => row.code === code)),
)

/** For a fork by its index in `forkNames`; the layout is told at `ForkRules.opcodes`. */
export function opcodeTable(forkIndex: number): BigUint64Array {
  const table = new BigUint64Array(256)
  for (const { code, inputs, outputs, since, gas } of rows) {
    if (since > forkIndex) continue
    const gasNow = gas.findLast(([from]) => from <= forkIndex)?.[1] ?? 0
    const depthMax = stackWordsMax - Math.max(0, outputs - inputs)
    table[code] = BigInt(gasNow) | (BigInt(inputs) << 32n) | (BigInt(depthMax) << 40n) | (1n << 56n)
  }
  return table
}
