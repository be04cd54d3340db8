/**
 * geth's genesis.json: reading, writing, the state it begins with and the header of block 0. The root of that state is
 * computed by the caller, who has a trie. Rules: geth 1.13 (core/genesis.go) and EIP-225 for Clique's extra data.
 */
import { compareBytes, emptyBytes } from '@cairn/core'
import type { BlockHeader } from './block-header.ts'
import {
  type ChainConfig,
  type CliqueConfig,
  checkForkOrder,
  cliqueEpochDefault,
  forkBlockKeys,
  forkTimeKeys,
  isLondon,
} from './chain-config.ts'
import { GenesisError } from './errors.ts'
import { dataToHex, quantityToHex } from './hex.ts'
import {
  type JsonFields,
  jsonBytes,
  jsonFieldError,
  jsonFields,
  jsonNumber,
  jsonWord,
} from './json-fields.ts'
import { emptyCodeHash, emptyTrieRoot, emptyUnclesHash, keccak256 } from './keccak256.ts'
import { bloomBytesSize } from './logs-bloom.ts'
import { numberToFixedBytes } from './rlp-fields.ts'
import type { StateChanges, StorageChange } from './state-access.ts'

export interface GenesisAccount {
  readonly address: Uint8Array
  readonly balance: bigint
  readonly nonce: bigint
  readonly code: Uint8Array
  /** Without slots that are zero. */
  readonly storage: readonly StorageChange[]
}

export interface Genesis {
  readonly config: ChainConfig
  /** 8 bytes. */
  readonly nonce: Uint8Array
  readonly timestamp: bigint
  readonly extraData: Uint8Array
  readonly gasLimit: bigint
  readonly difficulty: bigint
  readonly mixHash: Uint8Array
  readonly coinbase: Uint8Array
  /** In ascending order of addresses. */
  readonly accounts: readonly GenesisAccount[]
  readonly number: bigint
  readonly gasUsed: bigint
  readonly parentHash: Uint8Array
  readonly baseFeePerGas: bigint | undefined
}

/** Base fee of the first block under London's rules, in wei (EIP-1559). */
export const initialBaseFee = 1_000_000_000n

/** What geth makes of a gas limit of 0 (params.GenesisGasLimit). */
const gasLimitDefault = 4_712_388n

/** Bytes of extra data in front of Clique's signers: anything the sealer likes. */
export const cliqueVanityBytesSize = 32
/** Bytes behind them: the seal. */
export const cliqueSealBytesSize = 65

const uint64Bits = 64
const uint256Bits = 256

/** Members of `config` that say nothing here: hashes of public chains, proof of work, the merge. */
const ignoredConfigKeys: ReadonlySet<string> = new Set([
  'chainid',
  'clique',
  'daoforksupport',
  'eip150hash',
  'ethash',
  'terminaltotaldifficulty',
  'terminaltotaldifficultypassed',
])

const topKeys: ReadonlySet<string> = new Set([
  'alloc',
  'basefeepergas',
  'coinbase',
  'config',
  'difficulty',
  'extradata',
  'gaslimit',
  'gasused',
  'mixhash',
  'nonce',
  'number',
  'parenthash',
  'timestamp',
])

export interface ParsedGenesis {
  readonly genesis: Genesis
  /** One sentence for each member that has no meaning here. */
  readonly warnings: readonly string[]
}

/**
 * Reads a genesis file.
 * @param json What JSON.parse made of it.
 * @throws GenesisError.
 */
export function parseGenesis(json: unknown): ParsedGenesis {
  const warnings: string[] = []
  const fields = jsonFields(json, 'the file')
  for (const key of Object.keys(json as object)) {
    if (!topKeys.has(key.toLowerCase())) warnings.push(`${key} has no meaning here and is ignored`)
  }
  const config = parseChainConfig(required(fields, 'config'), warnings)
  const genesis: Genesis = {
    config,
    nonce: numberToFixedBytes(jsonNumber(fields.get('nonce') ?? 0, 'nonce', uint64Bits), 8),
    timestamp: jsonNumber(fields.get('timestamp') ?? 0, 'timestamp', uint64Bits),
    extraData: jsonBytes(fields.get('extradata') ?? '0x', 'extraData'),
    gasLimit: jsonNumber(required(fields, 'gasLimit'), 'gasLimit', uint64Bits),
    difficulty: jsonNumber(required(fields, 'difficulty'), 'difficulty', uint256Bits),
    mixHash: jsonWord(fields.get('mixhash') ?? '0x', 'mixHash'),
    coinbase: jsonBytes(fields.get('coinbase') ?? `0x${'00'.repeat(20)}`, 'coinbase', 20),
    accounts: parseAccounts(required(fields, 'alloc')),
    number: jsonNumber(fields.get('number') ?? 0, 'number', uint64Bits),
    gasUsed: jsonNumber(fields.get('gasused') ?? 0, 'gasUsed', uint64Bits),
    parentHash: jsonWord(fields.get('parenthash') ?? '0x', 'parentHash'),
    baseFeePerGas: optionalNumber(fields, 'baseFeePerGas', uint256Bits),
  }
  if (config.clique !== undefined) cliqueSigners(genesis.extraData)
  return { genesis, warnings }
}

function required(fields: JsonFields, key: string): unknown {
  const value = fields.get(key.toLowerCase())
  if (value === undefined || value === null) throw jsonFieldError(key, 'is missing')
  return value
}

function optionalNumber(fields: JsonFields, key: string, bitsMax: number): bigint | undefined {
  const value = fields.get(key.toLowerCase())
  return value === undefined || value === null ? undefined : jsonNumber(value, key, bitsMax)
}

/**
 * Reads the `config` member alone, as a data folder stores it.
 * @param warnings Receives a sentence for each member that has no meaning here.
 * @throws GenesisError.
 */
export function parseChainConfig(json: unknown, warnings: string[] = []): ChainConfig {
  const fields = jsonFields(json, 'config')
  const forks: { -readonly [key in keyof ChainConfig]?: bigint } = {}
  for (const key of [...forkBlockKeys, ...forkTimeKeys]) {
    const value = fields.get(key.toLowerCase())
    if (value === undefined || value === null) continue
    forks[key] = jsonNumber(value, `config.${key}`, uint64Bits)
  }
  for (const [key, value] of Object.entries(json as object)) checkConfigKey(key, value, warnings)
  const config: ChainConfig = {
    ...forks,
    chainId: jsonNumber(required(fields, 'chainId'), 'config.chainId', uint256Bits),
    clique: parseClique(fields.get('clique')),
  }
  checkForkOrder(config)
  return config
}

const forkKeys: ReadonlySet<string> = new Set(
  [...forkBlockKeys, ...forkTimeKeys].map((key) => key.toLowerCase()),
)

function checkConfigKey(key: string, value: unknown, warnings: string[]): void {
  const lower = key.toLowerCase()
  if (forkKeys.has(lower) || ignoredConfigKeys.has(lower) || value === null) return
  // A fork that is not known cannot be left out: nodes that know it would part from us there.
  if (/^(?:prague|osaka|amsterdam|verkle|bpo\d+)time$/.test(lower)) {
    throw new GenesisError(
      { code: 'FORK_NOT_SUPPORTED', fork: key },
      {
        shortMessage: `The genesis file sets ${key}, a fork that is not supported.`,
        metaMessages: ['Cancun is the last one; remove the line, or leave it for a later version.'],
      },
    )
  }
  warnings.push(`config.${key} has no meaning here and is ignored`)
}

function parseClique(json: unknown): CliqueConfig | undefined {
  if (json === undefined || json === null) return undefined
  const fields = jsonFields(json, 'config.clique')
  const epoch = jsonNumber(fields.get('epoch') ?? 0, 'config.clique.epoch', uint64Bits)
  return {
    periodSeconds: jsonNumber(fields.get('period') ?? 0, 'config.clique.period', uint64Bits),
    epoch: epoch === 0n ? cliqueEpochDefault : epoch,
  }
}

function parseAccounts(json: unknown): GenesisAccount[] {
  const accounts = new Map<string, GenesisAccount>()
  jsonFields(json, 'alloc')
  for (const [key, value] of Object.entries(json as object)) {
    const path = `alloc.${key}`
    const fields = jsonFields(value, path)
    const address = jsonBytes(key, path, 20)
    const hex = dataToHex(address)
    if (accounts.has(hex)) throw jsonFieldError(path, 'is there twice')
    accounts.set(hex, {
      address,
      balance: jsonNumber(fields.get('balance'), `${path}.balance`, uint256Bits),
      nonce: jsonNumber(fields.get('nonce') ?? 0, `${path}.nonce`, uint64Bits),
      code: jsonBytes(fields.get('code') ?? '0x', `${path}.code`),
      storage: parseStorage(fields.get('storage'), `${path}.storage`),
    })
  }
  return [...accounts.values()].sort((a, b) => compareBytes(a.address, b.address))
}

function parseStorage(json: unknown, path: string): StorageChange[] {
  if (json === undefined || json === null) return []
  jsonFields(json, path)
  return Object.entries(json as object)
    .map(([slot, value]) => ({
      slot: jsonWord(slot, `${path}.${slot}`),
      value: jsonWord(value, `${path}.${slot}`),
    }))
    .filter(({ value }) => value.some((byte) => byte !== 0))
    .sort((a, b) => compareBytes(a.slot, b.slot))
}

/**
 * The signers in the extra data of a Clique genesis block, ascending.
 * @throws GenesisError when it is not vanity, at least one signer in ascending order, and an empty seal.
 */
export function cliqueSigners(extraData: Uint8Array): Uint8Array[] {
  const listSize = extraData.length - cliqueVanityBytesSize - cliqueSealBytesSize
  if (listSize < 20 || listSize % 20 !== 0) {
    throw extraDataError(
      `it has ${extraData.length} bytes in place of 97 and 20 for each signer, at least one`,
    )
  }
  if (extraData.subarray(-cliqueSealBytesSize).some((byte) => byte !== 0)) {
    throw extraDataError('its last 65 bytes are not zero')
  }
  const signers: Uint8Array[] = []
  for (let at = cliqueVanityBytesSize; at < extraData.length - cliqueSealBytesSize; at += 20) {
    const signer = extraData.slice(at, at + 20)
    const last = signers.at(-1)
    if (last !== undefined && compareBytes(last, signer) >= 0) {
      throw extraDataError('its signers are not in ascending order, or one is there twice')
    }
    signers.push(signer)
  }
  return signers
}

function extraDataError(reason: string): GenesisError {
  return new GenesisError(
    { code: 'CLIQUE_EXTRA_DATA', reason },
    {
      shortMessage: `The extraData of the genesis file names no Clique signers: ${reason}.`,
      metaMessages: [
        'It is 32 bytes of anything, the addresses of the signers, and 65 zero bytes.',
      ],
    },
  )
}

/** The extra data of a Clique genesis block. @param signers In any order, without repetitions. */
export function cliqueExtraData(
  signers: readonly Uint8Array[],
  vanity: Uint8Array = emptyBytes,
): Uint8Array {
  const size = cliqueVanityBytesSize + 20 * signers.length + cliqueSealBytesSize
  const extraData = new Uint8Array(size)
  extraData.set(vanity.subarray(0, cliqueVanityBytesSize))
  for (const [index, signer] of [...signers].sort(compareBytes).entries()) {
    extraData.set(signer, cliqueVanityBytesSize + 20 * index)
  }
  cliqueSigners(extraData)
  return extraData
}

/** The state before the first transaction. Accounts without anything in them are there too, as in geth. */
export function genesisStateChanges({ accounts }: Genesis): StateChanges {
  const codes = accounts
    .filter(({ code }) => code.length > 0)
    .map(({ code }) => ({ codeHash: keccak256(code), code }))
  return {
    accounts: accounts.map(({ address, nonce, balance, code, storage }) => ({
      address,
      account: { nonce, balance, codeHash: code.length === 0 ? emptyCodeHash : keccak256(code) },
      storageCleared: false,
      storage,
    })),
    codes,
  }
}

/** The header of block 0. @param stateRootOf Gives the root of a state that was empty before. */
export function genesisHeader(
  genesis: Genesis,
  stateRootOf: (changes: StateChanges) => Uint8Array,
): BlockHeader {
  const { config, number, baseFeePerGas } = genesis
  return {
    parentHash: genesis.parentHash,
    unclesHash: emptyUnclesHash,
    coinbase: genesis.coinbase,
    stateRoot: stateRootOf(genesisStateChanges(genesis)),
    transactionsRoot: emptyTrieRoot,
    receiptsRoot: emptyTrieRoot,
    logsBloom: new Uint8Array(bloomBytesSize),
    difficulty: genesis.difficulty,
    number,
    gasLimit: genesis.gasLimit === 0n ? gasLimitDefault : genesis.gasLimit,
    gasUsed: genesis.gasUsed,
    timestamp: genesis.timestamp,
    extraData: genesis.extraData,
    mixHash: genesis.mixHash,
    nonce: genesis.nonce,
    // geth takes a given base fee even when the chain starts before London, so the header then has 16 items.
    baseFeePerGas: baseFeePerGas ?? (isLondon(config, 0n) ? initialBaseFee : undefined),
  }
}

/** The `config` member as geth writes it: JSON numbers, forks in order. */
export function chainConfigToJson(config: ChainConfig): Record<string, unknown> {
  const json: Record<string, unknown> = { chainId: jsonNumberOf(config.chainId) }
  for (const key of [...forkBlockKeys, ...forkTimeKeys]) {
    const start = config[key]
    if (start !== undefined) json[key] = jsonNumberOf(start)
  }
  if (config.clique !== undefined) {
    const { periodSeconds, epoch } = config.clique
    json['clique'] = { period: jsonNumberOf(periodSeconds), epoch: jsonNumberOf(epoch) }
  }
  return json
}

/** What JSON.stringify makes a genesis file of that geth and {@link parseGenesis} read. */
export function genesisToJson(genesis: Genesis): Record<string, unknown> {
  const alloc: Record<string, unknown> = {}
  for (const { address, balance, nonce, code, storage } of genesis.accounts) {
    alloc[dataToHex(address).slice(2)] = {
      balance: quantityToHex(balance),
      ...(nonce === 0n ? {} : { nonce: quantityToHex(nonce) }),
      ...(code.length === 0 ? {} : { code: dataToHex(code) }),
      ...(storage.length === 0 ? {} : { storage: storageToJson(storage) }),
    }
  }
  const { baseFeePerGas } = genesis
  return {
    config: chainConfigToJson(genesis.config),
    nonce: dataToHex(genesis.nonce),
    timestamp: quantityToHex(genesis.timestamp),
    extraData: dataToHex(genesis.extraData),
    gasLimit: quantityToHex(genesis.gasLimit),
    difficulty: quantityToHex(genesis.difficulty),
    mixHash: dataToHex(genesis.mixHash),
    coinbase: dataToHex(genesis.coinbase),
    alloc,
    number: quantityToHex(genesis.number),
    gasUsed: quantityToHex(genesis.gasUsed),
    parentHash: dataToHex(genesis.parentHash),
    ...(baseFeePerGas === undefined ? {} : { baseFeePerGas: quantityToHex(baseFeePerGas) }),
  }
}

function storageToJson(storage: readonly StorageChange[]): Record<string, string> {
  return Object.fromEntries(storage.map(({ slot, value }) => [dataToHex(slot), dataToHex(value)]))
}

/** JSON numbers where they are exact, text beyond; both are read back. */
function jsonNumberOf(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString()
}
