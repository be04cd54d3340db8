/** A token and its compiler: what a first contract on a new chain looks like, for tests with real clients. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

export interface CompiledToken {
  readonly abi: readonly Record<string, unknown>[]
  /** `0x` and the init code. */
  readonly bytecode: `0x${string}`
}

/** Path of the contract's source. */
export const tokenSourceFile: string = fileURLToPath(
  new URL('../contracts/Token.sol', import.meta.url),
)

/** Compiles for Cancun, as tools do today; takes about a second. */
export function compileToken(): CompiledToken {
  // An old module without types, of 9 MB: loaded where it is needed alone.
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string }
  const input = {
    language: 'Solidity',
    sources: { 'Token.sol': { content: readFileSync(tokenSourceFile, 'utf8') } },
    settings: {
      evmVersion: 'cancun',
      optimizer: { enabled: true, runs: 200 },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input)))
  const contract = output.contracts?.['Token.sol']?.Token
  if (contract === undefined) throw new Error(JSON.stringify(output.errors))
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` }
}
