/** A chain of ours, exported and taken block by block by `@ethereumjs/blockchain` and its VM: hashes and roots. */
import { concatBytes, equalBytes, fromHex, toHex } from '@cairn/core'
import {
  contractAddress,
  dataFromHex,
  genesisToJson,
  parseGenesis,
  recoverSender,
  type Transaction,
} from '@cairn/eth-codec'
import { type BlockHeader, cliqueSigner, createBlockFromRLP } from '@ethereumjs/block'
import { CliqueConsensus, createBlockchain } from '@ethereumjs/blockchain'
import {
  ConsensusAlgorithm,
  createCommonFromGethGenesis,
  parseGethGenesisState,
} from '@ethereumjs/common'
import { createEVM } from '@ethereumjs/evm'
import { RLP } from '@ethereumjs/rlp'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { createVM, runBlock } from '@ethereumjs/vm'
import { expect, it } from 'vitest'
import { exportBlocks } from './file/chain-file.ts'
import { ChainKit, makeGenesis } from './testing/chain-kit.ts'
import { addressOf } from './testing/clique-chain.ts'

/** Init code that returns `runtime`, up to 32 bytes. */
function creationOf(runtime: string): Uint8Array {
  const size = runtime.length / 2
  const [push, length, offset] = [0x5f + size, size, 32 - size].map(byteText)
  return fromHex(`${push}${runtime}60005260${length}60${offset}f3`)
}

function byteText(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

/** Stores the second word of the call in the slot that the first one names. */
const storing = creationOf('6020356000355500')
const reverting = creationOf('60006000fd')
/** Keeps the hash of the block before in the slot of this block's number, and logs the number. */
const remembering = creationOf('600143034043554360206000a100')
/** Gives what it has to its caller and goes. */
const leaving = creationOf('33ff')
const burning = fromHex('fe')

function wordsOf(...values: readonly number[]): Uint8Array {
  return fromHex(values.map((value) => value.toString(16).padStart(64, '0')).join(''))
}

/** London's rules, three sealers in turn; every kind of transaction, some of which fail. */
function makeChain(): ChainKit {
  const kit = new ChainKit(makeGenesis('ABC', 1, {}))
  const signers = [...'ABC'].sort((a, b) => Buffer.compare(addressOf(a), addressOf(b)))
  const extend = (...transactions: readonly Transaction[]): void => {
    const number = Number(kit.chain.head.header.number) + 1
    kit.extend(signers[number % signers.length] as string, transactions)
  }
  const create = (from: string, data: Uint8Array, value = 0n): Transaction =>
    kit.transaction(from, { to: undefined, data, value, gasLimit: 500_000n })
  const creations = [
    create('D', storing),
    create('D', reverting),
    create('E', remembering),
    create('E', leaving, 5n),
    create('E', burning),
  ]
  const [store, revert, remember, leave] = creations.map((transaction) =>
    contractAddress(recoverSender(transaction), transaction.nonce),
  )
  const price = { maxFeePerGas: 20_000_000_000n, maxPriorityFeePerGas: 20_000_000_000n }
  extend()
  extend(
    kit.transaction('A'),
    kit.transaction('B', { type: 0, ...price }),
    kit.transaction('B', { type: 1, ...price, to: addressOf('Z'), value: 7n }),
  )
  extend(...creations)
  extend(
    kit.transaction('A', { to: store, data: wordsOf(1, 0xabcdef), value: 0n }),
    kit.transaction('A', { to: revert, value: 3n }),
    kit.transaction('B', { to: remember, value: 0n }),
    kit.transaction('B', { to: leave, value: 9n }),
    kit.transaction('C', {
      ...{ type: 1, ...price, to: store, data: wordsOf(2, 2), value: 0n },
      accessList: [{ address: store ?? new Uint8Array(20), storageKeys: [wordsOf(2)] }],
    }),
  )
  // Slots that become empty again, with the refund; a precompile; too little gas to store.
  extend(
    kit.transaction('C', { to: store, data: wordsOf(1, 0), value: 0n }),
    kit.transaction('C', { to: store, data: wordsOf(9, 9), value: 0n, gasLimit: 30_000n }),
    kit.transaction('D', { to: wordsOf(2).subarray(12), data: fromHex('616263') }),
    kit.transaction('E', { to: remember, value: 0n }),
  )
  for (let i = 0; i < 5; i++) {
    extend(...[...'ABCDE'].map((name) => kit.transaction(name, { to: addressOf(`to ${i}`) })))
  }
  return kit
}

it('takes our blocks: seals, hashes, roots, and every account after the last one', async () => {
  const { chain } = makeChain()
  const file = concatBytes(...exportBlocks(chain, 0n, chain.head.header.number))
  const outcomes = chain.executedBlock(chain.store.canonicalHash(4n) ?? '')?.receipts
  expect(outcomes?.map(({ outcome }) => outcome)).toEqual([1, 0, 1, 1, 1])

  const genesis = genesisToJson(parseGenesis(JSON.parse(chain.store.genesisJson() ?? '')).genesis)
  const geth = genesis as unknown as Parameters<typeof parseGethGenesisState>[0]
  const common = createCommonFromGethGenesis(geth as never, { chain: 'cairn' })
  expect(common.hardfork()).toBe('london')
  const stateManager = new MerkleStateManager({ common })
  const genesisState = parseGethGenesisState(geth)
  await stateManager.generateCanonicalGenesis(genesisState)
  const blockchain = await createBlockchain({
    common,
    genesisState,
    validateBlocks: true,
    validateConsensus: true,
    consensusDict: { [ConsensusAlgorithm.Clique]: new CliqueConsensus() },
  })
  expect(toHex(blockchain.genesisBlock.hash())).toBe(chain.genesisHash.slice(2))
  const evm = await createEVM({
    ...{ common, blockchain, stateManager },
    // The EVM asks for less of a header than the function that they give for it.
    cliqueSigner: (header) => cliqueSigner(header as BlockHeader),
  })
  const vm = await createVM({ common, blockchain, stateManager, evm })

  let rest: Uint8Array = file
  let root = blockchain.genesisBlock.header.stateRoot
  let blockCount = 0
  while (rest.length > 0) {
    const { data, remainder } = RLP.decode(rest, true)
    const bytes = rest.subarray(0, rest.length - remainder.length)
    rest = remainder
    expect(Array.isArray(data)).toBe(true)
    const block = createBlockFromRLP(bytes, { common })
    const { number } = block.header
    expect(`0x${toHex(block.hash())}`).toBe(chain.store.canonicalHash(number))
    if (number === 0n) continue
    await blockchain.putBlock(block)
    // Throws where gas, bloom, receipts or the state differ from what the header says.
    await runBlock(vm, { block, root })
    root = await stateManager.getStateRoot()
    expect(equalBytes(root, block.header.stateRoot)).toBe(true)
    blockCount++
  }
  expect(blockCount).toBe(10)
  expect(`0x${toHex((await blockchain.getCanonicalHeadBlock()).hash())}`).toBe(chain.head.hash)
  expect(root).toEqual(dataFromHex(`0x${toHex(chain.head.header.stateRoot)}`, 32))
})
