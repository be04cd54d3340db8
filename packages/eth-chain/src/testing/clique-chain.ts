/** Chains of headers for tests: accounts by letter, blocks that follow the rules except where a test says so. */
import { compareBytes, utf8 } from '@cairn/core'
import {
  addressOfPrivateKey,
  type BlockHeader,
  blockHash,
  type ChainConfig,
  type CliqueConfig,
  cliqueExtraData,
  dataToHex,
  emptyTrieRoot,
  emptyUnclesHash,
  keccak256,
  sealCliqueHeader,
} from '@cairn/eth-codec'
import { CliqueEngine, type HeaderSource, type SnapshotStore } from '../clique/clique-engine.ts'
import { nonceAdd } from '../clique/constants.ts'
import { prepareHeader } from '../clique/sealing.ts'

export const londonConfig: ChainConfig & { readonly clique: CliqueConfig } = {
  chainId: 4242n,
  homesteadBlock: 0n,
  eip150Block: 0n,
  eip155Block: 0n,
  eip158Block: 0n,
  byzantiumBlock: 0n,
  constantinopleBlock: 0n,
  petersburgBlock: 0n,
  istanbulBlock: 0n,
  berlinBlock: 0n,
  londonBlock: 0n,
  clique: { periodSeconds: 1n, epoch: 30_000n },
}

/** The private key of the account called `name`. */
export function keyOf(name: string): Uint8Array {
  return keccak256(utf8(`account ${name}`))
}

export function addressOf(name: string): Uint8Array {
  return addressOfPrivateKey(keyOf(name))
}

export function hashOf(header: BlockHeader): string {
  return dataToHex(blockHash(header))
}

export interface TestChainOptions {
  readonly config?: ChainConfig & { readonly clique: CliqueConfig }
  readonly snapshots?: SnapshotStore
  readonly trustedDepthBlocks?: number
  readonly nowSeconds?: bigint
}

/** The seal of this block is left to `seal`, everything else may be set. */
export type HeaderChanges = Partial<BlockHeader>

export class CliqueTestChain implements HeaderSource {
  readonly config: ChainConfig & { readonly clique: CliqueConfig }
  readonly engine: CliqueEngine
  readonly genesis: BlockHeader
  readonly #headers = new Map<string, BlockHeader>()

  /** @param signers Names of the first signers, such as `ABC`. */
  constructor(signers: string, options: TestChainOptions = {}) {
    this.config = options.config ?? londonConfig
    this.genesis = this.#makeGenesis(signers)
    this.add(this.genesis)
    const { nowSeconds = 2n ** 40n, ...rest } = options
    this.engine = new CliqueEngine({
      ...rest,
      config: this.config,
      headers: this,
      nowSeconds: () => nowSeconds,
    })
  }

  headerByHash(hash: string): BlockHeader | undefined {
    return this.#headers.get(hash)
  }

  /** Makes a header known, as storing its block does. */
  add(header: BlockHeader): BlockHeader {
    this.#headers.set(hashOf(header), header)
    return header
  }

  /**
   * A header after `parent`, sealed by `signer`.
   * @param vote `+X` to add the account X, `-X` to drop it.
   */
  seal(
    parent: BlockHeader,
    signer: string,
    vote?: string,
    changes: HeaderChanges = {},
  ): BlockHeader {
    const header = { ...this.unsealed(parent, signer, vote), ...changes }
    return sealCliqueHeader(header, keyOf(signer))
  }

  /** As {@link seal}, with zeros for the seal. */
  unsealed(parent: BlockHeader, signer: string, vote?: string): BlockHeader {
    const snapshot = this.engine.snapshotAt(hashOf(parent))
    const prepared = prepareHeader({
      config: this.config,
      parent,
      parentHash: blockHash(parent),
      snapshot,
      signer: dataToHex(addressOf(signer)),
      proposal: undefined,
      vanity: new Uint8Array(0),
      gasLimitWanted: parent.gasLimit,
      nowSeconds: 0n,
    })
    return {
      ...prepared,
      stateRoot: emptyTrieRoot,
      transactionsRoot: emptyTrieRoot,
      receiptsRoot: emptyTrieRoot,
      logsBloom: new Uint8Array(256),
      gasUsed: 0n,
      ...(vote === undefined ? {} : { coinbase: addressOf(vote.slice(1)) }),
      ...(vote?.startsWith('+') ? { nonce: nonceAdd } : {}),
    }
  }

  #makeGenesis(signers: string): BlockHeader {
    const addresses = [...signers].map(addressOf).sort(compareBytes)
    return {
      parentHash: new Uint8Array(32),
      unclesHash: emptyUnclesHash,
      coinbase: new Uint8Array(20),
      stateRoot: emptyTrieRoot,
      transactionsRoot: emptyTrieRoot,
      receiptsRoot: emptyTrieRoot,
      logsBloom: new Uint8Array(256),
      difficulty: 1n,
      number: 0n,
      gasLimit: 30_000_000n,
      gasUsed: 0n,
      timestamp: 1_700_000_000n,
      extraData: cliqueExtraData(addresses),
      mixHash: new Uint8Array(32),
      nonce: new Uint8Array(8),
      baseFeePerGas: this.config.londonBlock === 0n ? 1_000_000_000n : undefined,
    }
  }
}

/** The names of the accounts in a list of addresses, in the order of the alphabet. */
export function namesOf(addresses: readonly string[]): string {
  const names = new Map([...'ABCDEFG'].map((name) => [dataToHex(addressOf(name)), name]))
  return addresses
    .map((address) => names.get(address) ?? '?')
    .sort()
    .join('')
}
