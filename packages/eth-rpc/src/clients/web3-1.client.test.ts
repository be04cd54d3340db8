/**
 * web3.js 1.10, unmodified, over HTTP, WebSocket and IPC: the library of the tutorials of 2019, which mostly lets the
 * node sign.
 */
import net from 'node:net'
import { compileToken, erc20InitCode } from '@cairn/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import web3Module from 'web3-1'
import { openRpcTestNode, type RpcTestNode, testChainId } from '../testing/rpc-node.ts'
import { tokenAbi } from './token-abi.ts'

// Its types were written for other loaders: the module is the class.
const Web3 = web3Module as unknown as typeof web3Module.default

const compiled = compileToken()

let node: RpcTestNode
let web3: web3Module.default
let from: string
beforeAll(async () => {
  node = await openRpcTestNode()
  node.accounts.addKey(Uint8Array.from(Buffer.from((node.privateKeys[0] ?? '').slice(2), 'hex')))
  web3 = new Web3(node.httpUrl)
  // Its types do not know of it.
  Object.assign(web3.eth, { transactionPollingInterval: 20 })
  const [account = ''] = await web3.eth.getAccounts()
  from = account
})
afterAll(() => node.close())

describe('web3 1.10', () => {
  it('reads the chain', async () => {
    expect(await web3.eth.getChainId()).toBe(testChainId)
    expect(await web3.eth.net.getId()).toBe(testChainId)
    expect(BigInt(await web3.eth.getBalance(from))).toBeGreaterThan(0n)
    expect(await web3.eth.getBlock(0)).toMatchObject({ number: 0, gasLimit: 30_000_000 })
    expect(await web3.eth.isSyncing()).toBe(false)
  })

  it('sends from an account of the node and from one of its own', async () => {
    const to = `0x${'11'.repeat(20)}`
    const sent = await web3.eth.sendTransaction({ from, to, value: '7' })
    expect(sent).toMatchObject({ status: true, gasUsed: 21_000 })
    const own = web3.eth.accounts.privateKeyToAccount(node.privateKeys[1] ?? '')
    const signed = await own.signTransaction({ to, value: '8', gas: 21_000 })
    await web3.eth.sendSignedTransaction(String(signed.rawTransaction))
    expect(await web3.eth.getBalance(to)).toBe('15')
    const signature = await web3.eth.sign('0x1234', from)
    expect(web3.eth.accounts.recover('0x1234', signature)).toBe(from)
  })

  it('deploys a token, transfers it, and reads its events', async () => {
    const contract = new web3.eth.Contract(structuredClone(tokenAbi) as never)
    const deployment = contract.deploy({ data: `0x${erc20InitCode}` })
    const token = await deployment.send({ from, gas: await deployment.estimateGas({ from }) })
    const to = `0x${'22'.repeat(20)}`
    const receipt = await token.methods['transfer'](to, 5).send({ from })
    expect(receipt.events.Transfer.returnValues).toMatchObject({ amount: '5' })
    expect(await token.methods['balanceOf'](to).call()).toBe('5')
    expect(await token.getPastEvents('Transfer', { fromBlock: 0 })).toHaveLength(2)
  })
})

/** A web3 over one transport, and the means to end it. */
function web3Over(kind: 'http' | 'ws' | 'ipc') {
  const ipc = () => new Web3.providers.IpcProvider(node.ipcPath, net)
  const over = new Web3(kind === 'ipc' ? ipc() : kind === 'ws' ? node.wsUrl : node.httpUrl)
  Object.assign(over.eth, { transactionPollingInterval: 20 })
  const provider = over.currentProvider as {
    disconnect?(): void
    connection?: { destroy?(): void }
  } | null
  const close = () => {
    if (kind === 'ipc') provider?.connection?.destroy?.()
    else provider?.disconnect?.()
  }
  return { over, close }
}

describe.each(['http', 'ws', 'ipc'] as const)('web3 1.10 over %s', (kind) => {
  it('decodes reasons, and custom errors with what it has for that', async () => {
    const { over, close } = web3Over(kind)
    const { abi, bytecode } = compiled
    const deployment = new over.eth.Contract(abi as never).deploy({
      data: bytecode,
      arguments: [1],
    })
    const token = await deployment.send({ from, gas: 1_000_000 })
    const to = `0x${'22'.repeat(20)}`
    const nobody = `0x${'00'.repeat(20)}`
    const transfer = (...args: unknown[]) => token.methods['transfer'](...args)
    await expect(transfer(nobody, 1).call({ from })).rejects.toThrow(
      'execution reverted: to nobody',
    )
    await expect(transfer(nobody, 1).send({ from })).rejects.toThrow(
      'execution reverted: to nobody',
    )
    await expect(token.methods['divide'](0).call({ from })).rejects.toThrow(
      'execution reverted: division or modulo by zero',
    )
    // It hands on the node's error, whose data is for its decoder.
    const { data } = await transfer(to, 2)
      .call({ from })
      .catch((error: unknown) => error)
    expect(data.slice(0, 10)).toBe(
      over.eth.abi.encodeFunctionSignature('Insufficient(uint256,uint256)'),
    )
    expect(over.eth.abi.decodeParameters(['uint256', 'uint256'], data.slice(10))).toMatchObject({
      0: '1',
      1: '2',
    })
    // With this set it reads the reason of what failed in a block by calling it once more.
    over.eth.handleRevert = true
    token.handleRevert = true
    const failed = await transfer(nobody, 1)
      .send({ from, gas: 100_000 })
      .catch((error: unknown) => error)
    expect(failed).toMatchObject({
      reason: 'to nobody',
      signature: 'Error(String)',
      receipt: { status: false },
    })
    close()
  })
})

describe.each(['ws', 'ipc'] as const)('web3 1.10 over %s', (kind) => {
  it('hears of blocks and of events of a contract', async () => {
    const { over, close } = web3Over(kind)
    try {
      const deployment = new over.eth.Contract(compiled.abi as never).deploy({
        data: compiled.bytecode,
        arguments: [1],
      })
      const token = await deployment.send({ from, gas: 1_000_000 })
      const blocks = listen(over.eth.subscribe('newBlockHeaders'))
      const transfers = listen(token.events['Transfer']())
      await Promise.all([blocks.connected, transfers.connected])
      const to = `0x${'22'.repeat(20)}`
      await token.methods['transfer'](to, 1).send({ from })
      expect(await blocks.first).toMatchObject({ gasLimit: 30_000_000 })
      expect(await transfers.first).toMatchObject({ returnValues: { from, to, value: '1' } })
    } finally {
      close()
    }
  })
})

/** The first of what a subscription tells. */
function listen(subscription: {
  on(event: 'connected' | 'data' | 'error', listener: (value: unknown) => void): unknown
}) {
  const next = (event: 'connected' | 'data') =>
    new Promise<unknown>((resolve, reject) => {
      subscription.on(event, resolve)
      subscription.on('error', reject)
    })
  return { connected: next('connected'), first: next('data') }
}
