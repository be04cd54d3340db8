import { utf8 } from '@cairn/core'
import {
  type Block,
  type BlockHeader,
  cliqueSealHash,
  dataToHex,
  emptyCodeHash,
} from '@cairn/eth-codec'
import { describe, expect, it } from 'vitest'
import { CliqueTestChain } from '../testing/clique-chain.ts'
import { SealRecord, type SealRecordStore, sealEntryCountMax } from './seal-record.ts'

class MemoryStore implements SealRecordStore {
  bytes: Uint8Array | undefined
  writeCount = 0
  failing = false
  read = async () => this.bytes
  write = async (bytes: Uint8Array) => {
    if (this.failing) throw new Error('no space left')
    this.writeCount++
    this.bytes = bytes
  }
  close = async () => undefined
}

const chain = new CliqueTestChain('A')

function blockOf(header: BlockHeader): Block {
  return { header, transactions: [], uncles: [] }
}

function blocks(count: number): Block[] {
  const headers: BlockHeader[] = []
  let head = chain.genesis
  for (let i = 0; i < count; i++) {
    head = chain.add(chain.seal(head, 'A'))
    headers.push(head)
  }
  return headers.map(blockOf)
}

const [one, two, three] = blocks(3) as [Block, Block, Block]
const otherTime = { timestamp: two.header.timestamp + 1n }
const otherTwo = blockOf(chain.seal(one.header, 'A', undefined, otherTime))

describe('SealRecord', () => {
  it('grants one block on a parent, however often it is asked', async () => {
    const store = new MemoryStore()
    const record = await SealRecord.open(store)
    expect(await record.claim(one)).toEqual({ kind: 'granted' })
    expect(await record.claim(two)).toEqual({ kind: 'granted' })
    expect(await record.claim(two)).toEqual({ kind: 'granted' })
    expect(store.writeCount).toBe(2)
    expect(await record.claim(otherTwo)).toMatchObject({ kind: 'refused' })
    expect(record.numberMax).toBe(2n)
  })

  it('remembers after a restart', async () => {
    const store = new MemoryStore()
    await (await SealRecord.open(store)).claim(two)
    const record = await SealRecord.open(store)
    expect(record.numberMax).toBe(2n)
    expect(record.lastBlock).toEqual(two)
    expect(await record.claim(otherTwo)).toMatchObject({ kind: 'refused' })
    expect(await record.claim(two)).toEqual({ kind: 'granted' })
  })

  it('reads a record from before it held the block', async () => {
    const store = new MemoryStore()
    const { number, parentHash } = two.header
    const sealHash = dataToHex(cliqueSealHash(two.header))
    const sealed = [{ number: String(number), parentHash: dataToHex(parentHash), sealHash }]
    store.bytes = utf8(JSON.stringify({ version: 1, sealed }))
    const record = await SealRecord.open(store)
    expect(record.lastBlock).toBeUndefined()
    expect(await record.claim(otherTwo)).toMatchObject({ kind: 'refused' })
    expect(await record.claim(three)).toEqual({ kind: 'granted' })
    expect((await SealRecord.open(store)).lastBlock).toEqual(three)
  })

  it('grants another block of the same number on another parent: that is another branch', async () => {
    const record = await SealRecord.open(new MemoryStore())
    await record.claim(two)
    const branch = blockOf({ ...two.header, parentHash: emptyCodeHash })
    expect(await record.claim(branch)).toEqual({ kind: 'granted' })
    expect(await record.claim(otherTwo)).toMatchObject({ kind: 'refused' })
  })

  it('answers claims made at once one after the other', async () => {
    const record = await SealRecord.open(new MemoryStore())
    const claims = await Promise.all([record.claim(two), record.claim(otherTwo)])
    expect(claims.map(({ kind }) => kind)).toEqual(['granted', 'refused'])
  })

  it('grants nothing that it could not write down', async () => {
    const store = new MemoryStore()
    const record = await SealRecord.open(store)
    store.failing = true
    await expect(record.claim(two)).rejects.toThrow('no space left')
    store.failing = false
    expect(await record.claim(otherTwo)).toEqual({ kind: 'granted' })
    expect(await record.claim(two)).toMatchObject({ kind: 'refused' })
  })

  it('refuses what is older than its memory', async () => {
    const store = new MemoryStore()
    const record = await SealRecord.open(store)
    const many = blocks(sealEntryCountMax + 2).slice(1)
    for (const block of many) expect(await record.claim(block)).toEqual({ kind: 'granted' })
    expect(await record.claim(one)).toEqual({ kind: 'tooOld', numberMin: 3n })
    const late = blockOf({ ...three.header, parentHash: emptyCodeHash })
    expect(await record.claim(late)).toEqual({ kind: 'tooOld', numberMin: 3n })
    expect(store.bytes?.length).toBeLessThan(8192)
  })

  it('does not start from a damaged record', async () => {
    const store = new MemoryStore()
    for (const text of ['', '{', '{"version":2,"sealed":[]}', '{"version":1}']) {
      store.bytes = utf8(text)
      await expect(SealRecord.open(store)).rejects.toThrow()
    }
  })
})
