import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, createSystemClock, type Logger } from '@cairn/core'
import { openLmdbDatabase } from '@cairn/eth-state'
import { createVirtualClock } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import type { BlocksChange, Chain } from '../chain.ts'
import { SealRecord } from '../clique/seal-record.ts'
import {
  balanceOf,
  ChainKit,
  ether,
  makeGenesis,
  memoryRecord,
  PlainPool,
} from '../testing/chain-kit.ts'

/** Resolves with the first change of the head for which `isIt` holds. */
function headChange(
  chain: Chain,
  isIt: (change: BlocksChange) => boolean = () => true,
): Promise<BlocksChange> {
  return new Promise((resolve) => {
    const end = chain.onHead((change) => {
      if (!isIt(change)) return
      end()
      resolve(change)
    })
  })
}

describe('sealer', () => {
  it('with period 0 seals as soon as a transaction is there, and nothing before', async () => {
    const kit = new ChainKit(makeGenesis('A', 0), { clock: createSystemClock() })
    const pool = new PlainPool()
    pool.follow(kit.chain)
    const sealer = await kit.createSealer('A', pool)
    sealer.start()
    await new Promise((resolve) => setImmediate(resolve))
    expect(kit.chain.head.header.number).toBe(0n)
    const first = headChange(kit.chain)
    pool.add(kit.transaction('B'), kit.transaction('B'), kit.transaction('C'))
    expect((await first).added[0]?.block.transactions).toHaveLength(3)
    const second = headChange(kit.chain)
    pool.add(kit.transaction('B'))
    expect((await second).head.header.number).toBe(2n)
    expect(balanceOf(kit.chain, 'E')).toBe(1000n * ether + 4n)
    await sealer.stop()
    expect(sealer.isRunning).toBe(false)
  })

  it('leaves out what cannot be executed, and fills a block up to its gas', async () => {
    const kit = new ChainKit(makeGenesis('A', 0), { clock: createSystemClock() })
    const pool = new PlainPool()
    pool.follow(kit.chain)
    const gap = kit.transaction('C', { nonce: 5n })
    const poor = kit.transaction('D', { value: 2000n * ether })
    pool.add(gap, poor)
    const large = Array.from({ length: 3 }, () => kit.transaction('B', { gasLimit: 14_000_000n }))
    pool.add(...large)
    const sealer = await kit.createSealer('A', pool)
    const done = headChange(kit.chain, () => pool.transactions.size === 2)
    sealer.start()
    await done
    await sealer.stop()
    expect([...pool.transactions.values()].map(({ transaction }) => transaction)).toEqual([
      gap,
      poor,
    ])
  })

  it('with a period seals in time, empty or not, with what came until then', async () => {
    const clock = createVirtualClock(1_700_000_000_500)
    const kit = new ChainKit(makeGenesis('A', 5), { clock })
    const pool = new PlainPool()
    pool.follow(kit.chain)
    const sealer = await kit.createSealer('A', pool)
    sealer.start()
    const first = headChange(kit.chain)
    pool.add(kit.transaction('B'))
    await clock.advance(4600)
    const { added } = await first
    expect(added[0]?.block.header.timestamp).toBe(1_700_000_005n)
    expect(added[0]?.block.transactions).toHaveLength(1)
    const second = headChange(kit.chain)
    await clock.advance(5000)
    expect((await second).added[0]?.block.transactions).toEqual([])
    await sealer.stop()
  })

  it('does not seal before its time when a timer fires early', async () => {
    let timeMs = 1_700_000_000_500
    const clock: Clock = {
      nowMs: () => timeMs,
      async sleep(delayMs) {
        timeMs += delayMs > 1 ? delayMs - 1 : delayMs
      },
    }
    const kit = new ChainKit(makeGenesis('A', 5), { clock })
    const sealer = await kit.createSealer('A', new PlainPool())
    const third = headChange(kit.chain, ({ head }) => head.header.number === 3n)
    sealer.start()
    expect((await third).head.header.timestamp).toBe(1_700_000_015n)
    await sealer.stop()
  })

  it('waits while the disk is full, and goes on when there is room', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-sealer-'))
    let freeBytes = 2 ** 40
    const database = openLmdbDatabase(folder, { freeBytes: () => freeBytes })
    const clock = createVirtualClock(1_700_000_000_500)
    const kit = new ChainKit(makeGenesis('A', 5), { clock, database })
    const pool = new PlainPool()
    pool.follow(kit.chain)
    const messages: string[] = []
    const logger: Logger = {
      log: (level, message) => void (level === 'debug' || messages.push(message)),
    }
    const sealer = await kit.createSealer('A', pool, memoryRecord(), logger)
    sealer.start()
    await clock.advance(5000)
    expect(kit.chain.head.header.number).toBe(1n)
    freeBytes = 0
    pool.add(kit.transaction('B'))
    await clock.advance(30_000)
    expect(kit.chain.head.header.number).toBe(1n)
    expect(balanceOf(kit.chain, 'B')).toBe(1000n * ether)
    expect(sealer.isRunning).toBe(true)
    freeBytes = 2 ** 40
    const next = headChange(kit.chain)
    await clock.advance(6000)
    expect((await next).added[0]?.block.transactions).toHaveLength(1)
    await clock.advance(5000)
    expect(messages).toEqual([
      'the disk is full: nothing is sealed until there is room',
      'there is room again: sealing goes on',
    ])
    // It ends as quickly while it waits.
    freeBytes = 0
    await clock.advance(10_000)
    await sealer.stop()
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('adopts after a crash what it had sealed, in place of another block', async () => {
    const kit = new ChainKit(makeGenesis('A', 0), { clock: createSystemClock() })
    const record = memoryRecord()
    const sealed = kit.makeBlock(kit.chain.genesisHash, 'A', [kit.transaction('B', { value: 3n })])
    const pool = new PlainPool()
    // As far as a process came that was killed before the block was its head.
    await (await SealRecord.open(record)).claim(sealed)
    pool.follow(kit.chain)
    const sealer = await kit.createSealer('A', pool, record)
    const first = headChange(kit.chain)
    pool.add(kit.transaction('C'))
    sealer.start()
    expect((await first).added[0]?.block).toEqual(sealed)
    await headChange(kit.chain, () => pool.transactions.size === 0)
    expect(kit.chain.head.header.number).toBe(2n)
    await sealer.stop()
  })

  it('takes turns with others, and never seals twice on one parent', async () => {
    const clock = createVirtualClock(1_700_000_000_000)
    const genesis = makeGenesis('AB', 1)
    const kit = new ChainKit(genesis, { clock })
    const record = memoryRecord()
    const sealer = await kit.createSealer('A', new PlainPool(), record)
    const first = headChange(kit.chain)
    sealer.start()
    await clock.advance(3000)
    expect((await first).head.header.number).toBe(1n)
    // It has sealed one of the last two blocks, so now it is the other's turn.
    await clock.advance(20_000)
    expect(kit.chain.head.header.number).toBe(1n)
    const third = headChange(kit.chain, ({ head }) => head.header.number === 3n)
    kit.extend('B')
    await clock.advance(5000)
    await third
    await sealer.stop()

    // The same key on an empty folder: it may not make another block 1.
    const forgetful = new ChainKit(genesis, { clock })
    const again = await forgetful.createSealer('A', new PlainPool(), record)
    again.start()
    await clock.advance(20_000)
    expect(forgetful.chain.head.header.number).toBe(0n)
    await again.stop()
  })
})
