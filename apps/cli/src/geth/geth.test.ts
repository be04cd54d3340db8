/** geth's command lines: flags old and new, accounts, init, export and import, in folders of their own. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cliqueGenesis, genesisToJson } from '@cairn/eth-codec'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../testing/run-program.ts'
import { GethUsageError, parseGethLine } from './geth-flags.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-geth-'))
})
afterAll(() => rm(folder, { recursive: true }))

const geth = (words: readonly string[], typed?: string) => runProgram(['geth', ...words], typed)

async function genesisFile(name: string, chainId: bigint, timestamp = 1n): Promise<string> {
  const genesis = cliqueGenesis({
    chainId,
    periodSeconds: 0n,
    signers: [new Uint8Array(20).fill(1)],
    balances: [],
    gasLimit: 30_000_000n,
    forks: 'cancun',
    timestamp,
  })
  const path = join(folder, name)
  await writeFile(path, JSON.stringify(genesisToJson(genesis)))
  return path
}

describe('flags', () => {
  it('are read with one dash or two, with = or without, before and behind the command', () => {
    const line = parseGethLine(['-datadir', 'D', 'account', '--lightkdf', 'new', '--password=F=1'])
    expect(line.words).toEqual(['account', 'new'])
    expect(line.text('datadir')).toBe('D')
    expect(line.text('password')).toBe('F=1')
    expect([line.has('lightkdf'), line.has('mine')]).toEqual([true, false])
    expect(line.warnings).toEqual([])
  })

  it('are known by their names of 2019', () => {
    const line = parseGethLine([
      '--rpc',
      '--rpcport',
      '8600',
      '--rpcapi',
      'eth,web3',
      '--etherbase',
      '0x1',
    ])
    expect(line.has('http')).toBe(true)
    expect(line.number('http.port')).toBe(8600)
    expect(line.text('miner.etherbase')).toBe('0x1')
    expect(line.warnings).toHaveLength(4)
    expect(line.warnings[0]).toBe('--rpc is called --http today.')
  })

  it.each([
    [['--zzzzzzzz'], 'flag provided but not defined: -zzzzzzzz'],
    [['--datadir'], 'flag needs an argument: --datadir'],
    [['--http.port', 'x'], 'invalid value "x" for flag -http.port: not a number'],
    [['--mine=maybe'], 'invalid value "maybe" for flag -mine: not a boolean'],
    [['--htpp'], 'flag provided but not defined: -htpp (did you mean --http?)'],
  ])('%j is refused', (words, message) => {
    expect(() => parseGethLine(words)).toThrow(new GethUsageError(message))
  })

  it('end the program with 1 when nobody knows them', async () => {
    const { code, errorOutput } = await geth(['--nosuch'])
    expect(code).toBe(1)
    expect(errorOutput).toContain('flag provided but not defined: -nosuch')
  })
})

describe('account', () => {
  it('makes, lists, changes and imports keys', async () => {
    const datadir = join(folder, 'accounts')
    const flags = ['--datadir', datadir, '--lightkdf']
    const made = await geth([...flags, 'account', 'new'], 'secret\nsecret\n')
    expect(made.code).toBe(0)
    const address = /Public address of the key: {3}0x([0-9a-fA-F]{40})/.exec(made.output)?.[1]
    const [file = ''] = await readdir(join(datadir, 'keystore'))
    expect(file.toLowerCase()).toContain(address?.toLowerCase())
    expect((await stat(join(datadir, 'keystore', file))).mode & 0o777).toBe(0o600)

    const key = join(folder, 'key.hex')
    await writeFile(key, `${'4c'.repeat(32)}\n`)
    const password = join(folder, 'password')
    await writeFile(password, 'other\n')
    const imported = await geth([...flags, 'account', 'import', '--password', password, key])
    expect(imported.output).toMatch(/^Address: \{[0-9a-f]{40}\}/)
    const again = await geth([...flags, 'account', 'import', '--password', password, key])
    expect(again.code).toBe(1)
    expect(again.errorOutput).toContain('account already exists')

    const updated = await geth([...flags, 'account', 'update', address ?? ''], 'secret\nnew\nnew\n')
    expect(updated.code).toBe(0)
    const wrong = await geth([...flags, 'account', 'update', address ?? ''], 'secret\nx\nx\n')
    expect(wrong.errorOutput).toContain('could not decrypt key with given password')

    const listed = await geth([...flags, 'account', 'list'])
    expect(listed.output.split('\n').filter(Boolean)).toHaveLength(2)
    expect(listed.output).toContain(`Account #0: {`)
  })

  it('does not repeat what was to be a key', async () => {
    const path = join(folder, 'bad.hex')
    await writeFile(path, 'deadbeef')
    const { code, errorOutput } = await geth(['--datadir', folder, 'account', 'import', path])
    expect(code).toBe(1)
    expect(errorOutput).not.toContain('deadbeef')
  })
})

describe('init', () => {
  it('writes the genesis once, takes it again, and refuses another', async () => {
    const datadir = join(folder, 'chain')
    const one = await genesisFile('one.json', 1n)
    const other = await genesisFile('other.json', 1n, 2n)
    const first = await geth(['--datadir', datadir, 'init', one])
    expect(first).toMatchObject({ code: 0 })
    expect(first.output).toMatch(/^Successfully wrote genesis state: hash 0x[0-9a-f]{64}\n$/)
    expect(first.errorOutput).toContain('geth cannot join this chain')
    expect(await geth(['--datadir', datadir, 'init', one])).toMatchObject({ code: 0 })
    const refused = await geth(['--datadir', datadir, 'init', other])
    expect(refused.code).toBe(1)
    const hash = first.output.slice(-67, -1)
    expect(refused.errorOutput).toContain(`incompatible genesis (have ${hash}, new 0x`)
    const dumped = await geth(['--datadir', datadir, 'dumpgenesis'])
    expect(JSON.parse(dumped.output)).toEqual(JSON.parse(await readFile(one, 'utf8')))
  })

  it('says what is wrong with a file', async () => {
    const path = join(folder, 'no.json')
    await writeFile(path, '{"config":{"chainId":1},"alloc":{}}')
    const { code, errorOutput } = await geth(['--datadir', join(folder, 'no'), 'init', path])
    expect(code).toBe(1)
    expect(errorOutput).toContain('gasLimit')
  })
})

describe('export and import', () => {
  it('carry a chain from folder to folder, compressed or not', async () => {
    const genesis = await genesisFile('carried.json', 7n)
    const [from, to] = [join(folder, 'from'), join(folder, 'to')]
    for (const datadir of [from, to]) await geth(['--datadir', datadir, 'init', genesis])
    const file = join(folder, 'chain.rlp.gz')
    const exported = await geth(['--datadir', from, 'export', file])
    expect(exported.output).toBe(`Exported 1 blocks to ${file}\n`)
    expect((await readFile(file)).subarray(0, 2)).toEqual(Buffer.of(0x1f, 0x8b))
    const imported = await geth(['--datadir', to, 'import', file])
    expect(imported.output).toMatch(/^Imported 0 new blocks of .*: head 0 0x/)
  })

  it('asks before it removes a chain', async () => {
    const genesis = await genesisFile('removed.json', 8n)
    const datadir = join(folder, 'removed')
    await geth(['--datadir', datadir, 'init', genesis])
    expect((await geth(['--datadir', datadir, 'removedb'], 'n\n')).output).toContain('Nothing')
    expect((await geth(['--datadir', datadir, 'removedb'], 'y\n')).output).toContain('Removed')
    const after = await geth(['--datadir', datadir, 'export', join(folder, 'x')])
    expect(after.errorOutput).toContain('There is no chain in this folder yet')
  })
})

describe('statetest', () => {
  it('runs each case of a file, and fails with one', async () => {
    // Bytes that are no transaction change nothing: the state stays empty. In the format of ethereum/tests.
    const path = join(folder, 'case.json')
    const root = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'
    const write = (hash: string) =>
      writeFile(
        path,
        JSON.stringify({
          refused: {
            env: { currentCoinbase: `0x${'0'.repeat(40)}`, currentGasLimit: '0xffffff' },
            pre: {},
            post: {
              EIP158: [
                {
                  hash,
                  logs: '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347',
                  txbytes: '0xf800',
                  expectException: 'TransactionException',
                  indexes: { data: 0, gas: 0, value: 0 },
                },
              ],
            },
            transaction: { sender: `0x${'0'.repeat(40)}` },
          },
        }),
      )
    await write(root)
    const { code, output } = await geth(['statetest', path])
    expect(JSON.parse(output)).toEqual({
      name: 'refused / spuriousDragon / 0, 0, 0',
      fork: 'EIP158',
      pass: true,
      expected: root,
      computed: root,
    })
    expect(code).toBe(0)
    await write(`0x${'11'.repeat(32)}`)
    const failed = await geth(['statetest', path])
    expect(failed.code).toBe(1)
    expect(JSON.parse(failed.output)).toMatchObject({ pass: false, computed: root })
  })
})
