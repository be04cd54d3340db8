/** viem 2, unmodified, over HTTP, WebSocket and IPC. */
import { compileToken, erc20InitCode } from '@cairn/testing'
import {
  type Abi,
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  defineChain,
  encodeFunctionData,
  getContract,
  http,
  keccak256,
  parseAbi,
  parseEther,
  publicActions,
  webSocket,
  zeroAddress,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { ipc } from 'viem/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRpcTestNode, type RpcTestNode, testChainId } from '../testing/rpc-node.ts'

const abi = parseAbi([
  'constructor()',
  'function name() view returns (string)',
  'function symbol() view returns (string)',
  'function totalSupply() view returns (uint256)',
  'function balanceOf(address) view returns (uint256)',
  'function transfer(address to, uint256 amount) returns (bool)',
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
])
const bytecode = `0x${erc20InitCode}` as const
const supply = 10n ** 27n
const compiled = compileToken()
const compiledAbi = compiled.abi as Abi
const waiting = { interval: 20 }

let node: RpcTestNode
beforeAll(async () => {
  node = await openRpcTestNode()
})
afterAll(() => node.close())

function settings() {
  const chain = defineChain({
    id: testChainId,
    name: 'Cairn',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [node.httpUrl], webSocket: [node.wsUrl] } },
  })
  const [first, second] = node.privateKeys.map((key) => privateKeyToAccount(key))
  if (first === undefined || second === undefined) throw new Error('keys are missing')
  return { chain, account: first, second }
}

function clients(batch = false) {
  const { chain, account: first, second } = settings()
  const options = { chain, pollingInterval: 20 }
  const reader = createPublicClient({ ...options, transport: http(undefined, { batch }) })
  const wallet = createWalletClient({ ...options, account: first, transport: http() })
  return { reader, wallet, first, second }
}

async function deploy() {
  const all = clients()
  const hash = await all.wallet.deployContract({ abi, bytecode })
  const receipt = await all.reader.waitForTransactionReceipt({ hash })
  const address = receipt.contractAddress
  if (address === null || address === undefined) throw new Error('no contract was made')
  const client = { public: all.reader, wallet: all.wallet }
  return { ...all, receipt, address, token: getContract({ abi, address, client }) }
}

describe('viem over HTTP', () => {
  it('reads the chain', async () => {
    const { reader, first } = clients()
    expect(await reader.getChainId()).toBe(testChainId)
    expect(await reader.getBalance({ address: first.address })).toBeGreaterThan(0n)
    const genesis = await reader.getBlock({ blockNumber: 0n })
    expect(genesis).toMatchObject({ number: 0n, difficulty: 1n, gasLimit: 30_000_000n })
    const latest = await reader.getBlock({ includeTransactions: true })
    expect(latest.number).toBe(await reader.getBlockNumber({ cacheTime: 0 }))
    const fees = await reader.estimateFeesPerGas()
    expect(fees.maxFeePerGas).toBeGreaterThan(0n)
    const history = await reader.getFeeHistory({ blockCount: 2, rewardPercentiles: [10, 90] })
    expect(history.baseFeePerGas.length).toBeGreaterThan(0)
    expect(await reader.getBytecode({ address: first.address })).toBeUndefined()
  })

  it('sends ether and finds the transaction, its block and its receipt', async () => {
    const { reader, wallet, first, second } = clients()
    const before = await reader.getBalance({ address: second.address })
    const nonce = await reader.getTransactionCount({ address: first.address })
    const hash = await wallet.sendTransaction({ to: second.address, value: parseEther('1.5') })
    const receipt = await reader.waitForTransactionReceipt({ hash })
    expect(receipt).toMatchObject({ status: 'success', gasUsed: 21_000n, type: 'eip1559' })
    expect(receipt.from).toBe(first.address.toLowerCase())
    expect(await reader.getBalance({ address: second.address })).toBe(before + parseEther('1.5'))
    expect(await reader.getTransactionCount({ address: first.address })).toBe(nonce + 1)
    const found = await reader.getTransaction({ hash })
    expect(found).toMatchObject({
      hash,
      nonce,
      blockHash: receipt.blockHash,
      value: 15n * 10n ** 17n,
    })
    const block = await reader.getBlock({ blockHash: receipt.blockHash, includeTransactions: true })
    expect(block.transactions.map((each) => each.hash)).toContain(hash)
  })

  it('deploys an ERC-20 token and uses it', async () => {
    const { reader, token, address, first, second, receipt } = await deploy()
    expect(receipt.logs).toHaveLength(1)
    expect(await token.read.name()).toBe('Token')
    expect(await token.read.symbol()).toBe('TKN')
    expect(await token.read.totalSupply()).toBe(supply)
    expect(await token.read.balanceOf([first.address])).toBe(supply)
    const hash = await token.write.transfer([second.address, 1000n])
    const done = await reader.waitForTransactionReceipt({ hash })
    expect(done.status).toBe('success')
    expect(await token.read.balanceOf([second.address])).toBe(1000n)
    // At the block before, nothing had happened yet.
    const blockNumber = done.blockNumber - 1n
    expect(await token.read.balanceOf([second.address], { blockNumber })).toBe(0n)
    const events = await reader.getContractEvents({
      abi,
      address,
      eventName: 'Transfer',
      args: { to: second.address },
      fromBlock: 0n,
    })
    expect(events.map(({ args, transactionHash }) => [args.value, transactionHash])).toEqual([
      [1000n, hash],
    ])
    expect(await reader.getCode({ address })).toMatch(/^0x6080/)
  })

  it('is refused with the texts that it knows', async () => {
    const { wallet, reader, first, second } = clients()
    const request = { to: second.address, gas: 21_000n, maxFeePerGas: 10n ** 10n } as const
    await expect(
      wallet.sendTransaction({ ...request, value: parseEther('1000000') }),
    ).rejects.toMatchObject({ cause: { name: 'InsufficientFundsError' } })
    const nonce = await reader.getTransactionCount({ address: first.address })
    await expect(
      wallet.sendTransaction({ ...request, value: 1n, nonce: nonce - 1 }),
    ).rejects.toMatchObject({ cause: { name: 'NonceTooLowError' } })
  })

  it('polls filters for blocks, events and pending transactions', async () => {
    const { reader, token, address, second } = await deploy()
    const blocks = await reader.createBlockFilter()
    const pending = await reader.createPendingTransactionFilter()
    const events = await reader.createContractEventFilter({ abi, address, eventName: 'Transfer' })
    const hash = await token.write.transfer([second.address, 3n])
    const receipt = await reader.waitForTransactionReceipt({ hash })
    expect(await reader.getFilterChanges({ filter: blocks })).toEqual([receipt.blockHash])
    expect(await reader.getFilterChanges({ filter: pending })).toEqual([hash])
    const found = await reader.getFilterChanges({ filter: events })
    expect(found.map(({ args }) => args.value)).toEqual([3n])
    expect(await reader.getFilterChanges({ filter: events })).toEqual([])
    expect(await reader.uninstallFilter({ filter: events })).toBe(true)
    await expect(reader.getFilterChanges({ filter: events })).rejects.toThrow('filter not found')
  })

  it('sends calls in batches, and many transactions at once', async () => {
    const { reader, token, second } = await deploy()
    const batched = clients(true).reader
    const [balance, block, chainId] = await Promise.all([
      batched.getBalance({ address: second.address }),
      batched.getBlock(),
      batched.getChainId(),
    ])
    expect([typeof balance, typeof block.number, chainId]).toEqual([
      'bigint',
      'bigint',
      testChainId,
    ])
    const from = clients().first.address
    const start = await reader.getTransactionCount({ address: from, blockTag: 'pending' })
    const hashes = await Promise.all(
      // The last nonce first: none may be lost.
      Array.from({ length: 20 }, (_, i) =>
        token.write.transfer([second.address, 1n], { nonce: start + 19 - i, gas: 100_000n }),
      ),
    )
    const receipts = await Promise.all(
      hashes.map((hash) => reader.waitForTransactionReceipt({ hash })),
    )
    expect(receipts.every(({ status }) => status === 'success')).toBe(true)
    expect(await token.read.balanceOf([second.address])).toBe(20n)
  })

  it('lists what a call touches', async () => {
    const { reader, address, first, second } = await deploy()
    const { accessList } = await reader.createAccessList({
      account: first,
      to: address,
      data: encodeFunctionData({ abi, functionName: 'transfer', args: [second.address, 1n] }),
    })
    expect(accessList).toEqual([{ address, storageKeys: expect.any(Array) }])
    // The balances of both.
    expect(accessList[0]?.storageKeys).toHaveLength(2)
  })

  it('gets proofs that hash to the state root', async () => {
    const { reader, address, first } = await deploy()
    const block = await reader.getBlock()
    const slot = `0x${'0'.repeat(63)}2` as const
    const proof = await reader.getProof({
      address,
      storageKeys: [slot],
      blockNumber: block.number,
    })
    expect(keccak256(proof.accountProof[0] as `0x${string}`)).toBe(block.stateRoot)
    const storage = proof.storageProof[0]
    expect(keccak256(storage?.proof[0] as `0x${string}`)).toBe(proof.storageHash)
    expect(storage?.value).toBe(supply)
    expect(first.address).toMatch(/^0x/)
  })
})

type Transport = 'http' | 'ws' | 'ipc'

/** A client over one transport, and the means to end it. */
function clientOver(kind: Transport) {
  const { chain, account } = settings()
  const transports = { http: http(), ws: webSocket(), ipc: ipc(node.ipcPath) }
  const options = { chain, account, pollingInterval: 20, transport: transports[kind] }
  const client = createWalletClient(options).extend(publicActions)
  // Of sockets alone.
  const { getRpcClient } = client.transport as {
    getRpcClient?(): Promise<{ close(): void }>
  }
  const close = async () => (await getRpcClient?.())?.close()
  return { client, close, account }
}

describe.each(['http', 'ws', 'ipc'] as const)('viem over %s', (kind) => {
  const other = `0x${'aa'.repeat(20)}` as const

  it('decodes custom errors, reasons and panics', async () => {
    const { client, close, account } = clientOver(kind)
    const deployment = { abi: compiledAbi, bytecode: compiled.bytecode }
    const hash = await client.deployContract({ ...deployment, args: [1n] })
    const { contractAddress } = await client.waitForTransactionReceipt({ hash })
    const address = contractAddress ?? '0x'
    const refusal = async (functionName: string, args: readonly unknown[]) => {
      const call = { abi: compiledAbi, address, functionName, args, account }
      const errors = await Promise.all([
        client.simulateContract(call).catch(reverted),
        client.estimateContractGas(call).catch(reverted),
      ])
      expect(errors[1]).toEqual(errors[0])
      return errors[0]
    }
    expect(await refusal('transfer', [other, 2n])).toEqual(['Insufficient', [1n, 2n]])
    expect(await refusal('transfer', [zeroAddress, 1n])).toEqual(['Error', ['to nobody']])
    expect(await refusal('divide', [0n])).toEqual(['Panic', [18n]])
    await expect(client.deployContract({ ...deployment, args: [0n] })).rejects.toThrow('no supply')
    await close()
  })
})

describe.each(['ws', 'ipc'] as const)('viem over %s', (kind) => {
  it('hears of blocks, events and pending transactions', async () => {
    const { address, second } = await deploy()
    const { client, close } = clientOver(kind)
    const heard = { blocks: [] as bigint[], values: [] as unknown[], hashes: [] as string[] }
    const endings = [
      client.watchBlockNumber({ onBlockNumber: (number) => heard.blocks.push(number) }),
      client.watchContractEvent({
        abi,
        address,
        eventName: 'Transfer',
        onLogs: (logs) => heard.values.push(...logs.map(({ args }) => args.value)),
      }),
      client.watchPendingTransactions({
        onTransactions: (hashes) => heard.hashes.push(...hashes),
      }),
    ]
    // All three subscriptions stand once a call behind them is answered, since calls of a socket keep their order.
    await client.getChainId()
    const call = { abi, address, functionName: 'transfer', args: [second.address, 9n] } as const
    const hash = await client.writeContract(call)
    const receipt = await client.waitForTransactionReceipt({ hash })
    await expect.poll(() => heard.blocks, waiting).toContain(receipt.blockNumber)
    await expect.poll(() => heard.values, waiting).toEqual([9n])
    await expect.poll(() => heard.hashes, waiting).toContain(hash)
    for (const end of endings) end()
    await close()
  })
})

/** Name and arguments of what a contract reverted with. */
function reverted(error: unknown): [string | undefined, unknown] {
  const found =
    error instanceof BaseError && error.walk((it) => it instanceof ContractFunctionRevertedError)
  if (!(found instanceof ContractFunctionRevertedError)) throw error
  return [found.data?.errorName, found.data?.args]
}
