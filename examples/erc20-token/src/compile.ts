/** Compiles Token.sol with Solidity's own compiler, which is a package: nothing is fetched. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Abi } from 'viem'

// The compiler is an old module without types: text in, text out.
const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string }

export interface CompiledContract {
  readonly abi: Abi
  readonly bytecode: `0x${string}`
}

/** @throws Error with the compiler's messages. */
export function compileToken(): CompiledContract {
  const content = readFileSync(new URL('../Token.sol', import.meta.url), 'utf8')
  const input = {
    language: 'Solidity',
    sources: { 'Token.sol': { content } },
    settings: {
      optimizer: { enabled: true, runs: 200 },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as {
    readonly contracts?: Record<string, Record<string, CompilerContract>>
    readonly errors?: readonly { readonly formattedMessage: string }[]
  }
  const contract = output.contracts?.['Token.sol']?.['Token']
  if (contract === undefined) {
    throw new Error(output.errors?.map((error) => error.formattedMessage).join('\n'))
  }
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` }
}

interface CompilerContract {
  readonly abi: Abi
  readonly evm: { readonly bytecode: { readonly object: string } }
}
