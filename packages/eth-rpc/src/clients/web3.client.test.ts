/** web3.js 4, unmodified, over real sockets. */
import { spawn } from 'node:child_process'
import { erc20InitCode } from '@cairn/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Web3 } from 'web3'
import { openRpcTestNode, type RpcTestNode, testChainId } from '../testing/rpc-node.ts'
import { tokenAbi } from './token-abi.ts'

const supply = 10n ** 27n

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

  it('deploys a token, transfers it, reads its events, and decodes what it refuses', async () => {
    const token = await deploy()
    const { methods } = token
    expect(await methods['totalSupply']?.().call()).toBe(supply)
    const to = `0x${'22'.repeat(20)}`
    const receipt = await methods['transfer']?.(to, 5).send({ from })
    expect(receipt?.events?.['Transfer']?.returnValues).toMatchObject({ amount: 5n })
    expect(await methods['balanceOf']?.(to).call()).toBe(5n)
    expect(await token.getPastEvents('Transfer', { fromBlock: 0 })).toHaveLength(2)
    await expect(
      methods['transfer']?.(from, 1).call({ from: to.replace('22', '33') }),
    ).rejects.toMatchObject({ cause: { errorName: 'ERC20InsufficientBalance' } })
  })

  it('hears of blocks over WebSocket', async () => {
    // In a process of its own: the conditions of the tests' loader give its CommonJS the wrong half of `ws`.
    const script = `
      const { Web3 } = require('web3')
      const web3 = new Web3(process.argv[1])
      web3.eth.subscribe('newBlockHeaders').then((subscription) => {
        console.log('ready')
        subscription.on('data', ({ gasUsed }) => {
          console.log(String(gasUsed))
          web3.provider.disconnect()
        })
      })`
    const client = spawn(process.execPath, ['-e', script, node.wsUrl], { env: {} })
    let said = ''
    client.stdout.on('data', (piece) => {
      said += String(piece)
    })
    try {
      await expect.poll(() => said, { timeout: 20_000 }).toBe('ready\n')
      await web3.eth.sendTransaction({ from, to: from, value: '1' })
      await expect.poll(() => said, { timeout: 20_000 }).toBe('ready\n21000\n')
    } finally {
      client.kill()
    }
  })
})
