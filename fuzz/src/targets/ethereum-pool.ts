/**
 * Target `ethereum-pool`: raw transactions into a pool, signed ones with anything in them and bytes that are none. An
 * input is a list of them, each behind two bytes of its length.
 */
import { concatBytes } from '@cairn/core'
import { PoolError, readIncoming, TransactionPool } from '@cairn/eth-chain'
import {
  type Account,
  dataToHex,
  emptyCodeHash,
  encodeTransaction,
  RlpError,
  signTransaction,
  TransactionError,
  type UnsignedTransaction,
} from '@cairn/eth-codec'
import type { SeededRandom } from '@cairn/testing'
import { addressOf, keyOf } from '../../../packages/eth-chain/src/testing/clique-chain.ts'
import { mustHold, type Target } from '../target.ts'

const gwei = 1_000_000_000n
const chainId = 4242n
const transactionCountMax = 24
const senderNames = 'ABCD'
/** Small, so that a few transactions meet them. */
const limits = {
  accountSlots: 3,
  globalSlots: 8,
  accountQueue: 4,
  globalQueue: 6,
  lifetimeMs: 1000,
  localCountMax: 12,
}

export const ethereumPoolTarget: Target = {
  name: 'ethereum-pool',
  oracle:
    'PoolError, TransactionError and RlpError only; each sender’s nonces go on without a gap; counts are those of the content, within bounds',
  sources: /\/packages\/eth-(?:chain|codec)\/src\//,
  batchCount: 128,
  open: () => ({
    seeds: [[0, 1, 2], [1, 0], [0, 0, 0, 5], []].map((nonces) =>
      listed(nonces.map((nonce) => rawOf('A', { nonce: BigInt(nonce) }))),
    ),
    dictionary: [Uint8Array.of(0, 100, 2), Uint8Array.of(0xf8), rawOf('B', {})],
    generate,
    run: check,
  }),
}

function generate(random: SeededRandom): Uint8Array {
  const count = 1 + random.below(transactionCountMax)
  return listed(Array.from({ length: count }, () => randomRaw(random)))
}

function randomRaw(random: SeededRandom): Uint8Array {
  const pick = <T>(...values: readonly T[]): T => values[random.below(values.length)] as T
  const type = random.below(3) as 0 | 1 | 2
  const fee = pick(0n, 1n, gwei, 2n * gwei, 3n * gwei, 4n * gwei, 100n * gwei, 2n ** 255n)
  const tip = type === 2 ? pick(0n, 1n, gwei, fee, fee + 1n) : fee
  const raw = rawOf(senderNames[random.below(senderNames.length)] as string, {
    type,
    nonce: random.chance(0.9) ? BigInt(random.below(8)) : pick(2n ** 64n - 1n, 2n ** 63n, 100n),
    maxFeePerGas: fee,
    maxPriorityFeePerGas: tip,
    gasLimit: pick(21_000n, 21_000n, 100_000n, 20_999n, 0n, 30_000_001n, 2n ** 64n - 1n),
    value: pick(0n, 1n, 1n, 10n ** 18n, 10n ** 30n, 2n ** 256n - 1n),
    chainId: pick(chainId, chainId, chainId, 1n, type === 0 ? undefined : chainId),
    to: random.chance(0.9) ? addressOf('E') : undefined,
    data: new Uint8Array(pick(0, 0, 4, 1000)),
  })
  return random.chance(0.05) ? raw.subarray(0, random.below(raw.length)) : raw
}

function rawOf(name: string, fields: Partial<UnsignedTransaction>): Uint8Array {
  const unsigned: UnsignedTransaction = {
    ...{ type: 2, chainId, nonce: 0n, value: 1n, accessList: [], data: new Uint8Array(0) },
    ...{ maxPriorityFeePerGas: gwei, maxFeePerGas: 3n * gwei, gasLimit: 21_000n },
    to: addressOf('E'),
    ...fields,
  }
  return encodeTransaction(signTransaction(unsigned, keyOf(name)))
}

function listed(raws: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    ...raws.flatMap((raw) => [Uint8Array.of(raw.length >> 8, raw.length & 0xff), raw]),
  )
}

function check(input: Uint8Array): void {
  const accounts = new Map<string, Account>()
  for (const [index, name] of [...senderNames].entries()) {
    const balance = index === 3 ? 10n ** 14n : 10n ** 21n
    const account = { nonce: BigInt(index), balance, codeHash: emptyCodeHash }
    accounts.set(dataToHex(addressOf(name)), account)
  }
  const head = {
    fork: 'cancun',
    gasLimit: 30_000_000n,
    baseFee: gwei,
    readAccount: (address: Uint8Array) => accounts.get(dataToHex(address)),
  } as const
  let nowMs = 0
  const pool = new TransactionPool({ chainId, head, clock: { nowMs: () => nowMs }, limits })
  let count = 0
  for (let at = 0; at + 2 <= input.length && count < transactionCountMax; count++) {
    const size = ((input[at] as number) << 8) | (input[at + 1] as number)
    add(pool, input.slice(at + 2, at + 2 + size), size % 3 === 0)
    at += 2 + size
    if (count % 4 === 3) checkPool(pool, accounts)
  }
  checkPool(pool, accounts)
  // The first of each sender is in a block; then everything that waits has waited long enough.
  for (const [address, { pending }] of pool.content()) {
    const account = accounts.get(address)
    if (pending.length > 0 && account !== undefined) {
      accounts.set(address, { ...account, nonce: account.nonce + 1n })
    }
  }
  pool.reset(head)
  checkPool(pool, accounts)
  nowMs = 2 * limits.lifetimeMs
  pool.reset({ ...head, baseFee: 4n * gwei })
  checkPool(pool, accounts)
}

function add(pool: TransactionPool, raw: Uint8Array, isLocal: boolean): void {
  try {
    const { hash } = pool.add(readIncoming(raw), isLocal)
    mustHold(pool.get(hash) !== undefined, 'what was taken is not there')
  } catch (error) {
    const isForeseen =
      error instanceof PoolError || error instanceof TransactionError || error instanceof RlpError
    if (!isForeseen) throw error
    mustHold(error.shortMessage.length > 0, 'an error without words')
  }
}

function checkPool(pool: TransactionPool, accounts: ReadonlyMap<string, Account>): void {
  let pendingCount = 0
  let queuedCount = 0
  for (const [address, { pending, queued }] of pool.content()) {
    pendingCount += pending.length
    queuedCount += queued.length
    let next = accounts.get(address)?.nonce ?? 0n
    for (const { transaction } of pending) {
      mustHold(transaction.nonce === next, 'a gap in what is pending, or something old')
      next++
    }
    for (const [index, { transaction }] of queued.entries()) {
      mustHold(transaction.nonce >= next, 'something is queued that is old, or could be pending')
      const before = queued[index - 1]?.transaction.nonce
      mustHold(before === undefined || before < transaction.nonce, 'queued out of order')
    }
  }
  const status = pool.status()
  mustHold(status.pending === pendingCount, 'another count of pending ones')
  mustHold(status.queued === queuedCount, 'another count of queued ones')
  const countMax = limits.globalSlots + limits.accountSlots * senderNames.length
  mustHold(pendingCount <= countMax + limits.localCountMax, 'too many are pending')
  mustHold(queuedCount <= limits.globalQueue + limits.localCountMax, 'too many are queued')
  const selection = pool.select(gwei)
  const seen = new Map<string, bigint>()
  for (let each = selection.peek(); each !== undefined; each = selection.peek()) {
    const sender = dataToHex(each.sender)
    const wanted = seen.get(sender) ?? accounts.get(sender)?.nonce ?? 0n
    mustHold(each.transaction.nonce === wanted, 'selected out of order')
    seen.set(sender, wanted + 1n)
    selection.take()
  }
}
