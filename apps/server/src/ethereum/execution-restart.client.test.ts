/**
 * The thread that executes ends in the midst of its work: viem sees each transaction mined exactly once, heads go on,
 * whoever waited hears why, and the node says so when no new thread comes up. No height is sealed twice.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { type Clock, createSystemClock, systemRandom } from '@cairn/core'
import { nodeFileSystem } from '@cairn/journal'
import { createVirtualClock } from '@cairn/testing'
import { type Block, createPublicClient, createWalletClient, type Hex, http, webSocket } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { localhost } from 'viem/chains'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DevelopmentChain, openDevelopmentChain } from './development-chain.ts'
import { type EthereumNode, openEthereumNode } from './ethereum-node.ts'
import { openExecution } from './open-execution.ts'
import { endThread, startSourceThread, type ThreadEnding } from './testing/source-thread.ts'

const systemClock = createSystemClock()
const address = { host: '127.0.0.1', port: 0 }
const to = '0x00000000000000000000000000000000000a0a0a'
const ended = 'The execution of the node has ended and is started again.'

/** One entry for each thread that was started. */
let threads: Worker[]
let lines: string[]
const logger = { log: (_: string, message: string) => void lines.push(message) }
let folder: string
let development: DevelopmentChain
beforeEach(async () => {
  threads = []
  lines = []
  folder = await mkdtemp(join(tmpdir(), 'cairn-er-'))
  development = await openDevelopmentChain({
    directory: folder,
    files: nodeFileSystem,
    clock: systemClock,
    random: systemRandom,
    periodSeconds: 0n,
  })
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

const lastThread = () => threads.at(-1) as Worker
const whenExited = (thread: Worker) => new Promise((resolve) => thread.once('exit', resolve))

describe('a thread that has ended', () => {
  let node: EthereumNode
  let account: PrivateKeyAccount
  afterEach(() => node.close())

  async function start(clock: Clock = systemClock): Promise<void> {
    account = privateKeyToAccount(development.account.privateKey as Hex)
    node = await openEthereumNode({
      directory: folder,
      genesis: development.genesis,
      http: { address, namespaces: ['eth', 'clique', 'txpool'] },
      webSocket: { address },
      sealing: { privateKey: development.sealerKey },
      clock,
      logger,
      startExecutionThread: (data) => {
        const thread = startSourceThread(data)
        threads.push(thread)
        return thread
      },
    })
  }

  const chain = { ...localhost, id: 1337 }
  const httpClient = () =>
    createPublicClient({ chain, transport: http(node.endpoints.http ?? '', { retryCount: 0 }) })
  const wallet = () =>
    createWalletClient({
      account,
      chain,
      transport: http(node.endpoints.http ?? '', { retryCount: 0 }),
    })

  function send(nonce: number): Promise<Hex> {
    return wallet().sendTransaction({
      to,
      value: 1n,
      nonce,
      gas: 21_000n,
      maxFeePerGas: 100_000_000_000n,
      maxPriorityFeePerGas: 1_000_000_000n,
    })
  }

  it.each<ThreadEnding>(['exit', 'error', 'memory', 'littleMemory'])(
    'by %s leaves what was sealed, and what waits is mined by the next, once',
    async (ending) => {
      await start()
      const sockets = createPublicClient({
        chain,
        transport: webSocket(node.endpoints.ws ?? ''),
      })
      const client = httpClient()
      const count = 120
      const numbers = Array.from({ length: count }, (_, nonce) => nonce)
      const hashes: Promise<Hex>[] = []
      const heads: Block[] = []
      const allMined = new Promise<void>((resolve) => {
        sockets.watchBlocks({
          onBlock(block) {
            heads.push(block)
            // In the midst of sealing. What is sent from now on does not reach this thread any more.
            if (heads.length === 1) {
              endThread(lastThread(), ending)
              hashes.push(...numbers.slice(count / 2).map(send))
            }
            void client.getBalance({ address: to }).then((balance) => {
              if (balance === BigInt(count)) resolve()
            })
          },
        })
      })
      hashes.push(...numbers.slice(0, count / 2).map(send))
      await allMined
      expect(threads).toHaveLength(2)
      expect(lines).toContain('The Ethereum chain is executed again.')
      const heapIsFull = 'The heap of the thread that executes is full.'
      expect(lines.includes(heapIsFull)).toBe(ending === 'littleMemory')
      const places = new Set<string>()
      for (const hash of await Promise.all(hashes)) {
        const receipt = await client.getTransactionReceipt({ hash })
        expect(receipt.status).toBe('success')
        places.add(`${receipt.blockNumber} ${receipt.transactionIndex}`)
      }
      expect(places.size).toBe(count)
      expect(await client.getTransactionCount({ address: account.address })).toBe(count)
      // Told of in order, each the child of the one before: none was sealed twice, and none was passed over.
      for (const [index, head] of heads.entries()) {
        expect(head.number).toBe(BigInt(index + 1))
        if (index > 0) expect(head.parentHash).toBe(heads[index - 1]?.hash)
      }
      const socket = await sockets.transport.getRpcClient()
      socket.close()
    },
  )

  /** The first attempt to start another thread, which comes without a pause, waits until it is let go. */
  function heldClock(): { clock: Clock; release: () => void } {
    const releasing = new AbortController()
    const sleep: Clock['sleep'] = async (ms, signal) => {
      if (ms !== 0) return systemClock.sleep(ms, signal)
      const signals = [releasing.signal, ...(signal === undefined ? [] : [signal])]
      await once(AbortSignal.any(signals), 'abort')
      signal?.throwIfAborted()
    }
    const nowMs = () => systemClock.nowMs()
    return { clock: { nowMs, sleep }, release: () => releasing.abort() }
  }

  it('is told of to whoever waits; transactions are taken meanwhile, and all is there again', async () => {
    const { clock, release } = heldClock()
    await start(clock)
    const client = httpClient()
    await client.waitForTransactionReceipt({ hash: await send(0), pollingInterval: 20 })
    const voted = '0x00000000000000000000000000000000000000bb'
    await client.request({ method: 'clique_propose' as never, params: [voted, true] as never })
    const exited = whenExited(lastThread())
    endThread(lastThread(), 'error')
    await exited
    await expect(client.getProof({ address: to, storageKeys: [] })).rejects.toThrow(ended)
    await expect(client.getBalance({ address: to, blockTag: 'pending' })).rejects.toThrow(ended)
    expect(await client.getBalance({ address: to })).toBe(1n)
    const hash = await send(1)
    expect(await client.getTransaction({ hash })).toMatchObject({ blockNumber: null })
    release()
    const receipt = await client.waitForTransactionReceipt({ hash, pollingInterval: 20 })
    expect(receipt.status).toBe('success')
    // What was proposed to the first thread is voted on by the second.
    expect((await client.getBlock()).miner).toBe(voted)
    expect(await client.getProof({ address: to, storageKeys: [] })).toMatchObject({ balance: 2n })
  })

  it('may end while the node closes', async () => {
    await start(heldClock().clock)
    const exited = whenExited(lastThread())
    endThread(lastThread(), 'exit')
    await exited
    await node.close()
    expect(threads).toHaveLength(1)
    await start()
    expect(await httpClient().getBlockNumber()).toBe(0n)
  })
})

describe('threads that end again and again', () => {
  it('are started five times, with growing pauses, and then execution has failed', async () => {
    const clock = createVirtualClock()
    const opened = await openExecution({
      directory: folder,
      genesis: development.genesis,
      clock,
      logger,
      startThread: (data) => {
        if (threads.length > 0) throw new Error('no room for a thread')
        const thread = startSourceThread(data)
        threads.push(thread)
        return thread
      },
    })
    const { execution } = opened
    const exited = whenExited(lastThread())
    endThread(lastThread(), 'exit')
    await exited
    for (const pauseMs of [0, 1000, 5000, 15_000, 60_000]) {
      await expect.poll(() => clock.sleeperCount).toBe(1)
      expect(execution.failure).toBeUndefined()
      if (pauseMs > 0) await clock.advance(pauseMs - 1)
      expect(clock.sleeperCount).toBe(1)
      await clock.advance(pauseMs > 0 ? 1 : 0)
    }
    expect(String(await opened.failed)).toContain('no room for a thread')
    expect(execution.failure?.message).toContain('The execution of the node has failed.')
    await expect(execution.badBlocks()).rejects.toThrow('has failed')
    // What is there can still be read.
    expect(execution.chain.head.header.number).toBe(0n)
    expect(lines.filter((line) => line.includes('is started again'))).toHaveLength(5)
    expect(lines.at(-1)).toBe('The execution of the Ethereum node has failed.')
    await execution.close()
    await opened.close()
  })
})
