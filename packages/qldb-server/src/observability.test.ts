import { type Metrics, noMetrics, type Span, type Tracer } from '@cairn/core'
import { describe, expect, it } from 'vitest'
import { ServerFixture } from './testing/server-fixture.ts'

/** Counts what is told, by name and labels. */
function recordingMetrics() {
  const counts = new Map<string, number>()
  const note = (name: string, labels: object = {}) => {
    const key = [name, ...Object.values(labels)].join(' ')
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const gauges = new Map<string, () => number>()
  const metrics: Metrics = {
    ...noMetrics,
    counter: (name, _help, labels) => ({ add: () => note(name, labels) }),
    histogram: (name, _help, _bounds, labels) => ({ observe: () => note(name, labels) }),
    gauge: (name, _help, read) => {
      gauges.set(name, read)
    },
  }
  return { metrics, counts, gauges }
}

describe('requests', () => {
  it('are counted by operation and status, and their faults by name', async () => {
    const { metrics, counts, gauges } = recordingMetrics()
    const fixture = new ServerFixture({ metrics })
    const token = await fixture.startSession()
    const id = await fixture.startTransaction(token)
    await fixture.execute(token, id, 'ROWS 1')
    await fixture.execute(token, id, 'FAIL TABLE')
    await fixture.execute(token, id, 'CRASH')
    await fixture.request('GET', '/ledgers/L')
    await fixture.request('GET', '/ledgers/absent')
    await fixture.request('GET', '/no/such/path')
    await fixture.request('GET', '/v1/openapi.json')
    await fixture.request('POST', '/v1/ledgers/absent/transactions', {}, { 'content-type': 'a/b' })
    expect(Object.fromEntries(counts)).toEqual({
      'cairn_request_seconds StartSession 200': 1,
      'cairn_request_seconds StartTransaction 200': 1,
      'cairn_request_seconds ExecuteStatement 200': 1,
      'cairn_request_seconds ExecuteStatement 400': 1,
      'cairn_request_seconds ExecuteStatement 500': 1,
      'cairn_request_seconds DescribeLedger 200': 1,
      'cairn_request_seconds DescribeLedger 404': 1,
      'cairn_request_seconds unknown 404': 1,
      'cairn_request_seconds DescribeHttpApi 200': 1,
      'cairn_request_seconds Transact 415': 1,
      'cairn_request_faults_total BadRequestException': 1,
      'cairn_request_faults_total InternalFailure': 1,
      'cairn_request_faults_total ResourceNotFoundException': 1,
      'cairn_request_faults_total UnknownOperationException': 1,
      'cairn_request_faults_total CONTENT_TYPE_UNKNOWN': 1,
    })
    expect(gauges.get('cairn_sessions')?.()).toBe(1)
    expect(gauges.get('cairn_requests_running')?.()).toBe(0)
  })

  it('are one span each, which ends failed for an internal error only', async () => {
    const spans: string[] = []
    const tracer: Tracer = {
      startRequest(name, headers): Span {
        const facts = [name, headers['traceparent'] ?? '-']
        return {
          set: (key, value) => {
            if (key !== 'cairn.request_id') facts.push(value)
          },
          end: (error) => spans.push([...facts, error ?? 'ok'].join(' ')),
        }
      },
    }
    const fixture = new ServerFixture({ tracer })
    const token = await fixture.startSession()
    const id = await fixture.startTransaction(token)
    await fixture.execute(token, id, 'FAIL TABLE')
    await fixture.execute(token, id, 'CRASH')
    await fixture.request('GET', '/ledgers/absent', '', { traceparent: '00-1' })
    expect(spans).toEqual([
      'session - StartSession L 200 ok',
      'session - StartTransaction L 200 ok',
      'session - ExecuteStatement L 400 ok',
      'session - ExecuteStatement L 500 the request failed',
      'control 00-1 DescribeLedger absent 404 ok',
    ])
  })
})

describe('the log', () => {
  it('has slow statements with their literals masked, once, and never parameters', async () => {
    const fixture = new ServerFixture({ slowStatementMsMin: 2 })
    const token = await fixture.startSession()
    const id = await fixture.startTransaction(token)
    // A page of the fake takes 1 ms.
    const first = await fixture.execute(token, id, 'ROWS 500')
    expect(fixture.logged).toEqual([])
    let page = first.body.ExecuteStatement.FirstPage
    let requestId = ''
    for (let pageNo = 2; page.NextPageToken !== undefined; pageNo++) {
      const answer = await fixture.send({
        SessionToken: token,
        FetchPage: { TransactionId: id, NextPageToken: page.NextPageToken },
      })
      page = answer.body.FetchPage.Page
      if (pageNo === 2) requestId = answer.headers['x-amzn-RequestId'] ?? ''
    }
    expect(fixture.logged).toEqual([
      `warn slow statement ${JSON.stringify({
        requestId,
        ledger: 'L',
        transactionId: id,
        ms: 2,
        rows: 400,
        accesses: [],
        statement: 'ROWS ?',
      })}`,
    ])
  })

  it('has slow statements that failed, and those of the HTTP API', async () => {
    const fixture = new ServerFixture({ slowStatementMsMin: 0 })
    const token = await fixture.startSession()
    const id = await fixture.startTransaction(token)
    await fixture.execute(token, id, 'FAIL TABLE')
    const body = { statements: [{ statement: "ROWS 3 'secret'", parameters: [] }] }
    const headers = { 'content-type': 'application/json' }
    const answer = await fixture.request('POST', '/v1/ledgers/L/transactions', body, headers)
    expect(answer.status).toBe(200)
    const [failed, other] = fixture.logged
    expect(failed).toContain('"error":"TABLE_NOT_FOUND"')
    expect(other).toContain(answer.headers['x-amzn-RequestId'] ?? 'none')
    expect(other).toContain('"rows":3')
    expect(other).not.toContain('secret')
  })

  it('has the request id, the operation and the ledger of an internal error', async () => {
    const fixture = new ServerFixture()
    const token = await fixture.startSession()
    const id = await fixture.startTransaction(token)
    const { headers } = await fixture.execute(token, id, 'CRASH')
    const [line = ''] = fixture.logged
    expect(line).toContain(`"requestId":"${headers['x-amzn-RequestId']}"`)
    expect(line).toContain('"operation":"ExecuteStatement","ledger":"L"')
  })
})
