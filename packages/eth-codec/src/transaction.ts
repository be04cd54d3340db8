/**
 * Transactions: legacy (type 0, with and without EIP-155), with access lists (type 1, EIP-2930), and with a fee market
 * (type 2, EIP-1559). Reading, writing, hashing, signing. Not here: blob transactions (type 3), which are refused.
 */
import { addressOfPublicKey } from './address.ts'
import { RlpError, TransactionError } from './errors.ts'
import { keccak256 } from './keccak256.ts'
import { decodeRlp, encodeRlp, encodeTypedRlp, type RlpItem } from './rlp.ts'
import {
  addressOrNoneField,
  bytesField,
  bytesToNumber,
  fixedField,
  listField,
  numberBytesField,
  numberField,
  numberToBytes,
  padStart,
} from './rlp-fields.ts'
import { recoverPublicKey, type Signature, signHash } from './secp256k1.ts'

export type TransactionType = 0 | 1 | 2

export interface AccessListEntry {
  /** 20 bytes. */
  readonly address: Uint8Array
  /** 32 bytes each. */
  readonly storageKeys: readonly Uint8Array[]
}

/** One shape for all types, so that code which runs for each transaction sees one shape only. */
export interface UnsignedTransaction {
  readonly type: TransactionType
  /** Undefined for a legacy transaction that is not bound to a chain (before EIP-155). */
  readonly chainId: bigint | undefined
  readonly nonce: bigint
  /** In wei. The gas price for types 0 and 1. */
  readonly maxPriorityFeePerGas: bigint
  /** In wei. The gas price for types 0 and 1. */
  readonly maxFeePerGas: bigint
  readonly gasLimit: bigint
  /** 20 bytes; undefined creates a contract. */
  readonly to: Uint8Array | undefined
  /** In wei. */
  readonly value: bigint
  readonly data: Uint8Array
  /** Empty for type 0. */
  readonly accessList: readonly AccessListEntry[]
}

export interface Transaction extends UnsignedTransaction {
  readonly signature: Signature
}

const uint64BytesSize = 8
const uint256BytesSize = 32
/** Half the order of the group: the greatest s that EIP-2 allows. */
const lowSMax = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n
const emptyBytes = new Uint8Array(0)

/** What was worked out of a transaction once. */
interface KnownBytes {
  readonly encoded: Uint8Array
  hash: Uint8Array | undefined
}

/**
 * A transaction on its way through pool, block and store is encoded five times and hashed twice otherwise. What is
 * remembered follows from the object alone and goes with it. Reading is strict, so that the bytes which were read are
 * the ones that would be written.
 */
const known = new WeakMap<Transaction, KnownBytes>()

/**
 * Reads a transaction as it travels alone: a list for type 0, otherwise the type and a list.
 * @param bytes Not to be changed afterwards.
 * @param hash Of the bytes, where it is known already; believed.
 * @returns fields that are views into `bytes`.
 * @throws RlpError, or TransactionError for types and signatures that are none.
 */
export function decodeTransaction(bytes: Uint8Array, hash?: Uint8Array): Transaction {
  const transaction = decodeFields(bytes)
  known.set(transaction, { encoded: bytes, hash })
  return transaction
}

function decodeFields(bytes: Uint8Array): Transaction {
  const type = bytes[0]
  if (type === undefined || type >= 0xc0) return decodeLegacy(decodeRlp(bytes))
  if (type !== 1 && type !== 2) throw typeNotSupported(type)
  const item = decodeRlp(bytes.subarray(1))
  return type === 1 ? decodeAccessList(item) : decodeFeeMarket(item)
}

/**
 * Reads a transaction as it stands in a block or message: a list for type 0, otherwise a byte string.
 * @throws as {@link decodeTransaction}.
 */
export function transactionFromRlp(item: RlpItem): Transaction {
  return item instanceof Uint8Array ? decodeTyped(item) : decodeLegacy(item)
}

function decodeTyped(bytes: Uint8Array): Transaction {
  if ((bytes[0] ?? 0xc0) < 0xc0) return decodeTransaction(bytes)
  throw new RlpError(
    { code: 'RLP_FIELD', field: 'transaction', reason: 'a legacy transaction inside a string' },
    { shortMessage: 'The transaction is a byte string without a type.' },
  )
}

function decodeLegacy(item: RlpItem): Transaction {
  const fields = listField(item, 'transaction', 9)
  const v = numberField(fields[6], 'v', uint256BytesSize)
  if (v !== 27n && v !== 28n && v < 35n) throw signatureInvalid('v is neither 27, 28 nor 35 up')
  const isBound = v >= 35n
  const gasPrice = numberField(fields[1], 'gasPrice', uint256BytesSize)
  return {
    type: 0,
    chainId: isBound ? (v - 35n) >> 1n : undefined,
    nonce: numberField(fields[0], 'nonce', uint64BytesSize),
    maxPriorityFeePerGas: gasPrice,
    maxFeePerGas: gasPrice,
    gasLimit: numberField(fields[2], 'gasLimit', uint64BytesSize),
    to: addressOrNoneField(fields[3], 'to'),
    value: numberField(fields[4], 'value', uint256BytesSize),
    data: bytesField(fields[5], 'data'),
    accessList: [],
    // 27 and 35 are both odd and stand for an even y.
    signature: signatureOf((v & 1n) === 1n ? 0 : 1, fields[7], fields[8]),
  }
}

function decodeAccessList(item: RlpItem): Transaction {
  const fields = listField(item, 'transaction', 11)
  const gasPrice = numberField(fields[2], 'gasPrice', uint256BytesSize)
  return {
    type: 1,
    chainId: numberField(fields[0], 'chainId', uint256BytesSize),
    nonce: numberField(fields[1], 'nonce', uint64BytesSize),
    maxPriorityFeePerGas: gasPrice,
    maxFeePerGas: gasPrice,
    gasLimit: numberField(fields[3], 'gasLimit', uint64BytesSize),
    to: addressOrNoneField(fields[4], 'to'),
    value: numberField(fields[5], 'value', uint256BytesSize),
    data: bytesField(fields[6], 'data'),
    accessList: accessListFromRlp(fields[7]),
    signature: signatureOf(yParityField(fields[8]), fields[9], fields[10]),
  }
}

function decodeFeeMarket(item: RlpItem): Transaction {
  const fields = listField(item, 'transaction', 12)
  return {
    type: 2,
    chainId: numberField(fields[0], 'chainId', uint256BytesSize),
    nonce: numberField(fields[1], 'nonce', uint64BytesSize),
    maxPriorityFeePerGas: numberField(fields[2], 'maxPriorityFeePerGas', uint256BytesSize),
    maxFeePerGas: numberField(fields[3], 'maxFeePerGas', uint256BytesSize),
    gasLimit: numberField(fields[4], 'gasLimit', uint64BytesSize),
    to: addressOrNoneField(fields[5], 'to'),
    value: numberField(fields[6], 'value', uint256BytesSize),
    data: bytesField(fields[7], 'data'),
    accessList: accessListFromRlp(fields[8]),
    signature: signatureOf(yParityField(fields[9]), fields[10], fields[11]),
  }
}

function accessListFromRlp(item: RlpItem | undefined): readonly AccessListEntry[] {
  return listField(item, 'accessList').map((entry) => {
    const fields = listField(entry, 'accessList entry', 2)
    return {
      address: fixedField(fields[0], 'accessList address', 20),
      storageKeys: listField(fields[1], 'accessList storageKeys').map((key) =>
        fixedField(key, 'accessList storage key', 32),
      ),
    }
  })
}

function yParityField(item: RlpItem | undefined): 0 | 1 {
  const v = numberField(item, 'yParity', uint64BytesSize)
  if (v > 1n) throw signatureInvalid('yParity is neither 0 nor 1')
  return v === 0n ? 0 : 1
}

function signatureOf(yParity: 0 | 1, r: RlpItem | undefined, s: RlpItem | undefined): Signature {
  return {
    yParity,
    r: padStart(numberBytesField(r, 'r', uint256BytesSize), 32),
    s: padStart(numberBytesField(s, 's', uint256BytesSize), 32),
  }
}

/**
 * @returns the bytes of a transaction that travels alone, as `eth_sendRawTransaction` takes them; the same ones each
 *   time, not to be changed.
 */
export function encodeTransaction(transaction: Transaction): Uint8Array {
  return knownBytes(transaction).encoded
}

function knownBytes(transaction: Transaction): KnownBytes {
  let bytes = known.get(transaction)
  if (bytes === undefined) {
    const fields = signedFields(transaction)
    const { type } = transaction
    const encoded = type === 0 ? encodeRlp(fields) : encodeTypedRlp(type, fields)
    bytes = { encoded, hash: undefined }
    known.set(transaction, bytes)
  }
  return bytes
}

/** The item that stands for a transaction in a block or message; see {@link transactionFromRlp}. */
export function transactionToRlp(transaction: Transaction): RlpItem {
  return transaction.type === 0 ? signedFields(transaction) : encodeTransaction(transaction)
}

function signedFields(transaction: Transaction): RlpItem[] {
  const { signature } = transaction
  return [
    ...unsignedFields(transaction),
    numberToBytes(legacyV(transaction)),
    withoutLeadingZeros(signature.r),
    withoutLeadingZeros(signature.s),
  ]
}

/** The `v` of a legacy transaction: 27 or 28, or with the chain in it (EIP-155). For other types their parity. */
export function legacyV(transaction: Transaction): bigint {
  const yParity = BigInt(transaction.signature.yParity)
  if (transaction.type !== 0) return yParity
  return transaction.chainId === undefined
    ? 27n + yParity
    : transaction.chainId * 2n + 35n + yParity
}

function unsignedFields(transaction: UnsignedTransaction): RlpItem[] {
  const { type } = transaction
  const common: RlpItem[] = [
    numberToBytes(transaction.gasLimit),
    transaction.to ?? emptyBytes,
    numberToBytes(transaction.value),
    transaction.data,
  ]
  const nonce = numberToBytes(transaction.nonce)
  const fee = numberToBytes(transaction.maxFeePerGas)
  if (type === 0) return [nonce, fee, ...common]
  const chainId = numberToBytes(transaction.chainId ?? 0n)
  const accessList = accessListToRlp(transaction.accessList)
  if (type === 1) return [chainId, nonce, fee, ...common, accessList]
  const tip = numberToBytes(transaction.maxPriorityFeePerGas)
  return [chainId, nonce, tip, fee, ...common, accessList]
}

function accessListToRlp(accessList: readonly AccessListEntry[]): RlpItem {
  return accessList.map(({ address, storageKeys }) => [address, storageKeys])
}

function withoutLeadingZeros(bytes: Uint8Array): Uint8Array {
  let start = 0
  while (start < bytes.length && bytes[start] === 0) start++
  return start === 0 ? bytes : bytes.subarray(start)
}

/** The hash by which a transaction is known; the same bytes each time, not to be changed. */
export function transactionHash(transaction: Transaction): Uint8Array {
  const bytes = knownBytes(transaction)
  bytes.hash ??= keccak256(bytes.encoded)
  return bytes.hash
}

/** What the sender signs. */
export function signingHash(transaction: UnsignedTransaction): Uint8Array {
  const { type, chainId } = transaction
  const fields = unsignedFields(transaction)
  if (type !== 0) return keccak256(encodeTypedRlp(type, fields))
  if (chainId === undefined) return keccak256(encodeRlp(fields))
  return keccak256(encodeRlp([...fields, numberToBytes(chainId), emptyBytes, emptyBytes]))
}

/**
 * @throws Secp256k1Error when the private key is none, TransactionError when type and chain id do not go together.
 */
export function signTransaction(
  transaction: UnsignedTransaction,
  privateKey: Uint8Array,
): Transaction {
  if (transaction.type !== 0 && transaction.chainId === undefined) {
    throw new TransactionError(
      { code: 'TRANSACTION_MALFORMED', reason: 'no chain id' },
      {
        shortMessage: 'A transaction of type 1 or 2 has no chain id.',
        metaMessages: ['Give it the id of the chain that it is for; only type 0 can do without.'],
      },
    )
  }
  return { ...transaction, signature: signHash(signingHash(transaction), privateKey) }
}

/**
 * The sender's address, 20 bytes; takes most of the time that a transaction costs.
 * @param allowsHighS As before Homestead, when both values of s were good.
 * @throws TransactionError when the signature is none.
 */
export function recoverSender(transaction: Transaction, allowsHighS = false): Uint8Array {
  const { signature } = transaction
  if (!allowsHighS && bytesToNumber(signature.s) > lowSMax) {
    throw signatureInvalid('s is in the upper half, which EIP-2 forbids')
  }
  const publicKey = recoverPublicKey(signingHash(transaction), signature)
  if (publicKey === undefined) throw signatureInvalid('no key can have made it')
  return addressOfPublicKey(publicKey)
}

/** What a gas costs the sender in wei, in a block of that base fee; the base fee is 0 before London. */
export function effectiveGasPrice(transaction: UnsignedTransaction, baseFee: bigint): bigint {
  const { maxFeePerGas, maxPriorityFeePerGas } = transaction
  const price = baseFee + maxPriorityFeePerGas
  return price < maxFeePerGas ? price : maxFeePerGas
}

/** What of it goes to the sealer; negative when the transaction cannot be in such a block. */
export function effectiveTip(transaction: UnsignedTransaction, baseFee: bigint): bigint {
  const { maxFeePerGas, maxPriorityFeePerGas } = transaction
  const left = maxFeePerGas - baseFee
  return left < maxPriorityFeePerGas ? left : maxPriorityFeePerGas
}

function typeNotSupported(type: number): TransactionError {
  return new TransactionError(
    { code: 'TYPE_NOT_SUPPORTED', type },
    {
      shortMessage: 'transaction type not supported',
      metaMessages: [`Type: ${type}`, 'Types 0, 1 and 2 are; blob transactions (3) are not.'],
    },
  )
}

function signatureInvalid(reason: string): TransactionError {
  return new TransactionError(
    { code: 'SIGNATURE_INVALID' },
    {
      shortMessage: 'invalid transaction v, r, s values',
      metaMessages: [`The signature is none: ${reason}.`],
    },
  )
}
