/** `cast` of Foundry, unmodified, over HTTP: the program that people ask a chain with at a terminal. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { compileToken } from '@cairn/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findFoundryProgram } from '../testing/foundry.ts'
import { openRpcTestNode, type RpcTestNode, testChainId } from '../testing/rpc-node.ts'

const run = promisify(execFile)
const to = `0x${'11'.repeat(20)}`

const compiled = compileToken()
const program = findFoundryProgram('cast')

// Skipped where Foundry has no program for the platform.
describe.skipIf(program === undefined)('cast', () => {
  let node: RpcTestNode
  beforeAll(async () => {
    node = await openRpcTestNode(0n, ['eth', 'net', 'web3', 'debug'])
  })
  afterAll(() => node.close())

  async function cast(...words: readonly string[]): Promise<string> {
    const env = {
      ETH_RPC_URL: node.httpUrl,
      FOUNDRY_DISABLE_NIGHTLY_WARNING: '1',
      HOME: '/nowhere',
    }
    return (await run(program ?? '', words, { env, timeout: 300_000 })).stdout.trim()
  }

  it('reads the chain', async () => {
    expect(await cast('chain-id')).toBe(String(testChainId))
    expect(await cast('block-number')).toBe('0')
    expect(await cast('client')).toBe('Cairn/test')
    expect(BigInt(await cast('gas-price'))).toBeGreaterThan(0n)
    expect(JSON.parse(await cast('block', '0', '--json'))).toMatchObject({ number: '0x0' })
  })

  it('sends with a key of its own and with an account of the node', async () => {
    const [own = '', other = ''] = node.privateKeys
    const sent = await cast('send', to, '--value', '7', '--private-key', own, '--json')
    expect(JSON.parse(sent)).toMatchObject({ status: '0x1', to })
    node.accounts.addKey(Uint8Array.from(Buffer.from(other.slice(2), 'hex')))
    const from = await cast('wallet', 'address', '--private-key', other)
    const unlocked = await cast('send', to, '--value', '8', '--unlocked', '--from', from, '--json')
    expect(JSON.parse(unlocked)).toMatchObject({ status: '0x1', from: from.toLowerCase() })
    expect(await cast('balance', to)).toBe('15')
  })

  /** What it says when it fails. */
  const failure = (...words: readonly string[]): Promise<string> =>
    cast(...words).then(
      () => 'it did not fail',
      (error: { stderr?: string }) => String(error.stderr),
    )

  it('deploys a token with arguments, estimates, calls and sends', async () => {
    const { key, token, from } = await deploy(1000)
    const transfer = [token, 'transfer(address,uint256)', to, '5']
    const gas = Number(await cast('estimate', ...transfer, '--from', from))
    expect(gas).toBeGreaterThan(40_000)
    const sent = await cast('send', ...transfer, '--private-key', key, '--json')
    const { transactionHash, gasUsed } = JSON.parse(sent)
    // What an estimate adds is small.
    expect(gas / Number(gasUsed)).toBeLessThan(1.1)
    expect(await cast('call', token, 'balanceOf(address)(uint256)', to)).toBe('5')
    const receipt = JSON.parse(await cast('receipt', transactionHash, '--json'))
    expect(receipt).toMatchObject({ status: '0x1', gasUsed, logs: [{ address: token }] })
    expect(JSON.parse(await cast('tx', transactionHash, '--json'))).toMatchObject({
      from,
      to: token,
    })
    const logs = ['logs', '--json', '--from-block', '0', '--address', token]
    expect(JSON.parse(await cast(...logs))).toHaveLength(2)
    const event = 'Transfer(address indexed,address indexed,uint256)'
    const found = JSON.parse(await cast(...logs, event, from))
    expect(found).toMatchObject([{ transactionHash }])
    expect(await cast('storage', token, '1')).toBe(`0x${(1000).toString(16).padStart(64, '0')}`)
    expect(
      JSON.parse(await cast('access-list', ...transfer, '--from', from, '--json')),
    ).toMatchObject({
      accessList: [{ address: token }],
    })
    expect(JSON.parse(await cast('proof', token, '0x1', '--json'))).toMatchObject({
      address: token,
      storageProof: [{ value: '0x3e8' }],
    })
  })

  it('shows why a call, an estimate or a transaction is refused', async () => {
    const { key, token, from } = await deploy(1)
    const nobody = [token, 'transfer(address,uint256)', `0x${'00'.repeat(20)}`, '1']
    expect(await failure('call', ...nobody, '--from', from)).toContain('to nobody')
    expect(await failure('estimate', ...nobody, '--from', from)).toContain('to nobody')
    expect(await failure('send', ...nobody, '--private-key', key)).toContain('to nobody')
    expect(await failure('call', token, 'divide(uint256)', '0')).toContain(
      'division or modulo by zero',
    )
    const poor = await failure('call', token, 'transfer(address,uint256)', to, '2', '--from', from)
    const data = /data: "(0x[0-9a-f]+)"/.exec(poor)?.[1] ?? poor
    const signature = 'Insufficient(uint256,uint256)'
    expect(await cast('decode-error', '--sig', signature, data)).toBe('1\n2')
    const sent = await cast(
      'send',
      ...nobody,
      '--private-key',
      key,
      '--gas-limit',
      '100000',
      '--json',
    )
    expect(JSON.parse(sent)).toMatchObject({ status: '0x0' })
  })

  it('traces a transaction, and runs it again for itself', async () => {
    const { key, token } = await deploy(1000)
    const signing = ['--private-key', key, '--json']
    const sent = await cast('send', token, 'transfer(address,uint256)', to, '5', ...signing)
    const { transactionHash } = JSON.parse(sent) as { transactionHash: string }
    const options = '{"tracer":"callTracer","tracerConfig":{"withLog":true}}'
    const traced = await cast('rpc', 'debug_traceTransaction', transactionHash, options)
    expect(JSON.parse(traced)).toMatchObject({
      type: 'CALL',
      to: token,
      logs: [{ position: '0x0' }],
    })
    const told = await cast('run', transactionHash)
    expect(told).toContain('emit Transfer(')
    expect(told).toContain('Transaction successfully executed.')
  })

  async function deploy(supply: number) {
    const [key = ''] = node.privateKeys
    const made = await cast(
      'send',
      ...['--private-key', key, '--json', '--create', compiled.bytecode],
      ...['constructor(uint256)', String(supply)],
    )
    const { contractAddress, from } = JSON.parse(made) as { contractAddress: string; from: string }
    return { key, token: contractAddress, from }
  }
})
