/** The console of a real node, over its socket and over HTTP. Runs the program that `npm run build` made. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createSystemClock, systemRandom } from '@cairn/core'
import { nodeFileSystem } from '@cairn/journal'
import { type EthereumNode, openDevelopmentChain, openEthereumNode } from '@cairn/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../../bin/cairn.js', import.meta.url))
let folder: string
let node: EthereumNode

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-attach-'))
  const clock = createSystemClock()
  const chain = await openDevelopmentChain({
    directory: folder,
    files: nodeFileSystem,
    clock,
    random: systemRandom,
    periodSeconds: 0n,
  })
  node = await openEthereumNode({
    directory: folder,
    genesis: chain.genesis,
    http: { address: { host: '127.0.0.1', port: 0 } },
    ipcPath: join(folder, 'geth.ipc'),
    accounts: { keyFolder: join(folder, 'keystore'), keyFileCost: 'light' },
    clock,
  })
})
afterAll(async () => {
  await node.close()
  await rm(folder, { recursive: true })
})

function attach(...words: string[]) {
  const line = [program, 'geth', '--datadir', folder, 'attach', ...words]
  return promisify(execFile)(process.execPath, line)
}

/** Runs the console at a terminal of its own and types each answer when it is asked for. */
async function atTerminal(
  words: readonly string[],
  dialogue: readonly (readonly [question: string, answer: string])[],
): Promise<string> {
  const line = [process.execPath, program, 'geth', '--datadir', folder, 'attach', ...words]
  const quoted = line.map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['-qec', quoted, '/dev/null'])
  let [shown, seen] = ['', 0]
  const left = [...dialogue]
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
    const [question, answer] = left[0] ?? []
    const at = question === undefined ? -1 : shown.indexOf(question, seen)
    if (question === undefined || at < 0) return
    seen = at + question.length
    left.shift()
    child.stdin.write(`${answer}\r`)
  })
  await once(child, 'exit')
  return shown
}

describe('geth attach', () => {
  it('answers --exec over the socket of the data folder', async () => {
    const { stdout } = await attach('--exec', '[eth.chainId, eth.blockNumber, eth.mining]')
    expect(stdout).toBe('[1337, 0, false]\n')
  })

  it('nests calls, as they are no promises', async () => {
    const code = 'web3.fromWei(eth.getBalance("0x" + "0".repeat(39) + "1"), "wei")'
    expect((await attach('--exec', code)).stdout).toBe('"1"\n')
  })

  it('shows objects as geth does, and runs scripts', async () => {
    const script = join(folder, 'script.js')
    await writeFile(script, 'var found = eth.getBlock(0); console.log("number", found.number)')
    const { stdout } = await attach(
      '--exec',
      `loadScript("${script}") && [txpool.status, found.size > 500]`,
    )
    expect(stdout).toBe('number 0\n[{\n    pending: 0,\n    queued: 0\n}, true]\n')
  })

  it('answers over HTTP', async () => {
    const { stdout } = await attach(node.endpoints.http ?? '', '--exec', 'eth.getBlock(0).number')
    expect(stdout).toBe('0\n')
  })

  it('asks for passwords at the terminal, and shows none', async () => {
    const shown = await atTerminal(
      [
        '--exec',
        '[personal.unlockAccount(personal.newAccount(), null, 60), personal.listAccounts.length]',
      ],
      [
        ['Passphrase: ', 'open sesame'],
        ['Repeat passphrase: ', 'open sesame'],
        ['Passphrase: ', 'open sesame'],
      ],
    )
    expect(shown).toMatch(/Unlock account 0x[0-9a-f]{40}/)
    expect(shown).toContain('[true, 1]')
    expect(shown).not.toContain('sesame')
  })

  it('tells an error of the node or of the script in a line', async () => {
    for (const [code, line] of [
      ['eth.getBalance("x")', 'Error: invalid argument 0: '],
      ['nothing.there', 'ReferenceError: nothing is not defined'],
      ['1 +', 'SyntaxError: Unexpected end of input'],
    ] as const) {
      const failure = await attach('--exec', code).catch((error) => error)
      expect(failure.code).toBe(1)
      expect(failure.stderr).toContain(line)
      expect(failure.stderr.trim().split('\n')).toHaveLength(1)
    }
  })

  it('says that nobody is there', async () => {
    const failure = await attach(join(folder, 'no.ipc'), '--exec', '1').catch((error) => error)
    expect(failure.code).toBe(1)
    expect(failure.stderr).toContain('No node answers.')
  })
})

describe('a node with a console', () => {
  it('runs until the console or the scripts have ended', async () => {
    const script = join(folder, 'send.js')
    await writeFile(
      script,
      `var hash = eth.sendTransaction({from: eth.accounts[0], to: eth.accounts[0], value: web3.toWei(1, "ether")});
       admin.sleepBlocks(1, 20);
       console.log(eth.getTransaction(hash).value, eth.getTransactionReceipt(hash).status)`,
    )
    const geth = (...words: string[]) =>
      promisify(execFile)(process.execPath, [program, 'geth', '--dev', ...words])
    expect((await geth('js', script)).stdout).toBe('1000000000000000000 0x1\ntrue\n')
    expect((await geth('--exec', 'eth.mining', 'console')).stdout).toBe('true\n')
  })
})
