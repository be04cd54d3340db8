/**
 * The questions of puppeth 1.9 and 1.10, in their order, with their numbers and defaults, line by line, so that a pipe
 * can answer them as well as a person. Makes, imports, changes and exports genesis files. Its other menus managed
 * servers over ssh: they are there so that the numbers stay, and say that it is not done here.
 */
import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { FileSystem } from '@cairn/core'
import {
  addressFromText,
  addressToText,
  chainConfigToJson,
  checkForkOrder,
  cliqueGenesis,
  type ForkBlockKey,
  type ForkTimeKey,
  type Genesis,
  genesisToJson,
  parseGenesis,
  precompileDust,
  puppethBalance,
} from '@cairn/eth-codec'
import { nodeFileSystem } from '@cairn/journal'
import { nextLine } from '../geth/read-line.ts'
import { print, type Terminal } from '../terminal.ts'

const periodSecondsDefault = 15n
const chainIdsCount = 65_536
/** puppeth's own was 4,700,000, which today's contracts outgrow. */
export const genesisGasLimitDefault = 30_000_000n

const wholeNumber = /^\d{1,18}$/
/** Forks that puppeth asked about, and those that came later. */
const modifiableForks: readonly (readonly [ForkBlockKey | ForkTimeKey, string])[] = [
  ['homesteadBlock', 'Homestead'],
  ['eip150Block', 'EIP150'],
  ['eip155Block', 'EIP155'],
  ['eip158Block', 'EIP158'],
  ['byzantiumBlock', 'Byzantium'],
  ['constantinopleBlock', 'Constantinople'],
  ['petersburgBlock', 'Petersburg'],
  ['istanbulBlock', 'Istanbul'],
  ['berlinBlock', 'Berlin'],
  ['londonBlock', 'London'],
  ['shanghaiTime', 'Shanghai'],
  ['cancunTime', 'Cancun'],
]

const glaciers: readonly (readonly [ForkBlockKey, ForkBlockKey])[] = [
  ['muirGlacierBlock', 'istanbulBlock'],
  ['arrowGlacierBlock', 'londonBlock'],
  ['grayGlacierBlock', 'londonBlock'],
]

/** The input has ended where an answer was needed. */
class InputEnded extends Error {
  override readonly name = 'InputEnded'
}

/** @param fileSystem Where genesis files go. */
export async function runWizard(
  terminal: Terminal,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  const wizard = new Wizard(terminal, fileSystem)
  try {
    await wizard.run()
  } catch (error) {
    if (!(error instanceof InputEnded)) throw error
  }
}

class Wizard {
  readonly #terminal: Terminal
  readonly #fileSystem: FileSystem
  #name = ''
  #genesis: Genesis | undefined

  constructor(terminal: Terminal, fileSystem: FileSystem) {
    this.#terminal = terminal
    this.#fileSystem = fileSystem
  }

  async run(): Promise<void> {
    this.#say('Please specify a network name to administer (no spaces, hyphens or capital letters)')
    this.#name = await this.#ask((text) => (/^[a-z0-9_.]+$/.test(text) ? text : undefined))
    for (;;) {
      const hasGenesis = this.#genesis !== undefined
      const choice = await this.#choose(
        'What would you like to do? (default = stats)',
        [
          'Show network stats',
          hasGenesis ? 'Manage existing genesis' : 'Configure new genesis',
          'Track new remote server',
          'Deploy network components',
          'Quit',
        ],
        1,
      )
      if (choice === 1) this.#show()
      else if (choice === 2) await (hasGenesis ? this.#manage() : this.#configure())
      else if (choice === 5) return
      else this.#say('Servers are not managed from here. Run cairn geth on each of them.')
    }
  }

  async #configure(): Promise<void> {
    const choice = await this.#choose(
      'What would you like to do? (default = create)',
      ['Create new genesis from scratch', 'Import already existing genesis'],
      1,
    )
    if (choice === 1) {
      await this.#create()
      return
    }
    this.#say("Where's the genesis file? (a path on this machine)")
    const path = (await this.#line()).trim()
    // Before 1.8.19 there was no such menu: 2 was Clique, and a number of seconds, or nothing, came next.
    if (path === '' || wholeNumber.test(path)) {
      this.#say('No file, so this is taken as the answers to puppeth 1.8: Clique, and its period.')
      await this.#makeClique(path === '' ? periodSecondsDefault : BigInt(path))
      return
    }
    await this.#import(path)
  }

  async #import(path: string): Promise<void> {
    try {
      const json: unknown = JSON.parse(await readFile(path, 'utf8'))
      const { genesis, warnings } = parseGenesis(json)
      for (const warning of warnings) this.#say(`Note: ${warning}`)
      this.#genesis = genesis
      this.#say('Imported genesis block')
    } catch (error) {
      this.#say(`The file is no genesis: ${messageOf(error)}`)
    }
  }

  async #create(): Promise<void> {
    const engine = await this.#choose(
      'Which consensus engine to use? (default = clique)',
      ['Ethash - proof-of-work', 'Clique - proof-of-authority'],
      2,
    )
    if (engine === 1) {
      this.#say('Proof of work has no future on private networks and is not built. Take Clique.')
      return
    }
    this.#say('How many seconds should blocks take? (default = 15)')
    await this.#makeClique(await this.#askNumber(periodSecondsDefault))
  }

  async #makeClique(periodSeconds: bigint): Promise<void> {
    this.#say('Which accounts are allowed to seal? (mandatory at least one)')
    const signers = await this.#askAddresses(1)
    this.#say('Which accounts should be pre-funded? (advisable at least one)')
    const funded = await this.#askAddresses(0)
    this.#say(
      'Should the precompile-addresses (0x1 .. 0xff) be pre-funded with 1 wei? (advisable yes)',
    )
    const hasDust = await this.#askYes()
    this.#say('Specify your chain/network ID if you want an explicit one (default = random)')
    const chainId = await this.#askNumber(BigInt(randomInt(chainIdsCount)))
    const balances = funded.map((address) => ({ address, balance: puppethBalance }))
    this.#genesis = cliqueGenesis({
      chainId,
      periodSeconds,
      signers,
      balances: [...balances, ...(hasDust ? precompileDust() : [])],
      gasLimit: genesisGasLimitDefault,
      forks: 'cancun',
      timestamp: BigInt(Math.floor(this.#terminal.clock.nowMs() / 1000)),
    })
    this.#say('Configured new genesis block')
  }

  async #manage(): Promise<void> {
    const choice = await this.#choose(undefined, [
      'Modify existing configurations',
      'Export genesis configurations',
      'Remove genesis configuration',
    ])
    if (choice === 1) await this.#modify()
    else if (choice === 2) await this.#export()
    else {
      this.#genesis = undefined
      this.#say('Genesis block destroyed')
    }
  }

  async #modify(): Promise<void> {
    if (this.#genesis === undefined) return
    const { config } = this.#genesis
    const starts: { [key in ForkBlockKey | ForkTimeKey]?: bigint } = {}
    for (const [key, fork] of modifiableForks) {
      const start = config[key]
      const place = key.endsWith('Time') ? 'From which second since 1970' : 'Which block'
      const standard = start === undefined ? 'never' : String(start)
      this.#say(`${place} should ${fork} come into effect? (default = ${standard})`)
      const answer = await this.#askNumber(start)
      if (answer !== undefined) starts[key] = answer
    }
    // Nothing but the fork id depends on glaciers here; they go where their forks go.
    for (const [key, before] of glaciers) {
      const [start, least] = [config[key], starts[before]]
      if (start !== undefined && least !== undefined && start < least) starts[key] = least
    }
    const changed = { ...config, ...starts }
    try {
      checkForkOrder(changed)
    } catch (error) {
      this.#say(`Nothing is changed: ${messageOf(error)}`)
      return
    }
    this.#genesis = { ...this.#genesis, config: changed }
    this.#say('Chain configuration updated:')
    this.#say(JSON.stringify(chainConfigToJson(changed), undefined, 2))
  }

  #show(): void {
    if (this.#genesis === undefined) this.#say('There is no genesis yet.')
    else this.#say(genesisText(this.#genesis))
  }

  async #export(): Promise<void> {
    if (this.#genesis === undefined) return
    this.#say('Which folder to save the genesis specs into? (default = current)')
    this.#say(`  Will create ${this.#name}.json`)
    const place = (await this.#line()).trim() || '.'
    // Until 1.8 it asked for the name of the file.
    const path = place.endsWith('.json') ? place : `${place}/${this.#name}.json`
    await this.#fileSystem.makeDirectory(dirname(path))
    await writeGenesis(path, this.#genesis, this.#fileSystem)
    this.#say(`Saved genesis to ${path}`)
  }

  // ---- questions ----

  #say(text: string): void {
    print(this.#terminal, text)
  }

  async #line(): Promise<string> {
    this.#terminal.output.write('> ')
    const line = await nextLine(this.#terminal)
    if (line === undefined) throw new InputEnded()
    return line
  }

  /** Asks until the answer is one. */
  async #ask<T>(read: (text: string) => T | undefined): Promise<T> {
    for (;;) {
      const value = read((await this.#line()).trim())
      if (value !== undefined) return value
      this.#say('That is no answer here, try again.')
    }
  }

  async #choose(
    question: string | undefined,
    choices: readonly string[],
    standard?: number,
  ): Promise<number> {
    this.#say('')
    if (question !== undefined) this.#say(question)
    for (const [index, choice] of choices.entries()) this.#say(` ${index + 1}. ${choice}`)
    return this.#ask((text) => {
      if (text === '') return standard
      const number = Number(text)
      return Number.isInteger(number) && number >= 1 && number <= choices.length
        ? number
        : undefined
    })
  }

  async #askNumber<T extends bigint | undefined>(standard: T): Promise<bigint | T> {
    const { value } = await this.#ask((text) => {
      if (text === '') return { value: standard }
      return wholeNumber.test(text) ? { value: BigInt(text) } : undefined
    })
    return value
  }

  #askYes(): Promise<boolean> {
    return this.#ask((text) => {
      if (text === '' || /^y(es)?$/i.test(text)) return true
      return /^no?$/i.test(text) ? false : undefined
    })
  }

  async #askAddresses(countMin: number): Promise<Uint8Array[]> {
    const addresses = new Map<string, Uint8Array>()
    for (;;) {
      const text = (await this.#line()).trim()
      // puppeth prints the 0x itself, and an answer of it alone means nothing.
      if (text === '' || text === '0x') {
        if (addresses.size >= countMin) return [...addresses.values()]
        this.#say('At least one is needed.')
        continue
      }
      try {
        const address = addressFromText(text)
        addresses.set(addressToText(address), address)
      } catch (error) {
        this.#say(messageOf(error))
      }
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
}

export function genesisText(genesis: Genesis): string {
  return JSON.stringify(genesisToJson(genesis), undefined, 2)
}

export function writeGenesis(
  path: string,
  genesis: Genesis,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  const text = `${genesisText(genesis)}\n`
  return fileSystem.writeFileAtomic(path, new TextEncoder().encode(text))
}
