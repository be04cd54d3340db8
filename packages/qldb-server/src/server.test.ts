import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { signRequest } from '@cairn/aws-protocol'
import { createHttpServer, type HttpServer } from '@cairn/http-server'
import { afterEach, describe, expect, it } from 'vitest'
import { ServerFixture } from './testing/server-fixture.ts'

const target = { 'x-amz-target': 'QLDBSession.SendCommand' }
const secrets: Record<string, string> = { AKIDA: 'secret a', AKIDB: 'secret b' }

function sigv4Fixture(options: ConstructorParameters<typeof ServerFixture>[0] = {}) {
  const lookup = (id: string) => {
    const secretAccessKey = secrets[id]
    return secretAccessKey === undefined ? undefined : { secretAccessKey }
  }
  return new ServerFixture({ auth: { mode: 'sigv4', lookup }, ...options })
}

function sendSigned(fixture: ServerFixture, command: object, accessKeyId = 'AKIDA', secret = '') {
  const body = JSON.stringify(command)
  const headers = signRequest({
    method: 'POST',
    host: 'localhost',
    headers: target,
    body,
    accessKeyId,
    secretAccessKey: secret || (secrets[accessKeyId] ?? 'none'),
    region: 'us-east-1',
    service: 'qldb',
    nowMs: fixture.clock.nowMs(),
  })
  return fixture.request('POST', '/', body, headers)
}

describe('authentication', () => {
  it('lets signed requests in and no others', async () => {
    const fixture = sigv4Fixture()
    await fixture.host.createLedger({ name: 'L' })
    const start = { StartSession: { LedgerName: 'L' } }
    expect((await sendSigned(fixture, start)).status).toBe(200)
    for (const [answer, name] of [
      [await fixture.send(start), 'MissingAuthenticationTokenException'],
      [await sendSigned(fixture, start, 'AKIDA', 'wrong'), 'InvalidSignatureException'],
      [await sendSigned(fixture, start, 'AKIDX'), 'UnrecognizedClientException'],
      [await fixture.request('GET', '/ledgers'), 'MissingAuthenticationTokenException'],
    ] as const) {
      expect(answer.status).toBe(403)
      expect(answer.headers['x-amzn-ErrorType']).toBe(name)
      expect(answer.text).not.toMatch(/secret|wrong/)
    }
    expect(fixture.logged).toEqual([])
  })

  it('binds sessions to who started them', async () => {
    const fixture = sigv4Fixture()
    await fixture.host.createLedger({ name: 'L' })
    const started = await sendSigned(fixture, { StartSession: { LedgerName: 'L' } })
    const { SessionToken } = started.body.StartSession
    const command = { SessionToken, StartTransaction: {} }
    expect((await sendSigned(fixture, command, 'AKIDB')).body.Message).toBe('No such session')
    expect((await sendSigned(fixture, command)).status).toBe(200)
  })

  it('asks the authorizer with action and resource', async () => {
    const asked: string[] = []
    const fixture = sigv4Fixture({
      authorizer: {
        isAllowed: ({ principal, isAuthenticated }, action, resource) => {
          asked.push(`${principal} ${isAuthenticated} ${action} ${resource}`)
          return principal !== 'AKIDB'
        },
      },
    })
    await fixture.host.createLedger({ name: 'L' })
    const start = { StartSession: { LedgerName: 'L' } }
    expect((await sendSigned(fixture, start)).status).toBe(200)
    const denied = await sendSigned(fixture, start, 'AKIDB')
    const arn = 'arn:aws:qldb:us-east-1:000000000000:ledger/L'
    expect(denied.status).toBe(403)
    expect(denied.body).toEqual({
      __type: 'AccessDeniedException',
      Message: `User: AKIDB is not authorized to perform: qldb:SendCommand on resource: ${arn}`,
    })
    expect(asked).toEqual([
      `AKIDA true qldb:SendCommand ${arn}`,
      `AKIDB true qldb:SendCommand ${arn}`,
    ])
  })

  it.each([
    ['GET', '/ledgers', 'ListLedgers', '*'],
    ['POST', '/ledgers', 'CreateLedger', 'arn:aws:qldb:us-east-1:000000000000:ledger/N'],
    ['POST', '/ledgers/L/digest', 'GetDigest', 'arn:aws:qldb:us-east-1:000000000000:ledger/L'],
    [
      'GET',
      '/tags/arn%3Aaws%3Aqldb%3Ax%3A%3Aledger%2FL',
      'ListTagsForResource',
      'arn:aws:qldb:us-east-1:000000000000:ledger/L',
    ],
    [
      'GET',
      '/tags/arn%3Aaws%3Aqldb%3Ax%3A%3Aledger%2FL%2Ftable%2FT1',
      'ListTagsForResource',
      'arn:aws:qldb:us-east-1:000000000000:ledger/L/table/T1',
    ],
  ])('authorizes %s %s', async (method, path, operation, resource) => {
    const authorizer = { isAllowed: () => false }
    const { status, body } = await new ServerFixture({ authorizer }).request(
      method,
      path,
      method === 'POST' ? { Name: 'N' } : '',
    )
    expect(status).toBe(403)
    expect(body.Message).toBe(
      `User: anonymous is not authorized to perform: qldb:${operation} on resource: ${resource}`,
    )
  })
})

describe('trouble', () => {
  it('answers an internal error without its details, and logs them under the id of the request', async () => {
    const fixture = new ServerFixture()
    const token = await fixture.startSession()
    const id = await fixture.startTransaction(token)
    const answer = await fixture.execute(token, id, 'CRASH')
    expect(answer.status).toBe(500)
    expect(answer.headers['x-amzn-ErrorType']).toBe('InternalFailure')
    expect(answer.body).toEqual({
      __type: 'InternalFailure',
      Message: 'The request failed because of an internal error.',
    })
    expect(fixture.logged).toHaveLength(1)
    expect(fixture.logged[0]).toContain('secret detail')
    expect(fixture.logged[0]).toContain(answer.headers['x-amzn-RequestId'])
    expect(fixture.logged[0]).not.toContain(token)
  })

  it('answers 503 when it runs as many commands as it may, and recovers', async () => {
    const fixture = new ServerFixture({ limits: { commandCountMax: 2 } })
    const token = await fixture.startSession()
    const id = await fixture.startTransaction(token)
    fixture.host.closeGate()
    const waiting = [fixture.execute(token, id, 'WAIT'), fixture.execute(token, id, 'ROWS 1')]
    const refused = await fixture.send({ StartSession: { LedgerName: 'L' } })
    expect(refused.status).toBe(503)
    expect(refused.headers['x-amzn-ErrorType']).toBe('CapacityExceededException')
    expect(refused.body.Message).toBe('Capacity exceeded')
    expect((await fixture.request('GET', '/ledgers')).status).toBe(503)
    fixture.host.openGate()
    await Promise.all(waiting)
    expect((await fixture.request('GET', '/ledgers')).status).toBe(200)
  })

  it('goes on with what was begun when it is busy, and always lets go', async () => {
    const fixture = new ServerFixture({ limits: { commandCountMax: 1 } })
    const tokens: string[] = []
    for (let i = 0; i < 4; i++) tokens.push(await fixture.startSession())
    const ids: string[] = []
    for (const token of tokens) ids.push(await fixture.startTransaction(token))
    const [first = '', second = '', third = '', fourth = ''] = tokens
    const execute = (i: number, statement: string) =>
      fixture.execute(tokens[i] ?? '', ids[i] ?? '', statement)
    fixture.host.closeGate()
    const waiting = [execute(0, 'WAIT')]
    const busy = await fixture.send({ SessionToken: second, StartTransaction: {} })
    expect(busy.status).toBe(503)
    expect((await execute(1, 'ROWS 1')).status).toBe(200)
    waiting.push(execute(1, 'WAIT'))
    expect((await execute(2, 'ROWS 1')).status).toBe(503)
    const aborted = await fixture.send({ SessionToken: third, AbortTransaction: {} })
    expect(aborted.status).toBe(200)
    expect((await fixture.send({ SessionToken: fourth, EndSession: {} })).status).toBe(200)
    fixture.host.openGate()
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200])
    expect((await fixture.send({ SessionToken: first, AbortTransaction: {} })).status).toBe(200)
  })
})

describe('close', () => {
  it('finishes what runs, refuses what comes, and aborts what is open', async () => {
    const fixture = new ServerFixture()
    const token = await fixture.startSession()
    const id = await fixture.startTransaction(token)
    fixture.host.closeGate()
    const waiting = fixture.execute(token, id, 'WAIT')
    let isClosed = false
    const closed = fixture.server.close().then(() => {
      isClosed = true
    })
    const refused = await fixture.send({ StartSession: { LedgerName: 'L' } })
    expect(refused.status).toBe(503)
    expect(isClosed).toBe(false)
    expect(fixture.host.getLedger('L').transactions[0]?.state).toBe('open')
    fixture.host.openGate()
    expect((await waiting).status).toBe(200)
    await closed
    expect(fixture.host.getLedger('L').transactions[0]?.state).toBe('aborted')
  })

  it('does not wait longer than it may', async () => {
    const fixture = new ServerFixture()
    fixture.clock.sleep = () => Promise.resolve()
    const token = await fixture.startSession()
    const id = await fixture.startTransaction(token)
    fixture.host.closeGate()
    const waiting = fixture.execute(token, id, 'WAIT')
    await fixture.server.close()
    expect(fixture.logged).toEqual(['warn closing with commands under way {"commandCount":1}'])
    fixture.host.openGate()
    expect((await waiting).status).toBe(400)
  })
})

describe('over a socket', () => {
  const listeners: HttpServer[] = []

  afterEach(async () => {
    await Promise.all(listeners.splice(0).map((listener) => listener.close()))
  })

  async function listen(fixture: ServerFixture): Promise<number> {
    const { server, clock } = fixture
    const listener = createHttpServer({ handler: server, limits: server.httpLimits, clock })
    listeners.push(listener)
    return listener.listen('127.0.0.1', 0)
  }

  function post(port: number, body: Uint8Array | string, headers: Record<string, string> = target) {
    return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
      (resolve, reject) => {
        const options = { host: '127.0.0.1', port, method: 'POST', path: '/', headers }
        const request = httpRequest(options, (response) => {
          const chunks: Uint8Array[] = []
          response.on('data', (chunk) => chunks.push(chunk))
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          )
        })
        request.on('error', reject)
        request.end(body)
      },
    )
  }

  it('answers with a length, a request id and the error type', async () => {
    const port = await listen(new ServerFixture())
    const { status, headers, body } = await post(port, '{"StartSession":{"LedgerName":"ä"}}')
    expect(status).toBe(400)
    expect(headers['content-length']).toBe(String(Buffer.byteLength(body)))
    expect(headers['x-amzn-errortype']).toBe('BadRequestException')
    expect(headers['x-amzn-requestid']).toMatch(/^[0-9A-Za-z]{22}$/)
    expect(JSON.parse(body).Message).toBe('The Ledger with name ä is not found')
  })

  it('takes a body of many chunks and of the largest size', async () => {
    const port = await listen(new ServerFixture())
    const body = JSON.stringify({ StartSession: { LedgerName: 'x'.repeat(8 * 1024 * 1024 - 40) } })
    const { status } = await post(port, body)
    expect(status).toBe(400)
  })

  it('answers 413 to a larger one, and lives on', async () => {
    const port = await listen(new ServerFixture())
    const { status, headers, body } = await post(port, Buffer.alloc(8 * 1024 * 1024 + 1))
    expect(status).toBe(413)
    expect(headers['x-amzn-errortype']).toBe('RequestEntityTooLargeException')
    expect(JSON.parse(body).Message).toBe('The request body is larger than 8388608 bytes')
    expect((await post(port, '{}')).status).toBe(400)
  })

  it('breaks off a body without end', async () => {
    const fixture = new ServerFixture({
      limits: { bodyBytesMax: 1000, discardedBytesMax: 100_000 },
    })
    const port = await listen(fixture)
    await expect(post(port, Buffer.alloc(10 * 1024 * 1024))).rejects.toThrow()
  })

  it('holds no more bytes of bodies than it may, and lets go of those of clients that leave', async () => {
    const fixture = new ServerFixture({ limits: { bodyBytesInFlightMax: 100 } })
    const port = await listen(fixture)
    const slow = connect(port, '127.0.0.1')
    slow.on('error', () => undefined)
    const head = 'POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: QLDBSession.SendCommand\r\n'
    slow.write(`${head}content-length: 90\r\n\r\n${' '.repeat(89)}`)
    const big = `{"StartSession":{"LedgerName":"${'x'.repeat(30)}"}}`
    const status = async () => (await post(port, big)).status
    await expect.poll(status).toBe(503)
    slow.destroy()
    await expect.poll(status).toBe(400)
  })

  it('asks clients to leave while it closes', async () => {
    const fixture = new ServerFixture()
    const port = await listen(fixture)
    await fixture.server.close()
    const { status, headers } = await post(port, '{}')
    expect(status).toBe(503)
    expect(headers['connection']).toBe('close')
  })
})
