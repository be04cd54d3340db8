/** The built-in contracts at addresses 1 to 10: what each costs in a fork, and what it answers. */

import type { ForkRules } from './forks.ts'
import type { Fault } from './interpreter.ts'
import { blake2f } from './precompiles/blake2f.ts'
import { addPoints, checkPairing, multiplyPoint } from './precompiles/bn254.ts'
import { recoverAddress } from './precompiles/ecrecover.ts'
import { ripemd160, sha256 } from './precompiles/hashes.ts'
import { modexp, modexpGas } from './precompiles/modexp.ts'
import { evaluatePoint } from './precompiles/point-evaluation.ts'

export type PrecompileResult =
  | { readonly isSuccess: true; readonly gasUsed: bigint; readonly output: Uint8Array }
  | { readonly isSuccess: false; readonly fault: Fault }

interface Precompile {
  gas(input: Uint8Array, rules: ForkRules): bigint
  /** Undefined when the input is refused. The answer may be a view of the input. */
  run(input: Uint8Array, helper: PrecompileHelper): Uint8Array | undefined
}

/** What an interpreter may do faster. */
export interface PrecompileHelper {
  compressBlake2?(input: Uint8Array): Uint8Array
}

function perWord(base: number, word: number): Precompile['gas'] {
  return (input) => BigInt(base + word * Math.ceil(input.length / 32))
}

/** By address; the first place is empty. Sources: yellow paper appendix E, EIP-196, 197, 198, 152, 1108, 2565,
 * 4844. */
const precompiles: readonly (Precompile | undefined)[] = [
  undefined,
  { gas: () => 3000n, run: recoverAddress },
  { gas: perWord(60, 12), run: sha256 },
  { gas: perWord(600, 120), run: ripemd160 },
  { gas: perWord(15, 3), run: (input) => input },
  { gas: (input, rules) => modexpGas(input, rules.hasCheapModexp), run: modexp },
  { gas: (_, rules) => (rules.hasCheapCurves ? 150n : 500n), run: addPoints },
  { gas: (_, rules) => (rules.hasCheapCurves ? 6000n : 40_000n), run: multiplyPoint },
  {
    gas: (input, rules) => {
      const pairs = BigInt(Math.floor(input.length / 192))
      return rules.hasCheapCurves ? 45_000n + 34_000n * pairs : 100_000n + 80_000n * pairs
    },
    run: checkPairing,
  },
  {
    gas: (input) =>
      input.length === 213 ? BigInt(new DataView(input.buffer, input.byteOffset).getUint32(0)) : 0n,
    run: (input, helper) => blake2f(input, helper.compressBlake2?.bind(helper)),
  },
  { gas: () => 50_000n, run: evaluatePoint },
]

/** @param number the address. @param input may be a view that is valid during the call. */
export function runPrecompile(
  number: number,
  input: Uint8Array,
  gas: bigint,
  rules: ForkRules,
  helper: PrecompileHelper = {},
): PrecompileResult {
  const precompile = precompiles[number]
  if (precompile === undefined) throw new TypeError(`There is no precompile ${number}.`)
  const gasUsed = precompile.gas(input, rules)
  if (gasUsed > gas) return { isSuccess: false, fault: 'OUT_OF_GAS' }
  const output = precompile.run(input, helper)
  if (output === undefined) return { isSuccess: false, fault: 'PRECOMPILE_FAILED' }
  return { isSuccess: true, gasUsed, output: output === input ? input.slice() : output }
}
