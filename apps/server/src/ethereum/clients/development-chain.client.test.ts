/**
 * The chain of a data folder as `npm start` has it, blocks of a second: viem over each address, the calls of Remix's
 * "External HTTP Provider" in its order, and a restart. Hardhat and truffle: conformance/dev-tools.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@cairn/core'
import { compileToken } from '@cairn/testing'
import {
  type Abi,
  createPublicClient,
  createWalletClient,
  encodeDeployData,
  encodeFunctionData,
  type Hex,
  http,
  parseEther,
  publicActions,
  recoverMessageAddress,
  toHex,
  webSocket,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { localhost } from 'viem/chains'
import { ipc } from 'viem/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EthereumService, openEthereumService } from '../ethereum-service.ts'

const other = '0x00000000000000000000000000000000000000aa'
const token = compileToken()
const abi = token.abi as Abi
const waiting = { interval: 50 }

function open(directory: string, periodSeconds: number): Promise<EthereumService> {
  const anyPort = { host: '127.0.0.1', port: 0 }
  const mayMove = { http: false, webSocket: false }
  return openEthereumService(
    { http: anyPort, webSocket: anyPort, mayMove, periodSeconds },
    { directory, logger: silentLogger },
  )
}

describe('the chain of npm start', () => {
  let folder: string
  let service: EthereumService
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-eth-'))
    service = await open(folder, 1)
  })
  afterAll(async () => {
    await service.close()
    await rm(folder, { recursive: true })
  })

  it.each(['http', 'ws', 'ipc'] as const)('is used by viem over %s', async (kind) => {
    const { info } = service
    const transports = {
      http: http(info.http, { batch: true }),
      ws: webSocket(info.ws),
      ipc: ipc(info.ipc ?? ''),
    }
    const account = privateKeyToAccount(info.devAccount.privateKey as Hex)
    const client = createWalletClient({
      chain: localhost,
      transport: transports[kind],
      account,
      pollingInterval: 50,
    }).extend(publicActions)
    expect(await client.getChainId()).toBe(localhost.id)
    const before = await client.getBalance({ address: other })
    // In a row, by the pending nonce.
    const hashes = [
      await client.deployContract({ abi, bytecode: token.bytecode, args: [1000n] }),
      await client.sendTransaction({ to: other, value: parseEther('1') }),
    ] as const
    const [{ contractAddress }, { status }] = await Promise.all([
      client.waitForTransactionReceipt({ hash: hashes[0] }),
      client.waitForTransactionReceipt({ hash: hashes[1] }),
    ])
    expect(status).toBe('success')
    expect(await client.getBalance({ address: other })).toBe(before + parseEther('1'))
    const call = { address: contractAddress ?? '0x', abi } as const
    const balance = { ...call, functionName: 'balanceOf', args: [account.address] }
    expect(await client.readContract(balance)).toBe(1000n)
    const events = await client.getContractEvents({ ...call, eventName: 'Transfer', fromBlock: 0n })
    expect(events.map((event) => event.transactionHash)).toEqual([hashes[0]])
    const { getRpcClient } = client.transport as { getRpcClient?(): Promise<{ close(): void }> }
    ;(await getRpcClient?.())?.close()
  })

  /** Source: remix-project, execution-context.js, txRunnerWeb3.ts, providers/node.ts. */
  it('serves a page of Remix on this machine, which lets the node sign', async () => {
    const origin = 'http://localhost:8080'
    const call = async (method: string, ...params: unknown[]): Promise<never> => {
      const response = await fetch(service.info.http ?? '', {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      })
      expect(response.headers.get('access-control-allow-origin')).toBe(origin)
      const { result, error } = (await response.json()) as { result: never; error?: unknown }
      if (error !== undefined) throw error
      return result
    }
    const receiptOf = async (hash: string): Promise<{ contractAddress: Hex; status: string }> => {
      const receipt = () => call('eth_getTransactionReceipt', hash)
      await expect.poll(receipt, waiting).not.toBeNull()
      return receipt()
    }

    expect(await call('net_version')).toBe(String(service.info.chainId))
    const { gasLimit }: { gasLimit: Hex } = await call('eth_getBlockByNumber', 'latest', false)
    const [from = '']: string[] = await call('eth_accounts')
    expect(BigInt(await call('eth_getBalance', from, 'latest'))).toBeGreaterThan(0n)

    const data = encodeDeployData({ abi, bytecode: token.bytecode, args: [1000n] })
    const deployment = { from, data, value: '0x0' }
    const gas: Hex = await call('eth_estimateGas', deployment)
    expect(BigInt(gas)).toBeLessThan(BigInt(gasLimit))
    const gasPrice = await call('eth_gasPrice')
    const hash: string = await call('eth_sendTransaction', {
      ...{ ...deployment, input: data, gas, gasPrice, type: '0x0' },
    })
    const { contractAddress: to, status } = await receiptOf(hash)
    expect(status).toBe('0x1')
    expect(await call('eth_getTransactionByHash', hash)).toMatchObject({ from, to: null })
    expect(await call('eth_getCode', to, 'latest')).toMatch(/^0x6080/)

    const encode = (functionName: string, ...args: unknown[]) =>
      encodeFunctionData({ abi, functionName, args })
    const transfer = { from, to, data: encode('transfer', other, 30n), value: '0x0' }
    const estimated = await call('eth_estimateGas', transfer)
    const sent: string = await call('eth_sendTransaction', { ...transfer, gas: estimated })
    expect(await receiptOf(sent)).toMatchObject({ status: '0x1' })
    // `timestamp` is of Remix alone; nodes take no notice.
    const question = { from, to, data: encode('balanceOf', other), value: '0x0', gas: '0x2dc6c0' }
    const answer: string = await call('eth_call', { ...question, timestamp: 1 }, 'latest')
    expect(BigInt(answer)).toBe(30n)
    const tooMuch = { ...transfer, data: encode('transfer', other, 5000n) }
    await expect(call('eth_estimateGas', tooMuch)).rejects.toMatchObject({
      code: 3,
      message: 'execution reverted',
      data: expect.stringMatching(/^0xe8620800/),
    })

    const signature: Hex = await call('personal_sign', toHex('hello'), from, '')
    const signer = await recoverMessageAddress({ message: 'hello', signature })
    expect(signer.toLowerCase()).toBe(from)
  })
})

describe('a node that starts again', () => {
  it('still has the transactions that waited', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cairn-eth-'))
    const start = async () => {
      const opened = await open(directory, 0)
      const client = createPublicClient({
        transport: http(opened.info.http),
        pollingInterval: 50,
      })
      return { opened, client }
    }
    const first = await start()
    const { chainId, devAccount } = first.opened.info
    const account = privateKeyToAccount(devAccount.privateKey as Hex)
    const sign = (nonce: number) =>
      account.signTransaction({
        ...{ chainId, nonce, to: other, value: 1n, gas: 21_000n, type: 'eip1559' },
        ...{ maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n },
      })
    // Nonce 0 is missing, so this one waits.
    const hash = await first.client.sendRawTransaction({ serializedTransaction: await sign(1) })
    await first.opened.close()
    const { opened, client } = await start()
    expect(await client.getTransaction({ hash })).toMatchObject({ nonce: 1, blockHash: null })
    await client.sendRawTransaction({ serializedTransaction: await sign(0) })
    const receipt = await client.waitForTransactionReceipt({ hash })
    expect(receipt.status).toBe('success')
    await opened.close()
    await rm(directory, { recursive: true })
  })
})
