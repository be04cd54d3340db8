/**
 * The questions of puppeth 1.9, in its order and with its defaults, line by line, so that a pipe can answer them as
 * well as a person. Makes, shows, exports and removes genesis files; its other menus managed servers over ssh and are
 * gone.
 */
import { randomInt } from 'node:crypto'
import {
  addressFromText,
  addressToText,
  cliqueGenesis,
  type Genesis,
  genesisToJson,
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

/** The input has ended where an answer was needed. */
class InputEnded extends Error {
  override readonly name = 'InputEnded'
}

export async function runWizard(terminal: Terminal): Promise<void> {
  const wizard = new Wizard(terminal)
  try {
    await wizard.run()
  } catch (error) {
    if (!(error instanceof InputEnded)) throw error
  }
}

class Wizard {
  readonly #terminal: Terminal
  #name = ''
  #genesis: Genesis | undefined

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  async run(): Promise<void> {
    this.#say('Please specify a network name to administer (no spaces, hyphens or capital letters)')
    this.#name = await this.#ask((text) => (/^[a-z0-9_.]+$/.test(text) ? text : undefined))
    for (;;) {
      const hasGenesis = this.#genesis !== undefined
      const choice = await this.#choose('What would you like to do?', [
        'Show the genesis',
        hasGenesis ? 'Manage existing genesis' : 'Configure new genesis',
        'Quit',
      ])
      if (choice === 1) this.#show()
      else if (choice === 3) return
      else if (hasGenesis) await this.#manage()
      else await this.#make()
    }
  }

  async #make(): Promise<void> {
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
    const periodSeconds = await this.#askNumber(periodSecondsDefault)
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
    const choice = await this.#choose('What would you like to do?', [
      'Show genesis configuration',
      'Export genesis configuration',
      'Remove genesis configuration',
    ])
    if (choice === 1) this.#show()
    else if (choice === 2) await this.#export()
    else this.#genesis = undefined
  }

  #show(): void {
    if (this.#genesis === undefined) this.#say('There is no genesis yet.')
    else this.#say(genesisText(this.#genesis))
  }

  async #export(): Promise<void> {
    if (this.#genesis === undefined) return
    this.#say(`Which folder to save the genesis into? (default = current)`)
    this.#say(`  Will create ${this.#name}.json`)
    const folder = (await this.#line()).trim() || '.'
    await nodeFileSystem.makeDirectory(folder)
    await writeGenesis(`${folder}/${this.#name}.json`, this.#genesis)
    this.#say(`Saved genesis to ${folder}/${this.#name}.json`)
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

  async #choose(question: string, choices: readonly string[], standard?: number): Promise<number> {
    this.#say('')
    this.#say(question)
    for (const [index, choice] of choices.entries()) this.#say(` ${index + 1}. ${choice}`)
    return this.#ask((text) => {
      if (text === '') return standard
      const number = Number(text)
      return Number.isInteger(number) && number >= 1 && number <= choices.length
        ? number
        : undefined
    })
  }

  #askNumber(standard: bigint): Promise<bigint> {
    return this.#ask((text) => {
      if (text === '') return standard
      return /^\d{1,18}$/.test(text) ? BigInt(text) : undefined
    })
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
        this.#say(error instanceof Error ? error.message : String(error))
      }
    }
  }
}

export function genesisText(genesis: Genesis): string {
  return JSON.stringify(genesisToJson(genesis), undefined, 2)
}

export function writeGenesis(path: string, genesis: Genesis): Promise<void> {
  const text = `${genesisText(genesis)}\n`
  return nodeFileSystem.writeFileAtomic(path, new TextEncoder().encode(text))
}
