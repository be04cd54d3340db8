/** The command lines of a talk of 2019, as they stand there: accounts, genesis by puppeth, init, and a sealing node. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../testing/run-program.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-node-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs a node until `use` is done with it; `use` gets what it has printed to the error output. */
async function withNode(
  words: readonly string[],
  use: (printed: () => string) => Promise<void>,
): Promise<string> {
  let stop = (_: string) => {}
  const errorOutput = new PassThrough()
  let text = ''
  errorOutput.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const stopSignal = () =>
    new Promise<string>((resolve) => {
      stop = resolve
    })
  const running = runProgram(['geth', ...words], '', { stopSignal, errorOutput })
  try {
    await expect.poll(() => text).toContain('Ethereum node is up.')
    await use(() => text)
  } finally {
    stop('SIGTERM')
  }
  expect((await running).code).toBe(0)
  return text
}

async function call(url: string, method: string, ...params: unknown[]): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  return ((await response.json()) as { result?: unknown }).result
}

const urlIn = (text: string) => /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? ''

describe('a node', () => {
  it('seals with an unlocked account, as the lines of 2019 say', async () => {
    const datadir = join(folder, 'node1')
    const password = join(folder, 'password.txt')
    await writeFile(password, 'secret\n')
    const flags = ['--datadir', datadir, '--password', password]
    const made = await runProgram(['geth', '--lightkdf', ...flags, 'account', 'new'])
    const address = /0x[0-9a-fA-F]{40}/.exec(made.output)?.[0] ?? ''
    const genesis = join(folder, 'genesis.json')
    await runProgram([
      'puppeth',
      ...['--signer', address, '--period', '0', '--chain-id', '4242', '--out', genesis],
    ])
    expect((await runProgram(['geth', '--datadir', datadir, 'init', genesis])).code).toBe(0)

    const line = ['--datadir', datadir, '--rpc', '--rpcport', '0', '--rpcapi', 'eth,net,web3']
    const sealing = ['--mine', '--etherbase', address, '--unlock', address, '--password', password]
    const text = await withNode([...line, ...sealing], async (printed) => {
      const url = urlIn(printed())
      expect(await call(url, 'eth_chainId')).toBe('0x1092')
      expect(await call(url, 'net_version')).toBe('4242')
      expect(await call(url, 'eth_mining')).toBe(true)
      expect(await call(url, 'eth_coinbase')).toBe(address.toLowerCase())
      expect(await call(url, 'eth_accounts')).toEqual([address.toLowerCase()])
      expect(await call(url, 'eth_sign', address, '0x12')).toMatch(/^0x[0-9a-f]{130}$/)
      expect(await call(url, 'personal_listAccounts')).toBeUndefined()
    })
    expect(text).toContain('warning: --rpc is called --http today.')
    expect(text).toContain(`Unlocked account ${address}`)
    expect(text).not.toContain(await readFile(password, 'utf8'))
  })

  it('wants a chain, and a key to seal', async () => {
    const datadir = join(folder, 'empty')
    const without = await runProgram(['geth', '--datadir', datadir, '--ipcdisable'])
    expect(without.code).toBe(1)
    expect(without.errorOutput).toContain('There is no chain in this folder yet.')
    const locked = await runProgram(['geth', '--datadir', datadir, '--mine'])
    expect(locked.errorOutput).toContain('Sealing needs the key of a signer.')
  })

  it('unlocks no account where other machines can ask', async () => {
    const { code, errorOutput } = await runProgram([
      'geth',
      ...['--datadir', join(folder, 'open'), '--http', '--http.addr', '0.0.0.0', '--unlock', '0'],
    ])
    expect(code).toBe(1)
    expect(errorOutput).toContain('Account unlock with HTTP access is forbidden!')
  })

  it('is there at once with --dev, funded, and leaves nothing behind', async () => {
    const text = await withNode(['--dev', '--http', '--http.port', '0'], async (printed) => {
      const account = /Developer account (0x[0-9a-fA-F]{40})/.exec(printed())?.[1]
      const balance = await call(urlIn(printed()), 'eth_getBalance', account, 'latest')
      expect(BigInt(String(balance))).toBe(10n ** 24n)
      const transfer = { from: account, to: account, value: '0x1' }
      const sent = await call(urlIn(printed()), 'eth_sendTransaction', transfer)
      expect(sent).toMatch(/^0x[0-9a-f]{64}$/)
    })
    const ipc = /\/\S*cairn-geth-dev-[^/\s]+/.exec(text)?.[0] ?? ''
    await expect(readFile(join(ipc, 'development.json'))).rejects.toThrow('ENOENT')
  })
})
