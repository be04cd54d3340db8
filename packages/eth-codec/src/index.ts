/** `@cairn/eth-codec`: Ethereum's bytes: hashes, RLP, and the records that other packages share. Needs Node.js. */

export {
  type AbiField,
  type AbiParameter,
  type AbiType,
  type AbiValue,
  abiSelector,
  abiSignature,
  decodeAbi,
  encodeAbi,
  parseAbiFields,
  parseAbiType,
} from './abi.ts'
export {
  addressBytesSize,
  addressFromText,
  addressOfPrivateKey,
  addressOfPublicKey,
  addressToText,
  contractAddress,
  contractAddress2,
  isZeroAddress,
  recoverAddress,
} from './address.ts'
export {
  type Block,
  type BlockBody,
  blockBodyFromRlp,
  blockBodyToRlp,
  blockFromRlp,
  blockToRlp,
  decodeBlock,
  encodeBlock,
} from './block.ts'
export {
  type BlockHeader,
  blockHash,
  blockHeaderFromRlp,
  blockHeaderToRlp,
  decodeBlockHeader,
  encodeBlockHeader,
} from './block-header.ts'
export { bytesOfText, hexOfBytes, textOfBytes } from './byte-text.ts'
export {
  type ChainConfig,
  type CliqueConfig,
  checkForkOrder,
  cliqueEpochDefault,
  type ForkBlockKey,
  type ForkTimeKey,
  forkAt,
  forkBlockKeys,
  forkTimeKeys,
  gethIncompatibility,
  isLondon,
} from './chain-config.ts'
export {
  type CliqueGenesisOptions,
  cliqueGenesis,
  precompileDust,
  precompileDustCount,
  puppethBalance,
} from './clique-genesis.ts'
export { cliqueSealHash, recoverCliqueSigner, sealCliqueHeader } from './clique-seal.ts'
export { type EnodeUrl, formatEnodeUrl, parseEnodeUrl } from './enode-url.ts'
export {
  AbiError,
  AddressError,
  type AddressErrorType,
  EnodeError,
  type EnodeErrorType,
  GenesisError,
  type GenesisErrorType,
  HexError,
  type HexErrorType,
  KeyFileError,
  type KeyFileErrorType,
  RlpError,
  type RlpErrorType,
  Secp256k1Error,
  type Secp256k1ErrorType,
  TransactionError,
  type TransactionErrorType,
  TypedDataError,
  type TypedDataErrorType,
} from './errors.ts'
export { type ForkId, ForkIds, type ForkMismatch, type ForkPosition } from './fork-id.ts'
export { type ForkName, forkNames, includesFork } from './forks.ts'
export {
  chainConfigToJson,
  cliqueExtraData,
  cliqueSealBytesSize,
  cliqueSigners,
  cliqueVanityBytesSize,
  type Genesis,
  type GenesisAccount,
  genesisHeader,
  genesisStateChanges,
  genesisToJson,
  initialBaseFee,
  type ParsedGenesis,
  parseChainConfig,
  parseGenesis,
} from './genesis.ts'
export {
  dataFromHex,
  dataToHex,
  looseDataFromHex,
  quantityFromHex,
  quantityToHex,
} from './hex.ts'
export { emptyCodeHash, emptyTrieRoot, emptyUnclesHash, keccak256 } from './keccak256.ts'
export { KeyFolder, type StoredKey } from './key-folder.ts'
export {
  decryptKey,
  encryptKey,
  formatKeyFile,
  type KeyFile,
  type KeyFileCost,
  keyFileAddress,
  keyFileBytesMax,
  keyFileName,
  parseKeyFile,
} from './keystore.ts'
export { addToBloom, bloomBytesSize, bloomHas, logsBloom, mergeBloom } from './logs-bloom.ts'
export {
  decodeNodeRecord,
  encodeNodeRecord,
  type NodeRecord,
  nodeIdOf,
  nodeRecordFromText,
  nodeRecordToText,
  recordNumber,
} from './node-record.ts'
export { pooledBytes, pooledBytesUnsafe } from './pooled-bytes.ts'
export {
  decodeReceipt,
  encodeReceipt,
  type Log,
  type Receipt,
  receiptFromRlp,
  receiptToRlp,
} from './receipt.ts'
export {
  decodeRlp,
  encodeRlp,
  peekRlpHeader,
  type RlpHeader,
  type RlpItem,
  type RlpLimits,
  rlpBytesMax,
  rlpDepthMax,
  rlpHeaderBytesMax,
  rlpItemCountMax,
  rlpListItemViews,
} from './rlp.ts'
export {
  addressOrNoneField,
  bytesField,
  bytesToNumber,
  fieldError,
  fixedField,
  listField,
  numberBytesField,
  numberField,
  numberToBytes,
  numberToFixedBytes,
  padStart,
} from './rlp-fields.ts'
export {
  compressPublicKey,
  createJavascriptBackend,
  decompressPublicKey,
  isPrivateKey,
  loadNativeBackend,
  publicKeyOf,
  recoverPublicKey,
  type Secp256k1Backend,
  type Signature,
  secp256k1BackendName,
  sharedSecret,
  signHash,
} from './secp256k1.ts'
export { messageHash, recoverMessageSigner, signMessage } from './signed-message.ts'
export type {
  Account,
  AccountChange,
  StateChanges,
  StateReader,
  StorageChange,
} from './state-access.ts'
export {
  type AccessListEntry,
  decodeTransaction,
  effectiveGasPrice,
  effectiveTip,
  encodeTransaction,
  legacyV,
  recoverSender,
  signingHash,
  signTransaction,
  type Transaction,
  type TransactionType,
  transactionFromRlp,
  transactionHash,
  transactionToRlp,
  type UnsignedTransaction,
} from './transaction.ts'
export {
  checkTransaction,
  initCodeBytesMax,
  intrinsicGas,
  type TransactionRules,
} from './transaction-rules.ts'
export { type TypedData, type TypedDataField, typedDataHash } from './typed-data.ts'
