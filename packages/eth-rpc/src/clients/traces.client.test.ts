/**
 * The same contracts, deployed and called by the same transactions here and on anvil: traces have to agree. Where anvil
 * has words or fields of its own, the comparison says so. Clients' own ways to ask are tried, too.
 */
import { ethers } from 'ethers'
import { createPublicClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { assemble, initCodeOf } from '../testing/assemble.ts'
import { type AnvilNode, findFoundryProgram, startAnvil } from '../testing/foundry.ts'
import { revertWith } from '../testing/revert-with.ts'
import { openRpcTestNode, type RpcTestNode, testChainId } from '../testing/rpc-node.ts'

type Json = Readonly<Record<string, unknown>>
interface Receipt extends Json {
  readonly transactionHash: string
  readonly contractAddress: string
  readonly gasUsed: string
  readonly status: string
}
interface Call extends Json {
  readonly type: string
  readonly error?: string
  readonly calls?: readonly Call[]
  readonly logs?: readonly Json[]
}
interface Step extends Json {
  readonly op: string
  readonly depth: number
  readonly error?: string
  readonly memory?: readonly string[]
  readonly storage?: Readonly<Record<string, string>>
}
interface Steps {
  readonly gas: number
  readonly failed: boolean
  readonly returnValue: string
  readonly structLogs: readonly Step[]
}

const program = findFoundryProgram('anvil')
let node: RpcTestNode
let anvil: AnvilNode | undefined
const sent = new Map<string, Receipt>()
let nonce = 0

async function ask<T>(url: string, method: string, ...params: unknown[]): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = (await response.json()) as { result: T; error?: Json }
  if (error !== undefined) throw new Error(JSON.stringify(error))
  return result
}

const nodeUrls = () => (anvil === undefined ? [node.httpUrl] : [node.httpUrl, anvil.httpUrl])

async function receiptOf(url: string, hash: string): Promise<Receipt> {
  const look = async () => {
    const receipt = await ask<Receipt | null>(url, 'eth_getTransactionReceipt', hash)
    if (receipt === null) throw new Error(`no receipt of ${hash} yet`)
    return receipt
  }
  return vi.waitFor(look, { timeout: 300_000, interval: 5 })
}

/** To both; they have to give the same receipt. */
async function send(
  name: string,
  fields: { to?: string; data?: string; value?: bigint; gas?: bigint },
): Promise<Receipt> {
  const [key] = node.privateKeys
  const raw = await privateKeyToAccount(key as `0x${string}`).signTransaction({
    chainId: testChainId,
    type: 'legacy',
    gasPrice: 3_000_000_000n,
    gas: 1_000_000n,
    nonce: nonce++,
    ...(fields as { to: `0x${string}` }),
  })
  const receipts: Receipt[] = []
  for (const url of nodeUrls()) {
    receipts.push(await receiptOf(url, await ask<string>(url, 'eth_sendRawTransaction', raw)))
  }
  const [own] = receipts as [Receipt]
  for (const { gasUsed, status } of receipts) {
    expect({ gasUsed, status }).toEqual({ gasUsed: own.gasUsed, status: own.status })
  }
  sent.set(name, own)
  return own
}

const deploy = async (code: string) =>
  (await send('deploy', { data: initCodeOf(assemble(code)) })).contractAddress

/** Calls with 4 bytes of input and up to 32 of output. */
function call(opcode: string, to: string, value: number | undefined, gas: number): string {
  return `32 0 4 28 ${value ?? ''} ${to} ${gas} ${opcode} POP`
}

const builtIn = (number: number) => `0x${number.toString(16).padStart(40, '0')}`

async function deployAll(): Promise<void> {
  const worker = await deploy(
    '0 SLOAD 1 ADD DUP1 0 SSTORE 0 MSTORE 7 32 0 LOG1 0 5 SSTORE 32 0 RETURN',
  )
  const reverting = await deploy(revertWith('no luck'))
  const invalid = await deploy('INVALID')
  const poor = await deploy('ADD')
  const jumping = await deploy('5 JUMP')
  const burning = await deploy('0xffffff 0 KECCAK256')
  const dying = await deploy('0x99 SELFDESTRUCT')
  const clearing = await deploy('0 5 SSTORE 1 5 SSTORE 0 5 SSTORE STOP')
  const child = assemble('1 0 SSTORE 5 5 LOG0 0x6001 0 MSTORE 2 30 RETURN')
  const main = await deploy(
    [
      '0xaabbccdd 0 MSTORE',
      call('CALL', worker, 5, 100_000),
      call('STATICCALL', worker, undefined, 30_000),
      call('DELEGATECALL', worker, undefined, 100_000),
      call('CALLCODE', worker, 0, 100_000),
      call('STATICCALL', builtIn(2), undefined, 30_000),
      call('STATICCALL', builtIn(9), undefined, 30_000),
      ...[reverting, invalid, poor, jumping, burning].map((to) => call('CALL', to, 0, 5000)),
      call('CALL', dying, 3, 40_000),
      call('CALL', clearing, 0, 60_000),
      call('CALL', `0x${'77'.repeat(20)}`, 0, 1000),
      `0x${child.padEnd(64, '0')} 0 MSTORE`,
      `${child.length / 2} 0 0 CREATE POP`,
      `9 ${child.length / 2} 0 1 CREATE2 POP`,
      'RETURNDATASIZE 0 MSTORE 32 0 RETURN',
    ].join(' '),
  )
  await send('many calls', { to: main, value: 1000n, data: '0x11223344' })
  await send('a revert', { to: reverting })
  await send('an unknown opcode', { to: invalid })
  await send('out of gas', { to: burning, gas: 100_000n })
  await send('a transfer', { to: `0x${'55'.repeat(20)}`, value: 5n })
  await send('a contract', { data: `0x${child}` })
  await send('a contract that fails', { data: `0x${assemble('INVALID')}` })
  await send('a self-destruction', { to: dying, value: 4n })
  await send('storage cleared', { to: clearing })
}

beforeAll(async () => {
  node = await openRpcTestNode(0n, ['eth', 'net', 'web3', 'debug'])
  if (program !== undefined) {
    anvil = await startAnvil(program, testChainId)
    const [key] = node.privateKeys
    const { address } = privateKeyToAccount(key as `0x${string}`)
    await ask(anvil.httpUrl, 'anvil_setBalance', address, `0x${(10n ** 22n).toString(16)}`)
  }
  await deployAll()
})
afterAll(async () => {
  anvil?.close()
  await node.close()
})

const cases = [
  'many calls',
  'a revert',
  'an unknown opcode',
  'out of gas',
  'a transfer',
  'a contract',
  'a contract that fails',
  'a self-destruction',
  'storage cleared',
]
const trace = <T>(url: string, name: string, options: unknown) =>
  ask<T>(url, 'debug_traceTransaction', sent.get(name)?.transactionHash, options)

// Skipped where Foundry has no program for the platform.
describe.skipIf(program === undefined)('beside anvil', () => {
  const both = async <T>(name: string, options: unknown): Promise<[T, T]> => {
    const [own, other] = await Promise.all(nodeUrls().map((url) => trace<T>(url, name, options)))
    return [own as T, other as T]
  }

  it.each(cases)('callTracer tells the same of %s', async (name) => {
    const options = { tracer: 'callTracer', tracerConfig: { withLog: true } }
    const [own, other] = await both<Call>(name, options)
    // anvil tells of the gas that was left for the first call; geth of all that the transaction had.
    const { gas, ...rest } = comparableCall(own)
    const { gas: __, ...otherRest } = comparableCall(other)
    expect(rest).toEqual(otherRest)
    expect(BigInt(String(gas))).toBe(name === 'out of gas' ? 100_000n : 1_000_000n)
  })

  it.each(cases)('the struct logger tells the same of %s', async (name) => {
    const options = { enableMemory: true }
    const [own, other] = await both<Steps>(name, options)
    expect(own.gas).toBe(other.gas)
    expect(own.failed).toBe(other.failed)
    expect(`0x${own.returnValue}`).toBe(other.returnValue)
    const comparable = ({ structLogs }: Steps) =>
      structLogs.map((step, index) => comparableStep(step, other.structLogs[index]))
    expect(comparable(own)).toEqual(comparable(other))
  })

  it.each(cases)('prestateTracer tells the same of %s', async (name) => {
    const [own, other] = await both<Json>(name, { tracer: 'prestateTracer' })
    const gone =
      name === 'a contract that fails' ? [builtIn(0), failedContract(other)] : [builtIn(0)]
    expect(without(own, [sealer()])).toEqual(without(other, gone))
    const diff = { tracer: 'prestateTracer', tracerConfig: { diffMode: true } }
    const [ownDiff, otherDiff] = await both<{ pre: Json; post: Json }>(name, diff)
    expect(without(ownDiff.post, [sealer()])).toEqual(without(otherDiff.post, [builtIn(0)]))
    // What self-destructed is in geth's state before, whether it changed or not.
    expect(without(ownDiff.pre, [sealer()])).toMatchObject(without(otherDiff.pre, [builtIn(0)]))
  })
})

/** The sealer's key is the chain's own; anvil pays the tips to nobody. */
const sealer = () => node.node.chain.rules.signerOf(node.node.chain.head.header)

function without(accounts: Json, keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(accounts).filter(([key]) => !keys.includes(key)))
}

/** anvil keeps the address of the contract that did not come to be; geth leaves it out. */
function failedContract(accounts: Json): string {
  const isEmpty = ([, account]: [string, unknown]) =>
    JSON.stringify(account) === '{"balance":"0x0"}'
  return Object.entries(accounts).find(isEmpty)?.[0] ?? ''
}

/** Without what only one of both has: anvil's numbers of logs, its words for faults. */
function comparableCall(frame: Call): Call {
  const { logs, calls, error, ...rest } = frame
  return {
    ...rest,
    ...(error === undefined ? {} : { error: error === 'execution reverted' ? error : 'fault' }),
    ...(logs === undefined ? {} : { logs: logs.map(({ index: _, ...log }) => log) }),
    ...(calls === undefined ? {} : { calls: calls.map(comparableCall) }),
  }
}

/**
 * Without refunds, which anvil tells from before the step, and frame by frame.
 * @param other The step as anvil has it.
 */
function comparableStep(step: Step, other: Step | undefined): Json {
  const { error: _, refund: __, returnData: ___, storage, memory, gasCost, ...rest } = step
  const digits = (text: string) => text.replace('0x', '')
  // What a failed step would have cost or written, each says in its way; anvil's CREATE has the gas of the init code.
  const isFault = other?.error !== undefined
  const isCreation = step.op === 'CREATE' || step.op === 'CREATE2'
  const words = Object.entries(storage ?? {}).map(([slot, value]) => [digits(slot), digits(value)])
  return {
    ...rest,
    gasCost: isFault || isCreation ? undefined : gasCost,
    memory: memory?.map(digits) ?? [],
    storage: isFault ? undefined : words,
  }
}

describe('clients', () => {
  it('viem asks by its own means', async () => {
    const client = createPublicClient({ transport: http(node.httpUrl) })
    const request = client.request as (given: unknown) => Promise<Call>
    const hash = sent.get('many calls')?.transactionHash
    const top = await request({
      method: 'debug_traceTransaction',
      params: [hash, { tracer: 'callTracer' }],
    })
    expect(top).toMatchObject({ type: 'CALL', value: '0x3e8' })
    expect(top.calls?.map(({ type }) => type)).toEqual([
      ...['CALL', 'STATICCALL', 'DELEGATECALL', 'CALLCODE', 'STATICCALL', 'STATICCALL'],
      ...['CALL', 'CALL', 'CALL', 'CALL', 'CALL', 'CALL', 'CALL', 'CALL', 'CREATE', 'CREATE2'],
    ])
  })

  it('ethers asks by its own means', async () => {
    const provider = new ethers.JsonRpcProvider(node.httpUrl, testChainId)
    const hash = sent.get('a revert')?.transactionHash
    const steps = (await provider.send('debug_traceTransaction', [hash, {}])) as Steps
    expect(steps.failed).toBe(true)
    expect(steps.returnValue).toMatch(/^08c379a0/)
    expect(steps.structLogs.at(-1)).toMatchObject({ op: 'REVERT', depth: 1 })
    provider.destroy()
  })
})
