/** Calls without an end beside a chain that goes on: they are stopped at their limit, and hold up nothing. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRpcTestNode, type RpcTestNode } from '../testing/rpc-node.ts'

/** The thread from its source, which needs a loader that reads TypeScript. */
function openCallThread(): Worker {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')).href
  const thread = new URL('./call-thread.ts', import.meta.url).href
  const code = `import('${loader}').then(({ register }) => {
    register()
    return import('${thread}')
  })`
  return new Worker(code, { eval: true, execArgv: ['--conditions=@cairn/source'] })
}

const callLimits = { gasMax: 10n ** 15n, durationMsMax: 12_000 }
const to = `0x${'ee'.repeat(20)}`
/** JUMPDEST PUSH0 JUMP */
const endless = { [to]: { code: '0x5b5f56' } }
/** Counts 2^21 down to nothing, which takes longer than a slice, and returns the word of slot 0 then. */
const slow = {
  [to]: {
    code: '0x63002000005b60019003806005575f545f5260205ff3',
    stateDiff: { [`0x${'00'.repeat(32)}`]: `0x${'00'.repeat(31)}2a` },
  },
}

let node: RpcTestNode
beforeAll(async () => {
  node = await openRpcTestNode(1n, ['eth', 'debug'], { callLimits, openCallThread })
})
afterAll(() => node.close())

async function ask(body: unknown): Promise<unknown> {
  const response = await fetch(node.httpUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return await response.json()
}

let id = 0
const callOf = (method: string, ...params: unknown[]) => ({
  jsonrpc: '2.0',
  id: id++,
  method,
  params,
})
const head = () => node.node.chain.head.header.number

describe('a long call', () => {
  it('comes to its end on the other thread, with the state of its block', async () => {
    expect(await ask(callOf('eth_call', { to }, 'latest', slow))).toMatchObject({
      result: `0x${'2a'.padStart(64, '0')}`,
    })
  })
})

describe('a long trace', () => {
  it('comes to its end on a thread of its own', async () => {
    const options = { stateOverrides: slow, timeout: '50s', tracer: 'callTracer' }
    expect(await ask(callOf('debug_traceCall', { to }, 'latest', options))).toMatchObject({
      result: { to, output: `0x${'2a'.padStart(64, '0')}` },
    })
  })
})

describe('an endless call', () => {
  it('is stopped at its limit, while blocks are sealed and others are answered', async () => {
    const before = head()
    const running = ask(callOf('eth_call', { to }, 'latest', endless))
    let isOver = false
    const over = running.then(() => {
      isOver = true
    })
    await expect.poll(head, { interval: 10 }).toBeGreaterThan(before + 1n)
    expect(isOver).toBe(false)
    expect(await ask(callOf('eth_chainId'))).toMatchObject({ result: '0x1092' })
    expect(await ask(callOf('eth_call', { to }, 'latest'))).toMatchObject({ result: '0x' })
    expect(await running).toMatchObject({
      error: { code: -32000, message: 'execution aborted (timeout = 12s)' },
    })
    await over
  })

  it('is traced while calls and blocks do not wait for that', async () => {
    const options = { stateOverrides: endless, timeout: '60s', limit: 1 }
    let isOver = false
    // It still runs when the node is closed.
    const tracing = ask(callOf('debug_traceCall', { to }, 'latest', options))
    void tracing
      .catch(() => undefined)
      .then(() => {
        isOver = true
      })
    const before = head()
    await expect.poll(head, { interval: 10 }).toBeGreaterThan(before)
    expect(await ask(callOf('eth_call', { to }, 'latest', slow))).toMatchObject({
      result: `0x${'2a'.padStart(64, '0')}`,
    })
    expect(isOver).toBe(false)
  })

  it('does no harm in a batch either: the chain gets its turns', async () => {
    const batch = Array.from({ length: 200 }, () => callOf('eth_call', { to }, 'latest', endless))
    // Some still run when the node is closed.
    void ask(batch).catch(() => undefined)
    const before = head()
    await expect.poll(head, { interval: 10 }).toBeGreaterThan(before + 1n)
    expect(await ask(callOf('eth_chainId'))).toMatchObject({ result: '0x1092' })
  })
})
