/**
 * The objects of geth's console: `eth.blockNumber`, `eth.getBalance(a)`, `personal.listAccounts`, … Each is a call;
 * numbers are JavaScript numbers, amounts bigints. What takes no argument is a property, as there.
 */
import { addressFromText, addressToText } from '@cairn/eth-codec'
import { etherAmount } from '../../puppeth/ether-amount.ts'
import { type ContractTools, contractFactory } from './console-contract.ts'
import { type Callback, consoleFilter, type FilterKind } from './console-filter.ts'
import type { Polls } from './console-polls.ts'
import { isQuantity, readableFields } from './readable-fields.ts'
import type { Call } from './rpc-client.ts'

/** Read as properties, by what is called. */
const properties: Readonly<Record<string, readonly string[]>> = {
  eth: [
    'accounts',
    'blockNumber',
    'chainId',
    'coinbase',
    'gasPrice',
    'hashrate',
    'maxPriorityFeePerGas',
    'mining',
    'pendingTransactions',
    'protocolVersion',
    'syncing',
  ],
  net: ['listening', 'peerCount', 'version'],
  personal: ['listAccounts', 'listWallets'],
  txpool: ['content', 'inspect', 'status'],
  admin: ['datadir', 'nodeInfo', 'peers'],
  clique: ['proposals'],
  web3: ['clientVersion'],
}
const namespaces = [
  'eth',
  'net',
  'personal',
  'txpool',
  'admin',
  'clique',
  'miner',
  'debug',
  'web3',
] as const

/** Methods whose one quantity is an amount of wei rather than a count. */
const amounts: ReadonlySet<string> = new Set([
  'eth_getBalance',
  'eth_gasPrice',
  'eth_maxPriorityFeePerGas',
])
/** Answers of these are bytes or texts even where they look like numbers. */
const rawMethods: ReadonlySet<string> = new Set([
  'eth_call',
  'eth_getCode',
  'eth_getStorageAt',
  'eth_sendRawTransaction',
  'eth_sendTransaction',
  'eth_sign',
  'personal_sign',
  'web3_sha3',
  'personal_newAccount',
  'eth_coinbase',
])

export function consoleObjects(call: Call, polls: Polls): Record<string, unknown> {
  const objects: Record<string, unknown> = {}
  const tools: Readonly<Record<string, Record<string, unknown>>> = {
    eth: ethTools(call, polls, () => objects['eth'] as ContractTools['eth']),
    web3: web3Tools(call),
  }
  for (const namespace of namespaces) {
    objects[namespace] = namespaceObject(namespace, tools[namespace] ?? {}, call)
  }
  // As `web3.eth.blockNumber`. Shown under their own names only.
  for (const namespace of namespaces) {
    if (namespace === 'web3') continue
    Object.defineProperty(objects['web3'], namespace, { value: objects[namespace] })
  }
  return objects
}

/** @param tools What is computed here. */
function namespaceObject(namespace: string, tools: Record<string, unknown>, call: Call): object {
  const run = (name: string, args: readonly unknown[]) => {
    const method = `${namespace}_${name}`
    // geth reads seconds and ports as numbers of JSON, all others as quantities.
    const isPlain = namespace === 'personal' || namespace === 'admin'
    const given = args.map((it) => (isPlain && typeof it === 'number' ? it : argument(it)))
    return readable(method, call(method, given))
  }
  for (const name of properties[namespace] ?? []) {
    Object.defineProperty(tools, name, { enumerable: true, get: () => run(name, []) })
  }
  return new Proxy(tools, {
    get(target, name) {
      if (typeof name !== 'string' || name in target || name === 'then')
        return Reflect.get(target, name)
      return (...args: unknown[]) => {
        const called = namespace === 'eth' ? ethCall(name, args) : { name, args }
        return run(called.name, called.args)
      }
    },
  })
}

/** Methods of which web3 has one name where the node has two, by whether the block is named by its hash. */
const blockMethods: Readonly<
  Record<string, { readonly byHash: string; readonly byNumber: string }>
> = {
  getBlock: { byHash: 'getBlockByHash', byNumber: 'getBlockByNumber' },
  getBlockTransactionCount: {
    byHash: 'getBlockTransactionCountByHash',
    byNumber: 'getBlockTransactionCountByNumber',
  },
  getBlockUncleCount: {
    byHash: 'getUncleCountByBlockHash',
    byNumber: 'getUncleCountByBlockNumber',
  },
  getTransactionFromBlock: {
    byHash: 'getTransactionByBlockHashAndIndex',
    byNumber: 'getTransactionByBlockNumberAndIndex',
  },
  getUncle: { byHash: 'getUncleByBlockHashAndIndex', byNumber: 'getUncleByBlockNumberAndIndex' },
}

/** Methods that web3 names otherwise. */
const otherNames: Readonly<Record<string, string>> = {
  getRawTransaction: 'getRawTransactionByHash',
  getTransaction: 'getTransactionByHash',
}

/** Methods whose block is the latest one when it is left out, by the number of arguments before it. */
const blockArgument: Readonly<Record<string, number>> = {
  call: 1,
  getBalance: 1,
  getCode: 1,
  getProof: 2,
  getStorageAt: 2,
  getTransactionCount: 1,
}

/** What web3 makes of a call in `eth`: the name of the node's method and all of its arguments. */
function ethCall(
  name: string,
  args: readonly unknown[],
): { name: string; args: readonly unknown[] } {
  const block = blockMethods[name]
  if (block !== undefined) {
    const isHash = typeof args[0] === 'string' && /^0x[0-9a-fA-F]{64}$/.test(args[0])
    // Transactions whole, or their hashes only.
    const given = name === 'getBlock' && args.length === 1 ? [args[0], false] : args
    return { name: isHash ? block.byHash : block.byNumber, args: given }
  }
  const countBefore = blockArgument[name]
  if (countBefore === args.length) return { name, args: [...args, 'latest'] }
  return { name: otherNames[name] ?? name, args }
}

/** Quantities of a transaction, which web3 also takes as decimal digits. */
const quantityFields: ReadonlySet<string> = new Set([
  'gas',
  'gasPrice',
  'maxFeePerGas',
  'maxPriorityFeePerGas',
  'nonce',
  'value',
])

/** Numbers of people become quantities of the protocol. */
function argument(value: unknown): unknown {
  if (typeof value === 'number') return `0x${value.toString(16)}`
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]: [string, unknown]) => {
      const isDigits = typeof field === 'string' && /^\d+$/.test(field)
      return [name, isDigits && quantityFields.has(name) ? BigInt(field) : argument(field)]
    }),
  )
}

function readable(method: string, value: unknown): unknown {
  if (rawMethods.has(method)) return value
  if (isQuantity(value)) return amounts.has(method) ? BigInt(value) : Number(value)
  return readableFields(value)
}

/** What web3 has in `eth` beside the methods of the node. */
function ethTools(
  call: Call,
  polls: Polls,
  eth: () => ContractTools['eth'],
): Record<string, unknown> {
  return {
    /** Who sends what names no sender. */
    defaultAccount: undefined,
    contract: (abi: Parameters<typeof contractFactory>[0]) =>
      contractFactory(abi, { call, polls, eth: eth() }),
    filter: (options: unknown, callback?: Callback) =>
      consoleFilter(filterKind(options), { call, polls }, callback),
  }
}

function filterKind(options: unknown): FilterKind {
  const asItIs = (result: unknown) => result
  if (options === 'latest') return { method: 'eth_newBlockFilter', params: [], read: asItIs }
  if (options === 'pending') {
    return { method: 'eth_newPendingTransactionFilter', params: [], read: asItIs }
  }
  if (typeof options !== 'object' || options === null) {
    throw new Error('A filter is "latest", "pending", or {address, topics, fromBlock, toBlock}.')
  }
  return { method: 'eth_newFilter', params: [argument(options)], read: readableFields }
}

/** What web3 computes itself. */
function web3Tools(call: Call): Record<string, unknown> {
  return {
    fromWei: (wei: bigint | number | string, unit = 'ether') => fromWei(BigInt(wei), unit),
    toWei: (amount: number | string, unit = 'ether') => etherAmount(`${amount}${unit}`),
    toHex: (value: bigint | number) => `0x${value.toString(16)}`,
    toChecksumAddress: (text: string) => addressToText(addressFromText(text)),
    isAddress(text: string) {
      try {
        addressFromText(text)
        return true
      } catch {
        return false
      }
    },
    sha3: (text: string) => {
      const hex = /^0x/.test(text) ? text : `0x${Buffer.from(text).toString('hex')}`
      return call('web3_sha3', [hex])
    },
  }
}

function fromWei(wei: bigint, unit: string): string {
  const one = etherAmount(`1${unit}`)
  if (one === undefined) throw new Error(`There is no unit ${unit}: take wei, gwei or ether.`)
  const places = one.toString().length - 1
  const rest = (wei % one).toString().padStart(places, '0').replace(/0+$/, '')
  return rest === '' ? String(wei / one) : `${wei / one}.${rest}`
}
