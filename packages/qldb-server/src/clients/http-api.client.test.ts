/** Cairn's own HTTP API over real sockets, by fetch and by a TLS client of Node, over the real engine. */
import { connect } from 'node:tls'
import { signRequest } from '@cairn/aws-protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { schemaErrors } from '../testing/json-schema.ts'
import { LiveServer } from './live-server.ts'

interface Reply {
  readonly status: number
  readonly contentType: string | null
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of any shape.
  readonly body: any
}

let live: LiveServer

beforeAll(async () => {
  live = await LiveServer.start()
})

afterAll(async () => {
  expect(live.logged).toEqual([])
  await live.close()
})

async function transact(ledgerName: string, body: object | string): Promise<Reply> {
  const response = await fetch(`${live.endpoint}/v1/ledgers/${ledgerName}/transactions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const contentType = response.headers.get('content-type')
  return { status: response.status, contentType, body: await response.json() }
}

/** The rows of the last statement. */
async function rowsOf(ledgerName: string, statement: string, ...parameters: unknown[]) {
  const { body } = await transact(ledgerName, { statements: [{ statement, parameters }] })
  if (body.results === undefined) throw new Error(JSON.stringify(body))
  return body.results.at(-1).rows
}

describe('transactions', () => {
  it('answer the examples of the OpenAPI document as it says', async () => {
    const response = await fetch(`${live.endpoint}/v1/openapi.json`)
    expect(response.headers.get('content-type')).toBe('application/json')
    // biome-ignore lint/suspicious/noExplicitAny: a document of any shape is walked.
    const document = (await response.json()) as any
    const operation = document.paths['/v1/ledgers/{name}/transactions'].post
    const { examples } = operation.requestBody.content['application/json']
    const ledgerName = await live.createLedger(operation.parameters[0].example)
    const { schema } = operation.responses['200'].content['application/json']
    const answers: Reply[] = []
    for (const { value } of Object.values<{ value: object }>(examples)) {
      const answer = await transact(ledgerName, value)
      expect(answer.status, JSON.stringify(answer.body)).toBe(200)
      expect(schemaErrors(document, schema, answer.body)).toEqual([])
      answers.push(answer)
    }
    const [created, inserted, updated, selected] = answers
    expect(created?.body.results).toHaveLength(2)
    expect(inserted?.body.blockAddress.sequenceNo).toBeGreaterThan(
      created?.body.blockAddress.sequenceNo,
    )
    expect(updated?.body.results[1].rows).toEqual([{ Mileage: 41987, TaxDue: 184.5 }])
    expect(selected?.body.blockAddress).toBeNull()
    expect(selected?.body.results[0].rows[0]).toContain('Registered:2024-03-01T09:30:00.000Z')

    const { sequenceNo } = inserted?.body.blockAddress ?? {}
    expect((await transact(ledgerName, examples.insert.value)).body.blockAddress.sequenceNo).toBe(
      sequenceNo,
    )
    const broken = await transact(ledgerName, { statements: [{ statement: 'SELEC 1' }] })
    const described = operation.responses['400'].content['application/problem+json']
    expect(broken.contentType).toBe('application/problem+json')
    expect(schemaErrors(document, described.schema, broken.body)).toEqual([])
    // The words of the detail are PartiQL's.
    const { requestId: _, detail: __, ...example } = described.example
    expect(broken.body).toMatchObject(example)
  })

  it('keep every digit', async () => {
    const name = await live.createLedger('http-digits')
    await rowsOf(name, 'CREATE TABLE T')
    const text =
      '{"big":123456789012345678901234567890,"money":1234567890123456789.10,"list":[1e-7]}'
    await transact(name, `{"statements":[{"statement":"INSERT INTO T ?","parameters":[${text}]}]}`)
    const response = await fetch(`${live.endpoint}/v1/ledgers/${name}/transactions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ statements: [{ statement: 'SELECT * FROM T' }] }),
    })
    const answer = await response.text()
    expect(answer).toContain('"big":123456789012345678901234567890')
    expect(answer).toContain('"money":1234567890123456789.10')
    expect(answer).toContain('"list":[1e-7]')
  })

  it('take effect whole or not at all', async () => {
    const name = await live.createLedger('http-atomic')
    await rowsOf(name, 'CREATE TABLE T')
    const failed = await transact(name, {
      statements: [
        { statement: 'INSERT INTO T ?', parameters: [{ a: 1 }] },
        { statement: 'INSERT INTO Nothing ?', parameters: [{ a: 1 }] },
      ],
    })
    expect(failed.status).toBe(400)
    expect(failed.body.statementIndex).toBe(1)
    expect(await rowsOf(name, 'SELECT * FROM T')).toEqual([])
  })

  it('that meet are all done, each once', async () => {
    const name = await live.createLedger('http-meeting')
    await rowsOf(name, 'CREATE TABLE T')
    await rowsOf(name, 'CREATE INDEX ON T (id)')
    await rowsOf(name, 'INSERT INTO T ?', { id: 1, n: 0 })
    const increments = Array.from({ length: 4 }, () =>
      transact(name, {
        statements: [{ statement: 'UPDATE T SET n = n + 1 WHERE id = ?', parameters: [1] }],
      }),
    )
    const statuses = (await Promise.all(increments)).map(({ status }) => status)
    const done = statuses.filter((status) => status === 200).length
    expect(statuses.every((status) => status === 200 || status === 409)).toBe(true)
    expect(await rowsOf(name, 'SELECT VALUE n FROM T')).toEqual([done])
    expect(done).toBeGreaterThan(0)
  })

  it('are seen by the driver, and see what it did', async () => {
    const name = await live.createLedger('http-driver')
    const driver = live.driver(name)
    await driver.executeLambda((txn) => txn.execute('CREATE TABLE T'))
    await driver.executeLambda((txn) => txn.execute('INSERT INTO T ?', { from: 'driver' }))
    await rowsOf(name, 'INSERT INTO T ?', { from: 'http' })
    const result = await driver.executeLambda((txn) => txn.execute('SELECT VALUE "from" FROM T'))
    expect(result.getResultList().map(String).sort()).toEqual(['driver', 'http'])
    expect(await rowsOf(name, 'SELECT VALUE "from" FROM T')).toHaveLength(2)
  })

  it('give more rows than a page of the session API has', async () => {
    const name = await live.createLedger('http-rows')
    await rowsOf(name, 'CREATE TABLE T')
    for (let batch = 0; batch < 13; batch++) {
      const documents = Array.from({ length: 40 }, (_, no) => ({ nr: batch * 40 + no }))
      await rowsOf(name, 'INSERT INTO T ?', documents)
    }
    const rows = await rowsOf(name, 'SELECT VALUE nr FROM T')
    expect(rows.sort((a: number, b: number) => a - b)).toEqual([...Array(520).keys()])
  })

  it('tell of a ledger that is not there', async () => {
    const { status, body } = await transact('nowhere', { statements: [{ statement: 'x' }] })
    expect(status).toBe(404)
    expect(body).toMatchObject({ code: 'LEDGER_NOT_FOUND', remedy: expect.any(String) })
  })
})

describe('over https', () => {
  it('speaks HTTP/1.1 by ALPN, to a client that knows nothing of HTTP', async () => {
    const { hostname, port } = new URL(live.tlsEndpoint)
    const socket = connect({
      host: hostname,
      port: Number(port),
      ca: live.ca,
      ALPNProtocols: ['h2', 'http/1.1'],
    })
    let received = ''
    socket.on('data', (piece) => {
      received += piece
    })
    socket.write('HEAD /v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n')
    socket.write('GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    await new Promise((resolve) => socket.once('end', resolve))
    expect(socket.alpnProtocol).toBe('http/1.1')
    expect(received).toMatch(/^HTTP\/1.1 200 OK\r\n.*\r\n\r\nHTTP\/1.1 200 OK\r\n.*"3\.1\.0"/s)
  })
})

describe('signed', () => {
  it('are taken with a key of the server, and refused otherwise', async () => {
    const secretAccessKey = 'a secret for this test'
    const signed = await LiveServer.start({
      auth: { mode: 'sigv4', lookup: (id) => (id === 'AKID' ? { secretAccessKey } : undefined) },
    })
    try {
      const name = await signed.createLedger('L')
      const url = `${signed.endpoint}/v1/ledgers/${name}/transactions`
      const body = JSON.stringify({ statements: [{ statement: 'CREATE TABLE T' }] })
      const send = async (secret: string) => {
        const headers = signRequest({
          method: 'POST',
          url,
          headers: { 'content-type': 'application/json' },
          body,
          accessKeyId: 'AKID',
          secretAccessKey: secret,
          region: 'eu-central-1',
          service: 'qldb',
          nowMs: Date.now(),
        })
        // fetch sets it by itself, to the same.
        const { host: _, ...sent } = headers
        return fetch(url, { method: 'POST', headers: sent, body })
      }
      expect((await send('another')).status).toBe(403)
      expect((await send(secretAccessKey)).status).toBe(200)
      const unsigned = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      expect(unsigned.status).toBe(401)
    } finally {
      await signed.close()
    }
  })
})
