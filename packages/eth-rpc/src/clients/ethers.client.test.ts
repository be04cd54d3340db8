/** ethers 6, unmodified, over HTTP, WebSocket and IPC. */
import { compileToken, erc20InitCode } from '@cairn/testing'
import {
  type CallExceptionError,
  Contract,
  ContractFactory,
  type ContractTransactionReceipt,
  FetchRequest,
  type InterfaceAbi,
  IpcSocketProvider,
  isError,
  type JsonRpcApiProvider,
  JsonRpcProvider,
  NonceManager,
  parseEther,
  verifyMessage,
  Wallet,
  WebSocketProvider,
  ZeroAddress,
} from 'ethers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openRpcTestNode, type RpcTestNode, testChainId } from '../testing/rpc-node.ts'

const abi = [
  'function name() view returns (string)',
  'function balanceOf(address) view returns (uint256)',
  'function transfer(address to, uint256 amount) returns (bool)',
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
]

const compiled = compileToken()

let node: RpcTestNode
let provider: JsonRpcProvider
let first: Wallet
let second: Wallet
beforeAll(async () => {
  node = await openRpcTestNode()
  // Answers are kept for a quarter of a second unless told; here everything happens within one.
  provider = new JsonRpcProvider(new FetchRequest(node.httpUrl), undefined, { cacheTimeout: -1 })
  provider.pollingInterval = 20
  const [a, b] = node.privateKeys.map((key) => new Wallet(key, provider))
  if (a === undefined || b === undefined) throw new Error('keys are missing')
  first = a
  second = b
})
afterAll(async () => {
  provider.destroy()
  await node.close()
})

async function deploy(): Promise<Contract> {
  const factory = new ContractFactory(abi, `0x${erc20InitCode}`, first)
  const contract = await (await factory.deploy()).waitForDeployment()
  return new Contract(await contract.getAddress(), abi, first)
}

/** ethers makes a contract's methods at run time, unknown to the compiler. */
function methodOf(contract: Contract, name: string) {
  return contract.getFunction(name)
}

describe('ethers over HTTP', () => {
  it('knows the network, fees and blocks', async () => {
    expect((await provider.getNetwork()).chainId).toBe(BigInt(testChainId))
    const fees = await provider.getFeeData()
    expect(fees.maxFeePerGas).toBeGreaterThan(0n)
    expect(fees.gasPrice).toBeGreaterThan(0n)
    const block = await provider.getBlock(0)
    expect(block?.number).toBe(0)
    expect(await provider.getBlock('latest', true)).not.toBeNull()
    expect(await provider.getBlock(1_000_000)).toBeNull()
  })

  it('sends ether in each type of transaction', async () => {
    for (const type of [0, 1, 2]) {
      const before = await provider.getBalance(second.address)
      const sent = await first.sendTransaction({ to: second.address, value: parseEther('1'), type })
      const receipt = await sent.wait()
      expect(receipt?.status).toBe(1)
      expect(receipt?.type).toBe(type)
      expect((await provider.getBalance(second.address)) - before).toBe(parseEther('1'))
      const found = await provider.getTransaction(sent.hash)
      expect(found?.type).toBe(type)
      expect(found?.blockHash).toBe(receipt?.blockHash)
      expect(found?.from).toBe(first.address)
    }
  })

  it('deploys an ERC-20 token, transfers, and reads its events', async () => {
    const token = await deploy()
    expect(await methodOf(token, 'name')()).toBe('Token')
    const sent = await methodOf(token, 'transfer')(second.address, 12n)
    const receipt = (await sent.wait()) as ContractTransactionReceipt
    expect(receipt.status).toBe(1)
    expect(await methodOf(token, 'balanceOf')(second.address)).toBe(12n)
    const events = await token.queryFilter('Transfer', receipt.blockNumber, receipt.blockNumber)
    expect(events).toHaveLength(1)
    expect(events[0]?.transactionHash).toBe(receipt.hash)
  })

  it('tells errors apart by the texts of the node', async () => {
    const gasLimit = 21_000n
    const poor = first.sendTransaction({ to: second.address, value: 10n ** 30n, gasLimit })
    await expect(poor).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS' })
    const late = first.sendTransaction({ to: second.address, value: 1n, gasLimit, nonce: 0 })
    await expect(late).rejects.toMatchObject({ code: 'NONCE_EXPIRED' })
  })

  it('counts nonces ahead of blocks', async () => {
    const sender = new NonceManager(first)
    const before = await provider.getBalance(second.address)
    const sent = await Promise.all(
      Array.from({ length: 15 }, () => sender.sendTransaction({ to: second.address, value: 1n })),
    )
    await Promise.all(sent.map((each) => each.wait()))
    expect((await provider.getBalance(second.address)) - before).toBe(15n)
  })
})

describe('ethers with an account of the node', () => {
  it('sends, and signs messages', async () => {
    node.accounts.addKey(Uint8Array.from(Buffer.from(second.privateKey.slice(2), 'hex')))
    const signer = await provider.getSigner(second.address)
    const sent = await signer.sendTransaction({ to: first.address, value: 1n })
    expect(await sent.wait()).toMatchObject({ status: 1, from: second.address })
    expect(verifyMessage('hello', await signer.signMessage('hello'))).toBe(second.address)
  })
})

const kinds = ['http', 'ws', 'ipc'] as const

let over: JsonRpcApiProvider
afterEach(() => over?.destroy())

function connect(kind: (typeof kinds)[number]): JsonRpcApiProvider {
  if (kind === 'ws') return new WebSocketProvider(node.wsUrl)
  if (kind === 'ipc') return new IpcSocketProvider(node.ipcPath)
  const polling = new JsonRpcProvider(node.httpUrl)
  polling.pollingInterval = 20
  return polling
}

describe.each(kinds)('ethers over %s', (kind) => {
  it('decodes custom errors, reasons and panics', async () => {
    over = connect(kind)
    const wallet = new Wallet(node.privateKeys[0] ?? '', over)
    const factory = new ContractFactory(compiled.abi as InterfaceAbi, compiled.bytecode, wallet)
    const deployed = await (await factory.deploy(1n)).waitForDeployment()
    const refusal = async (name: string, ...args: unknown[]) => {
      const { staticCall, estimateGas } = deployed.getFunction(name)
      const called = await staticCall(...args).then(unexpected, callException)
      // An estimate's error is handed on as it is, since ethers asks without knowing the contract.
      const estimated = await estimateGas(...args).then(unexpected, callException)
      const parsed = deployed.interface.parseError(estimated.data ?? '0x')
      expect(parsed?.signature).toBe(called.revert?.signature)
      return [called.revert?.name, ...(called.revert?.args ?? [])]
    }
    expect(await refusal('transfer', second.address, 2n)).toEqual(['Insufficient', 1n, 2n])
    expect(await refusal('transfer', ZeroAddress, 1n)).toEqual(['Error', 'to nobody'])
    expect(await refusal('divide', 0n)).toEqual(['Panic', 18])
    expect(await factory.deploy(0n).catch(callException)).toMatchObject({ reason: 'no supply' })
  })

  it('hears of blocks and of events of a contract', async () => {
    const token = await deploy()
    over = connect(kind)
    const listening = new Contract(await token.getAddress(), abi, over)
    const value = new Promise<bigint>((resolve) => {
      void listening.on('Transfer', (_from: string, _to: string, amount: bigint) => resolve(amount))
    })
    const number = new Promise<number>((resolve) => {
      void over.on('block', resolve)
    })
    // Subscriptions stand once a call behind them is answered, since calls of a socket keep their order; polling begins
    // with the block of that moment.
    await listening.listenerCount('Transfer')
    await over.send('eth_chainId', [])
    const sent = await methodOf(token, 'transfer')(second.address, 33n)
    const receipt = await sent.wait()
    expect(await value).toBe(33n)
    expect(await number).toBeLessThanOrEqual(Number(receipt?.blockNumber))
  })
})

function unexpected(): never {
  throw new Error('it was not refused')
}

function callException(error: unknown): CallExceptionError {
  if (isError(error, 'CALL_EXCEPTION')) return error
  throw error
}
