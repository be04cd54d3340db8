import { type Clock, createSystemClock } from '@cairn/core'
import { encodeTransaction } from '@cairn/eth-codec'
import { createMemoryFileSystem, createVirtualClock } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import type { HeadChange } from '../chain-reader.ts'
import { balanceOf, ChainKit, ether, makeGenesis } from '../testing/chain-kit.ts'
import { addressOf, keyOf } from '../testing/clique-chain.ts'
import { ChainNode } from './chain-node.ts'

function makeNode(
  periodSeconds: number,
  clock: Clock = createSystemClock(),
): { kit: ChainKit; node: ChainNode } {
  const kit = new ChainKit(makeGenesis('A', periodSeconds), { clock })
  return { kit, node: new ChainNode({ execution: kit.execution(), clock }) }
}

function whenHead(node: ChainNode, isIt: (change: HeadChange) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const end = node.chain.onHead((change) => {
      if (!isIt(change)) return
      end()
      resolve()
    })
  })
}

describe('chain node', () => {
  it('seals what is submitted in any order of nonces, and loses none', async () => {
    const { kit, node } = makeNode(0)
    await node.startSealing({ privateKey: keyOf('A') })
    const transactions = [...'BCD'].flatMap((name) =>
      Array.from({ length: 40 }, () => kit.transaction(name)),
    )
    const done = whenHead(node, () => balanceOf(kit.chain, 'E') === 1000n * ether + 120n)
    // Backwards, so that each account's come with the last nonce first.
    for (const transaction of transactions.reverse()) node.submit(encodeTransaction(transaction))
    await done
    expect(node.pool.status()).toEqual({ pending: 0, queued: 0 })
    await node.close()
  })

  it('shows the block in the making: its transactions, balances, nonces and new code', async () => {
    // The next block's time is an hour away, and nobody moves the clock.
    const { kit, node } = makeNode(3600, createVirtualClock(1_700_003_600_000))
    kit.extend('A')
    expect(await node.pendingBlock()).toBeUndefined()
    await node.startSealing({ privateKey: keyOf('A') })
    node.submit(encodeTransaction(kit.transaction('B', { value: 5n })))
    // PUSH1 0 PUSH1 0 RETURN at the start of memory would be no code; this returns one byte, STOP.
    const initCode = Uint8Array.of(0x60, 0x01, 0x60, 0x00, 0xf3)
    node.submit(
      encodeTransaction(kit.transaction('B', { to: undefined, value: 0n, data: initCode })),
    )
    const pending = await node.pendingBlock()
    expect(pending?.block.transactions).toHaveLength(2)
    expect(pending?.block.header.number).toBe(2n)
    expect(pending?.state.readAccount(addressOf('E'))?.balance).toBe(1000n * ether + 5n)
    expect(pending?.state.readAccount(addressOf('B'))?.nonce).toBe(2n)
    expect(pending?.receipts.map(({ outcome }) => outcome)).toEqual([1, 1])
    expect(kit.chain.head.header.number).toBe(1n)
    expect(node.pool.nextNonce(addressOf('B'))).toBe(2n)
    await node.close()
  })

  it('takes transactions of a branch that lost back into the pool', () => {
    const clock = createSystemClock()
    const kit = new ChainKit(makeGenesis('ABC'), { clock })
    const node = new ChainNode({ execution: kit.execution(), clock })
    const sorted = [...'ABC'].sort((a, b) => Buffer.compare(addressOf(a), addressOf(b)))
    const genesis = kit.chain.genesisHash
    const strong = kit.makeBlock(genesis, sorted[1] as string)
    const lost = kit.transaction('D')
    kit.chain.importBlocks([kit.makeBlock(genesis, sorted[0] as string, [lost])])
    expect(node.pool.status()).toEqual({ pending: 0, queued: 0 })
    kit.chain.importBlocks([strong])
    expect(node.pool.status()).toEqual({ pending: 1, queued: 0 })
  })

  it('drops the block in the making when the branch below it loses', async () => {
    // The clock stands still, so that nothing is sealed.
    const clock = createVirtualClock(1_700_000_001_000)
    const kit = new ChainKit(makeGenesis('ABC'), { clock })
    const node = new ChainNode({ execution: kit.execution(), clock })
    const sorted = [...'ABC'].sort((a, b) => Buffer.compare(addressOf(a), addressOf(b)))
    const [weak, strong, sealing] = sorted as [string, string, string]
    const lost = kit.transaction('D')
    const weakBlock = kit.makeBlock(kit.chain.genesisHash, weak, [lost])
    const strongBlock = kit.makeBlock(kit.chain.genesisHash, strong)
    await node.startSealing({ privateKey: keyOf(sealing) })
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    kit.chain.importBlocks([weakBlock])
    await turn()
    expect((await node.pendingBlock())?.block.header.number).toBe(2n)
    kit.chain.importBlocks([strongBlock])
    expect(await node.pendingBlock()).toBeUndefined()
    await turn()
    expect((await node.pendingBlock())?.block.transactions).toEqual([lost])
    await node.close()
  })

  it('refuses with the texts of geth', () => {
    const { kit, node } = makeNode(3600)
    const raw = encodeTransaction(kit.transaction('B'))
    node.submit(raw)
    expect(() => node.submit(raw)).toThrow('already known')
    const poor = kit.transaction('C', { value: 5000n * ether })
    expect(() => node.submit(encodeTransaction(poor))).toThrow(
      'insufficient funds for gas * price + value',
    )
  })

  it('has its local transactions again after a restart', async () => {
    const fileSystem = createMemoryFileSystem()
    await fileSystem.makeDirectory('/geth')
    const journal = { fileSystem, path: '/geth/transactions.rlp' }
    const first = makeNode(0)
    await first.node.keepPool(journal)
    const hash = first.node.submit(encodeTransaction(first.kit.transaction('B')))
    await first.node.close()
    const second = makeNode(0)
    await second.node.keepPool(journal)
    expect(second.node.pool.get(hash)).toMatchObject({ isLocal: true })
    await second.node.close()
  })
})
