import { fromHex, toHex, utf8 } from '@cairn/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockFromRlp, decodeBlock, encodeBlock } from './block.ts'
import {
  type BlockHeader,
  blockHash,
  blockHeaderToRlp,
  decodeBlockHeader,
  encodeBlockHeader,
} from './block-header.ts'
import { keccak256 } from './keccak256.ts'
import { addToBloom, bloomHas, logsBloom, mergeBloom } from './logs-bloom.ts'
import {
  decodeReceipt,
  encodeReceipt,
  type Log,
  type Receipt,
  receiptFromRlp,
  receiptToRlp,
} from './receipt.ts'
import { decodeRlp, encodeRlp, type RlpItem } from './rlp.ts'
import { signTransaction } from './transaction.ts'

const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

const anyHeader: fc.Arbitrary<BlockHeader> = fc.record({
  parentHash: bytes(32),
  unclesHash: bytes(32),
  coinbase: bytes(20),
  stateRoot: bytes(32),
  transactionsRoot: bytes(32),
  receiptsRoot: bytes(32),
  logsBloom: bytes(256),
  difficulty: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  number: uint64,
  gasLimit: uint64,
  gasUsed: uint64,
  timestamp: uint64,
  extraData: fc.uint8Array({ maxLength: 120 }),
  mixHash: bytes(32),
  nonce: bytes(8),
  baseFeePerGas: fc.option(uint64, { nil: undefined }),
})

const anyLog: fc.Arbitrary<Log> = fc.record({
  address: bytes(20),
  topics: fc.array(bytes(32), { maxLength: 4 }),
  data: fc.uint8Array({ maxLength: 70 }),
})

const anyReceipt: fc.Arbitrary<Receipt> = fc.record({
  type: fc.constantFrom(0 as const, 1 as const, 2 as const),
  outcome: fc.oneof(fc.constantFrom(0 as const, 1 as const), bytes(32)),
  cumulativeGasUsed: uint64,
  logsBloom: bytes(256),
  logs: fc.array(anyLog, { maxLength: 3 }),
})

const transaction = signTransaction(
  {
    type: 1,
    chainId: 1n,
    nonce: 0n,
    maxFeePerGas: 1n,
    maxPriorityFeePerGas: 1n,
    gasLimit: 21_000n,
    to: undefined,
    value: 0n,
    data: utf8('code'),
    accessList: [],
  },
  keccak256(utf8('somebody')),
)

describe('block headers', () => {
  it('are read as they were written, with and without a base fee', () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        const raw = encodeBlockHeader(header)
        expect(decodeBlockHeader(raw)).toEqual(header)
        expect(toHex(blockHash(header))).toBe(toHex(keccak256(raw)))
      }),
    )
  })

  it('have the hash of a block that everybody knows', () => {
    // Block 1 of the public network; its header as published by every explorer.
    const header: BlockHeader = {
      parentHash: fromHex('d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3'),
      unclesHash: fromHex('1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347'),
      coinbase: fromHex('05a56e2d52c817161883f50c441c3228cfe54d9f'),
      stateRoot: fromHex('d67e4d450343046425ae4271474353857ab860dbc0a1dde64b41b5cd3a532bf3'),
      transactionsRoot: fromHex('56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'),
      receiptsRoot: fromHex('56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'),
      logsBloom: new Uint8Array(256),
      difficulty: 0x3ff800000n,
      number: 1n,
      gasLimit: 5000n,
      gasUsed: 0n,
      timestamp: 0x55ba4224n,
      extraData: fromHex('476574682f76312e302e302f6c696e75782f676f312e342e32'),
      mixHash: fromHex('969b900de27b6ac6a67742365dd65f55a0526c41fd18e1b16f1a1215c2e66f59'),
      nonce: fromHex('539bd4979fef1ec4'),
      baseFeePerGas: undefined,
    }
    expect(toHex(blockHash(header))).toBe(
      '88e96d4537bea4d9c05d12549907b32561d3bf31f45aae734cdc119f13406cb6',
    )
  })

  it('are refused with items too many, too few or of another length', () => {
    const [header] = fc.sample(anyHeader, 1) as [BlockHeader]
    const items = blockHeaderToRlp({ ...header, baseFeePerGas: 7n })
    const withItem = (index: number, item: RlpItem) => encodeRlp(items.with(index, item))
    expect(() => decodeBlockHeader(encodeRlp([...items, new Uint8Array(32)]))).toThrow(/17 items/)
    expect(() => decodeBlockHeader(encodeRlp(items.slice(0, 14)))).toThrow(/only 14/)
    expect(() => decodeBlockHeader(withItem(0, new Uint8Array(31)))).toThrow(/parentHash/)
    expect(() => decodeBlockHeader(withItem(6, new Uint8Array(255)))).toThrow(/logsBloom/)
    expect(() => decodeBlockHeader(withItem(8, Uint8Array.of(0)))).toThrow(/leading zeros/)
    expect(() => decodeBlockHeader(withItem(8, new Uint8Array(9).fill(1)))).toThrow(/number/)
    expect(() => decodeBlockHeader(withItem(12, []))).toThrow(/extraData/)
    expect(() => decodeBlockHeader(withItem(14, new Uint8Array(7)))).toThrow(/nonce/)
  })
})

describe('blocks', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(anyHeader, fc.array(anyHeader, { maxLength: 2 }), (header, uncles) => {
        const block = { header, transactions: [transaction, transaction], uncles }
        expect(decodeBlock(encodeBlock(block))).toEqual(block)
      }),
      { numRuns: 20 },
    )
  })

  it('with withdrawals are refused', () => {
    const [header] = fc.sample(anyHeader, 1) as [BlockHeader]
    const items = decodeRlp(encodeBlock({ header, transactions: [], uncles: [] }))
    expect(() => blockFromRlp([...(items as RlpItem[]), []])).toThrow(/4 items in place of 3/)
  })
})

describe('receipts', () => {
  it('are read as they were written, alone and in messages', () => {
    fc.assert(
      fc.property(anyReceipt, (receipt) => {
        expect(decodeReceipt(encodeReceipt(receipt))).toEqual(receipt)
        expect(receiptFromRlp(decodeRlp(encodeRlp(receiptToRlp(receipt))))).toEqual(receipt)
      }),
    )
  })

  it('are refused with another status, type, or more than four topics', () => {
    const [log] = fc.sample(anyLog, 1) as [Log]
    const fields = (status: RlpItem, topics: RlpItem): RlpItem => [
      status,
      Uint8Array.of(1),
      new Uint8Array(256),
      [[log.address, topics, log.data]],
    ]
    expect(() => receiptFromRlp(fields(Uint8Array.of(2), []))).toThrow(/status/)
    const topics = Array.from({ length: 5 }, () => new Uint8Array(32))
    expect(() => receiptFromRlp(fields(Uint8Array.of(1), topics))).toThrow(/5 items/)
    expect(receiptFromRlp(fields(Uint8Array.of(1), topics.slice(1))).logs).toHaveLength(1)
    expect(() => receiptFromRlp(Uint8Array.of(3, 0xc0))).toThrow(/type not supported/)
    expect(() => receiptFromRlp(Uint8Array.of(0xc0))).toThrow(/without a type/)
  })
})

describe('logsBloom', () => {
  it('sets the bits that geth sets', () => {
    // geth 1.13, core/types/bloom9_test.go, TestBloomExtensively.
    const bloom = new Uint8Array(256)
    for (let i = 0; i < 100; i++) addToBloom(bloom, utf8(`xxxxxxxxxx data ${i} yyyyyyyyyyyyyy`))
    expect(toHex(keccak256(bloom))).toBe(
      'c8d3ca65cdb4874300a9e39475508f23ed6da09fdbc487f89a2dcf50b09eb263',
    )
  })

  it('never misses what is in it', () => {
    fc.assert(
      fc.property(fc.array(anyLog, { minLength: 1, maxLength: 5 }), bytes(20), (logs, other) => {
        const bloom = logsBloom(logs)
        for (const { address, topics } of logs) {
          for (const value of [address, ...topics]) expect(bloomHas(bloom, value)).toBe(true)
        }
        const more = new Uint8Array(256)
        addToBloom(more, other)
        mergeBloom(more, bloom)
        expect(bloomHas(more, other) && bloomHas(more, (logs[0] as Log).address)).toBe(true)
        expect(bloomHas(new Uint8Array(256), other)).toBe(false)
      }),
    )
  })
})
