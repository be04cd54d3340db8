/** Bombs for an Ethereum node: what is meant to take all of its time or memory, while it seals and answers others. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { heapBytesAfterCollection } from './heap.ts'
import { CallMaker } from './rpc-calls.ts'
import { RpcHost } from './rpc-host.ts'

const mebibyte = 1024 * 1024
/** Of the processor, generous as the machine may be slow: a bomb that goes off takes minutes. */
const bombMsMax = 30_000

let host: RpcHost
beforeAll(async () => {
  host = await RpcHost.open()
})
afterAll(() => host.close())

const callOf = (method: string, ...params: unknown[]) => ({ jsonrpc: '2.0', id: 1, method, params })

interface Answer {
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string }
}

async function ask(message: unknown): Promise<Answer & readonly Answer[]> {
  const text = typeof message === 'string' ? message : JSON.stringify(message)
  const response = await fetch(host.node.httpUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: text,
  })
  return (await response.json()) as Answer & readonly Answer[]
}

/** Runs the bomb; it may take so much and no more, and the node seals and answers afterwards. */
async function survives(bomb: () => Promise<void>, heapBytesMax = 32 * mebibyte): Promise<void> {
  const heapBytes = heapBytesAfterCollection()
  const start = process.cpuUsage()
  await bomb()
  const { user, system } = process.cpuUsage(start)
  expect((user + system) / 1000).toBeLessThan(bombMsMax)
  expect(await host.checkAlive()).toBe(true)
  expect(heapBytesAfterCollection() - heapBytes).toBeLessThan(heapBytesMax)
}

describe('one request', () => {
  it('of 1001 calls is refused', () =>
    survives(async () => {
      const batch = Array.from({ length: 1001 }, () => callOf('eth_blockNumber'))
      expect((await ask(batch)).error).toEqual({ code: -32600, message: 'batch too large' })
      expect(await ask(batch.slice(1))).toHaveLength(1000)
    }))

  it.each([
    ['one text', () => `{"jsonrpc":"2.0","id":1,"method":"${'a'.repeat(5 * mebibyte)}"}`],
    ['data', () => JSON.stringify(callOf('web3_sha3', `0x${'ab'.repeat(2.4 * mebibyte)}`))],
    ['a number', () => JSON.stringify(callOf('eth_getBalance', `0x${'f'.repeat(5 * mebibyte)}`))],
    ['decimals', () => `{"jsonrpc":"2.0","id":${'9'.repeat(5 * mebibyte)},"method":"a"}`],
    ['brackets', () => '['.repeat(5 * mebibyte)],
    ['members', () => `{${'"a":1,'.repeat(800_000)}"b":1}`],
    ['spaces', () => ' '.repeat(5 * mebibyte)],
  ])('of five megabytes is answered: %s', (_name, textOf) =>
    survives(async () => {
      const answer = await ask(textOf())
      expect(answer.error ?? answer.result).toBeDefined()
    }),
  )

  it.each([
    ['lists', '[', ']', 10_000],
    ['objects', '{"a":', '}', 10_000],
    ['lists', '[', ']', 1_000_000],
  ])('is answered when %s are nested', (_name, open, close, depth) =>
    survives(async () => {
      const nested = `${open.repeat(depth)}1${close.repeat(depth)}`
      for (const method of ['eth_call', 'eth_getLogs', 'eth_getProof', 'eth_feeHistory']) {
        const call = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":[${nested}]}`
        const { error, result } = await ask(call)
        expect(error?.code === -32602 || result !== undefined).toBe(true)
      }
      const typedData = `{"domain":{},"types":{"EIP712Domain":[],"A":[{"name":"a","type":"A"}]},"primaryType":"A","message":${nested}}`
      const account = host.names.account
      const call = `{"jsonrpc":"2.0","id":1,"method":"eth_signTypedData_v4","params":["${account}",${typedData}]}`
      const { error } = await ask(call)
      expect(error?.message).toMatch(/nested|not an object|cannot unmarshal/)
    }),
  )
})

describe('typed data', () => {
  const sign = (data: unknown) => callOf('eth_signTypedData_v4', host.names.account, data)
  const domain = { domain: {}, primaryType: 'A' }

  it('of many structs costs no more than its length, whatever their type uses', () =>
    survives(async () => {
      const names = Array.from({ length: 10_000 }, (_, i) => `T${i}`)
      const types = {
        EIP712Domain: [],
        A: [{ name: 'a', type: 'B[]' }],
        B: [{ name: 'b', type: 'C[]' }],
        C: names.map((name) => ({ name, type: `${name}[]` })),
        ...Object.fromEntries(names.map((name) => [name, []])),
      }
      const message = { a: Array.from({ length: 100_000 }, () => ({ b: [] })) }
      const { result } = await ask(sign({ ...domain, types, message }))
      expect(result).toMatch(/^0x[0-9a-f]{130}$/)
    }))

  it('of a type name that is brackets costs no more than its length', () =>
    survives(async () => {
      const types = {
        EIP712Domain: [],
        A: [{ name: 'a', type: 'B[]' }],
        B: [{ name: 'b', type: `${'['.repeat(1_000_000)}\n` }],
      }
      const { result } = await ask(sign({ ...domain, types, message: { a: [] } }))
      expect(result).toMatch(/^0x[0-9a-f]{130}$/)
    }))

  it('of a number with a million digits is refused', () =>
    survives(async () => {
      const types = { EIP712Domain: [], A: [{ name: 'a', type: 'uint256' }] }
      const message = { a: '9'.repeat(4_000_000) }
      const { error } = await ask(sign({ ...domain, types, message }))
      expect(error?.message).toContain('more than 256 digits')
    }))
})

describe('a question over everything', () => {
  beforeAll(async () => {
    for (let i = 0; i < 75; i++) await host.checkAlive()
  })

  it('is answered, and so are a thousand of them in one batch', () =>
    survives(async () => {
      const everything = callOf('eth_getLogs', { fromBlock: '0x0', toBlock: 'latest' })
      const one = await ask(everything)
      expect((one.result as unknown[]).length).toBeGreaterThan(75)
      const answers = await ask(Array.from({ length: 1000 }, () => everything))
      expect(answers).toHaveLength(1000)
      // The answers together may have 25 MB.
      expect(answers[999]?.error?.code).toBe(-32003)
    }, 64 * mebibyte))

  it('about blocks that are still to come finds none', async () => {
    const from = `0x${(host.node.node.chain.head.header.number + 1n).toString(16)}`
    expect((await ask(callOf('eth_getLogs', { fromBlock: from }))).result).toEqual([])
    const both = { fromBlock: from, toBlock: '0xffffffff' }
    expect((await ask(callOf('eth_getLogs', both))).result).toEqual([])
  })

  it('of fees is bounded', () =>
    survives(async () => {
      const percentiles = Array.from({ length: 100 }, (_, i) => i)
      for (const count of [1e9, '0x3b9aca00', '0xffffffffffffffff']) {
        const { result, error } = await ask(callOf('eth_feeHistory', count, 'latest', percentiles))
        const ratios = (result as { gasUsedRatio: unknown[] } | undefined)?.gasUsedRatio.length ?? 0
        expect(ratios <= 1024).toBe(true)
        expect(ratios > 0 || error !== undefined).toBe(true)
      }
    }))

  it('while others are answered', async () => {
    const everything = callOf('eth_getLogs', { fromBlock: '0x0', toBlock: 'latest' })
    const heavy = ask(Array.from({ length: 1000 }, () => everything))
    let [answeredCount, isOver] = [0, false]
    void heavy.then(() => {
      isOver = true
    })
    while (!isOver) {
      expect((await ask(callOf('eth_chainId'))).result).toBe('0x1092')
      // Behind the end of the heavy one it would say nothing.
      if (!isOver) answeredCount++
    }
    expect(answeredCount).toBeGreaterThan(10)
  })
})

describe('a flood', () => {
  it('of filters ends at a bound, and they see blocks until they are taken away', () =>
    survives(async () => {
      const kinds = ['eth_newBlockFilter', 'eth_newPendingTransactionFilter']
      const ids: string[] = []
      let refused: string | undefined
      for (let i = 0; refused === undefined && i < 6; i++) {
        const batch = Array.from({ length: 1000 }, (_, k) => callOf(kinds[k % 2] as string))
        for (const { result, error } of await ask(batch)) {
          if (error === undefined) ids.push(result as string)
          else refused = error.message
        }
      }
      expect(refused).toMatch(/^too many filters/)
      expect(ids.length).toBe(4096)
      expect(await host.checkAlive()).toBe(true)
      expect((await ask(callOf('eth_getFilterChanges', ids[0]))).result).toHaveLength(1)
      while (ids.length > 0) {
        const batch = ids.splice(0, 1000).map((id) => callOf('eth_uninstallFilter', id))
        for (const { result } of await ask(batch)) expect(result).toBe(true)
      }
    }))

  it('of subscriptions ends at a bound, and they are gone with their connection', () =>
    survives(async () => {
      const socket = new WebSocket(host.node.wsUrl)
      await once(socket, 'open')
      const batch = Array.from({ length: 1000 }, () => callOf('eth_subscribe', 'newHeads'))
      let errorCount = 0
      for (let i = 0; i < 3; i++) {
        socket.send(JSON.stringify(batch))
        const [data] = (await once(socket, 'message')) as [Buffer]
        const answers = JSON.parse(data.toString()) as Answer[]
        errorCount += answers.filter(({ error }) => error !== undefined).length
      }
      expect(errorCount).toBe(3000 - 1024)
      let noticeCount = 0
      socket.on('message', () => noticeCount++)
      expect(await host.checkAlive()).toBe(true)
      await expect.poll(() => noticeCount).toBe(1024)
      socket.terminate()
      await once(socket, 'close')
    }))

  it('of IPC values without answers costs their length', () =>
    survives(async () => {
      const socket = connect(host.ipcPath)
      await once(socket, 'connect')
      socket.resume()
      const text = '{"jsonrpc":"2.0","method":"eth_blockNumber"}'.repeat(20_000)
      socket.write(text)
      socket.write('{"jsonrpc":"2.0","id":7,"method":"eth_chainId"}')
      const [data] = (await once(socket, 'data')) as [Buffer]
      expect(data.toString()).toContain('"id":7')
      socket.destroy()
      await once(socket, 'close')
    }))
})

describe('a slow reader', () => {
  it('is not sent more than it takes: its questions wait', () =>
    survives(async () => {
      const socket = new WebSocket(host.node.wsUrl)
      await once(socket, 'open')
      socket.pause()
      const everything = callOf('eth_getLogs', { fromBlock: '0x0', toBlock: 'latest' })
      const question = JSON.stringify(Array.from({ length: 100 }, () => everything))
      const before = process.memoryUsage().rss
      for (let i = 0; i < 15; i++) socket.send(question)
      for (let i = 0; i < 20; i++) expect((await ask(callOf('eth_chainId'))).result).toBe('0x1092')
      expect(process.memoryUsage().rss - before).toBeLessThan(400 * mebibyte)
      socket.terminate()
      await once(socket, 'close')
    }, 64 * mebibyte))
})

describe('every parameter of every method', () => {
  /** These make keys of passwords, which takes its time on purpose. */
  const deriving = /personal_(?:newAccount|importRawKey|unlockAccount|s)/

  it('is refused by name when it is wrong', async () => {
    const maker = new CallMaker(host.node.dispatcher.methodNames.filter((it) => !deriving.test(it)))
    let count = 0
    for (const call of maker.wrongCalls()) {
      await host.exchange('direct', Buffer.from(host.resolve(call)))
      count++
    }
    expect(count).toBeGreaterThan(10_000)
    expect(await host.checkAlive()).toBe(true)
  })
})
