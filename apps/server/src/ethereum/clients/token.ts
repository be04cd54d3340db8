/** A token and its compiler, for tests with real clients: what a first contract on a new chain looks like. */
import { createRequire } from 'node:module'

// The compiler is an old module without types.
const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string }

const source = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

contract Token {
    error Insufficient(uint256 balance, uint256 wanted);
    event Transfer(address indexed from, address indexed to, uint256 value);

    mapping(address => uint256) public balanceOf;
    uint256 public totalSupply;
    string public constant name = "Test";

    constructor(uint256 supply) {
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        uint256 balance = balanceOf[msg.sender];
        if (balance < value) revert Insufficient(balance, value);
        require(to != address(0), "to nobody");
        unchecked { balanceOf[msg.sender] = balance - value; }
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }

    function spin() external pure { while (true) {} }
    function divide(uint256 by) external pure returns (uint256) { return 1 / by; }
}
`

export interface CompiledToken {
  readonly abi: readonly Record<string, unknown>[]
  /** `0x` and the init code. */
  readonly bytecode: `0x${string}`
}

/** Compiles for Cancun, as tools do today. */
export function compileToken(): CompiledToken {
  const input = {
    language: 'Solidity',
    sources: { 'Token.sol': { content: source } },
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
