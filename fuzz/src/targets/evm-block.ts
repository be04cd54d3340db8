/** Target `evm-block`: whole Clique blocks over random code, made and imported by ours, then run by the official VM. */
import { utf8 } from '@cairn/core'
import { Candidate, Chain, prepareHeader } from '@cairn/eth-chain'
import {
  addressOfPrivateKey,
  type Block,
  blockHash,
  type ChainConfig,
  type CliqueConfig,
  cliqueExtraData,
  dataToHex,
  emptyCodeHash,
  encodeBlock,
  type ForkName,
  forkBlockKeys,
  type Genesis,
  includesFork,
  keccak256,
  recoverSender,
  sealCliqueHeader,
  signTransaction,
  type Transaction,
} from '@cairn/eth-codec'
import { Evm, executeTransaction, type Tracer } from '@cairn/eth-evm'
import { createMemoryDatabase } from '@cairn/eth-state'
import { createSeededRandom } from '@cairn/testing'
import {
  type BlockScenario,
  type BlockScenarioTransaction,
  blockScenarioOf,
  randomBlockScenario,
  senderCount,
} from '../block-scenario.ts'
import { OfficialChain } from '../official-chain.ts'
import { type Target, Violation } from '../target.ts'

const seedCount = 64
/** Every scenario has codes of its own: few are worth keeping, and the heap is watched. */
const codeBytesMax = 1024 * 1024
const chainId = 4242n
const gwei = 1_000_000_000n
const gasPrice = 10n * gwei
const genesisTime = 1_700_000_000n
const signerKey = keccak256(utf8('signer'))
const signer = addressOfPrivateKey(signerKey)
const senderKeys = Array.from({ length: senderCount }, (_, i) => keccak256(utf8(`sender ${i}`)))
const senders = senderKeys.map(addressOfPrivateKey)
/** Of blobs, which Clique chains have none of: what they do there is ours alone. */
const blobOpcodes: ReadonlySet<number> = new Set([0x49, 0x4a])
const pointEvaluation = 0x0an
/** Those that take an address from the top of the stack: BALANCE, EXTCODE…, SELFDESTRUCT. It may be warm or not. */
const addressOpcodes: ReadonlySet<number> = new Set([0x31, 0x3b, 0x3c, 0x3f, 0xff])
const addressMask = 2n ** 160n - 1n

/** Says nothing, since it is one, and puts it into the header: the official VM takes the address there as warm. */
const signerProposal = { address: dataToHex(signer), authorize: true }

type Config = ChainConfig & { readonly clique: CliqueConfig }

export const evmBlockTarget: Target = {
  name: 'evm-block',
  oracle:
    'blocks of ours are imported by ours, and have the same receipts, bloom, gas and state root in @ethereumjs/vm',
  sources: /\/packages\/eth-(?:evm|chain|state)\/src\//,
  // A pairing takes the official EVM a quarter of a second of CPU, and the machine may be busy.
  inputMsMax: 8000,
  batchCount: 64,
  open: (seed) => {
    const random = createSeededRandom(seed)
    const official = new OfficialChain()
    const wasm = new Evm({ interpreter: 'wasm', codeBytesMax })
    const typescript = new Evm({ interpreter: 'typescript', codeBytesMax })
    return {
      seeds: Array.from({ length: seedCount }, () => randomBlockScenario(random)),
      dictionary: [],
      generate: randomBlockScenario,
      run: async (input) => {
        const scenario = blockScenarioOf(input)
        if (scenario === undefined) return
        const [own, other] = scenario.isWasm ? [wasm, typescript] : [typescript, wasm]
        const genesis = genesisOf(scenario)
        const chain = openChain(genesis, own)
        const hashes = [blockHash(chain.head.header)]
        const blocks: Block[] = []
        for (const wanted of scenario.blocks) {
          const block = makeBlock(chain, scenario, wanted)
          chain.importBlocks([block])
          hashes.push(blockHash(block.header))
          blocks.push(block)
        }
        // What one interpreter has made the other one has to accept.
        openChain(genesis, other).importBlocks(blocks)
        try {
          await official.run(scenario.fork, genesis, blocks.map(encodeBlock), hashes)
        } catch (error) {
          if (usesBlobs(scenario, genesis, typescript, blocks)) return
          const ours = outcomesOf(chain, hashes)
          throw new Violation(`@ethereumjs/vm, ${scenario.fork}: ${String(error)}; ours: ${ours}`)
        }
      },
    }
  },
}

function openChain(genesis: Genesis, evm: Evm): Chain {
  const clock = { nowMs: () => Number(genesisTime + 1000n) * 1000, sleep: async () => undefined }
  return new Chain({ database: createMemoryDatabase(), evm, clock, genesis })
}

function genesisOf({ fork, accounts }: BlockScenario): Genesis {
  const empty = new Uint8Array(0)
  const funded = senders.map((address) => ({
    address,
    nonce: 0n,
    balance: 10n ** 21n,
    code: empty,
    codeHash: emptyCodeHash,
    storage: [],
  }))
  return {
    config: configOf(fork),
    nonce: new Uint8Array(8),
    timestamp: genesisTime,
    extraData: cliqueExtraData([signer]),
    gasLimit: 30_000_000n,
    difficulty: 1n,
    mixHash: new Uint8Array(32),
    coinbase: new Uint8Array(20),
    accounts: [...funded, ...accounts].sort((a, b) => Buffer.compare(a.address, b.address)),
    number: 0n,
    gasUsed: 0n,
    parentHash: new Uint8Array(32),
    baseFeePerGas: undefined,
  }
}

/** The fork that each key starts, where it is one of those that scenarios name. */
const forkOfKey: Partial<Record<(typeof forkBlockKeys)[number], ForkName>> = {
  homesteadBlock: 'homestead',
  eip150Block: 'tangerineWhistle',
  eip155Block: 'spuriousDragon',
  eip158Block: 'spuriousDragon',
  byzantiumBlock: 'byzantium',
  constantinopleBlock: 'constantinople',
  petersburgBlock: 'petersburg',
  istanbulBlock: 'istanbul',
  berlinBlock: 'berlin',
  londonBlock: 'london',
}

function configOf(fork: ForkName): Config {
  const forks: Record<string, bigint> = {}
  for (const key of forkBlockKeys) {
    const started = forkOfKey[key]
    if (started !== undefined && includesFork(fork, started)) forks[key] = 0n
  }
  // Left out it would come with Constantinople.
  if (fork === 'constantinople') forks['petersburgBlock'] = 1_000_000n
  if (includesFork(fork, 'shanghai')) forks['shanghaiTime'] = 0n
  if (includesFork(fork, 'cancun')) forks['cancunTime'] = 0n
  return { ...forks, chainId, clique: { periodSeconds: 1n, epoch: 30_000n } }
}

/** A sealed block on the head; transactions that may not stand in it are left out. */
function makeBlock(
  chain: Chain,
  scenario: BlockScenario,
  wanted: readonly BlockScenarioTransaction[],
): Block {
  const parent = chain.head.header
  const header = prepareHeader({
    config: chain.config as Config,
    parent,
    parentHash: blockHash(parent),
    snapshot: present(chain.clique).snapshotAt(chain.head.hash),
    signer: dataToHex(signer),
    proposal: includesFork(scenario.fork, 'shanghai') ? signerProposal : undefined,
    vanity: new Uint8Array(0),
    gasLimitWanted: 30_000_000n,
    nowSeconds: 0n,
  })
  const execution = chain.execute(chain.stateOf(parent), header, signer)
  const candidate = new Candidate(header, execution)
  for (const each of wanted) {
    const sender = senders[each.sender] as Uint8Array
    const nonce = execution.state.accountOf(sender).nonce
    const transaction = signed(scenario, each, nonce)
    candidate.add({ transaction, sender })
  }
  const sealed = sealCliqueHeader(candidate.close(), signerKey)
  return { header: sealed, transactions: candidate.transactions, uncles: [] }
}

function signed(
  { fork, accounts }: BlockScenario,
  { sender, target, data, hasAccessList, ...given }: BlockScenarioTransaction,
  nonce: bigint,
): Transaction {
  const type = includesFork(fork, 'london')
    ? given.type
    : includesFork(fork, 'berlin') && given.type > 0
      ? 1
      : 0
  const isProtected = type > 0 || (given.isProtected && includesFork(fork, 'spuriousDragon'))
  const to = target === undefined ? undefined : (accounts[target] ?? accounts[0])?.address
  const listed = accounts.slice(0, 2).map(({ address, storage }) => ({
    address,
    storageKeys: storage.map(({ slot }) => slot),
  }))
  return signTransaction(
    {
      type,
      chainId: isProtected ? chainId : undefined,
      nonce,
      maxPriorityFeePerGas: type === 2 ? gwei : gasPrice,
      maxFeePerGas: gasPrice,
      gasLimit: given.gasLimit,
      to,
      value: given.value,
      data,
      accessList: type > 0 && hasAccessList ? listed : [],
    },
    senderKeys[sender] as Uint8Array,
  )
}

/** Block by block: status, gas used until then, logs of each transaction. */
function outcomesOf(chain: Chain, hashes: readonly Uint8Array[]): string {
  const texts = hashes.slice(1).map((hash) => {
    const receipts = chain.executedBlock(dataToHex(hash))?.receipts ?? []
    return receipts.map(({ outcome, cumulativeGasUsed, logs }) => {
      const status = typeof outcome === 'number' ? outcome : ''
      return `${status} ${cumulativeGasUsed} ${logs.length} logs`
    })
  })
  return texts.map((block) => block.join(', ')).join('; ')
}

/** Whether anything that ran touches blobs, so that the difference says nothing. */
function usesBlobs(
  { fork }: BlockScenario,
  genesis: Genesis,
  evm: Evm,
  blocks: readonly Block[],
): boolean {
  if (!includesFork(fork, 'cancun')) return false
  let isUsing = false
  const tracer: Tracer = {
    onEnter: ({ to }) => {
      isUsing ||= to.length > 0 && BigInt(dataToHex(to)) === pointEvaluation
    },
    onStep: ({ opcode, stackView }) => {
      isUsing ||= blobOpcodes.has(opcode)
      if (!addressOpcodes.has(opcode)) return
      isUsing ||= ((stackView.at(-1) ?? 0n) & addressMask) === pointEvaluation
    },
  }
  const chain = openChain(genesis, evm)
  for (const block of blocks) {
    const { state, context } = chain.execute(chain.stateOf(chain.head.header), block.header, signer)
    for (const transaction of block.transactions) {
      const sender = recoverSender(transaction, true)
      const input = { evm, state, fork, block: context, chainId, transaction, sender }
      executeTransaction({ ...input, tracer })
    }
    chain.importBlocks([block])
  }
  return isUsing
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a chain without Clique')
  return value
}
