/** Genesis files by flags and by the answers of puppeth 1.9, and their check. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseGenesis } from '@cairn/eth-codec'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../testing/run-program.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-puppeth-'))
})
afterAll(() => rm(folder, { recursive: true }))

const signer = `0x${'0a'.repeat(20)}`
const rich = `0x${'0b'.repeat(20)}`

describe('by questions', () => {
  it('makes what the answers say, through a pipe', async () => {
    const answers = [
      'atnet',
      '2', // Configure new genesis
      '1', // Create from scratch
      '2', // Clique
      '5',
      '0a'.repeat(20),
      '',
      rich,
      'not an address',
      '0x',
      'yes',
      '4242',
      '2', // Manage existing genesis
      '2', // Export
      folder,
    ]
    const { code, output } = await runProgram(['puppeth'], `${answers.join('\n')}\n`)
    expect(code).toBe(0)
    expect(output).toContain(`Saved genesis to ${folder}/atnet.json`)
    const { genesis } = parseGenesis(JSON.parse(await readFile(join(folder, 'atnet.json'), 'utf8')))
    expect(genesis.config).toMatchObject({
      chainId: 4242n,
      clique: { periodSeconds: 5n, epoch: 30_000n },
      cancunTime: 0n,
    })
    expect(genesis.accounts).toHaveLength(257)
    expect(genesis.accounts.find((it) => it.balance === 2n ** 249n)).toBeDefined()
  })

  it('takes the answers of puppeth 1.8, which had no import and asked for a file', async () => {
    const file = join(folder, 'old.json')
    const answers = ['old', '2', '2', '7', '0a'.repeat(20), '', '', '', '99', '2', '2', file]
    const { code, output } = await runProgram(['puppeth'], `${answers.join('\n')}\n`)
    expect(code).toBe(0)
    expect(output).toContain('taken as the answers to puppeth 1.8')
    const { genesis } = parseGenesis(JSON.parse(await readFile(file, 'utf8')))
    expect(genesis.config).toMatchObject({ chainId: 99n, clique: { periodSeconds: 7n } })
  })

  it('imports a file, moves its forks where their order allows it, and removes it', async () => {
    const file = join(folder, 'moved.json')
    const make = ['m', '2', '', '', '', '0a'.repeat(20), '', '', '', '5', '2', '2', file]
    await runProgram(['puppeth'], `${make.join('\n')}\n`)
    const forks = ['', '', '', '', '', '', '', '', '', '10', '1800000000', '1800000001']
    const wrong = ['5', '', '', '', '', '', '', '', '', '', '', '']
    const answers = [
      'm',
      ...['3', '2', '2', join(folder, 'nowhere.json'), '2', '2', file],
      ...['2', '1', ...forks, '2', '1', ...wrong],
      ...['2', '2', file, '2', '3', '1', '5'],
    ]
    const { code, output } = await runProgram(['puppeth'], `${answers.join('\n')}\n`)
    expect(code).toBe(0)
    expect(output).toContain('Servers are not managed from here')
    expect(output).toContain('The file is no genesis: ENOENT')
    expect(output).toContain('Nothing is changed: unsupported fork ordering')
    expect(output).toContain('There is no genesis yet.')
    const { genesis } = parseGenesis(JSON.parse(await readFile(file, 'utf8')))
    expect(genesis.config).toMatchObject({
      homesteadBlock: 0n,
      londonBlock: 10n,
      shanghaiTime: 1_800_000_000n,
      cancunTime: 1_800_000_001n,
    })
  })

  it('ends with the input', async () => {
    expect((await runProgram(['puppeth'], 'atnet\n2\n')).code).toBe(0)
  })
})

describe('by flags', () => {
  it('writes a file that verify explains', async () => {
    const out = join(folder, 'flags.json')
    const made = await runProgram([
      'puppeth',
      ...['--clique', '--period', '5', '--signer', signer, '--alloc', `${rich}=1000ether`],
      ...['--chain-id', '77', '--compat', 'geth', '--out', out],
    ])
    expect(made).toMatchObject({ code: 0 })
    const checked = await runProgram(['puppeth', 'verify', out, '--json'])
    const facts = JSON.parse(checked.output)
    expect(facts).toMatchObject({ chainId: '77', warnings: [] })
    expect(facts.signers.map((it: string) => it.toLowerCase())).toEqual([signer])
    expect(facts.forkId).toMatch(/^0x[0-9a-f]{8}$/)
    expect(made.output).toContain(facts.hash)
  })

  it.each([
    [['--signer', 'x'], 'not an address'],
    [['--signer', signer, '--alloc', `${rich}=1gold`], 'no amount'],
    [['--signer', signer, '--period', 'x'], '--period is a number'],
    [['--signer', signer, '--compat', 'geth', '--forks', 'cancun'], 'exclude each other'],
  ])('%j is refused', async (flags, message) => {
    const { code, errorOutput } = await runProgram(['puppeth', ...flags])
    expect(code).toBe(2)
    expect(errorOutput).toContain(message)
  })
})
