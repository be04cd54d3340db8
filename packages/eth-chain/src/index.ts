/** `@cairn/eth-chain`: which headers and transactions a chain takes. Needs Node.js. */

export {
  type BlocksChange,
  Chain,
  type ChainOptions,
  type HeaderRules,
  type ImportResult,
  type MovedBlock,
} from './chain.ts'
export type {
  BlockAuthors,
  ChainHead,
  ChainReader,
  HashedHeader,
  HeadChange,
} from './chain-reader.ts'
export {
  CliqueEngine,
  type CliqueEngineOptions,
  type HeaderSource,
  noSnapshotStore,
  type SnapshotStore,
} from './clique/clique-engine.ts'
export {
  difficultyInTurn,
  difficultyOutOfTurn,
  nonceAdd,
  nonceDrop,
  sealLimit,
  snapshotIntervalBlocks,
  wiggleMs,
} from './clique/constants.ts'
export { type CliqueProposal, CliqueProposals, proposalCountMax } from './clique/proposals.ts'
export {
  type SealClaim,
  SealRecord,
  type SealRecordStore,
  sealEntryCountMax,
} from './clique/seal-record.ts'
export {
  type PreparedHeader,
  type PrepareOptions,
  prepareHeader,
  type SealingTurn,
  sealDelayMs,
  sealingTurn,
} from './clique/sealing.ts'
export {
  type AddressText,
  applyHeader,
  type CliqueSnapshot,
  type CliqueTally,
  type CliqueVote,
  difficultyOf,
  firstSnapshot,
  isInTurn,
  isMeaningfulVote,
  type SealedHeader,
} from './clique/snapshot.ts'
export {
  type CliqueSnapshotJson,
  snapshotFromJson,
  snapshotToJson,
} from './clique/snapshot-json.ts'
export { ChainError, type ChainErrorType } from './errors.ts'
export { ChainReplica, type ChainReplicaOptions } from './execution/chain-replica.ts'
export type { Execution, SealingOptions } from './execution/execution.ts'
export {
  ExecutionServer,
  type ExecutionServerOptions,
  portLogger,
} from './execution/execution-server.ts'
export {
  type ExecutionErrorType,
  ExecutionThreadError,
} from './execution/execution-thread-error.ts'
export { LocalExecution, type LocalExecutionOptions } from './execution/local-execution.ts'
export {
  createWrittenSignal,
  type ExecutionPort,
  type FromExecution,
  plainFields,
  type WrittenSignal,
} from './execution/messages.ts'
export type { PendingBlock } from './execution/pending-block.ts'
export { RemoteExecution, type RemoteExecutionOptions } from './execution/remote-execution.ts'
export { packError, type ThreadError, unpackError } from './execution/thread-error.ts'
export {
  exportBlocks,
  type ImportProgress,
  importChainFile,
  readChainFile,
} from './file/chain-file.ts'
export { readChainFilePieces } from './file/chain-file-pieces.ts'
export {
  type ChainFolder,
  lockChainFolder,
  openChainFolder,
  openChainFolderReplica,
  openLockedChainFolder,
} from './file/chain-folder.ts'
export { checkGasFields, gasLimitMin, nextBaseFee, nextGasLimit } from './gas-rules.ts'
export { HeaderError, type HeaderErrorCode, type HeaderErrorType } from './header-error.ts'
export {
  BlockExecution,
  type BlockHashes,
  blockContext,
  type HeaderFrame,
} from './import/execution.ts'
export {
  findLogs,
  type LogFilter,
  logsOfBlock,
  matchesLog,
  type PlacedLog,
} from './logs/log-query.ts'
export { ChainNode, type ChainNodeOptions } from './node/chain-node.ts'
export { PoolError, type PoolErrorCode, type PoolErrorType } from './pool/pool-error.ts'
export { PoolJournal } from './pool/pool-journal.ts'
export { PoolKeeper, type PoolKeeperOptions } from './pool/pool-keeper.ts'
export {
  compareWorth,
  type IncomingTransaction,
  incomingOf,
  type PooledTransaction,
  readIncoming,
} from './pool/pooled-transaction.ts'
export { TransactionSelection } from './pool/selection.ts'
export {
  type DropReason,
  type PoolContent,
  type PoolLimits,
  type PoolListener,
  type PoolOptions,
  type PoolStatus,
  poolLimitsDefault,
  TransactionPool,
} from './pool/transaction-pool.ts'
export {
  checkRpcTransaction,
  type PoolHead,
  type RpcRules,
  transactionBytesMax,
} from './pool/validation.ts'
export { Candidate, type PendingTransaction } from './sealer/candidate.ts'
export {
  gasLimitWantedDefault,
  type PendingSelection,
  type PendingTransactions,
  Sealer,
  type SealerOptions,
} from './sealer/sealer.ts'
export {
  isBlobEntry,
  readStateTest,
  runStateTest,
  type StateTestEntry,
  type StateTestOutcome,
} from './state-test/state-test.ts'
export {
  runTransition,
  TransitionError,
  type TransitionInput,
  type TransitionOutput,
} from './state-test/transition.ts'
export { ChainStore, type ExecutedBlock } from './store/chain-store.ts'
export { genesisHashOf } from './store/init-genesis.ts'
