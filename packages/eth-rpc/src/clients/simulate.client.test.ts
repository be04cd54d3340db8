/** eth_simulateV1 as viem asks for it, and what it refuses. Where Foundry is there, calls come out as on anvil. */
import { erc20InitCode } from '@cairn/testing'
import {
  createPublicClient,
  defineChain,
  encodeFunctionData,
  getContractAddress,
  http,
  parseEther,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assemble } from '../testing/assemble.ts'
import { findFoundryProgram, startAnvil } from '../testing/foundry.ts'
import { revertWith } from '../testing/revert-with.ts'
import { openRpcTestNode, type RpcTestNode, testChainId } from '../testing/rpc-node.ts'
import { SealingClient } from '../testing/sealing-client.ts'
import { tokenAbi } from './token-abi.ts'

const chain = defineChain({
  id: testChainId,
  name: 'test',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [] } },
})
const poor = `0x${'a1'.repeat(20)}` as const
const rich = `0x${'b2'.repeat(20)}` as const
const transferOf = (amount: bigint) =>
  encodeFunctionData({ abi: tokenAbi, functionName: 'transfer', args: [poor, amount] })
const code = (text: string) => `0x${assemble(text)}` as const

interface SimulatedCall {
  readonly returnData: string
  readonly status: string
  readonly gasUsed: string
  readonly logs: readonly { readonly logIndex: string; readonly address: string }[]
  readonly error?: { readonly code: number; readonly message: string; readonly data?: string }
}
interface SimulatedBlock {
  readonly number: string
  readonly timestamp: string
  readonly hash: string
  readonly parentHash: string
  readonly baseFeePerGas: string
  readonly gasUsed: string
  readonly transactions: readonly unknown[]
  readonly calls: readonly SimulatedCall[]
}

let node: RpcTestNode
let client: SealingClient
let token: `0x${string}`
const publicClient = () => createPublicClient({ chain, transport: http(node.httpUrl) })

beforeAll(async () => {
  node = await openRpcTestNode()
  client = new SealingClient(node)
  const deployed = await client.mined(
    client.submit({ data: `0x${erc20InitCode}`, gasLimit: 3_000_000n }),
  )
  token = deployed.contractAddress as `0x${string}`
})
afterAll(() => node.close())

const simulate = (options: unknown, block?: string) =>
  client.result<SimulatedBlock[]>('eth_simulateV1', options, ...(block ? [block] : []))
const oneBlock = async (block: unknown, more: object = {}) => {
  const [first] = await simulate({ blockStateCalls: [block], ...more })
  return first as SimulatedBlock
}

describe('viem', () => {
  it('simulates blocks one after the other, each on what the one before it left', async () => {
    const counter = code('0 SLOAD 1 ADD DUP1 0 SSTORE 0 MSTORE NUMBER 32 MSTORE 64 0 RETURN')
    const head = await publicClient().getBlockNumber()
    const blocks = await publicClient().simulateBlocks({
      blocks: [
        {
          calls: [{ to: poor }, { to: poor }],
          stateOverrides: [{ address: poor, code: counter }],
        },
        { blockOverrides: { time: 2n ** 40n }, calls: [{ to: poor }] },
      ],
    })
    expect(blocks.map(({ number }) => number)).toEqual([head + 1n, head + 2n])
    const words = (count: bigint, number: bigint) =>
      `0x${[count, number].map((value) => value.toString(16).padStart(64, '0')).join('')}`
    expect(blocks[0]?.calls.map(({ data }) => data)).toEqual([
      words(1n, head + 1n),
      words(2n, head + 1n),
    ])
    expect(blocks[1]?.calls.map(({ data }) => data)).toEqual([words(3n, head + 2n)])
    // Nothing is left of it.
    expect(await publicClient().getBlockNumber()).toBe(head)
    expect(await publicClient().getCode({ address: poor })).toBeUndefined()
  })

  it('tells which assets would move', async () => {
    const [key] = node.privateKeys
    const { assetChanges, results } = await publicClient().simulateCalls({
      account: privateKeyToAccount(key as `0x${string}`).address,
      calls: [
        { to: token, abi: tokenAbi, functionName: 'transfer', args: [poor, 7n] },
        { to: poor, value: parseEther('1') },
      ],
      traceAssetChanges: true,
    })
    expect(results.map(({ status }) => status)).toEqual(['success', 'success'])
    expect(results[0]?.result).toBe(true)
    expect(assetChanges.map(({ value }) => value.diff)).toEqual([-parseEther('1'), -7n])
  })

  it('says why a call fails', async () => {
    const [block] = await publicClient().simulateBlocks({
      blocks: [
        {
          calls: [
            { from: rich, to: token, abi: tokenAbi, functionName: 'transfer', args: [poor, 7n] },
          ],
        },
      ],
    })
    const [call] = block?.calls ?? []
    expect(call?.status).toBe('failure')
    expect(String(call?.error)).toContain('ERC20InsufficientBalance')
  })
})

describe('eth_simulateV1', () => {
  it('makes blocks that hang together', async () => {
    const transfer = { from: rich, to: poor, value: '0x5' }
    const funded = { [rich]: { balance: '0x64' } }
    const [first, second] = await simulate({
      blockStateCalls: [
        { calls: [transfer], stateOverrides: funded },
        {
          calls: [transfer, transfer],
          blockOverrides: { baseFeePerGas: '0x7', time: '0x7fffffff' },
        },
      ],
      returnFullTransactions: true,
    })
    const head = await client.result<SimulatedBlock>('eth_getBlockByNumber', 'latest')
    expect(first?.parentHash).toBe(head.hash)
    expect(second?.parentHash).toBe(first?.hash)
    expect(second).toMatchObject({
      baseFeePerGas: '0x7',
      timestamp: '0x7fffffff',
      gasUsed: '0xa410',
    })
    expect(first).toMatchObject({
      baseFeePerGas: '0x0',
      timestamp: `0x${(BigInt(head.timestamp) + 1n).toString(16)}`,
      transactions: [{ from: rich, to: poor, value: '0x5', nonce: '0x0', type: '0x2' }],
    })
    expect(second?.transactions).toMatchObject([{ nonce: '0x1' }, { nonce: '0x2' }])
  })

  it('keeps what a message makes for those after it', async () => {
    const made = getContractAddress({ from: rich, nonce: 0n })
    const { calls } = await oneBlock({
      calls: [
        { from: rich, data: `0x${erc20InitCode}` },
        { from: rich, to: made, data: transferOf(5n) },
        { from: poor, to: made, data: transferOf(9n) },
      ],
    })
    expect(calls.map(({ status }) => status)).toEqual(['0x1', '0x1', '0x0'])
  })

  it('tells the gas before refunds, too', async () => {
    const { calls } = await oneBlock({
      stateOverrides: {
        [poor]: {
          code: code('0 0 SSTORE STOP'),
          stateDiff: { [`0x${'00'.repeat(32)}`]: `0x${'01'.padStart(64, '0')}` },
        },
      },
      calls: [{ to: poor }],
    })
    // 21,000, two numbers, a cold slot that becomes zero, of which 4800 come back.
    expect(calls[0]).toMatchObject({ gasUsed: '0x52d4', maxUsedGas: '0x6594' })
  })

  it('fills gaps with empty blocks', async () => {
    const head = await client.result<SimulatedBlock>('eth_getBlockByNumber', 'latest')
    const number = (distance: number) => `0x${(Number(head.number) + distance).toString(16)}`
    const blocks = await simulate({
      blockStateCalls: [{ calls: [{ to: poor }] }, { blockOverrides: { number: number(4) } }],
    })
    expect(blocks.map((block) => [block.number, block.calls.length])).toEqual([
      [number(1), 1],
      [number(2), 0],
      [number(3), 0],
      [number(4), 0],
    ])
  })

  it('tells logs and, if wanted, transfers of ether between them', async () => {
    const paying = code(`7 0 0 LOG1 0 0 0 0 3 ${rich} 50000 CALL POP 8 0 0 LOG1`)
    const failing = code(`9 0 0 LOG1 0 0 0 0 3 ${rich} 50000 CALL POP 0 0 REVERT`)
    const block = {
      stateOverrides: {
        [poor]: { code: paying, balance: '0x9' },
        [token]: { code: failing, balance: '0x9' },
      },
      calls: [{ to: poor }, { to: token }, { to: poor }],
    }
    const plain = await oneBlock(block)
    const counts = ({ calls }: SimulatedBlock) => calls.map(({ logs }) => logs.length)
    expect(counts(plain)).toEqual([2, 0, 2])
    const traced = await oneBlock(block, { traceTransfers: true })
    expect(counts(traced)).toEqual([3, 0, 3])
    expect(traced.calls[0]?.logs[1]).toMatchObject({
      address: `0x${'ee'.repeat(20)}`,
      topics: [
        '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef',
        `0x${'00'.repeat(12)}${'a1'.repeat(20)}`,
        `0x${'00'.repeat(12)}${'b2'.repeat(20)}`,
      ],
      data: `0x${'3'.padStart(64, '0')}`,
      blockHash: traced.hash,
      transactionIndex: '0x0',
    })
    expect(traced.calls.flatMap(({ logs }) => logs.map(({ logIndex }) => logIndex))).toEqual(
      [0, 1, 2, 3, 4, 5].map((index) => `0x${index}`),
    )
  })

  it('tells reverts and faults of each call, and goes on', async () => {
    const { calls } = await oneBlock({
      stateOverrides: {
        [poor]: { code: code(revertWith('no luck')) },
        [rich]: { code: code('INVALID') },
      },
      calls: [{ to: poor }, { to: rich, gas: '0x7530' }, { to: token, data: '0x18160ddd' }],
    })
    expect(calls.map(({ status }) => status)).toEqual(['0x0', '0x0', '0x1'])
    expect(calls[0]?.error).toMatchObject({
      code: 3,
      message: 'execution reverted: no luck',
      data: calls[0]?.returnData,
    })
    expect(calls[1]).toMatchObject({
      gasUsed: '0x7530',
      error: { code: -32015, message: 'invalid opcode: INVALID' },
    })
  })

  it('says what a block is told of chance', async () => {
    const random = `0x${'5a'.repeat(32)}`
    const { calls } = await oneBlock({
      blockOverrides: { prevRandao: random },
      stateOverrides: { [poor]: { code: code('DIFFICULTY 0 MSTORE 32 0 RETURN') } },
      calls: [{ to: poor }],
    })
    expect(calls[0]?.returnData).toBe(random)
  })

  it('finds blocks before it by their hash', async () => {
    const head = await client.result<SimulatedBlock>('eth_getBlockByNumber', 'latest')
    const hashes = code('1 NUMBER SUB BLOCKHASH 0 MSTORE 32 0 RETURN')
    const [first, second] = await simulate({
      blockStateCalls: [
        { calls: [{ to: poor }], stateOverrides: { [poor]: { code: hashes } } },
        { calls: [{ to: poor }] },
      ],
    })
    expect(first?.calls[0]?.returnData).toBe(head.hash)
    expect(second?.calls[0]?.returnData).toBe(first?.hash)
  })

  it('checks what transactions are checked for, if that is wanted', async () => {
    const block = (fields: object) => ({
      stateOverrides: { [rich]: { balance: '0xde0b6b3a7640000', nonce: '0x5' } },
      calls: [{ from: rich, to: poor, gas: '0x5208', ...fields }],
    })
    const price = { maxFeePerGas: '0x77359400' }
    const checked = await oneBlock(block({ nonce: '0x5', ...price }), { validation: true })
    expect(checked.calls[0]?.status).toBe('0x1')
    expect(BigInt(checked.baseFeePerGas)).toBeGreaterThan(0n)
    const codeOf = async (fields: object) =>
      (
        await client.ask('eth_simulateV1', {
          blockStateCalls: [block(fields)],
          validation: true,
        })
      ).error?.code
    expect(await codeOf({ nonce: '0x4', ...price })).toBe(-38010)
    expect(await codeOf({ nonce: '0x6', ...price })).toBe(-38011)
    expect(await codeOf({ maxFeePerGas: '0x1' })).toBe(-38012)
    expect(await codeOf({ gas: '0x1', ...price })).toBe(-38013)
    expect(await codeOf({ value: '0xde0b6b3a7640001', ...price })).toBe(-38014)
    // Without, a nonce is what the caller says.
    expect((await oneBlock(block({ nonce: '0x63' }))).calls[0]?.status).toBe('0x1')
  })

  it.each([
    [{}, -32602, 'empty input'],
    [{ blockStateCalls: Array(257).fill({}) }, -38026, 'too many blocks'],
    [{ blockStateCalls: [{ blockOverrides: { number: '0xffff' } }] }, -38026, 'too many blocks'],
    [
      { blockStateCalls: [{ blockOverrides: { number: '0x0' } }] },
      -38020,
      expect.stringMatching(/^block numbers must be in order: 0 <= /),
    ],
    [
      { blockStateCalls: [{ blockOverrides: { time: '0x1' } }] },
      -38021,
      expect.stringMatching(/^block timestamps must be in order: 1 <= /),
    ],
    [
      { blockStateCalls: [{ calls: [{ gas: '0x7fffffff' }] }] },
      -38015,
      expect.stringMatching(/^block gas limit reached: /),
    ],
    [
      { blockStateCalls: [{ stateOverrides: { [poor]: { movePrecompileToAddress: rich } } }] },
      -32602,
      expect.stringMatching(/movePrecompileToAddress is not supported$/),
    ],
    [{ blockStateCalls: [{ calls: 5 }] }, -32602, expect.stringMatching(/calls is no array$/)],
  ])('refuses %j', async (options, errorCode, message) => {
    const { error } = await client.ask('eth_simulateV1', options)
    expect(error).toMatchObject({ code: errorCode, message })
  })
})

const program = findFoundryProgram('anvil')
// Skipped where Foundry has no program for the platform.
describe.skipIf(program === undefined)('beside anvil', () => {
  it('gives the same returns, gas and logs', async () => {
    const anvil = await startAnvil(program ?? '', testChainId)
    const worker = code('0 SLOAD 1 ADD DUP1 0 SSTORE 0 MSTORE 7 32 0 LOG1 32 0 RETURN')
    const options = {
      blockStateCalls: [
        {
          stateOverrides: {
            [rich]: { balance: '0x56bc75e2d63100000' },
            [poor]: {
              code: worker,
              stateDiff: { [`0x${'00'.repeat(32)}`]: `0x${'09'.padStart(64, '0')}` },
            },
          },
          calls: [
            { from: rich, to: poor },
            { from: rich, to: poor, value: '0x5' },
          ],
        },
        { calls: [{ from: rich, to: poor }] },
      ],
    }
    const response = await fetch(anvil.httpUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_simulateV1', params: [options] }),
    })
    // anvil 1.7.1 takes no message that makes a contract.
    const { result } = (await response.json()) as { result: SimulatedBlock[] }
    anvil.close()
    const told = (blocks: readonly SimulatedBlock[]) =>
      blocks.map(({ calls }) =>
        calls.map(({ returnData, gasUsed, status, logs }) => ({
          ...{ returnData, gasUsed, status },
          logs: logs.map(({ address }) => address),
        })),
      )
    expect(told(await simulate(options))).toEqual(told(result))
  })
})
