/**
 * Block headers of 15 items, or 16 with a base fee from London (EIP-1559). Not here: the items of later forks
 * (withdrawals, blobs, beacon root), which no chain of ours has.
 */
import { keccak256 } from './keccak256.ts'
import { bloomBytesSize } from './logs-bloom.ts'
import { decodeRlp, encodeRlp, type RlpItem } from './rlp.ts'
import {
  bytesField,
  fieldError,
  fixedField,
  listField,
  numberField,
  numberToBytes,
} from './rlp-fields.ts'

export interface BlockHeader {
  readonly parentHash: Uint8Array
  readonly unclesHash: Uint8Array
  /** 20 bytes. On a Clique chain whom the sealer votes on, not who sealed. */
  readonly coinbase: Uint8Array
  readonly stateRoot: Uint8Array
  readonly transactionsRoot: Uint8Array
  readonly receiptsRoot: Uint8Array
  /** 256 bytes. */
  readonly logsBloom: Uint8Array
  readonly difficulty: bigint
  readonly number: bigint
  readonly gasLimit: bigint
  readonly gasUsed: bigint
  /** Seconds since the Unix epoch. */
  readonly timestamp: bigint
  readonly extraData: Uint8Array
  readonly mixHash: Uint8Array
  /** 8 bytes. */
  readonly nonce: Uint8Array
  /** In wei; undefined before London. */
  readonly baseFeePerGas: bigint | undefined
}

const itemCountMin = 15
const itemCountMax = 16

export function blockHeaderToRlp(header: BlockHeader): RlpItem[] {
  const items: RlpItem[] = [
    header.parentHash,
    header.unclesHash,
    header.coinbase,
    header.stateRoot,
    header.transactionsRoot,
    header.receiptsRoot,
    header.logsBloom,
    numberToBytes(header.difficulty),
    numberToBytes(header.number),
    numberToBytes(header.gasLimit),
    numberToBytes(header.gasUsed),
    numberToBytes(header.timestamp),
    header.extraData,
    header.mixHash,
    header.nonce,
  ]
  if (header.baseFeePerGas !== undefined) items.push(numberToBytes(header.baseFeePerGas))
  return items
}

export function encodeBlockHeader(header: BlockHeader): Uint8Array {
  return encodeRlp(blockHeaderToRlp(header))
}

/** The hash of the whole header: the block's. */
export function blockHash(header: BlockHeader): Uint8Array {
  return keccak256(encodeBlockHeader(header))
}

/** @returns fields that are views into `bytes`. @throws RlpError. */
export function decodeBlockHeader(bytes: Uint8Array): BlockHeader {
  return blockHeaderFromRlp(decodeRlp(bytes))
}

/** @throws RlpError. */
export function blockHeaderFromRlp(item: RlpItem): BlockHeader {
  const items = listField(item, 'header')
  if (items.length > itemCountMax) {
    throw fieldError('header', `has ${items.length} items: fields of forks not supported here`)
  }
  if (items.length < itemCountMin) throw fieldError('header', `has only ${items.length} items`)
  return {
    parentHash: fixedField(items[0], 'parentHash', 32),
    unclesHash: fixedField(items[1], 'unclesHash', 32),
    coinbase: fixedField(items[2], 'coinbase', 20),
    stateRoot: fixedField(items[3], 'stateRoot', 32),
    transactionsRoot: fixedField(items[4], 'transactionsRoot', 32),
    receiptsRoot: fixedField(items[5], 'receiptsRoot', 32),
    logsBloom: fixedField(items[6], 'logsBloom', bloomBytesSize),
    difficulty: numberField(items[7], 'difficulty', 32),
    number: numberField(items[8], 'number', 8),
    gasLimit: numberField(items[9], 'gasLimit', 8),
    gasUsed: numberField(items[10], 'gasUsed', 8),
    timestamp: numberField(items[11], 'timestamp', 8),
    extraData: bytesField(items[12], 'extraData'),
    mixHash: fixedField(items[13], 'mixHash', 32),
    nonce: fixedField(items[14], 'nonce', 8),
    baseFeePerGas:
      items.length > itemCountMin ? numberField(items[15], 'baseFeePerGas', 32) : undefined,
  }
}
