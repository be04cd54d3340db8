/**
 * The private chain that a data folder brings up beside its ledgers: one sealer, one funded account, both made on the
 * first start. Keys lie open in a file for the owner alone: this chain is for developing against, not for value.
 *
 *   D/ethereum/development.json   genesis, keys
 *   D/ethereum/geth/              the chain
 */
import { type Clock, type FileSystem, fromUtf8, type Random, toHex, utf8 } from '@cairn/core'
import {
  addressOfPrivateKey,
  addressToText,
  cliqueGenesis,
  dataToHex,
  type Genesis,
  genesisToJson,
  isPrivateKey,
  looseDataFromHex,
  parseGenesis,
  precompileDust,
} from '@cairn/eth-codec'
import { ServerError } from '../errors.ts'

export interface DevelopmentChain {
  readonly genesis: Genesis
  readonly sealerKey: Uint8Array
  readonly account: DevelopmentAccount
}

export interface DevelopmentAccount {
  /** With its checksum. */
  readonly address: string
  /** `0x` and 64 digits. */
  readonly privateKey: string
}

/** What wallets take for a chain on the own machine. */
const developmentChainId = 1337n
const gasLimit = 30_000_000n
/** 1,000,000 ether: enough for anything, and a number that people can read. */
const fundedWei = 10n ** 24n
const fileMode = 0o600
const fileName = 'development.json'
const keyBytesSize = 32

export interface DevelopmentChainOptions {
  /** `D/ethereum`. */
  readonly directory: string
  readonly files: FileSystem
  readonly clock: Clock
  readonly random: Random
  /** Seconds between blocks; 0 seals on demand. May change from start to start. */
  readonly periodSeconds: bigint
}

/** @throws ServerError FILE_INVALID when the file is there and is not one that was written here. */
export async function openDevelopmentChain(
  options: DevelopmentChainOptions,
): Promise<DevelopmentChain> {
  const { directory, files, periodSeconds } = options
  const path = `${directory}/${fileName}`
  if (!(await files.exists(path))) await makeChain(options, path)
  const { genesis, sealerKey, accountKey } = await readChain(files, path)
  const { config } = genesis
  return {
    // The period is no part of the genesis hash, so that it can be chosen anew at each start.
    genesis: {
      ...genesis,
      config: {
        ...config,
        clique: { epoch: config.clique?.epoch ?? 30_000n, periodSeconds },
      },
    },
    sealerKey,
    account: {
      address: addressToText(addressOfPrivateKey(accountKey)),
      privateKey: dataToHex(accountKey),
    },
  }
}

async function makeChain(options: DevelopmentChainOptions, path: string): Promise<void> {
  const { directory, files, clock, random, periodSeconds } = options
  const [sealerKey, accountKey] = [freshKey(random), freshKey(random)]
  const genesis = cliqueGenesis({
    chainId: developmentChainId,
    periodSeconds,
    signers: [addressOfPrivateKey(sealerKey)],
    balances: [
      { address: addressOfPrivateKey(accountKey), balance: fundedWei },
      ...precompileDust(),
    ],
    gasLimit,
    forks: 'cancun',
    timestamp: BigInt(Math.floor(clock.nowMs() / 1000)),
  })
  const file = {
    genesis: genesisToJson(genesis),
    sealerKey: toHex(sealerKey),
    accountKey: toHex(accountKey),
  }
  await files.makeDirectory(directory)
  await files.writeFileAtomic(path, utf8(`${JSON.stringify(file, undefined, 2)}\n`), fileMode)
}

function freshKey(random: Random): Uint8Array {
  for (;;) {
    const key = random.bytes(keyBytesSize)
    if (isPrivateKey(key)) return key
  }
}

async function readChain(
  files: FileSystem,
  path: string,
): Promise<{ genesis: Genesis; sealerKey: Uint8Array; accountKey: Uint8Array }> {
  try {
    const file = JSON.parse(fromUtf8(await files.readFile(path))) as Record<string, unknown>
    return {
      genesis: parseGenesis(file['genesis']).genesis,
      sealerKey: looseDataFromHex(String(file['sealerKey']), keyBytesSize),
      accountKey: looseDataFromHex(String(file['accountKey']), keyBytesSize),
    }
  } catch (cause) {
    throw new ServerError(
      { code: 'FILE_INVALID', path },
      {
        shortMessage: 'The file of the development chain cannot be read.',
        metaMessages: [
          `File: ${path}`,
          'Restore it, or move the folder `ethereum` away to begin another chain.',
        ],
        cause,
      },
    )
  }
}
