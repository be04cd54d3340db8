/** `cast` of Foundry, unmodified, over HTTP: the program that people ask a chain with at a terminal. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { erc20InitCode } from '@cairn/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findFoundryProgram } from '../testing/foundry.ts'
import { openRpcTestNode, type RpcTestNode, testChainId } from '../testing/rpc-node.ts'

const run = promisify(execFile)
const to = `0x${'11'.repeat(20)}`

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
    return (await run(program ?? '', words, { env, timeout: 30_000 })).stdout.trim()
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

  it('deploys a token, uses it, and shows why it refuses', async () => {
    const [key = ''] = node.privateKeys
    const signing = ['--private-key', key, '--json']
    const made = await cast('send', ...signing, '--create', `0x${erc20InitCode}`)
    const { contractAddress: token } = JSON.parse(made) as { contractAddress: string }
    await cast('send', token, 'transfer(address,uint256)', to, '5', ...signing)
    expect(await cast('call', token, 'balanceOf(address)(uint256)', to)).toBe('5')
    const logs = JSON.parse(await cast('logs', '--json', '--from-block', '0', '--address', token))
    expect(logs).toHaveLength(2)
    const poor = `0x${'33'.repeat(20)}`
    await expect(
      cast('call', token, 'transfer(address,uint256)', to, '1', '--from', poor),
    ).rejects.toThrow('execution reverted')
  })

  it('traces a transaction, and runs it again for itself', async () => {
    const [key = ''] = node.privateKeys
    const signing = ['--private-key', key, '--json']
    const made = await cast('send', ...signing, '--create', `0x${erc20InitCode}`)
    const { contractAddress: token } = JSON.parse(made) as { contractAddress: string }
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
})
