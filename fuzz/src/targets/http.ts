/**
 * Target `http`: bytes of a connection into the request reader, whole and in pieces, and now and then over a socket
 * into a server whose handler answers at once.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { createSystemClock } from '@cairn/core'
import { createHttpServer, defaultHttpLimits, type HttpServer } from '@cairn/http-server'
import { createSeededRandom, type SeededRandom } from '@cairn/testing'
import { BodyBudget } from '../../../packages/http-server/src/body-budget.ts'
import { HttpError } from '../../../packages/http-server/src/errors.ts'
import { RequestReader } from '../../../packages/http-server/src/request-reader.ts'
import { inputOfText, mustHold, type Target } from '../target.ts'

/** Small, so that short inputs reach the bounds. */
const limits = {
  ...defaultHttpLimits,
  headBytesMax: 1024,
  headerCountMax: 20,
  bodyBytesMax: 256,
  bodyBytesInFlightMax: 600,
  discardedBytesMax: 2048,
  lingerMsMax: 50,
  headMsMax: 100,
  requestMsMax: 100,
  idleMsMax: 100,
  sweepMs: 25,
}
const requestCountMax = 100
/** One input in so many goes over a socket as well. */
const inputsPerSocket = 250
const answerMsMax = 5000

const seeds = [
  'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a:1\r\ncontent-length: 5\r\nx-amz-target: A.B\r\n\r\nhelloGET /b?c=d HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
  'POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n3;ext=1\r\nabc\r\n0\r\ntrailer: x\r\n\r\n',
  'PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 300\r\nexpect: 100-continue\r\n\r\n',
  'OPTIONS * HTTP/1.0\r\nconnection: keep-alive\r\n\r\n',
  `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 400\r\n\r\n${'x'.repeat(400)}GET / HTTP/1.1\r\nhost: a\r\n\r\n`,
].map(inputOfText)

const tokens = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    ' ',
    '\t',
    ': ',
    ':',
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/2.0',
    '\0',
  ],
  ...['content-length: 5\r\n', 'content-length: +5\r\n', 'Content-Length: 5, 5\r\n', '0\r\n\r\n'],
  ...[
    'transfer-encoding: chunked\r\n',
    'transfer-encoding: gzip, chunked\r\n',
    'host: b\r\n',
    'ffffffff\r\n',
  ],
  ...[
    'expect: 100-continue\r\n',
    'connection: close\r\n',
    'x: y\r\n z\r\n',
    '__proto__: x\r\n',
    '\x80',
    '\xff',
  ],
].map((token) => new Uint8Array(Buffer.from(token, 'latin1')))

export const httpTarget: Target = {
  name: 'http',
  oracle:
    'only HttpError; the same requests however the bytes are cut; bounds of head, body and budget hold; the budget is given back; a connection is answered or closed in time',
  sources: /\/packages\/http-server\/src\//,
  open(seed) {
    const random = createSeededRandom(seed)
    let server: HttpServer | undefined
    let port = 0
    let inputCount = 0
    return {
      seeds,
      dictionary: tokens,
      async run(input) {
        checkReader(input, random)
        if (++inputCount % inputsPerSocket !== 0) return
        if (server === undefined) {
          server = createHttpServer({ handler, clock: createSystemClock(), limits })
          port = await server.listen('127.0.0.1', 0)
        }
        await checkSocket(input, port)
      },
      async close() {
        await server?.close()
      },
    }
  },
}

const answer = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ok' }
const handler = {
  isClosing: false,
  respond: () => answer,
  refuse: () => ({ ...answer, status: 413 }),
}

/** What came out: one line per request, and whether the connection broke. */
interface Outcome {
  readonly requests: readonly string[]
  readonly isBroken: boolean
}

function checkReader(input: Uint8Array, random: SeededRandom): void {
  const whole = read([input])
  const pieces: Uint8Array[] = []
  for (let at = 0; at < input.length; ) {
    const size = 1 + random.below(random.chance(0.5) ? 3 : 200)
    pieces.push(input.subarray(at, at + size))
    at += size
  }
  const cut = read(pieces)
  mustHold(whole.isBroken === cut.isBroken, 'a connection breaks by how its bytes are cut')
  const requests = JSON.stringify(whole.requests)
  mustHold(requests === JSON.stringify(cut.requests), 'requests differ by how their bytes are cut')
}

function read(pieces: readonly Uint8Array[]): Outcome {
  const budget = new BodyBudget(limits.bodyBytesInFlightMax)
  const reader = new RequestReader(limits, budget)
  const requests: string[] = []
  let isBroken = false
  let isOver = false
  try {
    for (const piece of pieces) {
      if (isOver) break
      reader.push(Buffer.from(piece))
      for (let next = reader.next(); next !== undefined; next = reader.next()) {
        reader.takeContinue()
        const { method, path, query, headers, body, isLast, refusal, budgetBytes } = next
        mustHold(body.length <= limits.bodyBytesMax, 'a body is larger than bodies may be')
        mustHold(Object.getPrototypeOf(headers) === null, 'headers have a prototype')
        mustHold(/^[!-~]+$/.test(method + path), 'a control character stands in a request line')
        budget.giveBack(budgetBytes)
        // What was not asked for need not come: whether this connection goes on depends on whether it did.
        const isUnasked = refusal !== undefined && headers['expect'] !== undefined
        const isEnd = isLast || isUnasked
        const text = Buffer.from(body).toString('latin1')
        requests.push(JSON.stringify([method, path, query, headers, text, isEnd, refusal]))
        isOver = isEnd || requests.length >= requestCountMax
        if (isOver) break
      }
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    isBroken = true
  }
  reader.abandon()
  mustHold(budget.bytesInUse === 0, 'bytes of the budget are lost')
  return { requests, isBroken }
}

async function checkSocket(input: Uint8Array, port: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port })
  let received = ''
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    received += text
  })
  socket.on('error', () => undefined)
  const timer = setTimeout(() => socket.destroy(), answerMsMax)
  const startMs = performance.now()
  socket.write(input)
  // The client's end; what is not answered by then never will be.
  socket.end()
  await once(socket, 'close')
  clearTimeout(timer)
  mustHold(performance.now() - startMs < answerMsMax, 'a connection is neither answered nor closed')
  mustHold(/^(?:HTTP\/1\.1 \d{3} |$)/.test(received), 'an answer is no HTTP')
}
