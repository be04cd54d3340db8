/**
 * Transactions of a block, executed one after the other on the state of its parent: receipts, gas, changes. Used by
 * import, which has a whole block, and by the sealer, which appends to one.
 */
import {
  type BlockHeader,
  type ChainConfig,
  dataToHex,
  encodeReceipt,
  type ForkName,
  forkAt,
  includesFork,
  type Log,
  logsBloom,
  mergeBloom,
  type Receipt,
  type Transaction,
} from '@cairn/eth-codec'
import {
  type BlockContext,
  type Evm,
  type ExecutionState,
  executeTransaction,
  type TransactionResult,
} from '@cairn/eth-evm'
import { orderedTrieRoot, type State, type StateStore } from '@cairn/eth-state'

/** How the chain above a block answers BLOCKHASH. */
export interface BlockHashes {
  /** Of an ancestor of the block whose parent is `parentHash`. */
  ancestorHash(parentHash: string, parentNumber: bigint, number: bigint): Uint8Array | undefined
}

/** What of a header decides how its transactions run; roots and sums are not known yet when sealing. */
export type HeaderFrame = Pick<
  BlockHeader,
  'parentHash' | 'number' | 'timestamp' | 'gasLimit' | 'difficulty' | 'baseFeePerGas'
>

/**
 * The block as the EVM sees it.
 * @param author Who gets the tips, 20 bytes: on Clique chains the signer, not the header's coinbase.
 */
export function blockContext(
  header: HeaderFrame,
  author: Uint8Array,
  hashes: BlockHashes,
): BlockContext {
  const { number, timestamp, gasLimit, difficulty, baseFeePerGas } = header
  const parentHash = dataToHex(header.parentHash)
  return {
    number,
    timestamp,
    coinbase: author,
    gasLimit,
    difficulty,
    baseFeePerGas,
    blockHash: (wanted) => hashes.ancestorHash(parentHash, number - 1n, wanted),
  }
}

export interface ExecutionOptions {
  readonly evm: Evm
  readonly states: StateStore
  readonly config: ChainConfig
  readonly hashes: BlockHashes
}

/** A block that is being executed. */
export class BlockExecution {
  readonly fork: ForkName
  readonly context: BlockContext
  readonly state: ExecutionState
  readonly receipts: Receipt[] = []
  readonly logs: Log[] = []
  readonly logsBloom: Uint8Array = new Uint8Array(256)
  gasUsed = 0n
  readonly #options: ExecutionOptions
  /** The parent's; before Byzantium that after the last transaction. */
  #base: State
  /** Of the receipts so far, when somebody has asked. */
  #receiptsRoot: Uint8Array | undefined

  constructor(options: ExecutionOptions, parent: State, header: HeaderFrame, author: Uint8Array) {
    this.#options = options
    this.#base = parent
    this.fork = forkAt(options.config, header.number, header.timestamp)
    this.context = blockContext(header, author, options.hashes)
    this.state = options.evm.createState(parent)
  }

  get gasLeft(): bigint {
    return this.context.gasLimit - this.gasUsed
  }

  /** Root of the receipts so far: who seals asks once for the header, and once more to check it. */
  get receiptsRoot(): Uint8Array {
    this.#receiptsRoot ??= orderedTrieRoot(this.receipts.map(encodeReceipt))
    return this.#receiptsRoot
  }

  /**
   * Runs the next transaction.
   * @throws TransactionError or ExecutionError when it may not stand here; nothing has changed then.
   */
  add(transaction: Transaction, sender: Uint8Array): TransactionResult {
    const { evm, config } = this.#options
    const result = executeTransaction({
      evm,
      state: this.state,
      fork: this.fork,
      block: this.context,
      chainId: config.chainId,
      transaction,
      sender,
      blockGasLeft: this.gasLeft,
    })
    this.gasUsed += result.gasUsed
    this.#receiptsRoot = undefined
    const bloom = logsBloom(result.logs)
    this.receipts.push({
      type: transaction.type,
      outcome: this.#outcome(result),
      cumulativeGasUsed: this.gasUsed,
      logsBloom: bloom,
      logs: result.logs,
    })
    if (result.logs.length > 0) mergeBloom(this.logsBloom, bloom)
    return result
  }

  /** The state after the block, hashed and not committed. */
  finish(): State {
    this.#base = this.#options.states.stage(this.#base, this.state.takeChanges())
    return this.#base
  }

  /** Receipts had the state root before EIP-658. */
  #outcome(result: TransactionResult): Receipt['outcome'] {
    if (includesFork(this.fork, 'byzantium')) return result.status === 'success' ? 1 : 0
    return this.finish().root
  }
}
