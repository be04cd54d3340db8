import { signRequest } from '@cairn/aws-protocol'
import { decodeIon, formatIon } from '@cairn/ion'
import { describe, expect, it } from 'vitest'
import { ServerFixture } from '../testing/server-fixture.ts'

const json = { 'content-type': 'application/json' }
const path = '/v1/ledgers/L/transactions'

async function start(options: ConstructorParameters<typeof ServerFixture>[0] = {}) {
  const fixture = new ServerFixture(options)
  await fixture.host.createLedger({ name: 'L' })
  const ledger = fixture.host.getLedger('L')
  const transact = (body: string | object) => fixture.request('POST', path, body, json)
  return { fixture, ledger, transact }
}

const run = (...statements: string[]) => ({
  statements: statements.map((statement) => ({ statement })),
})

describe('POST /v1/ledgers/{name}/transactions', () => {
  it('runs all statements in one transaction and commits it', async () => {
    const { ledger, transact } = await start()
    const answer = await transact(run('ROWS 3', 'nothing', 'ROWS 1'))
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['x-amzn-RequestId']).toMatch(/^[0-9A-Za-z]{22}$/)
    expect(ledger.transactions).toHaveLength(1)
    expect(ledger.transactions[0]?.state).toBe('committed')
    expect(ledger.transactions[0]?.statements).toEqual(['ROWS 3', 'nothing', 'ROWS 1'])
    expect(answer.body).toEqual({
      transactionId: ledger.transactions[0]?.id,
      blockAddress: null,
      commitDigest: Buffer.alloc(32).toString('base64'),
      results: [{ rows: [0, 1, 2] }, { rows: [] }, { rows: [0] }],
    })
  })

  it('gives a result of many pages whole, in either format', async () => {
    const { transact } = await start()
    const { body } = await transact(run('ROWS 450'))
    expect(body.results[0].rows).toHaveLength(450)
    const ion = await transact({ ...run('ROWS 2'), format: 'ion' })
    expect(ion.body.results).toEqual([{ rows: ['0', '1'] }])
  })

  it('hands parameters on as they are', async () => {
    const { ledger, transact } = await start()
    await transact(
      '{"statements":[{"statement":"x","parameters":' +
        '[12345678901234567890,1.50,{"d":{"$ion":"2024T"}},null]}]}',
    )
    const given = ledger.transactions[0]?.parameters[0] ?? []
    expect(given.map((bytes) => formatIon(decodeIon(bytes)).replaceAll(' ', ''))).toEqual([
      '12345678901234567890',
      '1.50',
      '{d:2024T}',
      'null',
    ])
  })

  it('aborts at the first statement that fails, and says which', async () => {
    const { ledger, transact } = await start()
    const { status, headers, body } = await transact(run('ROWS 1', 'FAIL Car', 'ROWS 1'))
    expect(status).toBe(400)
    expect(headers['content-type']).toBe('application/problem+json')
    expect(body).toEqual({
      type: 'urn:cairn:error:TABLE_NOT_FOUND',
      title: 'No such table',
      status: 400,
      detail: 'TABLE_NOT_FOUND happened.',
      code: 'TABLE_NOT_FOUND',
      remedy: 'Create the table, or correct its name.',
      statementIndex: 1,
      requestId: headers['x-amzn-RequestId'],
    })
    expect(ledger.transactions.map(({ state }) => state)).toEqual(['aborted'])
    expect(ledger.transactions[0]?.statements).toEqual(['ROWS 1', 'FAIL Car'])
  })

  it('repeats a transaction that meets others, and not for ever', async () => {
    const { ledger, transact } = await start()
    const { status, body } = await transact(run('FAIL OCC_CONFLICT'))
    expect(status).toBe(409)
    expect(body.code).toBe('OCC_CONFLICT')
    expect(ledger.transactions.map(({ state }) => state)).toEqual(Array(5).fill('aborted'))
  })

  it('does not repeat other failures', async () => {
    const { ledger, transact } = await start()
    expect((await transact(run('FAIL TRANSACTION_EXPIRED'))).status).toBe(422)
    expect(ledger.transactions).toHaveLength(1)
  })

  it('bounds what an answer holds', async () => {
    const { ledger, transact } = await start({ limits: { resultBytesMax: 60 } })
    expect((await transact(run('ROWS 5', 'ROWS 5'))).status).toBe(200)
    const { status, body } = await transact(run('ROWS 5', 'ROWS 6'))
    expect(status).toBe(422)
    expect(body).toMatchObject({ code: 'RESULT_TOO_LARGE', statementIndex: 1 })
    expect(ledger.transactions[1]?.state).toBe('aborted')
  })

  it('tells nothing of an internal error, and logs it', async () => {
    const { fixture, transact } = await start()
    const { status, body, headers } = await transact(run('CRASH'))
    expect(status).toBe(500)
    expect(body.code).toBe('INTERNAL')
    expect(JSON.stringify(body)).not.toContain('secret')
    expect(fixture.logged).toHaveLength(1)
    expect(fixture.logged[0]).toContain('secret detail')
    expect(fixture.logged[0]).toContain(headers['x-amzn-RequestId'])
  })

  it.each([
    ['no JSON', 'nonsense', 'not JSON'],
    ['no body', '', 'not JSON'],
    ['no object', '[]', 'must be an object'],
    ['no statements', '{}', 'statements is missing'],
    ['statements that are none', '{"statements":{}}', 'statements must be an array'],
    ['an empty list', '{"statements":[]}', '1 to 100'],
    ['too many', JSON.stringify(run(...Array(101).fill('x'))), '1 to 100'],
    ['a text', '{"statements":["SELECT"]}', 'statements[0] must be an object'],
    ['no text', '{"statements":[{"parameters":[]}]}', 'statements[0].statement is missing'],
    ['a number', '{"statements":[{"statement":1}]}', 'statements[0].statement must be a string'],
    [
      'parameters that are no list',
      '{"statements":[{"statement":"x","parameters":{}}]}',
      'statements[0].parameters must be an array',
    ],
    [
      'a misspelt member',
      '{"statements":[{"statement":"x","params":[]}]}',
      'a member that is not known: "params"',
    ],
    ['a member twice', '{"format":"json","format":"ion"}', 'a member twice'],
    ['an unknown member', '{"statements":[{"statement":"x"}],"a":1}', 'not known: "a"'],
    ['an unknown format', JSON.stringify({ ...run('x'), format: 'xml' }), '"json" or "ion"'],
    ['a long key', JSON.stringify({ ...run('x'), idempotencyKey: 'k'.repeat(129) }), '1 to 128'],
    ['an empty key', JSON.stringify({ ...run('x'), idempotencyKey: '' }), '1 to 128'],
    ['a key that is no text', JSON.stringify({ ...run('x'), idempotencyKey: 7 }), 'a string'],
  ])('refuses %s', async (_, body, detail) => {
    const { ledger, transact } = await start()
    const answer = await transact(body)
    expect(answer.status).toBe(400)
    expect(answer.body.code).toBe('REQUEST_INVALID')
    expect(answer.body.detail).toContain(detail)
    expect(ledger.transactions).toEqual([])
  })

  it.each(['text/plain', 'application/json5', 'application/x-www-form-urlencoded', undefined])(
    'refuses the content type %s, which a web page may send unasked',
    async (contentType) => {
      const { fixture, ledger } = await start()
      const headers: Record<string, string> =
        contentType === undefined ? {} : { 'content-type': contentType }
      const { status, body } = await fixture.request('POST', path, run('ROWS 1'), headers)
      expect(status).toBe(415)
      expect(body.code).toBe('CONTENT_TYPE_UNKNOWN')
      expect(ledger.transactions).toEqual([])
    },
  )

  it('takes a content type with parameters', async () => {
    const { fixture } = await start()
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' }
    expect((await fixture.request('POST', path, run('ROWS 1'), headers)).status).toBe(200)
  })

  it('knows no ledger that is not there', async () => {
    const { fixture } = await start()
    const { status, body } = await fixture.request(
      'POST',
      '/v1/ledgers/none/transactions',
      run('x'),
      json,
    )
    expect(status).toBe(404)
    expect(body.code).toBe('LEDGER_NOT_FOUND')
  })
})

describe('idempotency keys', () => {
  const keyed = (statement: string, idempotencyKey = 'k') => ({
    ...run(statement),
    idempotencyKey,
  })

  it('give the first answer again', async () => {
    const { ledger, transact } = await start()
    const first = await transact(keyed('ROWS 1'))
    const again = await transact(keyed('ROWS 1'))
    expect(again.body).toEqual(first.body)
    expect(ledger.transactions).toHaveLength(1)
    await transact(keyed('ROWS 1', 'other'))
    expect(ledger.transactions).toHaveLength(2)
  })

  it('are for one body', async () => {
    const { transact } = await start()
    await transact(keyed('ROWS 1'))
    const { status, body } = await transact(keyed('ROWS 2'))
    expect(status).toBe(422)
    expect(body.code).toBe('IDEMPOTENCY_KEY_REUSED')
  })

  it('make those wait who come meanwhile', async () => {
    const { fixture, ledger, transact } = await start()
    fixture.host.closeGate()
    const answers = [transact(keyed('WAIT')), transact(keyed('WAIT'))]
    fixture.host.openGate()
    const [first, second] = await Promise.all(answers)
    expect(first?.status).toBe(200)
    expect(second?.body).toEqual(first?.body)
    expect(ledger.transactions).toHaveLength(1)
  })

  it('are free again after a failure', async () => {
    const { transact } = await start()
    expect((await transact(keyed('FAIL Car'))).status).toBe(400)
    expect((await transact(keyed('ROWS 1'))).status).toBe(200)
  })

  it('belong to a ledger, not to its name', async () => {
    const { fixture, transact } = await start()
    await transact(keyed('ROWS 1'))
    await fixture.host.updateLedger('L', { isDeletionProtected: false })
    await fixture.host.deleteLedger('L')
    await fixture.host.createLedger({ name: 'L' })
    expect((await transact(keyed('ROWS 1'))).status).toBe(200)
    expect(fixture.host.getLedger('L').transactions).toHaveLength(1)
  })
})

describe('methods and paths', () => {
  it('describes itself without a signature', async () => {
    const { fixture } = await start({ auth: { mode: 'sigv4', lookup: () => undefined } })
    const { status, body } = await fixture.request('GET', '/v1/openapi.json')
    expect(status).toBe(200)
    expect(body.openapi).toBe('3.1.0')
    expect((await fixture.request('HEAD', '/v1/openapi.json')).status).toBe(200)
  })

  it('tells which methods a path has', async () => {
    const { fixture } = await start()
    const refused = await fixture.request('GET', path)
    expect(refused.status).toBe(405)
    expect(refused.headers['allow']).toBe('POST, OPTIONS')
    expect(refused.body.code).toBe('METHOD_NOT_ALLOWED')
    const options = await fixture.request('OPTIONS', '/v1/openapi.json')
    expect(options).toMatchObject({ status: 204, text: '' })
    expect(options.headers['allow']).toBe('GET, HEAD, OPTIONS')
    // No permission for pages of other origins.
    expect(Object.keys(options.headers).join()).not.toMatch(/access-control/i)
    expect((await fixture.request('DELETE', '/v1/openapi.json')).status).toBe(405)
  })

  it.each(['/v1/', '/v1/ledgers', '/v1/ledgers//transactions', '/v1/openapi.json/x'])(
    'has nothing at %s',
    async (unknown) => {
      const { fixture } = await start()
      const { status, body } = await fixture.request('GET', unknown)
      expect(status).toBe(404)
      expect(body.code).toBe('OPERATION_UNKNOWN')
    },
  )

  it('refuses a path that is not percent-encoded', async () => {
    const { fixture } = await start()
    const { body } = await fixture.request('POST', '/v1/ledgers/%ff/transactions', '', json)
    expect(body).toMatchObject({ status: 400, code: 'PATH_INVALID' })
  })
})

describe('access', () => {
  const secretAccessKey = 'secret a'
  const auth = {
    mode: 'sigv4',
    lookup: (id: string) => (id === 'AKIDA' ? { secretAccessKey } : undefined),
  } as const

  it('takes requests signed for qldb, and no others', async () => {
    const { fixture, ledger } = await start({ auth })
    const body = JSON.stringify(run('ROWS 1'))
    const signed = (changes: object) =>
      signRequest({
        method: 'POST',
        host: 'localhost',
        path,
        headers: json,
        body,
        accessKeyId: 'AKIDA',
        secretAccessKey,
        region: 'us-east-1',
        service: 'qldb',
        nowMs: fixture.clock.nowMs(),
        ...changes,
      })
    const send = (headers: Record<string, string>, text = body) =>
      fixture.request('POST', path, text, headers)
    expect((await send(signed({}))).status).toBe(200)

    const unsigned = await send(json)
    expect(unsigned).toMatchObject({ status: 401, body: { code: 'SIGNATURE_MISSING' } })
    expect(unsigned.headers['www-authenticate']).toBe('AWS4-HMAC-SHA256')
    for (const [headers, code] of [
      [signed({ accessKeyId: 'AKIDX' }), 'ACCESS_KEY_UNKNOWN'],
      [signed({ secretAccessKey: 'wrong' }), 'SIGNATURE_MISMATCH'],
      [signed({ path: '/v1/ledgers/M/transactions' }), 'SIGNATURE_MISMATCH'],
      [signed({ nowMs: 0 }), 'SIGNATURE_EXPIRED'],
    ] as const) {
      const refused = await send(headers)
      expect(refused).toMatchObject({ status: 403, body: { code } })
      expect(refused.text).not.toMatch(/secret a|wrong/)
    }
    const changed = await send(signed({}), `${body} `)
    expect(changed.body).toMatchObject({ status: 403, code: 'BODY_HASH_MISMATCH' })
    expect((await send(signed({ service: 's3' }))).body.code).toBe('SIGNATURE_INCOMPLETE')
    expect(ledger.transactions).toHaveLength(1)
  })

  it('asks the authorizer before it looks at the ledger', async () => {
    const asked: string[] = []
    const authorizer = {
      isAllowed: (_: unknown, action: string, resource: string) => {
        asked.push(`${action} ${resource}`)
        return false
      },
    }
    const { fixture } = await start({ authorizer })
    const unknown = '/v1/ledgers/none/transactions'
    const { status, body } = await fixture.request('POST', unknown, run('ROWS 1'), json)
    expect(status).toBe(403)
    expect(body.code).toBe('ACCESS_DENIED')
    expect(asked).toEqual(['qldb:SendCommand arn:aws:qldb:us-east-1:000000000000:ledger/none'])
  })

  it('keeps keys of different identities apart', async () => {
    const { fixture, ledger } = await start({
      auth: { mode: 'sigv4', lookup: () => ({ secretAccessKey }) },
    })
    const body = JSON.stringify({ ...run('ROWS 1'), idempotencyKey: 'k' })
    for (const accessKeyId of ['AKIDA', 'AKIDB', 'AKIDA']) {
      const headers = signRequest({
        method: 'POST',
        host: 'localhost',
        path,
        headers: json,
        body,
        accessKeyId,
        secretAccessKey,
        region: 'us-east-1',
        service: 'qldb',
        nowMs: fixture.clock.nowMs(),
      })
      expect((await fixture.request('POST', path, body, headers)).status).toBe(200)
    }
    expect(ledger.transactions).toHaveLength(2)
  })

  it('tells clients of a busy or closing server to come back', async () => {
    const { fixture, transact } = await start()
    await fixture.server.close()
    const { status, headers, body } = await transact(run('ROWS 1'))
    expect(status).toBe(503)
    expect(headers['retry-after']).toBe('1')
    expect(body.code).toBe('SERVER_CLOSING')
  })
})
