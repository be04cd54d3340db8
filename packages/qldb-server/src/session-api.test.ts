import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ionByte, ledgerError } from './testing/fake-host.ts'
import { ServerFixture } from './testing/server-fixture.ts'

const digest = '6SQvQzH2qw8rK3aWy4b+M9XrQ+0L+3LJWnCH5sPs/6Y='
const minute = 60_000

const commit = (token: string, transactionId: string, commitDigest = digest) => ({
  SessionToken: token,
  CommitTransaction: { TransactionId: transactionId, CommitDigest: commitDigest },
})
const abort = (token: string) => ({ SessionToken: token, AbortTransaction: {} })
const fetchPage = (token: string, transactionId: string, pageToken: string) => ({
  SessionToken: token,
  FetchPage: { TransactionId: transactionId, NextPageToken: pageToken },
})

async function openTransaction(fixture = new ServerFixture()) {
  const token = await fixture.startSession()
  const id = await fixture.startTransaction(token)
  const transaction = fixture.host.getLedger('L').transactions.at(-1)
  if (transaction === undefined) throw new Error('no transaction was started')
  return { fixture, token, id, transaction }
}

describe('sessions', () => {
  it('gives a URL-safe token and ends with it', async () => {
    const fixture = new ServerFixture()
    await fixture.host.createLedger({ name: 'vehicle-registration' })
    const started = await fixture.send('{"StartSession":{"LedgerName":"vehicle-registration"}}')
    expect(started.status).toBe(200)
    expect(started.headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-RequestId': expect.stringMatching(/^[0-9A-Za-z]{22}$/),
    })
    const { SessionToken, TimingInformation } = started.body.StartSession
    expect(SessionToken).toMatch(/^[0-9A-Za-z_-]{22,}$/)
    expect(TimingInformation).toEqual({ ProcessingTimeMilliseconds: 0 })

    const ended = await fixture.send({ EndSession: {}, SessionToken })
    expect(ended.body).toEqual({
      EndSession: { TimingInformation: { ProcessingTimeMilliseconds: 0 } },
    })
    const after = await fixture.send({ EndSession: {}, SessionToken })
    expect(after.headers['x-amzn-ErrorType']).toBe('InvalidSessionException')
    expect(after.body).toEqual({ __type: 'InvalidSessionException', Message: 'No such session' })
  })

  it('refuses an unknown ledger', async () => {
    const answer = await new ServerFixture().send({ StartSession: { LedgerName: 'nope' } })
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({
      __type: 'BadRequestException',
      Message: 'The Ledger with name nope is not found',
    })
  })

  it('aborts the open transaction at the end of the session', async () => {
    const { fixture, token, transaction } = await openTransaction()
    await fixture.send({ SessionToken: token, EndSession: {} })
    expect(transaction.state).toBe('aborted')
  })

  it('expires after its life, says so, and is forgotten later', async () => {
    const limits = { sessionMsMax: 15 * minute, sessionIdleMsMax: 20 * minute }
    const { fixture, token, transaction } = await openTransaction(
      new ServerFixture({ limits: { ...limits, expiredSessionCountMax: 1 } }),
    )
    fixture.clock.advance(15 * minute - 1)
    expect((await fixture.send(abort(token))).status).toBe(200)
    fixture.clock.advance(1)
    const expired = await fixture.send(abort(token))
    expect(expired.status).toBe(400)
    expect(expired.body.__type).toBe('InvalidSessionException')
    expect(expired.body.Message).toMatch(/^Session [0-9A-Za-z]{22} has expired$/)
    expect(expired.body.Message).not.toContain(token)
    expect(transaction.state).toBe('aborted')
    expect((await fixture.send(abort(token))).body.Message).toBe(expired.body.Message)

    const other = await fixture.startSession()
    fixture.clock.advance(15 * minute)
    expect((await fixture.send(abort(other))).body.Message).toMatch(/has expired$/)
    expect((await fixture.send(abort(token))).body.Message).toBe('No such session')
  })

  it('expires unused before its life is over', async () => {
    const fixture = new ServerFixture({ limits: { sessionIdleMsMax: minute } })
    const token = await fixture.startSession()
    for (let i = 0; i < 3; i++) {
      fixture.clock.advance(minute - 1)
      expect((await fixture.send(abort(token))).status).toBe(200)
    }
    fixture.clock.advance(minute)
    expect((await fixture.send(abort(token))).body.Message).toMatch(/^Session .* has expired$/)
  })

  it('counts per ledger, and makes room when sessions expire or end', async () => {
    const limits = { activeSessionCountMax: 2, sessionIdleMsMax: minute }
    const fixture = new ServerFixture({ limits })
    const first = await fixture.startSession()
    await fixture.startSession()
    const refused = await fixture.send({ StartSession: { LedgerName: 'L' } })
    expect(refused.status).toBe(400)
    expect(refused.body).toEqual({
      __type: 'LimitExceededException',
      Message: 'The Ledger with name L has 2 active sessions, its most',
    })
    await fixture.host.createLedger({ name: 'M' })
    expect((await fixture.send({ StartSession: { LedgerName: 'M' } })).status).toBe(200)

    await fixture.send({ SessionToken: first, EndSession: {} })
    await fixture.startSession()
    fixture.clock.advance(minute)
    await fixture.startSession()
    await fixture.startSession()
  })
})

describe('SendCommand', () => {
  it.each([
    '{}',
    '{"SessionToken":"x"}',
    '{"StartSession":null}',
    '{"StartSession":[]}',
    '{"StartSession":{}}',
    '{"StartSession":{"LedgerName":1}}',
    '{"StartSession":{"LedgerName":"L"},"EndSession":{}}',
    '{"StartTransaction":{}}',
    '{"SessionToken":7,"StartTransaction":{}}',
    '{"SessionToken":"x","StartTransaction":{},"AbortTransaction":{}}',
  ])('refuses %s', async (body) => {
    const answer = await new ServerFixture().send(body)
    expect(answer.status).toBe(400)
    expect(answer.headers['x-amzn-ErrorType']).toBe('BadRequestException')
    expect(Object.keys(answer.body)).toEqual(['__type', 'Message'])
  })

  it.each(['', '{', 'null', '[1]', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`])(
    'calls %.20j a serialization error, unless it is empty',
    async (body) => {
      const answer = await new ServerFixture().send(body)
      expect(answer.status).toBe(400)
      expect(answer.body.__type).toBe(
        body === '' ? 'BadRequestException' : 'SerializationException',
      )
    },
  )

  it('knows one target, on one path, by one method', async () => {
    const fixture = new ServerFixture()
    const headers = { 'x-amz-target': 'QLDBSession.SendCommand' }
    for (const answer of [
      await fixture.send('{}', 'QLDBSession.Other'),
      await fixture.send('{}', 'DynamoDB_20120810.GetItem'),
      await fixture.request('GET', '/', '', headers),
      await fixture.request('POST', '/ledgers', '', headers),
    ]) {
      expect(answer.status).toBe(404)
      expect(answer.headers['x-amzn-ErrorType']).toBe('UnknownOperationException')
      expect(answer.body.__type).toBe('UnknownOperationException')
    }
  })

  it('does not mind the order of members, unknown ones, and null for absent', async () => {
    const fixture = new ServerFixture()
    const token = await fixture.startSession()
    const answer = await fixture.send({
      StartSession: null,
      Later: 1,
      StartTransaction: {},
      SessionToken: token,
    })
    expect(answer.body.StartTransaction.TransactionId).toHaveLength(22)
  })
})

describe('transactions', () => {
  it('runs captured commands and answers in the shape of the API', async () => {
    const { fixture, token, id, transaction } = await openTransaction()
    const executed = await fixture.send({
      ExecuteStatement: {
        Parameters: [{ IonBinary: '4AEA6oF4' }, { IonBinary: '4AEA6mqAD+SBgoOEhcMG' }],
        Statement: 'ROWS 2',
        TransactionId: id,
      },
      SessionToken: token,
    })
    expect(executed.text).toBe(
      '{"ExecuteStatement":{"FirstPage":{"Values":[{"IonBinary":"4AEA6iEA"},{"IonBinary":"4AEA6iEB"}]},' +
        '"TimingInformation":{"ProcessingTimeMilliseconds":1},"ConsumedIOs":{"ReadIOs":1,"WriteIOs":0}}}',
    )
    expect(
      transaction.parameters[0]?.map((bytes) => Buffer.from(bytes).toString('base64')),
    ).toEqual(['4AEA6oF4', '4AEA6mqAD+SBgoOEhcMG'])
    const committed = await fixture.send(commit(token, id))
    expect(committed.text).toBe(
      `{"CommitTransaction":{"TransactionId":"${id}","CommitDigest":"${digest}",` +
        '"TimingInformation":{"ProcessingTimeMilliseconds":3},"ConsumedIOs":{"ReadIOs":0,"WriteIOs":2}}}',
    )
    expect(transaction.state).toBe('committed')
  })

  it('always has FirstPage.Values', async () => {
    const { fixture, token, id } = await openTransaction()
    const { body } = await fixture.execute(token, id, 'ROWS 0')
    expect(body.ExecuteStatement.FirstPage).toEqual({ Values: [] })
  })

  it('takes IonText for IonBinary', async () => {
    const { fixture, token, id, transaction } = await openTransaction()
    const answer = await fixture.send({
      SessionToken: token,
      ExecuteStatement: {
        TransactionId: id,
        Statement: 'ROWS 0',
        Parameters: [{ IonText: ' 7 ' }, { IonText: '"x"', IonBinary: null }],
      },
    })
    expect(answer.status).toBe(200)
    expect(transaction.parameters[0]?.[0]).toEqual(ionByte(7))
  })

  it.each([
    ['BadRequestException', { Parameters: {} }],
    ['BadRequestException', { Parameters: [{}] }],
    ['BadRequestException', { Parameters: ['x'] }],
    ['BadRequestException', { Parameters: [{ IonText: '1', IonBinary: '4AEA6iEB' }] }],
    ['BadRequestException', { Parameters: [{ IonText: '{' }] }],
    ['BadRequestException', { Parameters: [{ IonText: '1 2' }] }],
    ['BadRequestException', { Parameters: [{ IonText: '' }] }],
    ['SerializationException', { Parameters: [{ IonBinary: '4AEA6iE' }] }],
    ['SerializationException', { Parameters: [{ IonBinary: 'no base64' }] }],
    ['BadRequestException', { Statement: 7 }],
    ['BadRequestException', { Statement: 'lone \ud800' }],
  ])('answers %s for %j', async (name, members) => {
    const { fixture, token, id } = await openTransaction()
    const answer = await fixture.send({
      SessionToken: token,
      ExecuteStatement: { TransactionId: id, Statement: 'ROWS 0', ...members },
    })
    expect(answer.body.__type).toBe(name)
    expect((await fixture.execute(token, id, 'ROWS 0')).status).toBe(200)
  })

  it('does not read Ion text much longer than a parameter may be', async () => {
    const { fixture, token, id } = await openTransaction()
    const digits = { IonText: '9'.repeat(1024 * 1024 + 1) }
    const { body } = await fixture.send({
      SessionToken: token,
      ExecuteStatement: { TransactionId: id, Statement: 'ROWS 0', Parameters: [digits] },
    })
    expect(body.__type).toBe('BadRequestException')
    expect(body.Message).toContain('IonText of parameter 1 is longer than 1048576 characters')
  })

  it('opens one at a time', async () => {
    const { fixture, token } = await openTransaction()
    const second = await fixture.send({ SessionToken: token, StartTransaction: {} })
    expect(second.body).toEqual({
      __type: 'BadRequestException',
      Message: 'Transaction already open',
    })
    await fixture.send(abort(token))
    await fixture.startTransaction(token)
  })

  it('aborts also when there is none', async () => {
    const { fixture, token, transaction } = await openTransaction()
    for (let i = 0; i < 3; i++) {
      const { status, body } = await fixture.send(abort(token))
      expect(status).toBe(200)
      expect(body).toEqual({
        AbortTransaction: { TimingInformation: { ProcessingTimeMilliseconds: 0 } },
      })
    }
    expect(transaction.state).toBe('aborted')
  })

  it('refuses commands that name another transaction', async () => {
    const { fixture, token, id } = await openTransaction()
    for (const answer of [
      await fixture.execute(token, 'other', 'ROWS 0'),
      await fixture.send(commit(token, 'other')),
      await fixture.send(fetchPage(token, 'other', 'x')),
    ]) {
      expect(answer.body).toEqual({
        __type: 'BadRequestException',
        Message: 'Transaction other is not open in this session',
      })
    }
    expect((await fixture.execute(token, id, 'ROWS 0')).status).toBe(200)
  })

  it('expires, tells so whatever names it, and leaves the session usable', async () => {
    const { fixture, token, id, transaction } = await openTransaction()
    fixture.clock.advance(30_000)
    for (const answer of [
      await fixture.execute(token, id, 'ROWS 0'),
      await fixture.send(commit(token, id)),
      await fixture.send(fetchPage(token, id, 'x')),
    ]) {
      expect(answer.status).toBe(400)
      expect(answer.headers['x-amzn-ErrorType']).toBe('InvalidSessionException')
      expect(answer.body.Message).toBe(`Transaction ${id} has expired`)
    }
    expect(transaction.state).toBe('aborted')
    expect((await fixture.send(abort(token))).status).toBe(200)
    await fixture.startTransaction(token)
  })

  it('starts a transaction in place of one that ran out of time', async () => {
    const { fixture, token, id } = await openTransaction()
    fixture.clock.advance(30_000)
    const next = await fixture.startTransaction(token)
    expect(next).not.toBe(id)
  })

  it('lets go of transactions whose clients went away', async () => {
    const { fixture, token, id, transaction } = await openTransaction()
    const other = await fixture.startSession()
    fixture.clock.advance(29_999)
    await fixture.startTransaction(other)
    expect(transaction.state).toBe('open')
    fixture.clock.advance(1000)
    await fixture.send(abort(other))
    await fixture.startTransaction(other)
    expect(transaction.state).toBe('aborted')
    const late = await fixture.execute(token, id, 'ROWS 0')
    expect(late.body.Message).toBe(`Transaction ${id} has expired`)
  })

  it('takes the word of the engine on expiry', async () => {
    const { fixture, token, id } = await openTransaction()
    for (let i = 0; i < 2; i++) {
      const { body } = await fixture.execute(token, id, 'FAIL TRANSACTION_EXPIRED')
      expect(body.Message).toBe(`Transaction ${id} has expired`)
    }
    await fixture.startTransaction(token)
  })

  it('closes the transaction at a conflict and keeps the session', async () => {
    const { fixture, token, id } = await openTransaction()
    const conflict = await fixture.execute(token, id, 'FAIL OCC_CONFLICT')
    expect(conflict.status).toBe(400)
    expect(conflict.headers['x-amzn-ErrorType']).toBe('OccConflictException')
    expect(conflict.body).toEqual({
      __type: 'OccConflictException',
      Message: 'Optimistic concurrency control failure',
    })
    await fixture.startTransaction(token)
  })

  it('keeps the transaction open after a statement that failed', async () => {
    const { fixture, token, id } = await openTransaction()
    const failed = await fixture.execute(token, id, 'FAIL Vehicle')
    expect(failed.body).toEqual({
      __type: 'BadRequestException',
      Message: 'TABLE_NOT_FOUND happened.',
    })
    expect((await fixture.send(commit(token, id))).status).toBe(200)
  })

  it('refuses a digest that does not match, or is none', async () => {
    const { fixture, token, id } = await openTransaction()
    const zeros = Buffer.alloc(32).toString('base64')
    const mismatch = await fixture.send(commit(token, id, zeros))
    expect(mismatch.body).toEqual({
      __type: 'BadRequestException',
      Message: `The commit digest does not match the statements of transaction ${id}`,
    })
    const next = await fixture.startTransaction(token)
    const refused = async (commitDigest: string) =>
      (await fixture.send(commit(token, next, commitDigest))).body.__type
    expect(await refused('AAAA')).toBe('BadRequestException')
    expect(await refused('!')).toBe('SerializationException')
    expect((await fixture.send(commit(token, next))).status).toBe(200)
  })

  it('answers a repeated commit as the first, for some minutes, to the same digest only', async () => {
    const fixture = new ServerFixture({ limits: { finishedTransactionMsMax: minute } })
    const { token, id } = await openTransaction(fixture)
    const first = await fixture.send(commit(token, id))
    const other = await fixture.startSession()
    await fixture.startTransaction(token)
    for (const session of [token, other]) {
      expect((await fixture.send(commit(session, id))).text).toBe(first.text)
    }
    const otherDigest = Buffer.alloc(32, 1).toString('base64')
    expect((await fixture.send(commit(token, id, otherDigest))).status).toBe(400)
    fixture.clock.advance(minute + 1)
    expect((await fixture.send(commit(other, id))).status).toBe(400)
  })

  it.each([
    [{ code: 'COMMIT_NOT_CONFIRMED', ledgerName: 'L' }, 'InternalFailure'],
    [{ code: 'OCC_CONFLICT', transactionId: 't', conflict: 'c' }, 'OccConflictException'],
  ] as const)('answers a repeated commit that failed as the first', async (data, name) => {
    const { fixture, token, id } = await openTransaction()
    fixture.host.commitFailure = ledgerError(data)
    const first = await fixture.send(commit(token, id))
    fixture.host.commitFailure = undefined
    expect(first.body.__type).toContain(name)
    const again = await fixture.send(commit(token, id))
    expect([again.status, again.text]).toEqual([first.status, first.text])
    const next = await fixture.startTransaction(token)
    expect((await fixture.send(commit(token, next))).status).toBe(200)
  })

  it('forgets the oldest commit when it remembers as many as it may', async () => {
    const fixture = new ServerFixture({ limits: { finishedTransactionCountMax: 1 } })
    const { token, id } = await openTransaction(fixture)
    await fixture.send(commit(token, id))
    const second = await fixture.startTransaction(token)
    await fixture.send(commit(token, second))
    expect((await fixture.send(commit(token, second))).status).toBe(200)
    expect((await fixture.send(commit(token, id))).status).toBe(400)
  })
})

describe('pages', () => {
  it('pages through a result of 729 rows', async () => {
    const { fixture, token, id } = await openTransaction()
    const first = await fixture.execute(token, id, 'ROWS 729')
    let page = first.body.ExecuteStatement.FirstPage
    const sizes = [page.Values.length]
    const values = [...page.Values]
    while (page.NextPageToken !== undefined) {
      const { body } = await fixture.send(fetchPage(token, id, page.NextPageToken))
      expect(body.FetchPage.ConsumedIOs).toEqual({ ReadIOs: 1, WriteIOs: 0 })
      expect(body.FetchPage.TimingInformation.ProcessingTimeMilliseconds).toBe(1)
      page = body.FetchPage.Page
      sizes.push(page.Values.length)
      values.push(...page.Values)
    }
    expect(sizes).toEqual([200, 200, 200, 129])
    expect(values.map(({ IonBinary }) => IonBinary)).toEqual(
      Array.from({ length: 729 }, (_, i) => Buffer.from(ionByte(i & 255)).toString('base64')),
    )
  })

  it('gives a page again until the transaction ends, as long as it remembers so much', async () => {
    const pageLength = 5000
    const { fixture, token, id } = await openTransaction(
      new ServerFixture({ limits: { recentPagesLengthMax: 2 * pageLength } }),
    )
    const first = await fixture.execute(token, id, 'ROWS 601')
    const tokens = [first.body.ExecuteStatement.FirstPage.NextPageToken]
    const pages = []
    for (const pageToken of tokens) {
      const page = await fixture.send(fetchPage(token, id, pageToken))
      pages.push(page)
      const next = page.body.FetchPage.Page.NextPageToken
      if (next !== undefined) tokens.push(next)
    }
    expect(pages[0]?.text.length).toBeGreaterThan(pageLength)
    const again = async (pageToken: string) => fixture.send(fetchPage(token, id, pageToken))
    expect((await again(tokens[0])).status).toBe(400)
    expect((await again(tokens[1])).text).toBe(pages[1]?.text)
    expect((await again(tokens[2])).text).toBe(pages[2]?.text)
    await fixture.send(abort(token))
    const next = await fixture.startTransaction(token)
    expect((await fixture.send(fetchPage(token, next, tokens[2]))).status).toBe(400)
  })

  it('keeps several results open side by side', async () => {
    const { fixture, token, id } = await openTransaction()
    const a = await fixture.execute(token, id, 'ROWS 201')
    const b = await fixture.execute(token, id, 'ROWS 202')
    const rest = async (first: typeof a) => {
      const pageToken = first.body.ExecuteStatement.FirstPage.NextPageToken
      return (await fixture.send(fetchPage(token, id, pageToken))).body.FetchPage.Page.Values.length
    }
    expect(await rest(b)).toBe(2)
    expect(await rest(a)).toBe(1)
  })

  it('refuses tokens of other transactions, of ended ones, and made-up ones', async () => {
    const { fixture, token, id } = await openTransaction()
    const first = await fixture.execute(token, id, 'ROWS 300')
    const pageToken = first.body.ExecuteStatement.FirstPage.NextPageToken
    await fixture.send(commit(token, id))
    expect((await fixture.send(fetchPage(token, id, pageToken))).status).toBe(400)
    const next = await fixture.startTransaction(token)
    await fixture.execute(token, next, 'ROWS 300')
    for (const wrong of [pageToken, '', 'x', `${next}.0.2`, `${next}.00.1`, `${next}.1.1`]) {
      const { body } = await fixture.send(fetchPage(token, next, wrong))
      expect(body).toEqual({
        __type: 'BadRequestException',
        Message: `The page token does not belong to transaction ${next}`,
      })
    }
    expect((await fixture.send(fetchPage(token, next, `${next}.0.1`))).status).toBe(200)
  })

  it('bounds the results of a transaction that wait to be read on', async () => {
    const { fixture, token, id } = await openTransaction(
      new ServerFixture({ limits: { openResultCountMax: 1 } }),
    )
    await fixture.execute(token, id, 'ROWS 300')
    const refused = await fixture.execute(token, id, 'ROWS 300')
    expect(refused.body).toEqual({
      __type: 'LimitExceededException',
      Message: 'The transaction has 1 results to be read on, its most',
    })
    expect((await fixture.execute(token, id, 'ROWS 2')).status).toBe(200)
  })
})

describe('order', () => {
  it('runs the commands of one session in the order of arrival', async () => {
    const { fixture, token, id, transaction } = await openTransaction()
    fixture.host.closeGate()
    const answers = [
      fixture.execute(token, id, 'WAIT'),
      fixture.execute(token, id, 'ROWS 1'),
      fixture.send(commit(token, id)),
      fixture.send({ SessionToken: token, EndSession: {} }),
      fixture.send(abort(token)),
    ]
    await fixture.send('{}')
    expect(transaction.statements).toEqual(['WAIT'])
    fixture.host.openGate()
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    expect(statuses).toEqual([200, 200, 200, 200, 400])
    expect(transaction.statements).toEqual(['WAIT', 'ROWS 1'])
    expect(transaction.state).toBe('committed')
  })

  it('lets other sessions and the control API pass a session that waits', async () => {
    const { fixture, token, id } = await openTransaction()
    fixture.host.closeGate()
    const waiting = fixture.execute(token, id, 'WAIT')
    const other = await fixture.startSession()
    await fixture.startTransaction(other)
    expect((await fixture.request('POST', '/ledgers/L/digest')).status).toBe(200)
    fixture.host.openGate()
    expect((await waiting).status).toBe(200)
  })
})

describe('whatever a client sends', () => {
  it('is answered, and never by an internal error', async () => {
    const fixture = new ServerFixture()
    const member = fc.constantFrom(
      ...['SessionToken', 'TransactionId', 'Statement', 'Parameters', 'IonBinary', 'IonText'],
      ...['LedgerName', 'NextPageToken', 'CommitDigest', '__proto__', 'constructor', 'toString'],
    )
    const command = fc.constantFrom(
      ...['StartSession', 'StartTransaction', 'ExecuteStatement', 'FetchPage'],
      ...['CommitTransaction', 'AbortTransaction', 'EndSession', 'toString'],
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>('L', '$token', '$id', '$id.0.1', digest, '4AEA6iEB', 'ROWS 300'),
        fc.constantFrom<unknown>(null, true, -1, 0.5, '!', '\ud800'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(member, tie('value'), { maxKeys: 5 }),
      ),
    }))
    const body = fc.tuple(command, value, fc.dictionary(fc.oneof(member, command), value))
    await fc.assert(
      fc.asyncProperty(fc.array(body, { minLength: 1, maxLength: 4 }), async (commands) => {
        const token = await fixture.startSession()
        const id = await fixture.startTransaction(token)
        for (const [name, members, others] of commands) {
          const text = JSON.stringify({ SessionToken: token, ...others, [name]: members })
          const { status } = await fixture.send(
            text.replaceAll('$token', token).replaceAll('$id', id),
          )
          expect([200, 400]).toContain(status)
        }
        await fixture.send({ SessionToken: token, EndSession: {} })
      }),
      { numRuns: 500 },
    )
    expect(fixture.logged).toEqual([])
  })
})
