/** Target `ethereum-records`: bytes into the readers of transactions, headers, blocks, receipts and node records. */
import { fromHex } from '@cairn/core'
import {
  type BlockHeader,
  checkTransaction,
  decodeBlock,
  decodeBlockHeader,
  decodeNodeRecord,
  decodeReceipt,
  decodeTransaction,
  EnodeError,
  emptyTrieRoot,
  emptyUnclesHash,
  encodeBlock,
  encodeBlockHeader,
  encodeNodeRecord,
  encodeReceipt,
  encodeTransaction,
  keccak256,
  RlpError,
  recoverSender,
  signTransaction,
  type Transaction,
  TransactionError,
  type TransactionType,
} from '@cairn/eth-codec'
import { allowing, mustHold, type Target } from '../target.ts'

export const ethereumRecordsTarget: Target = {
  name: 'ethereum-records',
  oracle:
    'only RlpError, TransactionError and EnodeError; what decodes encodes to the same bytes; a sender is an address',
  sources: /\/packages\/eth-codec\/src\//,
  open: () => ({
    seeds: seeds(),
    dictionary: ['80', '01', '02', '03', 'c0', '1b', '25', 'a0', '94', '8200ff'].map(fromHex),
    run: checkRecords,
  }),
}

const privateKey = keccak256(Uint8Array.of(7))

function seeds(): Uint8Array[] {
  const transactions = ([0, 1, 2] as const).map(transactionOf)
  const unbound = signTransaction({ ...transactionOf(0), chainId: undefined }, privateKey)
  const headers = [headerOf(7n), headerOf(undefined)]
  const logs = [{ address: new Uint8Array(20), topics: [emptyTrieRoot], data: fromHex('00ff') }]
  const receipt = { cumulativeGasUsed: 21_000n, logsBloom: new Uint8Array(256), logs }
  return [
    ...[...transactions, unbound].map(encodeTransaction),
    ...headers.map(encodeBlockHeader),
    ...headers.map((header) => encodeBlock({ header, transactions, uncles: [] })),
    encodeReceipt({ ...receipt, type: 0, outcome: emptyTrieRoot }),
    encodeReceipt({ ...receipt, type: 2, outcome: 1 }),
    encodeNodeRecord({ sequence: 1n, values: new Map([['ip', fromHex('7f000001')]]) }, privateKey),
  ]
}

function transactionOf(type: TransactionType): Transaction {
  const accessList = [{ address: new Uint8Array(20), storageKeys: [emptyTrieRoot] }]
  return signTransaction(
    {
      type,
      chainId: 1n,
      nonce: 300n,
      maxPriorityFeePerGas: 5n,
      maxFeePerGas: 5n,
      gasLimit: 100_000n,
      to: new Uint8Array(20).fill(1),
      value: 10n ** 18n,
      data: fromHex('a9059cbb'),
      accessList: type === 0 ? [] : accessList,
    },
    privateKey,
  )
}

function headerOf(baseFeePerGas: bigint | undefined): BlockHeader {
  return {
    parentHash: emptyTrieRoot,
    unclesHash: emptyUnclesHash,
    coinbase: new Uint8Array(20),
    stateRoot: emptyTrieRoot,
    transactionsRoot: emptyTrieRoot,
    receiptsRoot: emptyTrieRoot,
    logsBloom: new Uint8Array(256),
    difficulty: 2n,
    number: 5n,
    gasLimit: 30_000_000n,
    gasUsed: 0n,
    timestamp: 1_700_000_000n,
    extraData: new Uint8Array(97),
    mixHash: new Uint8Array(32),
    nonce: new Uint8Array(8),
    baseFeePerGas,
  }
}

function checkRecords(input: Uint8Array): void {
  const same = (bytes: Uint8Array, what: string) => {
    const isSame = Buffer.compare(bytes, input) === 0
    mustHold(isSame, `${what}: other bytes after a round trip`)
  }
  const families = [RlpError, TransactionError, EnodeError]
  const transaction = allowing(families, () => decodeTransaction(input))
  if (transaction !== undefined) {
    // A copy: what was read remembers the bytes it came from.
    same(encodeTransaction({ ...transaction }), 'transaction')
    checkMeaning(transaction)
  }
  const header = allowing(families, () => decodeBlockHeader(input))
  if (header !== undefined) same(encodeBlockHeader(header), 'header')
  const block = allowing(families, () => decodeBlock(input))
  if (block !== undefined) {
    const transactions = block.transactions.map((each) => ({ ...each }))
    same(encodeBlock({ ...block, transactions }), 'block')
  }
  const receipt = allowing(families, () => decodeReceipt(input))
  if (receipt !== undefined) same(encodeReceipt(receipt), 'receipt')
  allowing(families, () => decodeNodeRecord(input))
}

function checkMeaning(transaction: Transaction): void {
  const families = [TransactionError]
  allowing(families, () => checkTransaction(transaction, { fork: 'cancun', chainId: 1n }))
  const sender = allowing(families, () => recoverSender(transaction))
  mustHold(sender === undefined || sender.length === 20, 'a sender that is no address')
}
