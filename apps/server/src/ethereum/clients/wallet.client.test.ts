/** The calls of a wallet in a browser, in its order: its extension's origin, fees, estimate, two sends in a row. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@cairn/core'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EthereumService, openEthereumService } from '../ethereum-service.ts'

const anyPort = { host: '127.0.0.1', port: 0 }
const extension = 'chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn'
const to = `0x${'11'.repeat(20)}` as const

let folder: string
let service: EthereumService
let url: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-wallet-'))
  const mayMove = { http: false, webSocket: false }
  service = await openEthereumService(
    { http: anyPort, webSocket: anyPort, mayMove, periodSeconds: 0 },
    { directory: folder, logger: silentLogger },
  )
  url = service.info.http ?? ''
})
afterAll(async () => {
  await service.close()
  await rm(folder, { recursive: true })
})

async function call(method: string, ...params: unknown[]): Promise<never> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: extension },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  expect(response.headers.get('access-control-allow-origin')).toBe(extension)
  const { result, error } = (await response.json()) as { result: never; error?: unknown }
  expect(error).toBeUndefined()
  return result
}

const preflight = (origin: string) =>
  fetch(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    },
  })

describe('a wallet', () => {
  it('may ask from its extension, and other pages may not', async () => {
    const { headers } = await preflight(extension)
    expect(headers.get('access-control-allow-origin')).toBe(extension)
    expect(headers.get('access-control-allow-headers')).toBe('content-type')
    const foreign = await preflight('https://example.org')
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('sends twice in a row, with what the node tells it', async () => {
    const { devAccount, chainId } = service.info
    const account = privateKeyToAccount(devAccount.privateKey as `0x${string}`)
    const from = account.address
    expect(Number(await call('eth_chainId'))).toBe(chainId)
    expect(await call('net_version')).toBe(String(chainId))
    expect(BigInt(await call('eth_getBalance', from, 'latest'))).toBe(10n ** 24n)
    expect(await call('eth_getCode', to, 'latest')).toBe('0x')
    const history: { baseFeePerGas: string[]; reward?: string[][] } = await call(
      'eth_feeHistory',
      '0x5',
      'latest',
      [10, 50, 90],
    )
    const baseFee = BigInt(history.baseFeePerGas.at(-1) ?? '0x0')
    expect(baseFee).toBeGreaterThan(0n)
    const tip = BigInt(await call('eth_maxPriorityFeePerGas'))
    const gas = BigInt(await call('eth_estimateGas', { from, to, value: '0x1' }))
    expect(gas).toBe(21_000n)

    const send = async (nonce: number): Promise<string> => {
      const raw = await account.signTransaction({
        chainId,
        nonce,
        to,
        gas,
        value: 1n,
        maxFeePerGas: 2n * baseFee + tip,
        maxPriorityFeePerGas: tip,
        type: 'eip1559',
      })
      return call('eth_sendRawTransaction', raw)
    }
    const nonceOf = async () => Number(await call('eth_getTransactionCount', from, 'pending'))
    const hashes = [await send(await nonceOf()), await send(await nonceOf())]
    expect(new Set(hashes).size).toBe(2)
    for (const hash of hashes) {
      await expect
        .poll(() => call('eth_getTransactionReceipt', hash), { interval: 20 })
        .toMatchObject({ status: '0x1', from: from.toLowerCase(), to })
    }
    expect(await call('eth_getBalance', to, 'latest')).toBe('0x2')
  })

  it('finds the development account unlocked, as tools that sign nothing expect', async () => {
    const [from] = (await call('eth_accounts')) as string[]
    expect(from).toBe(service.info.devAccount.address.toLowerCase())
    const hash = await call('eth_sendTransaction', { from, to, value: '0x1' })
    await expect
      .poll(() => call('eth_getTransactionReceipt', hash), { interval: 20 })
      .toMatchObject({ status: '0x1' })
  })
})
