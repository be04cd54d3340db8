/** geth's words for what ends a run (core/vm/errors.go and contracts.go, 1.13); tools look for them. */
import { type Fault, type FaultPlace, opcodes } from '@cairn/eth-evm'

const stackWordsMax = 1024

const texts: Readonly<Record<Fault, string>> = {
  OUT_OF_GAS: 'out of gas',
  STACK_UNDERFLOW: 'stack underflow',
  STACK_OVERFLOW: 'stack limit reached 1024',
  INVALID_JUMP: 'invalid jump destination',
  INVALID_OPCODE: 'invalid opcode',
  STATIC_WRITE: 'write protection',
  RETURN_DATA_OUT_OF_BOUNDS: 'return data out of bounds',
  // CREATE says so; a transaction that is too large is refused before it runs.
  INIT_CODE_TOO_LARGE: 'out of gas',
  CODE_TOO_LARGE: 'max code size exceeded',
  CODE_BEGINS_WITH_EF: 'invalid code: must not begin with 0xef',
  CODE_DEPOSIT_OUT_OF_GAS: 'contract creation code storage out of gas',
  ADDRESS_COLLISION: 'contract address collision',
  PRECOMPILE_FAILED: 'precompiled contract failed',
  DEPTH: 'max call depth exceeded',
  INSUFFICIENT_BALANCE: 'insufficient balance for transfer',
  NONCE_OVERFLOW: 'nonce uint64 overflow',
}

/** @param place Where it was, which some texts name. */
export function faultText(fault: Fault | undefined, place?: FaultPlace): string {
  if (fault === undefined) return 'execution failed'
  if (place === undefined) return texts[fault]
  const { opcode, stackSize } = place
  const { inputs, outputs } = opcodes[opcode] ?? { inputs: 0, outputs: 0 }
  switch (fault) {
    case 'INVALID_OPCODE':
      return `invalid opcode: ${opcodeName(opcode)}`
    case 'STACK_UNDERFLOW':
      return `stack underflow (${stackSize} <=> ${inputs})`
    case 'STACK_OVERFLOW':
      return `stack limit reached ${stackSize} (${stackWordsMax + inputs - outputs})`
    default:
      return texts[fault]
  }
}

export function opcodeName(opcode: number): string {
  if (opcode === 0xfe) return 'INVALID'
  return opcodes[opcode]?.name ?? `opcode 0x${opcode.toString(16)} not defined`
}

/** What built-in contracts say of input that they refuse. @param number Their address. */
export function precompileFaultText(number: number, input: Uint8Array): string {
  switch (number) {
    case 6:
    case 7:
      return 'bn256: malformed point'
    case 8:
      return input.length % 192 === 0 ? 'bn256: malformed point' : 'bad elliptic curve pairing size'
    case 9:
      return input.length === 213 ? 'invalid final flag' : 'invalid input length'
    case 10:
      return input.length === 192 ? 'error verifying kzg proof' : 'invalid input length'
    default:
      return texts.PRECOMPILE_FAILED
  }
}
