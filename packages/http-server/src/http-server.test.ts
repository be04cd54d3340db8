import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { createVirtualClock } from '@cairn/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { createHttpServer, type HttpServer } from './http-server.ts'
import type { HttpLimits } from './limits.ts'
import type { HttpHandler, HttpRequest, HttpResponse } from './message.ts'

/** Answers with what it was asked; `/wait` waits for `open`, `/big` is answered with a million bytes. */
class EchoHandler implements HttpHandler {
  isClosing = false
  readonly asked: string[] = []
  readonly arrived: (() => void)[] = []
  open: () => void = () => undefined
  #gate: Promise<void> = Promise.resolve()

  closeGate(): void {
    this.#gate = new Promise((resolve) => {
      this.open = resolve
    })
  }

  respond(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    const { method, path, query, body } = request
    this.asked.push(path)
    for (const resolve of this.arrived.splice(0)) resolve()
    const text = Buffer.from(body).toString()
    const answer = (content: string, status = 200): HttpResponse => ({
      status,
      headers: { 'content-type': 'text/plain' },
      body: content,
    })
    if (path === '/none') return answer('', 204)
    if (path === '/big') return answer('b'.repeat(1_000_000))
    if (path.startsWith('/wait')) return this.#gate.then(() => answer(`waited ${path}`))
    return answer(`${method} ${path} ${query} ${text}`)
  }

  refuse(refusal: string): HttpResponse {
    return { status: refusal === 'OVERLOADED' ? 503 : 413, headers: {}, body: refusal }
  }

  nextRequest(): Promise<void> {
    return new Promise((resolve) => this.arrived.push(resolve))
  }
}

const servers: HttpServer[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) await server.close()
})

async function start(limits: Partial<HttpLimits> = {}) {
  const handler = new EchoHandler()
  const clock = createVirtualClock()
  const server = createHttpServer({ handler, clock, limits })
  servers.push(server)
  const port = await server.listen('127.0.0.1', 0)
  return { handler, clock, server, port }
}

/** A client that knows nothing of HTTP. */
class RawClient {
  readonly socket: Socket
  received = ''
  readonly #ended: Promise<void>

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    sockets.push(this.socket)
    this.socket.setNoDelay(true)
    this.socket.on('data', (piece) => {
      this.received += piece.toString('latin1')
    })
    this.#ended = new Promise((resolve) => {
      for (const event of ['end', 'close', 'error']) this.socket.once(event, () => resolve())
    })
  }

  write(text: string): this {
    this.socket.write(text, 'latin1')
    return this
  }

  /** Everything up to and with the `count`th occurrence of `text`. */
  async until(text: string, count = 1): Promise<string> {
    while (this.received.split(text).length <= count) await once(this.socket, 'data')
    return this.received
  }

  /** Everything up to the server's end, or its reset. The client's own side stays open. */
  async end(): Promise<string> {
    await this.#ended
    return this.received
  }
}

const get = (path: string, ...lines: string[]) =>
  `GET ${path} HTTP/1.1\r\n${['host: x', ...lines].join('\r\n')}\r\n\r\n`

/** Moves time on until `done` is. */
async function advanceUntil(clock: ReturnType<typeof createVirtualClock>, done: Promise<unknown>) {
  let isDone = false
  void done.then(() => {
    isDone = true
  })
  for (let turn = 0; turn < 10_000 && !isDone; turn++) await clock.advance(1000)
  await done
}

describe('raw sockets', () => {
  it('answers with status line, date, length and body in one piece', async () => {
    const { port } = await start()
    const answer = await new RawClient(port).write(get('/a?b')).until('GET /a b ')
    expect(answer).toBe(
      'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\n' +
        'content-length: 9\r\n\r\nGET /a b ',
    )
  })

  it('answers pipelined requests in order, one after the other', async () => {
    const { port, handler } = await start()
    handler.closeGate()
    const arrived = handler.nextRequest()
    const client = new RawClient(port).write(
      get('/wait/1') + get('/2') + get('/wait/3') + get('/4'),
    )
    await arrived
    expect(handler.asked).toEqual(['/wait/1'])
    handler.open()
    const text = await client.until('GET /4  ')
    const bodies = [...text.matchAll(/\r\n\r\n(waited \/wait\/\d|GET \/\d {2})/g)].map(([, b]) => b)
    expect(bodies).toEqual(['waited /wait/1', 'GET /2  ', 'waited /wait/3', 'GET /4  '])
  })

  it('answers more pipelined requests than a buffer holds', async () => {
    const { port } = await start()
    const client = new RawClient(port)
    const count = 5000
    client.write(get('/wait', `pad: ${'x'.repeat(200)}`).repeat(count))
    await client.until('waited /wait', count)
  })

  it('answers a request that comes byte by byte', async () => {
    const { port } = await start()
    const client = new RawClient(port)
    const text =
      'PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'
    for (const byte of text) client.write(byte)
    expect(await client.until('hi')).toContain('PUT /  hi')
  })

  it('asks for a body that is waited with', async () => {
    const { port } = await start()
    const client = new RawClient(port)
    client.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n')
    expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    expect(await client.write('hi').until('POST /  hi')).toContain('HTTP/1.1 200 OK')
  })

  it.each([
    ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'],
    ['connection: close', get('/', 'connection: close')],
  ])('ends after an answer to %s', async (_, text) => {
    const { port } = await start()
    const client = new RawClient(port).write(text)
    const answer = await client.end()
    expect(answer).toContain('\r\nconnection: close\r\n')
    expect(answer).toContain('GET /  ')
  })

  it('answers nothing after the last request', async () => {
    const { port, handler } = await start()
    await new RawClient(port).write(get('/a', 'connection: close') + get('/b')).end()
    expect(handler.asked).toEqual(['/a'])
  })

  it('answers a client that has ended its side', async () => {
    const { port } = await start()
    const client = new RawClient(port)
    client.socket.end(get('/a') + get('/wait/b'))
    expect(await client.end()).toMatch(/GET \/a {2}.*waited \/wait\/b$/s)
  })

  it('lets go of a client that ends in the middle of a request', async () => {
    const { port, server, handler } = await start()
    const client = new RawClient(port)
    client.socket.end('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhel')
    expect(await client.end()).toBe('')
    await expect.poll(() => server.connectionCount).toBe(0)
    expect(handler.asked).toEqual([])
  })

  it('sends no body in answer to HEAD, nor with 204', async () => {
    const { port } = await start()
    const client = new RawClient(port)
    client.write(
      `HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n${get('/none')}OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n`,
    )
    const text = await client.until('\r\n\r\n', 3)
    const [head, ...others] = text.split(/(?=HTTP\/1.1)/)
    expect(head).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*content-length: 9\r\n\r\n$/)
    expect(others).toHaveLength(2)
    for (const other of others) {
      expect(other).toMatch(/^HTTP\/1.1 204 No Content\r\n[\s\S]*\r\n\r\n$/)
      expect(other).not.toContain('content-length')
    }
  })

  it.each([
    ['400', 'GET / HTTP/1.1\nhost: x\n\n'],
    ['400', 'GET / HTTP/1.1\r\n\r\n'],
    ['400', get('/', 'content-length: 5', 'transfer-encoding: chunked')],
    ['400', get('/', 'content-length: 5', 'content-length: 6')],
    ['400', get('/', ' folded: line')],
    ['400', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n'],
    ['417', get('/', 'expect: more')],
    ['431', get('/', `a: ${'x'.repeat(20_000)}`)],
    ['431', get('/', ...Array.from({ length: 100 }, () => 'a: b'))],
    ['501', get('/', 'transfer-encoding: gzip')],
    ['505', 'GET / HTTP/3.0\r\nhost: x\r\n\r\n'],
  ])('answers %s to %j and ends', async (status, text) => {
    const { port, handler } = await start()
    // What follows a request that cannot be told apart is never taken for another one.
    const answer = await new RawClient(port).write(text + get('/smuggled')).end()
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} .*connection: close`, 's'))
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1)
    expect(handler.asked).toEqual([])
  })

  it('says why, to a client that is still sending', async () => {
    const { port } = await start()
    const client = new RawClient(port)
    client.write('nonsense\r\n\r\n')
    for (let no = 0; no < 50; no++) client.write('x'.repeat(50_000))
    expect(await client.end()).toContain('The head of the request is malformed: the request line.')
  })
})

describe('times', () => {
  const limits = { sweepMs: 1000, headMsMax: 10_000, requestMsMax: 60_000, idleMsMax: 120_000 }

  it('answers 408 to a head that comes too slowly', async () => {
    const { port, clock, server } = await start(limits)
    const client = new RawClient(port).write('GET / HTTP/1.1\r\n')
    await expect.poll(() => server.connectionCount).toBe(1)
    await advanceUntil(clock, client.end())
    expect(client.received).toMatch(/^HTTP\/1.1 408 [\s\S]*connection: close/)
    // The client does not end its side; the server does not wait for it.
    const gone = expect.poll(() => server.connectionCount).toBe(0)
    await advanceUntil(clock, gone)
  })

  it('does not grant more time for each byte', async () => {
    const { port, clock } = await start(limits)
    const client = new RawClient(port).write(get('/a')).write('GET /')
    await client.until('GET /a')
    const startMs = clock.nowMs()
    const end = client.end()
    let isEnded = false
    void end.then(() => {
      isEnded = true
    })
    while (!isEnded && clock.nowMs() - startMs < 60_000) {
      client.write('x')
      await clock.advance(1000)
    }
    await end
    expect(clock.nowMs() - startMs).toBeLessThan(15_000)
  })

  it('gives a body longer, and not for ever', async () => {
    const { port, clock } = await start(limits)
    const client = new RawClient(port)
    client.write('POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n')
    await client.until('100 Continue')
    const startMs = clock.nowMs()
    await advanceUntil(clock, client.until('HTTP/1.1 408'))
    expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(60_000)
  })

  it('ends connections that are silent, from the start or after an answer', async () => {
    const { port, clock } = await start(limits)
    const [silent, used] = [new RawClient(port), new RawClient(port).write(get('/a'))]
    await used.until('GET /a')
    const startMs = clock.nowMs()
    await advanceUntil(clock, silent.end())
    expect(clock.nowMs() - startMs).toBeLessThan(20_000)
    await advanceUntil(clock, used.end())
    expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(120_000)
  })

  it('does not end a request under way', async () => {
    const { port, clock, handler } = await start(limits)
    handler.closeGate()
    const arrived = handler.nextRequest()
    const client = new RawClient(port).write(get('/wait'))
    await arrived
    await clock.advance(1_000_000)
    handler.open()
    await client.until('waited')
  })

  it('ends a connection whose client takes no answers', async () => {
    const { port, clock, server, handler } = await start({ ...limits, writeMsMax: 30_000 })
    const client = new RawClient(port)
    client.socket.pause()
    client.write(get('/big').repeat(100))
    await expect.poll(() => handler.asked.length).toBeGreaterThan(0)
    await expect
      .poll(async () => {
        await clock.advance(10_000)
        return server.connectionCount
      })
      .toBe(0)
    // Not everything that was asked for was made: answers wait for the client to take them.
    expect(handler.asked.length).toBeLessThan(100)
  })
})

describe('back-pressure', () => {
  it('sends large answers one after the other as the client takes them', async () => {
    const { port, handler } = await start()
    const client = new RawClient(port)
    client.write(get('/big').repeat(20))
    await client.until('HTTP/1.1 200', 20)
    expect(handler.asked).toHaveLength(20)
  })
})

describe('close', () => {
  it('answers what is under way, ends what is idle, takes nothing new', async () => {
    const { port, server, handler } = await start()
    handler.closeGate()
    const idle = new RawClient(port).write(get('/a'))
    await idle.until('GET /a')
    const arrived = handler.nextRequest()
    const busy = new RawClient(port).write(get('/wait'))
    await arrived
    const sending = new RawClient(port)
    sending.write(
      'POST /s HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n',
    )
    await sending.until('100 Continue')

    const closed = server.close()
    await idle.end()
    handler.open()
    sending.write('hi')
    for (const client of [idle, busy, sending]) {
      await client.end()
      client.socket.end()
    }
    await closed
    expect(busy.received).toMatch(/connection: close[\s\S]*waited/)
    expect(sending.received).toMatch(/connection: close[\s\S]*POST \/s {2}hi$/)
    const late = new RawClient(port)
    expect(await late.end()).toBe('')
  })

  it('waits no longer than it may', async () => {
    const { port, server, handler, clock } = await start({ drainMsMax: 5000 })
    handler.closeGate()
    const arrived = handler.nextRequest()
    const client = new RawClient(port).write(get('/wait'))
    await arrived
    await advanceUntil(clock, server.close())
    expect(await client.end()).toBe('')
    handler.open()
  })

  it('may be called before listen', async () => {
    const server = createHttpServer({ handler: new EchoHandler(), clock: createVirtualClock() })
    await server.close()
  })
})

describe('bounds', () => {
  it('refuses large bodies and lives on', async () => {
    const { port } = await start({ bodyBytesMax: 10 })
    const client = new RawClient(port)
    client.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\n').write('hello world')
    expect(await client.until('BODY_TOO_LARGE')).toContain('HTTP/1.1 413')
    await client.write(get('/a')).until('GET /a')
  })

  it('takes as many connections as it may', async () => {
    const { port, server } = await start({ connectionCountMax: 1 })
    const first = new RawClient(port).write(get('/a'))
    await first.until('GET /a')
    expect(await new RawClient(port).end()).toBe('')
    expect(server.connectionCount).toBe(1)
  })

  it('tells that a port is taken', async () => {
    const { port } = await start()
    const second = createHttpServer({ handler: new EchoHandler(), clock: createVirtualClock() })
    await expect(second.listen('127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

describe('foreign clients', () => {
  it('serves fetch', async () => {
    const { port } = await start()
    for (let no = 0; no < 5; no++) {
      const body = 'ä'.repeat(no * 10_000)
      const url = `http://127.0.0.1:${port}/fetch?no=${no}`
      const response = await fetch(url, { method: 'POST', body })
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('text/plain')
      expect(await response.text()).toBe(`POST /fetch no=${no} ${body}`)
    }
    expect((await fetch(`http://127.0.0.1:${port}/a`, { method: 'HEAD' })).status).toBe(200)
  })

  it('serves fetch with a streamed body', async () => {
    const { port } = await start()
    const body = new Blob(['one ', 'two']).stream()
    const init: RequestInit & { duplex: string } = { method: 'POST', body, duplex: 'half' }
    const response = await fetch(`http://127.0.0.1:${port}/s`, init)
    expect(await response.text()).toBe('POST /s  one two')
  })

  it('serves the client of node:http over one connection', async () => {
    const { port, server } = await start()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = async (path: string, body: string, headers: Record<string, string> = {}) => {
      const options = { host: '127.0.0.1', port, agent, path, method: 'POST', headers }
      const outgoing = httpRequest(options)
      outgoing.end(body)
      const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
      return (await incoming.toArray()).join('')
    }
    const answers = await Promise.all([
      ask('/1', 'one'),
      ask('/2', ''),
      ask('/3', 'x'.repeat(100_000), { 'transfer-encoding': 'chunked' }),
      ask('/4', 'four', { expect: '100-continue' }),
    ])
    expect(answers).toEqual([
      'POST /1  one',
      'POST /2  ',
      `POST /3  ${'x'.repeat(100_000)}`,
      'POST /4  four',
    ])
    expect(server.connectionCount).toBe(1)
    agent.destroy()
  })
})
