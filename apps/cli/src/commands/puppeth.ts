/** `cairn puppeth`: makes genesis files of private networks, by questions or by flags, and checks them. */
import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { genesisHashOf } from '@cairn/eth-chain'
import {
  addressFromText,
  addressToText,
  cliqueGenesis,
  cliqueSigners,
  dataFromHex,
  ForkIds,
  type Genesis,
  gethIncompatibility,
  parseGenesis,
  precompileDust,
  puppethBalance,
} from '@cairn/eth-codec'
import {
  type Arguments,
  type Command,
  type CommandContext,
  exitDone,
  jsonOption,
} from '../command.ts'
import { CliError, usageError } from '../errors.ts'
import { etherAmount } from '../puppeth/ether-amount.ts'
import { genesisGasLimitDefault, genesisText, runWizard, writeGenesis } from '../puppeth/wizard.ts'
import { print, type Terminal } from '../terminal.ts'

const name = 'cairn puppeth'
const chainIdsCount = 65_536

export const puppethCommand: Command = {
  path: ['puppeth'],
  summary: 'Make the genesis file of a private network',
  options: [
    { name: 'signer', value: 'ADDRESS', repeats: true, help: 'may seal blocks; no questions then' },
    {
      name: 'alloc',
      value: 'ADDRESS[=AMOUNT]',
      repeats: true,
      help: 'funds an account, as 0x…=1000ether (default: 2^249 wei)',
    },
    { name: 'period', value: 'SECONDS', help: 'between blocks, 0 seals on demand (default: 15)' },
    { name: 'epoch', value: 'BLOCKS', help: 'between checkpoints (default: 30000)' },
    { name: 'chain-id', value: 'N', help: 'default: random below 65536' },
    { name: 'gas-limit', value: 'GAS', help: 'of the first block (default: 30000000)' },
    {
      name: 'forks',
      value: 'RULES',
      choices: ['cancun', 'london'],
      help: 'rules of execution (default: cancun)',
    },
    { name: 'compat', value: 'CLIENT', choices: ['geth'], help: 'geth: rules that geth can join' },
    { name: 'clique', help: 'proof of authority, which is all there is' },
    { name: 'precompile-dust', help: '1 wei for each address from 0x00 to 0xff' },
    { name: 'out', value: 'FILE', help: 'where to write it (default: print it)' },
    jsonOption,
  ],
  positionals: [
    { name: 'verify', isOptional: true, help: 'the word verify, to check a file' },
    { name: 'FILE', isOptional: true, help: 'the genesis file to check' },
  ],
  examples: [
    'cairn puppeth',
    'cairn puppeth --signer 0x7df9a875a174b3bc565e6424a0050ebc1b2d1d82 --out genesis.json',
    'cairn puppeth verify genesis.json',
  ],
  notes: ['Without --signer it asks, as puppeth did; answers may come through a pipe.'],
  run: runPuppeth,
}

async function runPuppeth({ args, terminal }: CommandContext): Promise<number> {
  const action = args.positional(0)
  if (action === 'verify') return verifyFile(args, terminal)
  if (action !== undefined) throw usageError(name, `There is no "${action}" here.`)
  if (args.texts('signer').length === 0) {
    await runWizard(terminal)
    return exitDone
  }
  const genesis = genesisOf(args, terminal)
  const out = args.text('out')
  if (out === undefined) print(terminal, genesisText(genesis))
  else {
    await writeGenesis(out, genesis)
    print(terminal, `Wrote ${out}: genesis block ${genesisHashOf(genesis)}`)
  }
  return exitDone
}

function genesisOf(args: Arguments, terminal: Terminal): Genesis {
  const isForGeth = args.text('compat') === 'geth'
  if (isForGeth && args.text('forks') === 'cancun') {
    throw usageError(name, '--compat geth and --forks cancun exclude each other.')
  }
  const balances = args.texts('alloc').map(readAlloc)
  return cliqueGenesis({
    chainId: numberOf(args, 'chain-id') ?? BigInt(randomInt(chainIdsCount)),
    periodSeconds: numberOf(args, 'period') ?? 15n,
    epoch: numberOf(args, 'epoch') ?? 30_000n,
    signers: args.texts('signer').map(readAddress),
    balances: [...balances, ...(args.flag('precompile-dust') ? precompileDust() : [])],
    gasLimit: numberOf(args, 'gas-limit') ?? genesisGasLimitDefault,
    forks: isForGeth || args.text('forks') === 'london' ? 'london' : 'cancun',
    timestamp: BigInt(Math.floor(terminal.clock.nowMs() / 1000)),
  })
}

function numberOf(args: Arguments, option: string): bigint | undefined {
  const text = args.text(option)
  if (text === undefined) return undefined
  if (/^\d{1,18}$/.test(text)) return BigInt(text)
  throw usageError(name, `--${option} is a number, not "${text}".`)
}

function readAddress(text: string): Uint8Array {
  try {
    return addressFromText(text)
  } catch (error) {
    throw usageError(name, error instanceof Error ? (error.message.split('\n')[0] ?? '') : '')
  }
}

function readAlloc(text: string): { address: Uint8Array; balance: bigint } {
  const [address = '', amount] = text.split('=')
  const balance = amount === undefined ? puppethBalance : etherAmount(amount)
  if (balance !== undefined) return { address: readAddress(address), balance }
  throw usageError(name, `"${amount}" is no amount: 1000ether, 5gwei, 1000000wei or 1000000.`)
}

async function verifyFile(args: Arguments, terminal: Terminal): Promise<number> {
  const path = args.positional(1)
  if (path === undefined) throw usageError(name, 'The genesis file is missing.')
  let json: unknown
  try {
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new CliError(
      { code: 'FILE_INVALID', path },
      { shortMessage: 'The genesis file cannot be read as JSON.', metaMessages: [path], cause },
    )
  }
  const { genesis, warnings } = parseGenesis(json)
  const hash = genesisHashOf(genesis)
  const { clique } = genesis.config
  const facts = {
    hash,
    chainId: String(genesis.config.chainId),
    forkId: forkIdText(genesis, hash),
    signers: clique === undefined ? [] : cliqueSigners(genesis.extraData).map(addressToText),
    warnings: [...warnings, ...incompatibilities(genesis)],
  }
  if (args.flag('json')) {
    print(terminal, JSON.stringify(facts))
    return exitDone
  }
  const lines = [
    `genesis block  ${facts.hash}`,
    `chain id       ${facts.chainId}`,
    `fork id        ${facts.forkId}`,
    ...facts.signers.map((signer) => `signer         ${signer}`),
    ...facts.warnings.map((warning) => `note           ${warning}`),
  ]
  print(terminal, lines.join('\n'))
  return exitDone
}

function forkIdText({ config, timestamp, number }: Genesis, hash: string): string {
  const ids = new ForkIds(config, dataFromHex(hash), timestamp)
  const { hash: sum, next } = ids.at({ number, time: timestamp })
  const text = `0x${sum.toString(16).padStart(8, '0')}`
  return next === 0n ? text : `${text}, next fork at ${next}`
}

function incompatibilities({ config }: Genesis): string[] {
  const text = gethIncompatibility(config)
  return text === undefined ? [] : [text]
}
