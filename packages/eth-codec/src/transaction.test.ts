import { fromHex, toHex, utf8 } from '@cairn/core'
import { Common, Mainnet } from '@ethereumjs/common'
import { createTx, createTxFromRLP } from '@ethereumjs/tx'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOfPrivateKey } from './address.ts'
import { TransactionError } from './errors.ts'
import { keccak256 } from './keccak256.ts'
import { decodeRlp, encodeRlp, type RlpItem } from './rlp.ts'
import {
  decodeTransaction,
  effectiveGasPrice,
  effectiveTip,
  encodeTransaction,
  recoverSender,
  signingHash,
  signTransaction,
  type Transaction,
  transactionFromRlp,
  transactionHash,
  transactionToRlp,
  type UnsignedTransaction,
} from './transaction.ts'

const privateKey = keccak256(utf8('somebody'))
const sender = toHex(addressOfPrivateKey(privateKey))
const common = new Common({ chain: { ...Mainnet, chainId: 4242 }, hardfork: 'cancun' })

const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
const uint = (bits: bigint) => fc.bigInt({ min: 0n, max: 2n ** bits - 1n })

/** What the official library takes too: fees that do not overflow, nonces that can be counted up. */
const anyTransaction: fc.Arbitrary<UnsignedTransaction> = fc
  .record({
    type: fc.constantFrom(0 as const, 1 as const, 2 as const),
    chainId: fc.constantFrom(undefined, 4242n),
    nonce: uint(63n),
    tip: uint(60n),
    feeAbove: uint(60n),
    gasLimit: uint(63n),
    to: fc.option(bytes(20), { nil: undefined }),
    value: uint(256n),
    data: fc.uint8Array({ maxLength: 300 }),
    accessList: fc.array(
      fc.record({ address: bytes(20), storageKeys: fc.array(bytes(32), { maxLength: 3 }) }),
      { maxLength: 3 },
    ),
  })
  .map(({ tip, feeAbove, type, ...rest }) => ({
    ...rest,
    type,
    chainId: type === 0 ? rest.chainId : 4242n,
    maxPriorityFeePerGas: type === 2 ? tip : tip + feeAbove,
    maxFeePerGas: tip + feeAbove,
    accessList: type === 0 ? [] : rest.accessList,
  }))

const plain: UnsignedTransaction = {
  type: 2,
  chainId: 4242n,
  nonce: 7n,
  maxPriorityFeePerGas: 2n,
  maxFeePerGas: 10n,
  gasLimit: 21_000n,
  to: new Uint8Array(20).fill(0xaa),
  value: 1n,
  data: new Uint8Array(0),
  accessList: [],
}

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code)
    throw error
  }
  return 'accepted'
}

/** The transaction with some of its RLP fields replaced. */
function forged(transaction: Transaction, changes: Record<number, RlpItem>): Uint8Array {
  const raw = encodeTransaction(transaction)
  const isTyped = transaction.type !== 0
  const items = [...(decodeRlp(isTyped ? raw.subarray(1) : raw) as readonly RlpItem[])]
  for (const [index, item] of Object.entries(changes)) items[Number(index)] = item
  const list = encodeRlp(items)
  return isTyped ? Uint8Array.from([transaction.type, ...list]) : list
}

describe('transactions', () => {
  it('agree with the official library in bytes, hashes, signatures and senders', () => {
    fc.assert(
      fc.property(anyTransaction, (unsigned) => {
        const transaction = signTransaction(unsigned, privateKey)
        const raw = encodeTransaction(transaction)
        const theirs = createTxFromRLP(raw, { common })
        expect(toHex(theirs.serialize())).toBe(toHex(raw))
        expect(toHex(theirs.hash())).toBe(toHex(transactionHash(transaction)))
        expect(toHex(theirs.getHashedMessageToSign())).toBe(toHex(signingHash(unsigned)))
        expect(toHex(theirs.getSenderAddress().bytes)).toBe(sender)
        expect(toHex(recoverSender(transaction))).toBe(sender)
        const read = decodeTransaction(raw)
        expect(read).toEqual(transaction)
        // What was read remembers its bytes, a copy of it has none to remember.
        expect(encodeTransaction(read)).toBe(raw)
        expect(toHex(encodeTransaction({ ...read }))).toBe(toHex(raw))
        const other = { ...read, nonce: read.nonce + 1n }
        expect(toHex(transactionHash(other))).not.toBe(toHex(transactionHash(read)))
        const item = transactionToRlp(transaction)
        expect(transactionFromRlp(decodeRlp(encodeRlp(item)))).toEqual(transaction)
      }),
      { numRuns: 60 },
    )
  })

  it('read what the official library signs', () => {
    const theirs = createTx(
      { type: 1, chainId: 4242, nonce: 3, gasPrice: 5, gasLimit: 90_000, data: '0x6001' },
      { common },
    ).sign(privateKey)
    const transaction = decodeTransaction(theirs.serialize())
    expect(transaction).toMatchObject({ type: 1, nonce: 3n, maxFeePerGas: 5n, to: undefined })
    expect(toHex(recoverSender(transaction))).toBe(sender)
  })

  it('have another sender, or none, when one bit is flipped', () => {
    const raw = encodeTransaction(signTransaction(plain, privateKey))
    fc.assert(
      fc.property(fc.nat(raw.length * 8 - 1), (bit) => {
        const changed = raw.slice()
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
        let found: string | undefined
        try {
          found = toHex(recoverSender(decodeTransaction(changed)))
        } catch {
          return
        }
        expect(found).not.toBe(sender)
      }),
    )
  })
})

describe('decodeTransaction', () => {
  const typed = signTransaction(plain, privateKey)
  const legacy = signTransaction({ ...plain, type: 0, maxPriorityFeePerGas: 10n }, privateKey)

  it('refuses unknown types, blobs among them', () => {
    for (const type of [0x00, 0x03, 0x04, 0x7f, 0x80]) {
      const raw = Uint8Array.from([type, ...encodeTransaction(typed).subarray(1)])
      expect(codeOf(() => decodeTransaction(raw))).toBe('TYPE_NOT_SUPPORTED')
    }
    expect(codeOf(() => decodeTransaction(new Uint8Array(0)))).toBe('RLP_TRUNCATED')
  })

  it('refuses fields of the wrong length or kind', () => {
    const wrong: Record<string, Record<number, RlpItem>> = {
      'nonce with leading zeros': { 1: fromHex('0001') },
      'nonce of 9 bytes': { 1: new Uint8Array(9).fill(1) },
      'fee of 33 bytes': { 3: new Uint8Array(33).fill(1) },
      'gas limit as a list': { 4: [] },
      'to of 19 bytes': { 5: new Uint8Array(19).fill(1) },
      'value with a leading zero': { 6: Uint8Array.of(0) },
      'access list as bytes': { 8: new Uint8Array(0) },
      'access list address of 21 bytes': { 8: [[new Uint8Array(21), []]] },
      'access list key of 31 bytes': { 8: [[new Uint8Array(20), [new Uint8Array(31)]]] },
      'r with leading zeros': { 10: fromHex('00ff') },
      's of 33 bytes': { 11: new Uint8Array(33).fill(1) },
      'a field more': { 12: new Uint8Array(0) },
    }
    for (const [what, changes] of Object.entries(wrong)) {
      expect([what, codeOf(() => decodeTransaction(forged(typed, changes)))]).toEqual([
        what,
        'RLP_FIELD',
      ])
    }
    expect(codeOf(() => decodeTransaction(forged(typed, {})))).toBe('accepted')
  })

  it('refuses parities that are none', () => {
    expect(codeOf(() => decodeTransaction(forged(typed, { 9: Uint8Array.of(2) })))).toBe(
      'SIGNATURE_INVALID',
    )
    for (const v of [1, 26, 29, 34]) {
      const raw = forged(legacy, { 6: Uint8Array.of(v) })
      expect(codeOf(() => decodeTransaction(raw))).toBe('SIGNATURE_INVALID')
    }
    expect(decodeTransaction(forged(legacy, { 6: Uint8Array.of(27) })).chainId).toBeUndefined()
    expect(decodeTransaction(forged(legacy, { 6: Uint8Array.of(35) })).chainId).toBe(0n)
  })

  it('takes no legacy transaction inside a byte string', () => {
    expect(codeOf(() => transactionFromRlp(encodeTransaction(legacy)))).toBe('RLP_FIELD')
  })
})

describe('recoverSender', () => {
  it('refuses the upper half of s unless told otherwise', () => {
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const { signature, ...unsigned } = signTransaction(plain, privateKey)
    const high = order - BigInt(`0x${toHex(signature.s)}`)
    const flipped: Transaction = {
      ...unsigned,
      signature: {
        r: signature.r,
        s: fromHex(high.toString(16).padStart(64, '0')),
        yParity: signature.yParity === 0 ? 1 : 0,
      },
    }
    expect(codeOf(() => recoverSender(flipped))).toBe('SIGNATURE_INVALID')
    expect(toHex(recoverSender(flipped, true))).toBe(sender)
  })
})

describe('signTransaction', () => {
  it('wants a chain id for types that carry one', () => {
    expect(() => signTransaction({ ...plain, chainId: undefined }, privateKey)).toThrow(
      TransactionError,
    )
  })
})

describe('effectiveGasPrice and effectiveTip', () => {
  it('follow the base fee up to the fee cap', () => {
    expect(effectiveGasPrice(plain, 3n)).toBe(5n)
    expect(effectiveTip(plain, 3n)).toBe(2n)
    expect(effectiveGasPrice(plain, 9n)).toBe(10n)
    expect(effectiveTip(plain, 9n)).toBe(1n)
    expect(effectiveTip(plain, 11n)).toBe(-1n)
    expect(effectiveGasPrice(plain, 0n)).toBe(2n)
  })
})
