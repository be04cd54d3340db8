import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Block, blockHash, dataToHex } from '@cairn/eth-codec'
import { createMemoryDatabase, lastKey, openLmdbDatabase } from '@cairn/eth-state'
import { describe, expect, it } from 'vitest'
import type { BlocksChange } from './chain.ts'
import { balanceOf, ChainKit, ether, makeGenesis } from './testing/chain-kit.ts'
import { addressOf } from './testing/clique-chain.ts'

const hashOf = (block: Block): string => dataToHex(blockHash(block.header))

describe('chain', () => {
  it('starts with its genesis, and takes the same again but no other', () => {
    const database = createMemoryDatabase()
    const first = new ChainKit(makeGenesis('A'), { database })
    expect(first.chain.head.header.number).toBe(0n)
    expect(balanceOf(first.chain, 'A')).toBe(1000n * ether)
    const again = new ChainKit(makeGenesis('A'), { database })
    expect(again.chain.head.hash).toBe(first.chain.head.hash)
    expect(new ChainKit(undefined, { database }).chain.genesisHash).toBe(first.chain.genesisHash)
    expect(() => new ChainKit(makeGenesis('B'), { database })).toThrow(
      `database contains incompatible genesis (have ${first.chain.genesisHash}, new 0x`,
    )
    expect(() => new ChainKit(undefined)).toThrow('no chain in this folder')
  })

  it('takes a fork that lies ahead, and none that has passed', () => {
    const database = createMemoryDatabase()
    const london = makeGenesis('A', 1, {})
    new ChainKit(london, { database }).extend('A')
    const later = makeGenesis('A', 1, { shanghaiTime: 1_800_000_000 })
    expect(new ChainKit(later, { database }).chain.config.shanghaiTime).toBe(1_800_000_000n)
    const passed = makeGenesis('A', 1, { shanghaiTime: 0 })
    expect(() => new ChainKit(passed, { database })).toThrow('mismatching shanghaiTime')
  })

  it('executes transactions, pays the signer and burns the base fee', () => {
    const kit = new ChainKit(makeGenesis('A'))
    const sealed = kit.extend('A', [kit.transaction('B', { value: ether })])
    const { chain } = kit
    expect(chain.head.hash).toBe(hashOf(sealed))
    const baseFee = sealed.header.baseFeePerGas as bigint
    expect(balanceOf(chain, 'E')).toBe(1001n * ether)
    expect(balanceOf(chain, 'A')).toBe(1000n * ether + 21_000n * 1_000_000_000n)
    expect(balanceOf(chain, 'B')).toBe(999n * ether - 21_000n * (baseFee + 1_000_000_000n))
    expect(chain.store.receiptsByHash(hashOf(sealed))?.[0]?.cumulativeGasUsed).toBe(21_000n)
  })

  it('imports what another made, in batches, and is the same afterwards when it is opened again', () => {
    const source = new ChainKit(makeGenesis('A'))
    const blocks = Array.from({ length: 150 }, (_, i) =>
      source.extend('A', i % 3 === 0 ? [source.transaction('B')] : []),
    )
    const database = createMemoryDatabase()
    const target = new ChainKit(makeGenesis('A'), { database })
    expect(target.chain.importBlocks(blocks).newCount).toBe(150)
    expect(target.chain.importBlocks(blocks).newCount).toBe(0)
    expect(target.chain.head).toEqual(source.chain.head)
    const reopened = new ChainKit(undefined, { database })
    expect(reopened.chain.head).toEqual(source.chain.head)
    expect(balanceOf(reopened.chain, 'B')).toBe(balanceOf(source.chain, 'B'))
  })

  it('takes a block whose header came with another body before', () => {
    const kit = new ChainKit(makeGenesis('A'))
    const other = new ChainKit(makeGenesis('A'))
    const block = other.extend('A', [other.transaction('D')])
    const stranger = { ...block, transactions: [other.transaction('C')] }
    for (const wrong of [stranger, { ...block, transactions: [] }]) {
      expect(() => kit.chain.importBlocks([wrong])).toThrow(/transaction root hash mismatch/)
    }
    expect(() => kit.chain.importBlocks([{ ...block, uncles: [block.header] }])).toThrow(/uncles/)
    kit.chain.importBlocks([block])
    expect(kit.chain.head).toEqual(other.chain.head)
  })

  it('moves to a better branch and back, with its transactions and receipts', () => {
    const kit = new ChainKit(makeGenesis('ABC'))
    const other = new ChainKit(makeGenesis('ABC'))
    const changes: BlocksChange[] = []
    kit.chain.onHead((change) => changes.push(change))
    const order = signerOrder()
    // Out of turn weighs 1, in turn 2.
    const weak = kit.extend(order.outOfTurn(1n), [kit.transaction('D', { value: 5n })])
    const strong = other.extend(order.inTurn(1n), [other.transaction('D', { value: 7n })])
    expect(balanceOf(kit.chain, 'E')).toBe(1000n * ether + 5n)
    kit.chain.importBlocks([strong])
    expect(kit.chain.head.hash).toBe(hashOf(strong))
    expect(balanceOf(kit.chain, 'E')).toBe(1000n * ether + 7n)
    expect(changes.at(-1)?.removed.map(({ hash }) => hash)).toEqual([hashOf(weak)])
    expect(changes.at(-1)?.added.map(({ hash }) => hash)).toEqual([hashOf(strong)])
    expect(kit.chain.blockByNumber(1n)).toEqual(strong)
    // A lighter block beside the head is kept and changes nothing.
    other.chain.importBlocks([weak])
    expect(other.chain.head.hash).toBe(hashOf(strong))
    expect(other.chain.store.blockByHash(hashOf(weak))).toEqual(weak)
  })

  it('moves to a better branch from before the states that are kept, by executing again', () => {
    const database = createMemoryDatabase()
    const kit = new ChainKit(makeGenesis('ABC'), { database })
    const other = new ChainKit(makeGenesis('ABC'))
    const order = signerOrder()
    const common = other.extend(order.inTurn(1n), [other.transaction('D', { value: 3n })])
    kit.chain.importBlocks([common])
    let before = order.inTurn(1n)
    for (let number = 2n; number <= 150n; number++) {
      const signer = order.allOutOfTurn(number).find((name) => name !== before) as string
      kit.extend(signer, [kit.transaction('B')])
      before = signer
    }
    const strong = Array.from({ length: 80 }, (_, i) =>
      other.extend(order.inTurn(BigInt(i + 2)), [other.transaction('C', { value: 2n })]),
    )
    kit.chain.importBlocks(strong)
    expect(kit.chain.head).toEqual(other.chain.head)
    expect(balanceOf(kit.chain, 'E')).toBe(1000n * ether + 3n + 160n)
    const state = kit.chain.stateOf(kit.chain.head.header)
    expect(state.readAccount(addressOf('B'))?.nonce).toBe(0n)
    kit.chain.importBlocks([other.extend(order.inTurn(82n), [other.transaction('C')])])
    const reopened = new ChainKit(undefined, { database })
    expect(reopened.chain.head).toEqual(other.chain.head)
    expect(balanceOf(reopened.chain, 'E')).toBe(1000n * ether + 3n + 161n)
    expect([...database.table('accounts').range(Uint8Array.of(0), lastKey)]).toEqual([])
  })

  it('keeps what came first of two branches that weigh the same', () => {
    const kit = new ChainKit(makeGenesis('ABC'))
    const [first, second] = signerOrder().allOutOfTurn(1n)
    const mine = kit.makeBlock(kit.chain.head.hash, first as string)
    const theirs = kit.makeBlock(kit.chain.head.hash, second as string)
    kit.chain.importBlocks([mine])
    kit.chain.importBlocks([theirs])
    expect(kit.chain.head.hash).toBe(hashOf(mine))
  })

  it('refuses a block that lies about its outcome, and everything upon it', () => {
    const source = new ChainKit(makeGenesis('A'))
    const target = new ChainKit(makeGenesis('A'))
    const good = source.extend('A')
    const block = source.makeBlock(hashOf(good), 'A', [source.transaction('B')])
    const lies: [Partial<Block['header']>, string][] = [
      [{ stateRoot: new Uint8Array(32) }, 'invalid merkle root'],
      [{ receiptsRoot: new Uint8Array(32) }, 'invalid receipt root hash'],
      [{ gasUsed: 1n }, 'invalid gas used (remote: 1 local: 21000)'],
      [{ logsBloom: new Uint8Array(256).fill(1) }, 'invalid bloom'],
    ]
    for (const [change, text] of lies) {
      const bad = source.reseal({ ...block, header: { ...block.header, ...change } }, 'A')
      expect(() => target.chain.importBlocks([good, bad])).toThrow(text)
      expect(target.chain.head.hash).toBe(hashOf(good))
      expect(() => target.chain.importBlocks([bad])).toThrow('was found invalid before')
    }
    target.chain.importBlocks([block])
    expect(target.chain.head.hash).toBe(hashOf(block))
  })

  it('keeps the blocks before one whose header is refused', () => {
    const source = new ChainKit(makeGenesis('A'))
    const target = new ChainKit(makeGenesis('A'))
    const [first, second, third] = [source.extend('A'), source.extend('A'), source.extend('A')]
    const bad = source.reseal({ ...third, header: { ...third.header, gasLimit: 1n } }, 'A')
    expect(() => target.chain.importBlocks([first, second, bad])).toThrow('invalid gas limit')
    expect(target.chain.head.hash).toBe(hashOf(second))
  })

  it('reads the state of old blocks as long as it is kept', () => {
    const kit = new ChainKit(makeGenesis('A'), { isArchive: true })
    for (let i = 0; i < 20; i++) kit.extend('A', [kit.transaction('B', { value: 1n })])
    for (let number = 0n; number <= 20n; number++) {
      const header = kit.chain.headerByNumber(number)
      if (header === undefined) throw new Error('a header is missing')
      const account = kit.chain.stateOf(header).readAccount(addressOf('E'))
      expect(account?.balance).toBe(1000n * ether + number)
    }
  })

  it('lies on a disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-chain-'))
    try {
      const database = openLmdbDatabase(folder)
      const kit = new ChainKit(makeGenesis('A'), { database })
      for (let i = 0; i < 70; i++) kit.extend('A', [kit.transaction('B')])
      await database.close()
      const again = openLmdbDatabase(folder)
      const reopened = new ChainKit(undefined, { database: again })
      expect(reopened.chain.head).toEqual(kit.chain.head)
      expect(balanceOf(reopened.chain, 'E')).toBe(1000n * ether + 70n)
      const hash = kit.chain.head.hash
      expect(reopened.chain.executedBlock(hash)?.receipts).toHaveLength(1)
      await again.close()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

/** Whose turn it is among A, B and C. */
function signerOrder() {
  const sorted = [...'ABC'].sort((a, b) => Buffer.compare(addressOf(a), addressOf(b)))
  const inTurn = (number: bigint): string => sorted[Number(number % 3n)] as string
  const allOutOfTurn = (number: bigint) => sorted.filter((name) => name !== inTurn(number))
  const outOfTurn = (number: bigint): string => allOutOfTurn(number)[0] as string
  return { inTurn, outOfTurn, allOutOfTurn }
}
