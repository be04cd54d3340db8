/** Methods of debug that look into state: ranges of accounts and slots, what blocks changed. */
import { utf8 } from '@cairn/core'
import { nextBaseFee } from '@cairn/eth-chain'
import {
  blockHash,
  dataFromHex,
  dataToHex,
  emptyTrieRoot,
  encodeBlock,
  keccak256,
  quantityToHex,
  sealCliqueHeader,
} from '@cairn/eth-codec'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assemble } from '../testing/assemble.ts'
import { openRpcTestNode, type RpcTestNode } from '../testing/rpc-node.ts'
import { type MinedReceipt, SealingClient } from '../testing/sealing-client.ts'

interface AccountRange {
  readonly root: string
  readonly accounts: Readonly<Record<string, { readonly key: string; readonly balance: string }>>
  readonly next?: string
}
interface StorageRange {
  readonly storage: Readonly<
    Record<string, { readonly key: string | null; readonly value: string }>
  >
  readonly nextKey: string | null
}

const word = (value: number) => `0x${value.toString(16).padStart(64, '0')}`
const hashOf = (hex: string) => dataToHex(keccak256(dataFromHex(hex)))
const receiver = `0x${'12'.repeat(20)}`

let node: RpcTestNode
let client: SealingClient
let contract: string
let made: MinedReceipt
let written: MinedReceipt[]
let paid: MinedReceipt

beforeAll(async () => {
  node = await openRpcTestNode()
  client = new SealingClient(node)
  // Writes the value that it is sent into the slot after it, and the constructor slots 1 and 2.
  const runtime = assemble('CALLVALUE DUP1 1 ADD SSTORE STOP')
  made = await client.mined(client.submit({ data: deployment(runtime) }))
  contract = made.contractAddress
  const hashes = [3n, 4n].map((value) => client.submit({ to: contract, value }))
  written = await Promise.all(hashes.map((hash) => client.mined(hash)))
  expect(written[0]?.blockHash).toBe(written[1]?.blockHash)
  paid = await client.mined(client.submit({ to: receiver, value: 5n }))
})
afterAll(() => node.close())

/** Init code that writes slots 1 and 2, and returns `runtime`. */
function deployment(runtime: string): string {
  const size = runtime.length / 2
  const before = assemble('7 1 SSTORE 8 2 SSTORE')
  const copy = (at: number) => assemble(`${size} ${at} 0 CODECOPY ${size} 0 RETURN`)
  const offset = (before.length + copy(100).length) / 2
  return `0x${before}${copy(offset)}${runtime}`
}

describe('debug_accountRange', () => {
  it('lists accounts by hash, in pieces that follow one another', async () => {
    const all = await client.result<AccountRange>('debug_accountRange', 'latest', '0x', 256)
    const header = await client.result<{ stateRoot: string }>('eth_getBlockByNumber', 'latest')
    expect(`0x${all.root}`).toBe(header.stateRoot)
    expect(all).not.toHaveProperty('next')
    const keys = Object.values(all.accounts).map(({ key }) => key)
    expect(keys).toEqual([...keys].sort())
    expect(all.accounts[`pre(${hashOf(receiver)})`]).toEqual({
      balance: '5',
      nonce: 0,
      root: expect.stringMatching(/^0x56e81f17/),
      codeHash: expect.stringMatching(/^0xc5d24601/),
      key: hashOf(receiver),
    })
    expect(all.accounts[`pre(${hashOf(contract)})`]).toMatchObject({
      balance: '7',
      code: `0x${assemble('CALLVALUE DUP1 1 ADD SSTORE STOP')}`,
    })
    const pieces: string[] = []
    for (let start = '0x'; ; ) {
      const piece = await client.result<AccountRange>('debug_accountRange', 'latest', start, 2)
      pieces.push(...Object.keys(piece.accounts))
      if (piece.next === undefined) break
      start = `0x${Buffer.from(piece.next, 'base64').toString('hex')}`
    }
    expect(pieces).toEqual(Object.keys(all.accounts))
    expect(await client.result('debug_dumpBlock', 'latest')).toEqual(all)
  })

  it('tells an earlier state as it was', async () => {
    const before = await client.result<AccountRange>(
      'debug_accountRange',
      written[0]?.blockNumber,
      '0x',
      256,
    )
    expect(before.accounts).not.toHaveProperty(`pre(${hashOf(receiver)})`)
    const without = await client.result<AccountRange>('debug_accountRange', '0x1', '0x', 9, true)
    expect(without.accounts[`pre(${hashOf(contract)})`]).not.toHaveProperty('code')
    expect(await client.error('debug_accountRange', 'latest', `0x${'00'.repeat(33)}`, 1)).toBe(
      'the start has 33 bytes, at most 32',
    )
  })
})

describe('debug_storageRangeAt', () => {
  const range = (block: string | undefined, index: number, start = '0x', countMax = 100) =>
    client.result<StorageRange>('debug_storageRangeAt', block, index, contract, start, countMax)

  it('has the slots as each transaction of a block finds them', async () => {
    const first = await range(written[0]?.blockHash, 0)
    expect(first).toEqual({
      storage: {
        [hashOf(word(1))]: { key: null, value: word(7) },
        [hashOf(word(2))]: { key: null, value: word(8) },
      },
      nextKey: null,
    })
    const second = await range(written[0]?.blockHash, 1)
    expect(second.storage).toEqual({
      ...first.storage,
      [hashOf(word(4))]: { key: word(4), value: word(3) },
    })
    const later = await range(paid.blockHash, 0)
    expect(Object.keys(later.storage)).toEqual(
      [1, 2, 4, 5].map((slot) => hashOf(word(slot))).sort(),
    )
  })

  it('goes on where it stopped', async () => {
    const hashes = Object.keys((await range(written[0]?.blockHash, 1)).storage)
    const piece = await range(written[0]?.blockHash, 1, '0x', 2)
    expect(Object.keys(piece.storage)).toEqual(hashes.slice(0, 2))
    expect(piece.nextKey).toBe(hashes[2])
    const rest = await range(written[0]?.blockHash, 1, piece.nextKey ?? '', 2)
    expect(Object.keys(rest.storage)).toEqual(hashes.slice(2))
    expect(rest.nextKey).toBeNull()
  })

  it('says what there is not', async () => {
    const none = ['debug_storageRangeAt', paid.blockHash, 0, receiver, '0x', 10] as const
    expect(await client.result(...none)).toEqual({ storage: null, nextKey: null })
    expect(await client.error('debug_storageRangeAt', paid.blockHash, 3, contract, '0x', 10)).toBe(
      `transaction index 3 out of range for block ${paid.blockHash}`,
    )
  })
})

describe('debug_getModifiedAccounts…', () => {
  const sender = async () =>
    (
      await client.result<{ from: string }>(
        'eth_getTransactionByBlockHashAndIndex',
        paid.blockHash,
        '0x0',
      )
    ).from
  const author = () => node.node.chain.rules.signerOf(node.node.chain.head.header)
  const ordered = (...addresses: string[]) =>
    addresses.sort((a, b) => (hashOf(a) < hashOf(b) ? -1 : 1))

  it('names whom one block has changed, or several', async () => {
    const one = await client.result<string[]>('debug_getModifiedAccountsByHash', paid.blockHash)
    expect(one).toEqual(ordered(receiver, await sender(), author()))
    const [from, to] = [made, paid].map(({ blockNumber }) => Number(blockNumber))
    const several = await client.result<string[]>('debug_getModifiedAccountsByNumber', from, to)
    expect(several).toEqual(ordered(receiver, contract, await sender(), author()))
  })

  it('refuses what it cannot compare', async () => {
    expect(await client.error('debug_getModifiedAccountsByNumber', 99)).toBe(
      'start block 63 not found',
    )
    expect(await client.error('debug_getModifiedAccountsByNumber', 0)).toBe('block 0 has no parent')
    expect(await client.error('debug_getModifiedAccountsByNumber', 2, 1)).toBe(
      'start block height (2) must be less than end block height (1)',
    )
  })
})

describe('debug_getBadBlocks', () => {
  it('has the blocks that were found invalid', async () => {
    expect(await client.result('debug_getBadBlocks')).toEqual([])
    const { hash, header } = node.node.chain.head
    const child = {
      ...header,
      parentHash: dataFromHex(hash),
      number: header.number + 1n,
      stateRoot: new Uint8Array(32),
      transactionsRoot: emptyTrieRoot,
      receiptsRoot: emptyTrieRoot,
      logsBloom: new Uint8Array(256),
      gasUsed: 0n,
      baseFeePerGas: nextBaseFee(node.node.chain.config, header),
    }
    const sealed = sealCliqueHeader(child, keccak256(utf8('sealer')))
    const rlp = encodeBlock({ header: sealed, transactions: [], uncles: [] })
    await expect(node.node.execution.importBlocks([rlp])).rejects.toThrow('invalid merkle root')
    expect(await client.result('debug_getBadBlocks')).toMatchObject([
      {
        hash: dataToHex(blockHash(sealed)),
        block: { number: quantityToHex(sealed.number) },
        rlp: dataToHex(rlp),
      },
    ])
  })
})

describe('the rest', () => {
  it('knows no preimages, prints blocks, and tells its memory', async () => {
    expect(await client.error('debug_preimage', word(1))).toBe('unknown preimage')
    const printed = await client.result<string>('debug_printBlock', 1)
    expect(JSON.parse(printed)).toMatchObject({ number: '0x1', transactions: [{ nonce: '0x0' }] })
    expect(await client.error('debug_printBlock', 99)).toBe('block #99 not found')
    const memory = await client.result<Record<string, number>>('debug_memStats')
    expect(memory['Sys']).toBeGreaterThan(memory['HeapInuse'] ?? 0)
    expect(await client.error('debug_setHead', '0x0')).toMatch(/does not exist/)
  })
})
