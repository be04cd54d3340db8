/** Target `ethereum-genesis`: genesis files. Those that are taken begin a chain, and say the same when written. */
import { BaseError } from '@cairn/core'
import { Chain, ChainError, genesisHashOf } from '@cairn/eth-chain'
import {
  cliqueExtraData,
  dataToHex,
  type Genesis,
  GenesisError,
  genesisToJson,
  gethIncompatibility,
  parseGenesis,
} from '@cairn/eth-codec'
import { Evm } from '@cairn/eth-evm'
import { createMemoryDatabase } from '@cairn/eth-state'
import type { SeededRandom } from '@cairn/testing'
import { jsonTokens, randomJson } from '../json-generator.ts'
import { wrongValues } from '../rpc-calls.ts'
import { allowing, inputOfText, mustHold, type Target, textOfInput } from '../target.ts'

const signer = new Uint8Array(20).fill(1)
const keys = [
  ...'homestead eip150 eip155 eip158 byzantium constantinople petersburg istanbul'
    .split(' ')
    .concat('muirGlacier berlin london arrowGlacier'.split(' '))
    .map((name) => `${name}Block`),
  ...['shanghaiTime', 'cancunTime', 'pragueTime', 'daoForkBlock', 'mergeNetsplitBlock'],
]

function genesisJson(forkCount = keys.length - 3): Record<string, unknown> {
  return {
    config: {
      chainId: 4242,
      ...Object.fromEntries(keys.slice(0, forkCount).map((key) => [key, 0])),
      clique: { period: 1, epoch: 30_000 },
    },
    nonce: '0x0',
    timestamp: '0x65a',
    extraData: dataToHex(cliqueExtraData([signer])),
    gasLimit: '0x1c9c380',
    difficulty: '0x1',
    mixHash: `0x${'00'.repeat(32)}`,
    coinbase: `0x${'00'.repeat(20)}`,
    alloc: {
      [`0x${'11'.repeat(20)}`]: { balance: '0x200', nonce: 1 },
      ['22'.repeat(20)]: { balance: '1000', code: '0x5f', storage: { '0x1': '0x2', '0x02': '' } },
    },
    number: '0x0',
    gasUsed: '0x0',
    parentHash: `0x${'00'.repeat(32)}`,
  }
}

export const ethereumGenesisTarget: Target = {
  name: 'ethereum-genesis',
  oracle:
    'GenesisError for what is refused; what is taken has one hash, is written and read again, and begins a chain',
  sources: /\/packages\/eth-(?:codec|chain|state)\/src\//,
  inputMsMax: 3000,
  open: () => {
    const evm = new Evm({ interpreter: 'typescript' })
    return {
      seeds: [0, 3, 8, 11, 12, 13].map((count) => inputOfText(JSON.stringify(genesisJson(count)))),
      dictionary: [...jsonTokens, ...tokens, ...wrongValues.map(inputOfText)],
      generate,
      run: (input) => check(textOfInput(input), evm),
    }
  },
}

const tokens = [
  ...keys.map((key) => `"${key}":`),
  ...['"alloc":', '"config":', '"clique":', '"epoch":', '"balance":', '"storage":', '"CHAINID":'],
  ...['0', '1', '"0x1"', '18446744073709551615', '"115792089237316195423570985008687907853"'],
].map(inputOfText)

/** One or two members, at any depth, are something else or gone. */
function generate(random: SeededRandom): Uint8Array {
  const json = genesisJson(random.below(keys.length))
  const count = 1 + random.below(2)
  for (let i = 0; i < count; i++) {
    let at = json
    for (;;) {
      const names = Object.keys(at)
      const name = names[random.below(names.length)] ?? 'x'
      const value = at[name]
      if (typeof value === 'object' && value !== null && random.chance(0.7)) {
        at = value as Record<string, unknown>
        continue
      }
      if (random.chance(0.15)) delete at[name]
      else if (random.chance(0.3)) at[name] = randomJson(random, 2)
      else at[name] = `@@${random.below(wrongValues.length)}`
      break
    }
  }
  const text = JSON.stringify(json).replace(/"@@(\d+)"/g, (_, no) => wrongValues[no] ?? 'null')
  return inputOfText(text)
}

function check(text: string, evm: Evm): void {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return
  }
  const parsed = allowing([GenesisError], () => parseGenesis(json))
  if (parsed === undefined) return
  const { genesis, warnings } = parsed
  mustHold(
    warnings.every((warning) => warning.length > 0),
    'a warning without words',
  )
  gethIncompatibility(genesis.config)
  const hash = genesisHashOf(genesis)
  const written: unknown = JSON.parse(JSON.stringify(genesisToJson(genesis)))
  mustHold(genesisHashOf(parseGenesis(written).genesis) === hash, 'another hash when read again')
  begin(genesis, hash, evm)
}

/** Twice on one database, as after a restart. */
function begin(genesis: Genesis, hash: string, evm: Evm): void {
  const database = createMemoryDatabase()
  const clock = { nowMs: () => 0, sleep: async () => undefined }
  const open = (given?: Genesis) =>
    allowing([ChainError, GenesisError], () => {
      return new Chain({ database, evm, clock, ...(given === undefined ? {} : { genesis: given }) })
    })
  const chain = open(genesis)
  if (chain === undefined) return
  mustHold(chain.genesisHash === hash, 'the chain begins with another block')
  mustHold(open()?.genesisHash === hash && open(genesis)?.genesisHash === hash, 'gone when opened')
  try {
    chain.clique?.snapshotAt(hash)
  } catch (error) {
    if (!(error instanceof BaseError)) throw error
  }
}
