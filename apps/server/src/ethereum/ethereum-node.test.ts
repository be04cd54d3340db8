/** The namespaces that steer a node, as its owner calls them over real sockets: admin, miner, debug, personal. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemClock, systemRandom } from '@cairn/core'
import { dataFromHex, dataToHex, decodeBlock, decodeBlockHeader } from '@cairn/eth-codec'
import { nodeFileSystem } from '@cairn/journal'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DevelopmentChain, openDevelopmentChain } from './development-chain.ts'
import { type EthereumNode, type EthereumNodeOptions, openEthereumNode } from './ethereum-node.ts'

const clock = createSystemClock()
const http = { address: { host: '127.0.0.1', port: 0 } }
let folder: string
let chain: DevelopmentChain
let node: EthereumNode | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-en-'))
  chain = await openDevelopmentChain({
    directory: folder,
    files: nodeFileSystem,
    clock,
    random: systemRandom,
    periodSeconds: 0n,
  })
})
afterEach(async () => {
  await node?.close()
  node = undefined
  await rm(folder, { recursive: true })
})

async function start(
  more: Partial<EthereumNodeOptions> = {},
  isSealing = true,
): Promise<EthereumNode> {
  node = await openEthereumNode({
    directory: folder,
    genesis: chain.genesis,
    ipcPath: join(folder, 'geth.ipc'),
    ...(isSealing ? { sealing: { privateKey: chain.sealerKey } } : {}),
    accounts: { unlocked: [dataFromHex(chain.account.privateKey)] },
    clock,
    ...more,
  })
  return node
}

type Answer = { readonly result?: unknown; readonly error?: { readonly message: string } }

function resultOf({ result, error }: Answer): unknown {
  if (error !== undefined) throw new Error(error.message)
  return result
}

const requestOf = (method: string, params: readonly unknown[]) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })

/** One call over IPC. */
async function ipc(method: string, ...params: unknown[]): Promise<unknown> {
  const socket = connect(join(folder, 'geth.ipc'))
  try {
    socket.write(requestOf(method, params))
    let text = ''
    for await (const piece of socket) {
      text += String(piece)
      if (text.endsWith('\n')) break
    }
    return resultOf(JSON.parse(text) as Answer)
  } finally {
    socket.destroy()
  }
}

async function post(url: string, method: string, ...params: unknown[]): Promise<unknown> {
  const headers = { 'content-type': 'application/json', connection: 'close' }
  const response = await fetch(url, { method: 'POST', headers, body: requestOf(method, params) })
  return resultOf((await response.json()) as Answer)
}

/** Sends one wei to oneself. */
const transfer = () => {
  const { address } = chain.account
  return ipc('eth_sendTransaction', { from: address, to: address, value: '0x1' })
}
const receiptOf = (hash: unknown) =>
  expect.poll(() => ipc('eth_getTransactionReceipt', hash), { interval: 20 })

describe('admin', () => {
  it('tells of the node, and that it has no neighbours', async () => {
    await start()
    expect(await ipc('admin_datadir')).toBe(folder)
    expect(await ipc('admin_peers')).toEqual([])
    expect(await ipc('admin_nodeInfo')).toMatchObject({
      name: expect.stringMatching(/^Cairn\/v/),
      protocols: { eth: { network: 1337, difficulty: 1, config: { chainId: 1337 } } },
    })
    await expect(ipc('admin_addPeer', 'enode://00')).rejects.toThrow('does not connect')
  })

  it('opens and closes listeners, and serves on them what it is told to', async () => {
    await start()
    await expect(ipc('admin_startHTTP', '0.0.0.0', 0)).rejects.toThrow('forbidden')
    expect(await ipc('admin_startHTTP', '127.0.0.1', 0, '', 'eth,personal,admin')).toBe(true)
    const running = await ipc('admin_startHTTP').catch((error: Error) => error.message)
    const url = /http:\S+/.exec(String(running))?.[0] ?? ''
    expect(running).toContain('HTTP server already running on http://127.0.0.1:')
    expect(await post(url, 'eth_chainId')).toBe('0x539')
    expect(await post(url, 'admin_datadir')).toBe(folder)
    await expect(post(url, 'personal_listAccounts')).rejects.toThrow('does not exist')
    await expect(post(url, 'net_version')).rejects.toThrow('does not exist')
    // Over the listener that it closes.
    expect(await post(url, 'admin_stopHTTP')).toBe(true)
    await expect(post(url, 'eth_chainId')).rejects.toThrow('fetch failed')
    expect(await ipc('admin_startWS', '127.0.0.1', 0)).toBe(true)
    expect(await ipc('admin_stopWS')).toBe(true)
    expect(await ipc('admin_stopWS')).toBe(true)
  })

  it('carries the chain to a file and back', async () => {
    await start()
    await receiptOf(await transfer()).toMatchObject({ status: '0x1' })
    const [plain, packed] = [join(folder, 'chain.rlp'), join(folder, 'chain.rlp.gz')]
    // As a node leaves it that was killed while it exported.
    await writeFile(`${plain}.tmp`, 'half')
    expect(await ipc('admin_exportChain', plain)).toBe(true)
    expect(await ipc('admin_exportChain', packed, '0x1', '0x1')).toBe(true)
    await expect(ipc('admin_exportChain', plain)).rejects.toThrow('would overwrite')
    await expect(ipc('admin_exportChain', `${plain}2`, '0x0', '0x9')).rejects.toThrow('no blocks')
    await expect(ipc('admin_exportChain', join(folder, 'nowhere', 'chain'))).rejects.toThrow(
      'ENOENT',
    )
    const head = await ipc('eth_getBlockByNumber', 'latest')
    await node?.close()
    for (const file of [plain, packed]) {
      const directory = join(folder, file.endsWith('.gz') ? 'b' : 'a')
      await start({ directory }, false)
      expect(await ipc('eth_blockNumber')).toBe('0x0')
      expect(await ipc('admin_importChain', file)).toBe(true)
      expect(await ipc('eth_getBlockByNumber', 'latest')).toEqual(head)
      await node?.close()
    }
    await start()
    await writeFile(plain, 'no chain')
    await expect(ipc('admin_importChain', plain)).rejects.toThrow('cannot be read any further')
    await expect(ipc('admin_importChain', join(folder, 'nowhere'))).rejects.toThrow('ENOENT')
  })
})

describe('miner', () => {
  it('stops and starts sealing, with other extra data and gas limit', async () => {
    await start()
    expect(await ipc('miner_stop')).toBeNull()
    expect(await ipc('eth_mining')).toBe(false)
    const hash = await transfer()
    expect(await ipc('miner_setExtra', 'Cairn')).toBe(true)
    expect(await ipc('miner_setGasLimit', '0x1c9c000')).toBe(true)
    expect(await ipc('miner_setGasPrice', '0x3b9aca00')).toBe(true)
    expect(await ipc('miner_setRecommitInterval', 1000)).toBeNull()
    await expect(ipc('miner_setExtra', 'x'.repeat(33))).rejects.toThrow(
      'extra exceeds max length. 33 > 32',
    )
    expect(await ipc('eth_getTransactionReceipt', hash)).toBeNull()
    expect(await ipc('miner_start', 1)).toBeNull()
    await receiptOf(hash).toMatchObject({ blockNumber: '0x1' })
    const { extraData, gasLimit } = (await ipc('eth_getBlockByNumber', '0x1')) as never
    expect(Buffer.from(String(extraData).slice(2), 'hex').toString()).toMatch(/^Cairn\0/)
    expect(BigInt(gasLimit)).toBeLessThan(30_000_000n)
  })

  it('seals with a key that is unlocked, and with no other', async () => {
    await start({}, false)
    await expect(ipc('miner_start')).rejects.toThrow('etherbase must be explicitly specified')
    expect(await ipc('miner_setEtherbase', `0x${'11'.repeat(20)}`)).toBe(true)
    await expect(ipc('miner_start')).rejects.toThrow('unknown account')
    await node?.close()
    await start({ accounts: { unlocked: [chain.sealerKey] } }, false)
    const [sealer] = (await ipc('eth_accounts')) as string[]
    expect(await ipc('miner_setEtherbase', sealer)).toBe(true)
    expect(await ipc('miner_start')).toBeNull()
    expect(await ipc('eth_coinbase')).toBe(sealer)
    expect(await ipc('eth_mining')).toBe(true)
  })
})

describe('debug', () => {
  it('gives blocks, receipts and transactions as their bytes', async () => {
    await start()
    const hash = await transfer()
    await receiptOf(hash).toMatchObject({ status: '0x1' })
    const header = decodeBlockHeader(dataFromHex(String(await ipc('debug_getRawHeader', '0x1'))))
    const block = decodeBlock(dataFromHex(String(await ipc('debug_getRawBlock', '0x1'))))
    expect(block.header).toEqual(header)
    expect(block.transactions).toHaveLength(1)
    expect(await ipc('debug_getRawReceipts', '0x1')).toEqual([expect.stringMatching(/^0x02f9/)])
    const raw = await ipc('debug_getRawTransaction', hash)
    expect(raw).toBe(await ipc('eth_getRawTransactionByHash', hash))
    expect(await ipc('debug_getRawTransaction', dataToHex(new Uint8Array(32)))).toBe('0x')
    await expect(ipc('debug_getRawBlock', '0x99')).rejects.toThrow('header not found')
  })
})

describe('personal', () => {
  it('unlocks nothing while other machines can reach the node', async () => {
    await start({ http: { address: { host: '0.0.0.0', port: 0 } } })
    const { address } = chain.account
    await expect(ipc('personal_unlockAccount', address, 'x')).rejects.toThrow('forbidden')
    await node?.close()
    await start({ http })
    await expect(ipc('personal_unlockAccount', address, 'x')).rejects.toThrow('no key files')
  })
})
