/** viem, unmodified, over HTTP and WebSocket: deploys a token on the chain of a data folder and uses it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@cairn/core'
import { compileToken } from '@cairn/testing'
import {
  type Abi,
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  defineChain,
  getContract,
  http,
  parseEther,
  webSocket,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EthereumService, openEthereumService } from '../ethereum-service.ts'

const anyPort = { host: '127.0.0.1', port: 0 }
const other = '0x00000000000000000000000000000000000000aa'
const token = compileToken()
const abi = token.abi as Abi

let folder: string
let service: EthereumService

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-eth-'))
  service = await openEthereumService(
    {
      http: anyPort,
      webSocket: anyPort,
      mayMove: { http: false, webSocket: false },
      periodSeconds: 0,
    },
    { directory: folder, logger: silentLogger },
  )
})
afterAll(async () => {
  await service.close()
  await rm(folder, { recursive: true })
})

describe.each(['http', 'ws'] as const)('viem over %s', (kind) => {
  function clients() {
    const { info } = service
    const chain = defineChain({
      id: info.chainId,
      name: 'private',
      nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
      rpcUrls: { default: { http: [info.http ?? ''], webSocket: [info.ws ?? ''] } },
    })
    const transport = kind === 'http' ? http(info.http, { batch: true }) : webSocket(info.ws)
    const account = privateKeyToAccount(info.devAccount.privateKey as `0x${string}`)
    const publicClient = createPublicClient({ chain, transport, pollingInterval: 50 })
    const wallet = createWalletClient({ chain, transport, account })
    return { publicClient, wallet, account }
  }

  it('deploys a token, sends it, and reads it and its events back', async () => {
    const { publicClient, wallet, account } = clients()
    expect(await publicClient.getChainId()).toBe(service.info.chainId)
    const deployment = await wallet.deployContract({
      abi,
      bytecode: token.bytecode,
      args: [1000n],
    })
    const receipt = await publicClient.waitForTransactionReceipt({ hash: deployment })
    expect(receipt.status).toBe('success')
    const address = receipt.contractAddress
    if (address === null || address === undefined) throw new Error('no contract')
    const contract = getContract({ address, abi, client: { public: publicClient, wallet } })

    const hash = await wallet.writeContract({
      address,
      abi,
      functionName: 'transfer',
      args: [other, 30n],
    })
    const transferred = await publicClient.waitForTransactionReceipt({ hash })
    expect(transferred.logs).toHaveLength(1)
    expect(await contract.read['balanceOf']?.([other])).toBe(30n)
    expect(await contract.read['balanceOf']?.([account.address])).toBe(970n)
    const events = await publicClient.getContractEvents({
      address,
      abi,
      eventName: 'Transfer',
      args: { to: other },
      fromBlock: 0n,
    })
    expect(events.map((event) => event.transactionHash)).toEqual([hash])
    const block = await publicClient.getBlock({ blockHash: transferred.blockHash })
    expect(block.transactions).toContain(hash)
  })

  it('sends ether twice in a row, by the pending nonce', async () => {
    const { publicClient, wallet } = clients()
    const before = await publicClient.getBalance({ address: other })
    const hashes = [
      await wallet.sendTransaction({ to: other, value: parseEther('1') }),
      await wallet.sendTransaction({ to: other, value: parseEther('2') }),
    ]
    for (const hash of hashes) {
      const { status } = await publicClient.waitForTransactionReceipt({ hash })
      expect(status).toBe('success')
    }
    expect(await publicClient.getBalance({ address: other })).toBe(before + parseEther('3'))
  })

  it('decodes custom errors, reasons and panics', async () => {
    const { publicClient, wallet, account } = clients()
    const hash = await wallet.deployContract({ abi, bytecode: token.bytecode, args: [1n] })
    const { contractAddress } = await publicClient.waitForTransactionReceipt({ hash })
    const address = contractAddress ?? '0x'
    const failure = async (functionName: string, args: readonly unknown[]) => {
      try {
        await publicClient.simulateContract({ address, abi, functionName, args, account })
      } catch (error) {
        const cause = error instanceof BaseError ? error.walk() : undefined
        const reverted =
          error instanceof BaseError
            ? error.walk((it) => it instanceof ContractFunctionRevertedError)
            : undefined
        if (reverted instanceof ContractFunctionRevertedError) {
          return { name: reverted.data?.errorName, args: reverted.data?.args }
        }
        throw cause ?? error
      }
      throw new Error('it did not fail')
    }
    expect(await failure('transfer', [other, 2n])).toEqual({ name: 'Insufficient', args: [1n, 2n] })
    const nobody = '0x0000000000000000000000000000000000000000'
    expect(await failure('transfer', [nobody, 1n])).toEqual({ name: 'Error', args: ['to nobody'] })
    expect(await failure('divide', [0n])).toEqual({ name: 'Panic', args: [18n] })
  })

  it('is told of new blocks and events', async () => {
    const { publicClient, wallet } = clients()
    let stop: (() => void) | undefined
    const number = new Promise<bigint>((resolve, reject) => {
      stop = publicClient.watchBlockNumber({ onBlockNumber: resolve, onError: reject })
    })
    const hash = await wallet.sendTransaction({ to: other, value: 1n })
    await publicClient.waitForTransactionReceipt({ hash })
    expect(await number).toBeGreaterThan(0n)
    stop?.()
  })

  it('estimates gas, lists what a call touches, and proves an account', async () => {
    const { publicClient, wallet, account } = clients()
    expect(await publicClient.estimateGas({ account, to: other, value: 1n })).toBe(21_000n)
    const history = await publicClient.getFeeHistory({ blockCount: 4, rewardPercentiles: [25, 75] })
    expect(history.baseFeePerGas.length).toBe(history.gasUsedRatio.length + 1)
    const proof = await publicClient.getProof({ address: account.address, storageKeys: [] })
    expect(proof.balance).toBe(await publicClient.getBalance({ address: account.address }))
    const hash = await wallet.deployContract({ abi, bytecode: token.bytecode, args: [5n] })
    const { contractAddress } = await publicClient.waitForTransactionReceipt({ hash })
    const list = await publicClient.createAccessList({
      account,
      to: contractAddress ?? '0x',
      data: `0xa9059cbb${other.slice(2).padStart(64, '0')}${'1'.padStart(64, '0')}`,
    })
    expect(list.accessList[0]?.storageKeys).toHaveLength(2)
  })
})

describe('a node that starts again', () => {
  it('still has the transactions that waited', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cairn-eth-'))
    const start = async () => {
      const opened = await openEthereumService(
        {
          http: anyPort,
          webSocket: anyPort,
          mayMove: { http: false, webSocket: false },
          periodSeconds: 0,
        },
        { directory, logger: silentLogger },
      )
      const client = createPublicClient({
        transport: http(opened.info.http),
        pollingInterval: 50,
      })
      return { opened, client }
    }
    const first = await start()
    const { chainId, devAccount } = first.opened.info
    const account = privateKeyToAccount(devAccount.privateKey as `0x${string}`)
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
