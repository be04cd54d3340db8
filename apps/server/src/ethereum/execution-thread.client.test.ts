/**
 * A node whose chain is executed on a thread of its own, over real sockets: JSON-RPC answers while blocks are executed
 * and imported, and what it reads is of one piece at each head. A thread that ends: execution-restart.client.test.ts.
 */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemClock, systemRandom } from '@cairn/core'
import { Candidate, Chain, exportBlocks, prepareHeader } from '@cairn/eth-chain'
import {
  addressFromText,
  addressOfPrivateKey,
  type Block,
  blockHash,
  dataFromHex,
  dataToHex,
  encodeBlock,
  encodeTransaction,
  recoverSender,
  sealCliqueHeader,
  signTransaction,
  type Transaction,
  type UnsignedTransaction,
} from '@cairn/eth-codec'
import { Evm } from '@cairn/eth-evm'
import { createMemoryDatabase } from '@cairn/eth-state'
import { nodeFileSystem } from '@cairn/journal'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type DevelopmentChain, openDevelopmentChain } from './development-chain.ts'
import { type EthereumNode, openEthereumNode } from './ethereum-node.ts'
import { startSourceThread } from './testing/source-thread.ts'

const clock = createSystemClock()
const address = { host: '127.0.0.1', port: 0 }
const to = '0x00000000000000000000000000000000000a0a0a'

let folder: string
let development: DevelopmentChain
let node: EthereumNode
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-et-'))
})
afterEach(async () => {
  await node.close()
  await rm(folder, { recursive: true })
})

async function start(periodSeconds: bigint, isSealing = true): Promise<void> {
  development = await openDevelopmentChain({
    directory: folder,
    files: nodeFileSystem,
    clock,
    random: systemRandom,
    periodSeconds,
  })
  node = await openEthereumNode({
    directory: folder,
    genesis: development.genesis,
    http: { address, namespaces: ['eth', 'admin', 'txpool'] },
    webSocket: { address },
    ...(isSealing ? { sealing: { privateKey: development.sealerKey } } : {}),
    clock,
    startExecutionThread: startSourceThread,
  })
}

interface Answer {
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

const callOf = (method: string, ...params: unknown[]) => ({ jsonrpc: '2.0', id: 1, method, params })

async function post(body: unknown): Promise<unknown> {
  const response = await fetch(node.endpoints.http ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return await response.json()
}

async function ask(method: string, ...params: unknown[]): Promise<unknown> {
  const { result, error } = (await post(callOf(method, ...params))) as Answer
  if (error !== undefined) throw new Error(error.message)
  return result
}

/** All read in one turn of the event loop. */
async function askAll(calls: readonly unknown[]): Promise<unknown[]> {
  return ((await post(calls)) as Answer[]).map(({ result }) => result)
}

function transaction(nonce: number, fields: Partial<UnsignedTransaction> = {}): Transaction {
  return signTransaction(
    {
      type: 2,
      chainId: development.genesis.config.chainId,
      nonce: BigInt(nonce),
      maxPriorityFeePerGas: 1_000_000_000n,
      maxFeePerGas: 100_000_000_000n,
      gasLimit: 50_000n,
      to: addressFromText(to),
      value: 1n,
      data: new Uint8Array(0),
      accessList: [],
      ...fields,
    },
    dataFromHex(development.account.privateKey),
  )
}

const rawOf = (each: Transaction) => dataToHex(encodeTransaction(each))

/** Calls that are answered one after the other until `work` is done. */
async function answeredMeanwhile(work: Promise<unknown>): Promise<number> {
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  let count = 0
  while (!isDone) {
    expect(await ask('eth_chainId')).toBe('0x539')
    expect(await ask('eth_getBalance', development.account.address, 'latest')).toMatch(/^0x/)
    count += 2
  }
  await done
  return count
}

/** Blocks of the development chain made beside the node, each upon the one before. */
class BlockMaker {
  readonly chain: Chain

  constructor() {
    const database = createMemoryDatabase()
    this.chain = new Chain({ database, evm: new Evm(), clock, genesis: development.genesis })
  }

  /** @param extra Tells blocks apart that are the same otherwise. */
  make(transactions: readonly Transaction[] = [], extra = 0): Block {
    const { chain } = this
    const { head, config, clique } = chain
    const signer = addressOfPrivateKey(development.sealerKey)
    if (config.clique === undefined || clique === undefined) throw new Error('not Clique')
    const header = prepareHeader({
      config: { ...config, clique: config.clique },
      parent: head.header,
      parentHash: dataFromHex(head.hash),
      snapshot: clique.snapshotAt(head.hash),
      signer: dataToHex(signer),
      proposal: undefined,
      vanity: Uint8Array.of(extra),
      gasLimitWanted: 30_000_000n,
      nowSeconds: 0n,
    })
    const execution = chain.execute(chain.stateOf(head.header), header, signer)
    const candidate = new Candidate(header, execution)
    for (const each of transactions) {
      candidate.add({ transaction: each, sender: recoverSender(each) })
    }
    const sealed = sealCliqueHeader(candidate.close(), development.sealerKey)
    const block = { header: sealed, transactions: candidate.transactions, uncles: [] }
    chain.importBlocks([block])
    return block
  }
}

describe('JSON-RPC beside execution', () => {
  it('answers while a full block is executed', async () => {
    await start(0n)
    // JUMPDEST PUSH2 16384 PUSH0 KECCAK256 POP PUSH0 JUMP: creations that burn all of their gas, a block full of it,
    // which keeps the thread for half a second.
    const data = Uint8Array.of(0x5b, 0x61, 0x40, 0, 0x5f, 0x20, 0x50, 0x5f, 0x56)
    const burners = Array.from({ length: 28 }, (_, nonce) =>
      transaction(nonce, { to: undefined, value: 0n, gasLimit: 1_000_000n, data }),
    )
    const hashes = await askAll(
      burners.map((each) => callOf('eth_sendRawTransaction', rawOf(each))),
    )
    const last = hashes.at(-1)
    // What was answered with a hash is found at once, in the pool or in a block.
    expect(await ask('eth_getTransactionByHash', last)).toMatchObject({ hash: last })
    let isMined = false
    let count = 0
    while (!isMined) {
      const [chainId, receipt] = await askAll([
        callOf('eth_chainId'),
        callOf('eth_getTransactionReceipt', last),
      ])
      expect(chainId).toBe('0x539')
      isMined = receipt !== null
      count++
    }
    // On one thread it is two: one call before the block, one behind it.
    expect(count).toBeGreaterThan(8)
    expect(await ask('eth_getTransactionReceipt', last)).toMatchObject({ status: '0x0' })
  })

  it('answers while a long chain is imported, and is at its end then', async () => {
    await start(0n, false)
    const maker = new BlockMaker()
    const blockCount = 700
    for (let number = 1; number <= blockCount; number++) {
      maker.make(number % 10 === 0 ? [transaction(number / 10 - 1)] : [])
    }
    const path = join(folder, 'chain.rlp')
    await writeFile(path, exportBlocks(maker.chain, 0n, BigInt(blockCount)))
    const count = await answeredMeanwhile(ask('admin_importChain', path))
    expect(count).toBeGreaterThan(8)
    expect(await ask('eth_blockNumber')).toBe(`0x${blockCount.toString(16)}`)
    expect(await ask('eth_getBalance', to, 'latest')).toBe(`0x${(blockCount / 10).toString(16)}`)
  })
})

describe('a node that closes', () => {
  it('ends what it imports where it has come to', async () => {
    await start(0n, false)
    const maker = new BlockMaker()
    const blockCount = 1500
    for (let number = 1; number <= blockCount; number++) maker.make()
    const path = join(folder, 'chain.rlp')
    await writeFile(path, exportBlocks(maker.chain, 0n, BigInt(blockCount)))
    const begun = new Promise<void>((resolve) => node.node.chain.onHead(() => resolve()))
    const importing = ask('admin_importChain', path).catch((error: Error) => error.message)
    await begun
    await node.close()
    expect(await importing).toBe('The node is closing.')
    await start(0n, false)
    const { number } = node.node.chain.head.header
    expect(number).toBeGreaterThan(0n)
    expect(number).toBeLessThan(blockCount)
    expect(await ask('admin_importChain', path)).toBe(true)
    expect(node.node.chain.head.header.number).toBe(BigInt(blockCount))
  })
})

describe('what is read', () => {
  it('agrees after each head that is told of', async () => {
    await start(0n)
    const socket = new WebSocket(node.endpoints.ws ?? '')
    await once(socket, 'open')
    socket.send(JSON.stringify(callOf('eth_subscribe', 'newHeads')))
    const countMax = 60
    const disagreements: unknown[] = []
    let headCount = 0
    const checks: Promise<void>[] = []
    const allSeen = new Promise<void>((resolve) => {
      socket.on('message', (text) => {
        const { params } = JSON.parse(String(text)) as { params?: { result: { hash: string } } }
        if (params === undefined) return
        headCount++
        const check = checkHead(params.result as unknown as Head).then(({ sum, found }) => {
          disagreements.push(...found)
          if (sum === countMax) resolve()
        })
        checks.push(check)
      })
    })
    for (let nonce = 0; nonce < countMax; nonce++) {
      await ask('eth_sendRawTransaction', rawOf(transaction(nonce)))
    }
    await allSeen
    await Promise.all(checks)
    socket.close()
    expect(headCount).toBeGreaterThan(0)
    expect(disagreements).toEqual([])
  })

  interface Head {
    readonly number: string
    readonly hash: string
  }

  /** Each transfer takes one nonce and gives one wei, so that they count the same thing in different rows. */
  async function checkHead({ number, hash }: Head): Promise<{ sum: number; found: unknown[] }> {
    const [at, balance, nonce, latest, told] = (await askAll([
      callOf('eth_blockNumber'),
      callOf('eth_getBalance', to, 'latest'),
      callOf('eth_getTransactionCount', development.account.address, 'latest'),
      callOf('eth_getBlockByNumber', 'latest', false),
      callOf('eth_getBlockByHash', hash, false),
    ])) as [string, string, string, Head, { transactions: string[] }]
    const receipts = await askAll(
      told.transactions.map((each) => callOf('eth_getTransactionReceipt', each)),
    )
    const facts = {
      isAsNew: Number(at) >= Number(number),
      isSameBlock: latest.number === at,
      isSameCount: balance === nonce,
      hasReceipts: receipts.every(
        (receipt) => (receipt as { blockHash: string })?.blockHash === hash,
      ),
    }
    const isFine = Object.values(facts).every((fact) => fact)
    return { sum: Number(balance), found: isFine ? [] : [{ number, at, balance, nonce, ...facts }] }
  }

  it('is the block in the making, when it is asked for', async () => {
    await start(3600n)
    const hash = await ask('eth_sendRawTransaction', rawOf(transaction(0, { value: 7n })))
    expect(await ask('eth_getBlockByNumber', 'pending', false)).toMatchObject({
      number: '0x1',
      hash: null,
      transactions: [hash],
    })
    expect(await ask('eth_getBalance', to, 'pending')).toBe('0x7')
    expect(await ask('eth_getBalance', to, 'latest')).toBe('0x0')
    expect(await ask('eth_getTransactionCount', development.account.address, 'pending')).toBe('0x1')
    // NUMBER PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
    const code = { [to]: { code: '0x435f5260205ff3' } }
    expect(await ask('eth_call', { to }, 'pending', code)).toBe(`0x${'1'.padStart(64, '0')}`)
    expect(await ask('eth_getProof', to, [], 'latest')).toMatchObject({ balance: '0x0' })
  })

  it('tells of logs that a better branch removed', async () => {
    await start(0n, false)
    // PUSH0 PUSH0 LOG0 as the code of a creation: one log, without anything.
    const logs = transaction(0, {
      to: undefined,
      value: 0n,
      gasLimit: 100_000n,
      data: Uint8Array.of(0x5f, 0x5f, 0xa0),
    })
    const first = new BlockMaker()
    const lost = first.make([logs])
    const second = new BlockMaker()
    const better = [second.make([], 1), second.make([], 2)]
    const socket = new WebSocket(node.endpoints.ws ?? '')
    await once(socket, 'open')
    socket.send(JSON.stringify(callOf('eth_subscribe', 'logs', {})))
    await once(socket, 'message')
    const told: { readonly blockHash: string; readonly removed: boolean }[] = []
    const both = new Promise<void>((resolve) => {
      socket.on('message', (text) => {
        const { params } = JSON.parse(String(text)) as { params: { result: (typeof told)[0] } }
        if (told.push(params.result) === 2) resolve()
      })
    })
    const [lostPath, betterPath] = [join(folder, 'lost.rlp'), join(folder, 'better.rlp')]
    await writeFile(lostPath, encodeBlock(lost))
    await writeFile(betterPath, better.map(encodeBlock))
    await ask('admin_importChain', lostPath)
    await ask('admin_importChain', betterPath)
    await both
    socket.close()
    const blockHashText = dataToHex(blockHash(lost.header))
    expect(told).toMatchObject([
      { blockHash: blockHashText, removed: false },
      { blockHash: blockHashText, removed: true },
    ])
    expect(await ask('eth_blockNumber')).toBe('0x2')
    // Its transaction waits again.
    expect(await ask('txpool_status')).toEqual({ pending: '0x1', queued: '0x0' })
  })
})
