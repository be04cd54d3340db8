/**
 * Calls of JSON-RPC to fuzz with: for each method of the node parameters that are right, and values that are wrong
 * somewhere. `@A`, `@C`, `@K`, `@B`, `@T`, `@R`, `@F` stand for an account, a contract, an account whose key is locked,
 * a block, a transaction, a raw one that may be sent, a filter.
 */
import type { SeededRandom } from '@cairn/testing'

const call = { from: '@A', to: '@C', data: '0x', gas: '0x30000', value: '0x1' }
const filter = { fromBlock: 'earliest', toBlock: 'latest', address: '@C', topics: [null, ['@B']] }
const typedData = {
  domain: { name: 'a', chainId: 4242 },
  primaryType: 'Mail',
  types: {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'chainId', type: 'uint256' },
    ],
    Mail: [
      { name: 'to', type: 'address' },
      { name: 'lines', type: 'string[]' },
      { name: 'sum', type: 'int128' },
      { name: 'raw', type: 'bytes3' },
    ],
  },
  message: { to: '@A', lines: ['a', 'b'], sum: '-5', raw: '0x010203' },
}
const overrides = {
  '@C': { balance: '0x1', nonce: '0x2', code: '0x5f5ff3', stateDiff: { '@B': '@B' } },
}
const tracing = {
  tracer: 'callTracer',
  tracerConfig: { withLog: true, onlyTopCall: false },
  timeout: '1s',
  reexec: 128,
}
const atHash = { blockHash: '@B', requireCanonical: true }

/** Right parameters of each method. What has none here takes none. */
const parametersOf: Readonly<Record<string, readonly unknown[]>> = {
  web3_sha3: ['0x68656c6c6f'],
  eth_feeHistory: [4, 'latest', [5, 50, 99.5]],
  eth_getBalance: ['@A', 'latest'],
  eth_getCode: ['@C', atHash],
  eth_getStorageAt: ['@C', '0x0', 'latest'],
  eth_getTransactionCount: ['@A', 'pending'],
  eth_getProof: ['@C', ['0x0', '0x1'], 'latest'],
  eth_getBlockByHash: ['@B', true],
  eth_getBlockByNumber: ['0x1', false],
  eth_getHeaderByHash: ['@B'],
  eth_getHeaderByNumber: ['latest'],
  eth_getBlockReceipts: ['latest'],
  eth_getBlockTransactionCountByHash: ['@B'],
  eth_getBlockTransactionCountByNumber: ['pending'],
  eth_getUncleCountByBlockHash: ['@B'],
  eth_getUncleCountByBlockNumber: ['latest'],
  eth_getUncleByBlockHashAndIndex: ['@B', '0x0'],
  eth_getUncleByBlockNumberAndIndex: ['0x1', '0x0'],
  eth_getTransactionByHash: ['@T'],
  eth_getTransactionByBlockHashAndIndex: ['@B', '0x0'],
  eth_getTransactionByBlockNumberAndIndex: ['0x1', '0x0'],
  eth_getRawTransactionByHash: ['@T'],
  eth_getRawTransactionByBlockHashAndIndex: ['@B', '0x0'],
  eth_getRawTransactionByBlockNumberAndIndex: ['0x1', '0x0'],
  eth_getTransactionReceipt: ['@T'],
  eth_call: [call, 'latest', overrides, { number: '0x5', baseFee: '0x0' }],
  eth_estimateGas: [call, 'latest', overrides],
  eth_simulateV1: [
    {
      blockStateCalls: [
        {
          calls: [call],
          stateOverrides: overrides,
          blockOverrides: { number: '0x9', time: '0x7fffffff' },
        },
      ],
      traceTransfers: true,
      validation: false,
      returnFullTransactions: true,
    },
    'latest',
  ],
  eth_createAccessList: [
    { ...call, accessList: [{ address: '@C', storageKeys: ['@B'] }] },
    'latest',
  ],
  eth_getLogs: [filter],
  eth_newFilter: [filter],
  eth_newPendingTransactionFilter: [true],
  eth_getFilterChanges: ['@F'],
  eth_getFilterLogs: ['@F'],
  eth_uninstallFilter: ['@F'],
  eth_subscribe: ['logs', filter],
  eth_unsubscribe: ['@F'],
  eth_sendRawTransaction: ['@R'],
  eth_sendTransaction: [{ from: '@A', to: '@C', value: '0x1', gas: '0x20000' }],
  eth_signTransaction: [{ ...call, nonce: '0x0', gasPrice: '0x3b9aca00' }],
  eth_fillTransaction: [{ from: '@A', to: '@C', maxFeePerGas: '0x4a817c800' }],
  eth_sign: ['@A', '0x1234'],
  eth_signTypedData_v4: ['@A', typedData],
  eth_resend: [{ ...call, nonce: '0x0' }, '0x4a817c800', '0x5208'],
  personal_newAccount: ['secret'],
  personal_importRawKey: ['b'.repeat(64), 'secret'],
  personal_unlockAccount: ['@K', 'wrong', 10],
  personal_lockAccount: ['@K'],
  personal_sendTransaction: [{ from: '@K', to: '@C' }, 'wrong'],
  personal_signTransaction: [{ ...call, from: '@K', nonce: '0x0', gasPrice: '0x1' }, 'wrong'],
  personal_sign: ['0x1234', '@K', 'wrong'],
  personal_ecRecover: ['0x1234', `0x${'11'.repeat(64)}1b`],
  txpool_contentFrom: ['@A'],
  clique_getSnapshot: ['latest'],
  clique_getSnapshotAtHash: ['@B'],
  clique_getSigners: ['0x0'],
  clique_getSignersAtHash: ['@B'],
  clique_getSigner: ['latest'],
  clique_propose: ['@A', false],
  clique_discard: ['@A'],
  miner_start: [1],
  miner_setEtherbase: ['@A'],
  miner_setExtra: ['extra'],
  miner_setGasPrice: ['0x1'],
  miner_setGasLimit: ['0x1c9c380'],
  miner_setRecommitInterval: [1000],
  debug_getRawHeader: ['latest'],
  debug_getRawBlock: ['0x1'],
  debug_getRawReceipts: ['latest'],
  debug_getRawTransaction: ['@T'],
  debug_traceTransaction: ['@T', tracing],
  debug_traceBlockByNumber: [
    'latest',
    { tracer: 'prestateTracer', tracerConfig: { diffMode: true } },
  ],
  debug_traceBlockByHash: ['@B', { enableMemory: true, enableReturnData: true, limit: 100 }],
  debug_traceBlock: ['0xc0', tracing],
  debug_traceCall: [call, 'latest', { ...tracing, stateOverrides: overrides, txIndex: '0x0' }],
  debug_accountRange: ['latest', '0x', 10, false, false, true],
  debug_dumpBlock: ['latest'],
  debug_storageRangeAt: ['latest', 0, '@C', '0x', 10],
  debug_getModifiedAccountsByNumber: [0, 1],
  debug_getModifiedAccountsByHash: ['@B'],
  debug_preimage: ['@B'],
  debug_getBadBlocks: [],
  debug_printBlock: [1],
}

/** Wrong almost everywhere, each in its own way. As text, since some are no values of JavaScript's JSON. */
export const wrongValues: readonly string[] = [
  ...['null', 'true', 'false', '0', '-1', '1.5', '-0', '1e999', '-1e999', '9007199254740993'],
  ...['""', '"0x"', '"0X1"', '"0x0"', '"0x00"', '"0x1"', '"0xg"', '"x"', '"latest"', '"pending"'],
  ...['"earliest"', '"safe"', '"finalized"', '" latest "', '"\\u0000"', '"\\ud800"', '"0x\\udc00"'],
  ...[`"0x${'f'.repeat(64)}"`, `"0x1${'0'.repeat(64)}"`, '"0xffffffffffffffff"'],
  ...['"0x10000000000000000"', `"0x${'0'.repeat(40)}"`, `"${'f'.repeat(40)}"`],
  ...[`"0x${'ab'.repeat(2000)}"`, `"${'9'.repeat(3000)}"`, '[]', '{}', '[[]]', '[null]', '[{}]'],
  ...['["0x1","0x2"]', '{"__proto__":null}', '{"constructor":{"prototype":1}}', '{"toString":1}'],
  ...['{"length":-1}', '{"length":4294967296}', '{"0":"a","length":1}', '[[[[[[[[[[1]]]]]]]]]]'],
  ...['{"toString":null,"valueOf":null}', '[{"toString":1,"valueOf":1}]', '{"toJSON":1}'],
  ...['{"blockHash":"@B","blockNumber":"0x1"}', '{"blockNumber":{}}', '{"blockHash":"0x1"}'],
  ...['"@A"', '"@B"', '"@T"', '"@F"', '"@R"', '[1,2,3]', '[99,1]', '[1e999]', '["a"]', '[101]'],
]

export class CallMaker {
  readonly #names: readonly string[]

  /** @param names Of the methods that the node has. */
  constructor(names: readonly string[]) {
    this.#names = names
  }

  get names(): readonly string[] {
    return this.#names
  }

  /** One call as text. */
  valid(name: string, id: number | string = 1): string {
    return callText(name, JSON.stringify(parametersOf[name] ?? []), JSON.stringify(id))
  }

  /** All calls that have one wrong value in place of one parameter, or of a member of one. */
  *wrongCalls(): Generator<string> {
    for (const name of this.#names) {
      const right = parametersOf[name] ?? []
      for (const wrong of wrongValues) {
        for (const path of pathsIn(right)) yield callText(name, replaced(right, path, wrong))
        yield callText(name, replaced([...right, null], [right.length], wrong))
        yield callText(name, wrong)
      }
    }
  }

  random(random: SeededRandom): string {
    const name = pick(random, this.#names)
    const right = parametersOf[name] ?? []
    if (random.chance(0.2)) return this.valid(name, random.below(5))
    const value = random.chance(0.1) ? [...right, null] : right
    const paths = pathsIn(value)
    const parameters =
      paths.length === 0 || random.chance(0.05)
        ? pick(random, wrongValues)
        : replaced(value, pick(random, paths), pick(random, wrongValues))
    return callText(name, parameters, random.chance(0.05) ? pick(random, wrongValues) : '1')
  }
}

function callText(name: string, parameters: string, id = '1'): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"${name}","params":${parameters}}`
}

type Path = readonly (string | number)[]

/** Of all values within, those of the first levels before deeper ones. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return []
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value)
  return [...keys].flatMap((key) => {
    const at = [...path, key]
    return [at, ...pathsIn((value as Record<string | number, unknown>)[key], at)]
  })
}

const marker = '@@wrong'

function replaced(value: unknown, path: Path, wrong: string): string {
  const copy: unknown = structuredClone(value)
  let at = copy as Record<string | number, unknown>
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>
  at[path.at(-1) ?? 0] = marker
  return JSON.stringify(copy).replace(`"${marker}"`, () => wrong)
}

function pick<T>(random: SeededRandom, list: readonly T[]): T {
  return list[random.below(list.length)] as T
}
