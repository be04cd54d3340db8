/** web3.js 1.10, unmodified: the library of the tutorials of 2019, which mostly lets the node sign. */
import { erc20InitCode } from '@cairn/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import web3Module from 'web3-1'
import { openRpcTestNode, type RpcTestNode, testChainId } from '../testing/rpc-node.ts'
import { tokenAbi } from './token-abi.ts'

// Its types were written for other loaders: the module is the class.
const Web3 = web3Module as unknown as typeof web3Module.default

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

  it('deploys a token, transfers it, reads its events, and decodes what it refuses', async () => {
    const contract = new web3.eth.Contract(structuredClone(tokenAbi) as never)
    const deployment = contract.deploy({ data: `0x${erc20InitCode}` })
    const token = await deployment.send({ from, gas: await deployment.estimateGas({ from }) })
    const to = `0x${'22'.repeat(20)}`
    const receipt = await token.methods['transfer'](to, 5).send({ from })
    expect(receipt.events.Transfer.returnValues).toMatchObject({ amount: '5' })
    expect(await token.methods['balanceOf'](to).call()).toBe('5')
    expect(await token.getPastEvents('Transfer', { fromBlock: 0 })).toHaveLength(2)
    const poor = `0x${'33'.repeat(20)}`
    await expect(token.methods['transfer'](from, 1).call({ from: poor })).rejects.toThrow(
      'execution reverted',
    )
  })

  it('hears of blocks over WebSocket', async () => {
    const socket = new Web3(node.wsUrl)
    const provider = socket.currentProvider as { disconnect(): void } | null
    try {
      const seen = new Promise<unknown>((resolve, reject) => {
        const subscription = socket.eth.subscribe('newBlockHeaders', (error, header) =>
          error ? reject(error) : resolve(header),
        )
        subscription.on('connected', () => {
          void web3.eth.sendTransaction({ from, to: from, value: '1' })
        })
      })
      expect(await seen).toMatchObject({ gasUsed: 21_000 })
    } finally {
      provider?.disconnect()
    }
  })
})
