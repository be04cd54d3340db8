/** `@cairn/eth-codec`: Ethereum's bytes: hashes, RLP, and the records that other packages share. Needs Node.js. */

export { RlpError, type RlpErrorType, Secp256k1Error, type Secp256k1ErrorType } from './errors.ts'
export { emptyCodeHash, emptyTrieRoot, emptyUnclesHash, keccak256 } from './keccak256.ts'
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
  createJavascriptBackend,
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
export type {
  Account,
  AccountChange,
  StateChanges,
  StateReader,
  StorageChange,
} from './state-access.ts'
