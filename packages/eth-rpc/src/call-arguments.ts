/**
 * The object that describes a transaction that is not signed yet: eth_call, eth_estimateGas, eth_sendTransaction (geth,
 * TransactionArgs). And the overrides of state and block that go with calls.
 */
import { type AccessListEntry, keccak256 } from '@cairn/eth-codec'
import type { StateOverride } from '@cairn/eth-evm'
import {
  readAddress,
  readData,
  readFixedData,
  readHash,
  readObject,
  readQuantity,
  readUint64,
} from './parameters.ts'

export interface TransactionArguments {
  readonly from: Uint8Array | undefined
  readonly to: Uint8Array | undefined
  readonly gas: bigint | undefined
  readonly gasPrice: bigint | undefined
  readonly maxFeePerGas: bigint | undefined
  readonly maxPriorityFeePerGas: bigint | undefined
  readonly value: bigint | undefined
  readonly nonce: bigint | undefined
  readonly data: Uint8Array
  readonly accessList: readonly AccessListEntry[] | undefined
  readonly chainId: bigint | undefined
}

const typeName = 'ethapi.TransactionArgs'
const accessListCountMax = 4096
const overrideCountMax = 1024
const overrideSlotCountMax = 8192

/** @throws Error with geth's reason. */
export function readTransactionArguments(value: unknown): TransactionArguments {
  const object = readObject(value, typeName)
  const field = <T>(name: string, read: (value: unknown) => T): T | undefined => {
    const given = object[name]
    return given === undefined || given === null ? undefined : read(given)
  }
  const data = field('data', (it) => readData(it))
  const input = field('input', (it) => readData(it))
  if (data !== undefined && input !== undefined && !Buffer.from(data).equals(input)) {
    throw new Error(
      'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
    )
  }
  const gasPrice = field('gasPrice', readQuantity)
  const maxFeePerGas = field('maxFeePerGas', readQuantity)
  const maxPriorityFeePerGas = field('maxPriorityFeePerGas', readQuantity)
  if (gasPrice !== undefined && (maxFeePerGas ?? maxPriorityFeePerGas) !== undefined) {
    throw new Error('both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified')
  }
  if (field('blobVersionedHashes', (it) => it) !== undefined) {
    throw new Error('blob transactions are not supported')
  }
  return {
    from: field('from', readAddress),
    to: field('to', readAddress),
    gas: field('gas', readUint64),
    gasPrice,
    maxFeePerGas,
    maxPriorityFeePerGas,
    value: field('value', readQuantity),
    nonce: field('nonce', readUint64),
    data: input ?? data ?? new Uint8Array(0),
    accessList: field('accessList', readAccessList),
    chainId: field('chainId', readQuantity),
  }
}

function readAccessList(value: unknown): AccessListEntry[] {
  if (!Array.isArray(value)) throw new Error('accessList is not an array')
  if (value.length > accessListCountMax) throw new Error('accessList is too long')
  return value.map((entry: unknown) => {
    const { address, storageKeys } = readObject(entry, 'types.AccessTuple')
    if (storageKeys !== undefined && storageKeys !== null && !Array.isArray(storageKeys)) {
      throw new Error('storageKeys is not an array')
    }
    const keys = (storageKeys ?? []) as readonly unknown[]
    return { address: readAddress(address), storageKeys: keys.map(readHash) }
  })
}

/** By address: balance, nonce, code, state or stateDiff. */
export function readStateOverrides(value: unknown): StateOverride[] {
  const object = readObject(value, 'ethapi.StateOverride')
  const entries = Object.entries(object)
  if (entries.length > overrideCountMax) throw new Error('too many overridden accounts')
  return entries.map(([address, override]) => readOverride(readAddress(address), override))
}

function readOverride(address: Uint8Array, value: unknown): StateOverride {
  const object = readObject(value, 'ethapi.OverrideAccount')
  const { balance, nonce, code, state, stateDiff } = object
  const isGiven = (it: unknown) => it !== undefined && it !== null
  if (isGiven(object['movePrecompileToAddress'])) {
    throw new Error('movePrecompileToAddress is not supported')
  }
  if (isGiven(state) && isGiven(stateDiff)) {
    throw new Error(`account has both 'state' and 'stateDiff'`)
  }
  const bytes = isGiven(code) ? readData(code) : undefined
  return {
    address,
    ...(isGiven(balance) ? { balance: readQuantity(balance) } : {}),
    ...(isGiven(nonce) ? { nonce: readUint64(nonce) } : {}),
    ...(bytes === undefined ? {} : { code: { bytes, hash: keccak256(bytes) } }),
    ...(isGiven(state) ? { storage: readSlots(state) } : {}),
    ...(isGiven(stateDiff) ? { storageDiff: readSlots(stateDiff) } : {}),
  }
}

function readSlots(value: unknown): { slot: Uint8Array; value: Uint8Array }[] {
  const entries = Object.entries(readObject(value, 'map[common.Hash]common.Hash'))
  if (entries.length > overrideSlotCountMax) throw new Error('too many overridden slots')
  return entries.map(([slot, word]) => ({ slot: readHash(slot), value: readHash(word) }))
}

/** What a call may pretend of its block. */
export interface BlockOverrides {
  readonly number?: bigint
  readonly timestamp?: bigint
  readonly gasLimit?: bigint
  readonly difficulty?: bigint
  readonly baseFeePerGas?: bigint
  /** 20 bytes. */
  readonly coinbase?: Uint8Array
  /** 32 bytes: opcode 0x44 then says this, as after the merge. */
  readonly prevRandao?: Uint8Array
}

export function readBlockOverrides(value: unknown): BlockOverrides {
  const object = readObject(value, 'ethapi.BlockOverrides')
  const quantity = (key: string) => {
    const given = object[key]
    return given === undefined || given === null ? undefined : readQuantity(given)
  }
  const coinbase = object['coinbase'] ?? object['feeRecipient']
  const random = object['random'] ?? object['prevRandao'] ?? undefined
  return withoutUndefined({
    number: quantity('number'),
    timestamp: quantity('time'),
    gasLimit: quantity('gasLimit'),
    difficulty: quantity('difficulty'),
    baseFeePerGas: quantity('baseFee') ?? quantity('baseFeePerGas'),
    coinbase: coinbase === undefined ? undefined : readFixedData(coinbase, 20, 'common.Address'),
    prevRandao: random === undefined ? undefined : readHash(random),
  })
}

function withoutUndefined(
  fields: { [K in keyof BlockOverrides]-?: BlockOverrides[K] | undefined },
) {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(kept) as BlockOverrides
}
