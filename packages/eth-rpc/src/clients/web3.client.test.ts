/** web3.js 4, unmodified, over HTTP, WebSocket and IPC. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { compileToken, erc20InitCode } from '@cairn/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Web3 } from 'web3'
import { openRpcTestNode, type RpcTestNode, testChainId } from '../testing/rpc-node.ts'
import { tokenAbi } from './token-abi.ts'

const run = promisify(execFile)
const supply = 10n ** 27n
const compiled = compileToken()

let node: RpcTestNode
let web3: Web3
let from: string
beforeAll(async () => {
  node = await openRpcTestNode()
  web3 = new Web3(node.httpUrl)
  web3.eth.transactionPollingInterval = 20
  web3.eth.transactionReceiptPollingInterval = 20
  const account = web3.eth.accounts.wallet.add(node.privateKeys[0] ?? '').get(0)
  from = account?.address ?? ''
})
afterAll(() => node.close())

async function deploy() {
  const contract = new web3.eth.Contract(tokenAbi)
  const deployment = contract.deploy({ data: `0x${erc20InitCode}` })
  const gas = String(await deployment.estimateGas({ from }))
  const token = await deployment.send({ from, gas })
  token.transactionReceiptPollingInterval = 20
  return token
}

describe('web3 4', () => {
  it('reads the chain', async () => {
    expect(await web3.eth.getChainId()).toBe(BigInt(testChainId))
    expect(await web3.eth.net.getId()).toBe(BigInt(testChainId))
    expect(await web3.eth.getBalance(from)).toBeGreaterThan(0n)
    expect(await web3.eth.getBlock(0)).toMatchObject({ number: 0n, gasLimit: 30_000_000n })
    expect(await web3.eth.getFeeHistory(1, 'latest', [50])).toMatchObject({ oldestBlock: 0n })
    expect(await web3.eth.getNodeInfo()).toBe('Cairn/test')
  })

  it('sends ether from a wallet of its own', async () => {
    const to = `0x${'11'.repeat(20)}`
    const receipt = await web3.eth.sendTransaction({ from, to, value: '7' })
    expect(receipt).toMatchObject({ status: 1n, gasUsed: 21_000n })
    expect(await web3.eth.getBalance(to)).toBe(7n)
    expect(await web3.eth.getTransaction(receipt.transactionHash)).toMatchObject({ value: 7n })
  })

  it('sends from an account of the node, which signs', async () => {
    const plain = new Web3(node.httpUrl)
    plain.eth.transactionReceiptPollingInterval = 20
    const key = Uint8Array.from(Buffer.from((node.privateKeys[1] ?? '').slice(2), 'hex'))
    node.accounts.addKey(key)
    const [account = ''] = await plain.eth.getAccounts()
    const receipt = await plain.eth.sendTransaction({ from: account, to: account, value: '1' })
    expect(receipt).toMatchObject({ status: 1n, from: account.toLowerCase() })
    const signature = await plain.eth.sign('0x1234', account)
    expect(plain.eth.accounts.recover('0x1234', String(signature))).toBe(account)
  })

  it('deploys a token, transfers it, and reads its events', async () => {
    const token = await deploy()
    const { methods } = token
    expect(await methods['totalSupply']?.().call()).toBe(supply)
    const to = `0x${'22'.repeat(20)}`
    const receipt = await methods['transfer']?.(to, 5).send({ from })
    expect(receipt?.events?.['Transfer']?.returnValues).toMatchObject({ amount: 5n })
    expect(await methods['balanceOf']?.(to).call()).toBe(5n)
    expect(await token.getPastEvents('Transfer', { fromBlock: 0 })).toHaveLength(2)
  })
})

describe.each(['http', 'ws', 'ipc'] as const)('web3 4 over %s', (kind) => {
  it('sends, hears of it, and decodes custom errors, reasons and panics', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cairn-web3-'))
    const contract = join(folder, 'token.json')
    await writeFile(contract, JSON.stringify(compiled))
    const program = fileURLToPath(new URL('./web3-flow.js', import.meta.url))
    const endpoint = { http: node.httpUrl, ws: node.wsUrl, ipc: node.ipcPath }[kind]
    const words = [program, kind, endpoint, node.privateKeys[0] ?? '', contract]
    const { stdout } = await run(process.execPath, words, { env: {}, timeout: 300_000 })
    await rm(folder, { recursive: true })
    const nobody = {
      message: 'execution reverted: to nobody',
      errorName: 'Error',
      args: ['to nobody'],
    }
    expect(JSON.parse(stdout)).toEqual({
      transferred: '1',
      ...(kind === 'http' ? {} : { heard: { hasGas: true, value: '1' } }),
      custom: { message: 'execution reverted', errorName: 'Insufficient', args: ['1', '2'] },
      reason: nobody,
      panic: {
        message: 'execution reverted: division or modulo by zero',
        errorName: 'Panic',
        args: ['18'],
      },
      sent: nobody,
    })
  })
})
