import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemClock } from '@cairn/core'
import { Evm } from '@cairn/eth-evm'
import {
  type Database,
  type DatabaseReplica,
  openLmdbDatabase,
  openLmdbReplica,
} from '@cairn/eth-state'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ChainReader, HeadChange } from '../chain-reader.ts'
import { findLogs } from '../logs/log-query.ts'
import { ChainKit, ether, makeGenesis } from '../testing/chain-kit.ts'
import { addressOf } from '../testing/clique-chain.ts'
import { ChainReplica } from './chain-replica.ts'

let folder: string
let database: Database
let replicaDatabase: DatabaseReplica
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-replica-'))
  database = openLmdbDatabase(folder)
})
afterEach(async () => {
  await replicaDatabase.close()
  await database.close()
  rmSync(folder, { recursive: true, force: true })
})

function open(signers = 'A', isArchive = false): { kit: ChainKit; replica: ChainReplica } {
  const kit = new ChainKit(makeGenesis(signers), { database, isArchive })
  replicaDatabase = openLmdbReplica(folder)
  const evm = new Evm({ interpreter: 'typescript' })
  const clock = createSystemClock()
  return { kit, replica: new ChainReplica({ database: replicaDatabase, evm, clock, isArchive }) }
}

function balanceOf(chain: ChainReader, root = chain.head.header.stateRoot): bigint | undefined {
  const balance = chain.stateAt(root)?.readAccount(addressOf('E'))?.balance
  return balance === undefined ? undefined : balance - 1000n * ether
}

describe('a replica of a chain', () => {
  it('stays at its head until it follows, then is all at the next one', () => {
    const { kit, replica } = open()
    const changes: HeadChange[] = []
    replica.onHead((change) => changes.push(change))
    kit.extend('A', [kit.transaction('B')])
    const [first] = [kit.chain.head]
    kit.extend('A', [kit.transaction('B'), kit.transaction('C')])
    expect(replica.head.header.number).toBe(0n)
    expect(replica.headerByNumber(1n)).toBeUndefined()
    expect(balanceOf(replica)).toBe(0n)
    replica.follow()
    expect(replica.head).toEqual(kit.chain.head)
    expect(replica.genesisHash).toBe(kit.chain.genesisHash)
    expect(replica.config).toEqual(kit.chain.config)
    expect(balanceOf(replica)).toBe(3n)
    expect(balanceOf(replica, first?.header.stateRoot)).toBe(1n)
    expect(replica.executedBlock(replica.head.hash)).toEqual(
      kit.chain.executedBlock(kit.chain.head.hash),
    )
    expect(replica.clique.snapshotAt(replica.head.hash)).toEqual(
      kit.chain.clique?.snapshotAt(kit.chain.head.hash),
    )
    const { head } = replica
    expect(changes).toEqual([{ head, removed: [], added: [first, head].map(hashedHeader) }])
    replica.follow()
    expect(changes).toHaveLength(1)
  })

  it('works out what left and what came when another branch won', () => {
    const { kit, replica } = open('ABC')
    const sorted = [...'ABC'].sort((a, b) => Buffer.compare(addressOf(a), addressOf(b)))
    const [weak, strong, other] = sorted as [string, string, string]
    const genesis = kit.chain.genesisHash
    const strongBlock = kit.makeBlock(genesis, strong)
    const lost = kit.makeBlock(genesis, weak, [kit.transaction('D')])
    kit.chain.importBlocks([lost])
    replica.follow()
    expect(balanceOf(replica)).toBe(1n)
    const left = replica.head
    const changes: HeadChange[] = []
    replica.onHead((change) => changes.push(change))
    kit.chain.importBlocks([strongBlock])
    kit.extend(other)
    replica.follow()
    expect(balanceOf(replica)).toBe(0n)
    expect(balanceOf(replica, lost.header.stateRoot)).toBeUndefined()
    expect(changes.map(({ removed }) => removed)).toEqual([[hashedHeader(left)]])
    expect(changes[0]?.added.map(({ header }) => header.number)).toEqual([1n, 2n])
    // Its logs are told as removed.
    expect(replica.executedBlock(left.hash)?.receipts).toHaveLength(1)
    expect([...findLogs(replica.store, { addresses: [], topics: [] }, 0n, 2n)].flat()).toEqual([])
  })

  it.each([
    ['the last 128 states', false],
    ['every state of an archive', true],
  ])('reads %s', (_, isArchive) => {
    const { kit, replica } = open('A', isArchive)
    const roots: Uint8Array[] = []
    for (let i = 0; i < 140; i++) {
      roots.push(kit.extend('A', [kit.transaction('B')]).header.stateRoot)
      if (i % 9 === 0) replica.follow()
    }
    replica.follow()
    for (const [index, root] of roots.entries()) {
      const isKept = isArchive || index >= roots.length - 129
      expect(balanceOf(replica, root), `block ${index + 1}`).toBe(
        isKept ? BigInt(index) + 1n : undefined,
      )
    }
  })

  it('follows into other tables when the state was made anew for an old branch', () => {
    const { kit, replica } = open('AB')
    const source = new ChainKit(makeGenesis('AB'))
    const signers = [...'AB'].sort((a, b) => Buffer.compare(addressOf(a), addressOf(b)))
    // In turn all the time against never: the shorter branch has more difficulty.
    const better = Array.from({ length: 150 }, (_, i) => source.extend(signers[(i + 1) % 2] ?? ''))
    for (let i = 0; i < 140; i++) {
      kit.extend(signers[i % 2] ?? '', [kit.transaction('B')])
    }
    replica.follow()
    expect(balanceOf(replica)).toBe(140n)
    kit.chain.importBlocks(better)
    expect(kit.chain.store.stateSuffix()).toBe('2')
    replica.follow()
    expect(replica.head.hash).toBe(source.chain.head.hash)
    expect(balanceOf(replica)).toBe(0n)
    kit.extend(signers[1] ?? '', [kit.transaction('C')])
    replica.follow()
    expect(balanceOf(replica)).toBe(1n)
  })
})

function hashedHeader(head: { hash: string; header: unknown } | undefined): unknown {
  return { hash: head?.hash, header: head?.header }
}
