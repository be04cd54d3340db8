/** HTTP, WebSocket and IPC over real sockets: calls, notifications, origins, hosts, statuses. */
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemClock } from '@cairn/core'
import { createHttpServer } from '@cairn/http-server'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Dispatcher } from './dispatcher.ts'
import { HttpTransport } from './http-transport.ts'
import { openIpcServer } from './ipc-server.ts'
import { method } from './method.ts'
import { openRpcWebSocketServer } from './websocket-server.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const clock = createSystemClock()

function createDispatcher() {
  return new Dispatcher({
    clock,
    namespaces: {
      test: {
        test_echo: method([{ isOptional: true, read: (value) => value }], ([value]) => value),
        test_notify: method([], (_, { subscriber }) => {
          queueMicrotask(() => subscriber?.notify('test_subscription', { result: 1 }))
          return true
        }),
      },
    },
  })
}

const call = (id: number, name: string, ...params: unknown[]) =>
  JSON.stringify({ jsonrpc: '2.0', id, method: name, params })

describe('HTTP', () => {
  async function start() {
    const corsOrigins = ['chrome-extension://*', 'http://localhost:*']
    const dispatcher = createDispatcher()
    const handler = new HttpTransport({ dispatcher, corsOrigins, virtualHosts: ['localhost'] })
    const server = createHttpServer({ handler, clock })
    closers.push(() => server.close())
    const port = await server.listen('127.0.0.1', 0)
    return { port, url: `http://127.0.0.1:${port}` }
  }
  const json = { 'content-type': 'application/json; charset=utf-8' }

  it('answers calls', async () => {
    const { url } = await start()
    const response = await fetch(url, {
      method: 'POST',
      headers: json,
      body: call(1, 'test_echo', 'é'),
    })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ jsonrpc: '2.0', id: 1, result: 'é' })
  })

  it('answers bytes that are no UTF-8', async () => {
    const { url } = await start()
    const post = async (body: Uint8Array) =>
      (await fetch(url, { method: 'POST', headers: json, body: Buffer.from(body) })).json()
    expect(await post(Uint8Array.of(0xff, 0xfe))).toMatchObject({ error: { code: -32700 } })
    const text = Buffer.from(call(1, 'test_echo', '?'), 'utf8')
    text[text.indexOf('?')] = 0x80
    expect(await post(text)).toMatchObject({ result: '\ufffd' })
  })

  it('answers an empty GET, 405 and 415', async () => {
    const { url } = await start()
    const health = await fetch(url)
    expect([health.status, await health.text()]).toEqual([200, ''])
    expect((await fetch(url, { method: 'PUT', body: '' })).status).toBe(405)
    const plain = await fetch(url, { method: 'POST', body: call(1, 'test_echo') })
    expect([plain.status, await plain.text()]).toEqual([
      415,
      'invalid content type, only application/json is supported',
    ])
  })

  it.each([
    ['chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn', true],
    ['http://localhost:3000', true],
    ['https://evil.example', false],
  ])('lets a page of %s read the answers: %s', async (origin, isAllowed) => {
    const { url } = await start()
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-headers': 'content-type' },
    })
    const headers = isAllowed ? ['content-type', origin] : [null, null]
    expect(preflight.headers.get('access-control-allow-headers')).toBe(headers[0])
    const answer = await fetch(url, {
      method: 'POST',
      headers: { ...json, origin },
      body: call(1, 'test_echo'),
    })
    expect(answer.headers.get('access-control-allow-origin')).toBe(headers[1])
  })

  it.each([
    ['localhost:8545', 200],
    ['10.0.0.1:8545', 200],
    ['[::1]:8545', 200],
    ['rebound.example', 403],
  ])('answers a request for %s with %i', async (host, status) => {
    const { port } = await start()
    const outgoing = request({ port, host: '127.0.0.1', headers: { host } })
    outgoing.end()
    const [incoming] = await once(outgoing, 'response')
    incoming.resume()
    expect(incoming.statusCode).toBe(status)
  })
})

describe('WebSocket', () => {
  async function start() {
    const options = { dispatcher: createDispatcher(), host: '127.0.0.1', port: 0 }
    const server = await openRpcWebSocketServer({
      ...options,
      origins: ['http://localhost:*'],
      virtualHosts: ['localhost'],
    })
    closers.push(() => server.close())
    return `ws://127.0.0.1:${server.port}`
  }

  it('answers calls and sends notifications', async () => {
    const socket = new WebSocket(await start())
    await once(socket, 'open')
    const received: unknown[] = []
    const isDone = new Promise<void>((resolve) =>
      socket.on('message', (data) => {
        received.push(JSON.parse(String(data)))
        if (received.length === 3) resolve()
      }),
    )
    socket.send(call(1, 'test_echo', 2))
    socket.send(call(2, 'test_notify'))
    await isDone
    expect(received).toContainEqual({ jsonrpc: '2.0', id: 1, result: 2 })
    expect(received).toContainEqual({
      jsonrpc: '2.0',
      method: 'test_subscription',
      params: { result: 1 },
    })
  })

  it('refuses pages of other origins', async () => {
    const socket = new WebSocket(await start(), { origin: 'https://evil.example' })
    const [error] = await once(socket, 'error')
    expect(String(error)).toContain('401')
  })
})

describe('IPC', () => {
  async function start() {
    const directory = await mkdtemp(join(tmpdir(), 'cairn-ipc-'))
    closers.push(() => rm(directory, { recursive: true }))
    const path = join(directory, 'geth.ipc')
    const server = await openIpcServer(path, createDispatcher())
    closers.push(() => server.close())
    return path
  }

  it('is open to its owner only, and answers values without frames', async () => {
    const path = await start()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const socket = connect(path)
    socket.write(call(1, 'test_echo', 1) + call(2, 'test_echo', 2))
    let text = ''
    for await (const chunk of socket) {
      text += chunk
      if (text.trim().split('\n').length === 2) break
    }
    const ids = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id)
    expect(ids.sort()).toEqual([1, 2])
  })

  it('says what cannot be understood, and ends', async () => {
    const socket = connect(await start())
    socket.write('nonsense')
    let text = ''
    for await (const chunk of socket) text += chunk
    expect(JSON.parse(text).error).toEqual({ code: -32700, message: 'parse error' })
  })

  it('refuses a path on which another process listens, and too long a path', async () => {
    const path = await start()
    await expect(openIpcServer(path, createDispatcher())).rejects.toMatchObject({
      code: 'IPC_IN_USE',
    })
    const long = join(tmpdir(), 'x'.repeat(200))
    await expect(openIpcServer(long, createDispatcher())).rejects.toMatchObject({
      code: 'IPC_PATH_TOO_LONG',
    })
  })
})
