/** Batches of transactions whose senders another thread recovers: order, errors and effects are as without it. */
import {
  addressOfPrivateKey,
  dataFromHex,
  dataToHex,
  decodeTransaction,
  encodeTransaction,
  recoverSender,
  signTransaction,
} from '@cairn/eth-codec'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRpcTestNode, type RpcTestNode, testChainId } from '../testing/rpc-node.ts'

let node: RpcTestNode
const asked: number[] = []
let knows = true

beforeAll(async () => {
  // A block in an hour: what is sent stays pending.
  node = await openRpcTestNode(3600n, undefined, {
    recovery: {
      async recoverSenders(raws) {
        asked.push(raws.length)
        return raws.map((raw) => (knows ? recoverSender(decodeTransaction(raw)) : undefined))
      },
    },
  })
})

afterAll(() => node.close())

function rawOf(account: number, nonce: bigint): string {
  const unsigned = {
    type: 2,
    chainId: BigInt(testChainId),
    nonce,
    maxPriorityFeePerGas: 1n,
    maxFeePerGas: 10n ** 10n,
    gasLimit: 21_000n,
    to: new Uint8Array(20).fill(1),
    value: 1n,
    data: new Uint8Array(0),
    accessList: [],
  } as const
  return dataToHex(encodeTransaction(signTransaction(unsigned, keyOf(account))))
}

function keyOf(account: number): Uint8Array {
  return dataFromHex(node.privateKeys[account] ?? '', 32)
}

interface Answer {
  readonly id: number
  readonly result?: string
  readonly error?: { readonly message: string }
}

async function ask(...calls: readonly (readonly [string, unknown])[]): Promise<readonly Answer[]> {
  const batch = calls.map(([method, parameter], id) => {
    const params = [parameter, ...(method === 'eth_getTransactionCount' ? ['pending'] : [])]
    return { jsonrpc: '2.0', id, method, params }
  })
  const text = JSON.stringify(batch)
  const answer = await node.dispatcher.dispatch(text, { transport: 'http', subscriber: undefined })
  return JSON.parse(answer ?? '')
}

const send = 'eth_sendRawTransaction'

it.each([
  ['that knows them', 0, true],
  ['that knows none of them', 1, false],
])('takes effect call by call, with a thread %s', async (_name, account, isKnowing) => {
  knows = isKnowing
  asked.length = 0
  const from = dataToHex(addressOfPrivateKey(keyOf(account)))
  const count = ['eth_getTransactionCount', from] as const
  const sends = Array.from({ length: 10 }, (_, i) => [send, rawOf(account, BigInt(i))] as const)
  const first = sends[0] as (typeof sends)[number]
  const answers = await ask(count, ...sends, count, first, [send, '0x02'], [send, 'no'], [send, 7])
  expect(answers.map(({ id }) => id)).toEqual(answers.map((_, index) => index))
  expect(answers[0]?.result).toBe('0x0')
  for (const { result } of answers.slice(1, 11)) expect(result).toMatch(/^0x[0-9a-f]{64}$/)
  expect(answers[11]?.result).toBe('0xa')
  expect(answers.slice(12).map(({ error }) => error?.message)).toEqual([
    'already known',
    expect.stringContaining('rlp: '),
    expect.stringContaining('invalid argument 0: '),
    expect.stringContaining('invalid argument 0: '),
  ])
  expect(asked).toEqual([11])
})

it('does not ask another thread for a few', async () => {
  asked.length = 0
  expect((await ask([send, rawOf(0, 10n)]))[0]?.result).toMatch(/^0x/)
  expect(asked).toEqual([])
})

async function askAlone(...raws: readonly unknown[]): Promise<readonly Answer[]> {
  const context = { transport: 'http', subscriber: undefined } as const
  const texts = raws.map((raw, id) => ({ jsonrpc: '2.0', id, method: send, params: [raw] }))
  const answers = texts.map((text) => node.dispatcher.dispatch(JSON.stringify(text), context))
  return (await Promise.all(answers)).map((answer) => JSON.parse(answer ?? ''))
}

it.each([true, false])('asks once for those that come alone in one turn, known: %s', async (is) => {
  knows = is
  asked.length = 0
  const first = is ? 11n : 19n
  const raws = Array.from({ length: 8 }, (_, i) => rawOf(0, first + BigInt(i)))
  const answers = await askAlone(...raws, raws[0], '0x02', 'no')
  for (const { result } of answers.slice(0, 8)) expect(result).toMatch(/^0x[0-9a-f]{64}$/)
  expect(answers.slice(8).map(({ error }) => error?.message)).toEqual([
    'already known',
    expect.stringContaining('rlp: '),
    expect.stringContaining('invalid argument 0: '),
  ])
  expect(asked).toEqual([9])
  const from = dataToHex(addressOfPrivateKey(keyOf(0)))
  const [count] = await ask(['eth_getTransactionCount', from])
  expect(BigInt(count?.result ?? '')).toBe(first + 8n)
})

it('does not ask another thread for few that come alone', async () => {
  asked.length = 0
  for (const { result } of await askAlone(rawOf(0, 27n), rawOf(0, 28n))) {
    expect(result).toMatch(/^0x/)
  }
  expect(asked).toEqual([])
})
