/** `amazon-qldb-driver-nodejs` 3.1.0, unmodified, over http and https: statements, pages, streams, errors, expiry. */
import { DeleteLedgerCommand } from '@aws-sdk/client-qldb'
import {
  BadRequestException,
  InvalidSessionException,
  LimitExceededException,
  OccConflictException,
} from '@aws-sdk/client-qldb-session'
import { type QldbDriver, RetryConfig, type TransactionExecutor } from 'amazon-qldb-driver-nodejs'
import { type dom, dumpText } from 'ion-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LiveServer } from './live-server.ts'

let live: LiveServer

beforeAll(async () => {
  live = await LiveServer.start()
})

afterAll(async () => {
  expect(live.logged).toEqual([])
  await live.close()
})

const noRetries = new RetryConfig(0)

async function run(driver: QldbDriver, statement: string, ...parameters: unknown[]) {
  return (
    await driver.executeLambda((transaction) => transaction.execute(statement, ...parameters))
  ).getResultList()
}

function rejection(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => {
      throw new Error('it was expected to fail')
    },
    (error: unknown) => error,
  )
}

describe.each([
  ['http', false],
  ['https', true],
])('over %s', (scheme, isTls) => {
  let driver: QldbDriver

  beforeAll(async () => {
    driver = live.driver(await live.createLedger(`driver-${scheme}`), { isTls })
  })

  it('creates, inserts, reads, updates, deletes, drops', async () => {
    expect(await run(driver, 'CREATE TABLE Vehicle')).toHaveLength(1)
    expect(await run(driver, 'CREATE INDEX ON Vehicle (VIN)')).toHaveLength(1)
    expect(await driver.getTableNames()).toEqual(['Vehicle'])

    const inserted = await run(driver, 'INSERT INTO Vehicle ?', { VIN: 'V1', Year: 2011 })
    expect(inserted[0]?.get('documentId')?.stringValue()).toMatch(/^[0-9A-Za-z]{22}$/)
    const found = await run(driver, 'SELECT * FROM Vehicle WHERE VIN = ?', 'V1')
    expect(found.map((row) => dumpText(row))).toEqual(['{VIN:"V1",Year:2011}'])

    await run(driver, 'UPDATE Vehicle SET Year = ? WHERE VIN = ?', 2012, 'V1')
    const updated = await run(driver, 'SELECT VALUE Year FROM Vehicle WHERE VIN = ?', 'V1')
    expect(updated.map((row) => row.numberValue())).toEqual([2012])

    expect(await run(driver, 'DELETE FROM Vehicle WHERE VIN = ?', 'V1')).toHaveLength(1)
    expect(await run(driver, 'SELECT * FROM Vehicle')).toEqual([])
    await run(driver, 'DROP TABLE Vehicle')
    expect(await driver.getTableNames()).toEqual([])
  })

  it('inserts each element of a list parameter, in its order', async () => {
    await run(driver, 'CREATE TABLE Person')
    const people = ['Raul', 'Brent', 'Alexis'].map((FirstName) => ({ FirstName }))
    const inserted = await run(driver, 'INSERT INTO Person ?', people)
    expect(inserted).toHaveLength(3)
    for (const [index, { FirstName }] of people.entries()) {
      const id = inserted[index]?.get('documentId')?.stringValue()
      const found = await run(driver, 'SELECT p.FirstName FROM Person AS p BY id WHERE id = ?', id)
      expect(found[0]?.get('FirstName')?.stringValue()).toBe(FirstName)
    }
  })
})

describe('results', () => {
  let driver: QldbDriver
  const count = 450

  beforeAll(async () => {
    driver = live.driver(await live.createLedger('results'))
    await run(driver, 'CREATE TABLE Item')
    for (let start = 0; start < count; start += 30) {
      const items = Array.from({ length: 30 }, (_, i) => ({ no: start + i }))
      await run(driver, 'INSERT INTO Item ?', items)
    }
  })

  const numbers = (rows: readonly dom.Value[]) =>
    rows.map((row) => row.get('no')?.numberValue()).sort((a, b) => Number(a) - Number(b))
  const all = Array.from({ length: count }, (_, i) => i)

  it('reads a result of several pages', async () => {
    expect(numbers(await run(driver, 'SELECT * FROM Item'))).toEqual(all)
  })

  it('streams a result of several pages', async () => {
    const rows = await driver.executeLambda(async (transaction) => {
      const stream = await transaction.executeAndStreamResults('SELECT * FROM Item')
      const read: dom.Value[] = []
      for await (const row of stream) read.push(row)
      expect(stream.getConsumedIOs()?.getReadIOs()).toBe(count)
      expect(stream.getTimingInformation()?.getProcessingTimeMilliseconds()).toBeGreaterThan(0)
      return read
    })
    expect(numbers(rows)).toEqual(all)
  })

  it('streams two results side by side while further statements run', async () => {
    await driver.executeLambda(async (transaction) => {
      const streams = await Promise.all([
        transaction.executeAndStreamResults('SELECT * FROM Item'),
        transaction.executeAndStreamResults('SELECT * FROM Item'),
      ])
      const counts = streams.map(async (stream) => {
        let rowCount = 0
        for await (const _ of stream) rowCount++
        return rowCount
      })
      const more = await transaction.execute('SELECT COUNT(*) FROM Item')
      expect(more.getResultList()[0]?.get('_1')?.numberValue()).toBe(count)
      expect(await Promise.all(counts)).toEqual([count, count])
    })
  })

  it('keeps pages as they were when later statements of the transaction change what they show', async () => {
    await driver
      .executeLambda(async (transaction) => {
        const stream = await transaction.executeAndStreamResults('SELECT * FROM Item')
        const id = 'SELECT VALUE id FROM Item AS i BY id WHERE i.no = ?'
        for (const no of [0, 449]) {
          const found = await transaction.execute(id, no)
          await transaction.execute(
            'DELETE FROM Item AS i BY id WHERE id = ?',
            found.getResultList()[0],
          )
        }
        const rows: dom.Value[] = []
        for await (const row of stream) rows.push(row)
        expect(numbers(rows)).toEqual(all)
        const left = await transaction.execute('SELECT COUNT(*) FROM Item')
        expect(left.getResultList()[0]?.get('_1')?.numberValue()).toBe(count - 2)
        transaction.abort()
      })
      .catch((error: Error) => expect(error.name).toMatch(/LambdaAborted|Error/))
    expect(await run(driver, 'SELECT * FROM Item')).toHaveLength(count)
  })

  it('counts read I/Os of a six-way cross join as the driver expects: 1092', async () => {
    await run(driver, 'CREATE TABLE Three')
    await run(driver, 'INSERT INTO Three ?', [{ a: 1 }, { a: 2 }, { a: 3 }])
    const statement =
      'SELECT * FROM Three AS a, Three AS b, Three AS c, Three AS d, Three AS e, Three AS f'
    const result = await driver.executeLambda((transaction) => transaction.execute(statement))
    expect(result.getResultList()).toHaveLength(729)
    expect(result.getConsumedIOs()?.getReadIOs()).toBe(1092)
    expect(result.getTimingInformation()?.getProcessingTimeMilliseconds()).toBeGreaterThan(0)

    const streamed = await driver.executeLambda(async (transaction) => {
      const stream = await transaction.executeAndStreamResults(statement)
      expect(stream.getConsumedIOs()?.getReadIOs()).toBeGreaterThan(0)
      let rowCount = 0
      for await (const _ of stream) rowCount++
      expect(rowCount).toBe(729)
      return stream.getConsumedIOs()?.getReadIOs()
    })
    expect(streamed).toBe(1092)
  })
})

describe('errors', () => {
  let driver: QldbDriver

  beforeAll(async () => {
    driver = live.driver(await live.createLedger('errors'), { retryConfig: noRetries })
    await run(driver, 'CREATE TABLE T')
  })

  it.each([
    ['no PartiQL', 'SELECT FROM WHERE', []],
    ['an unknown table', 'SELECT * FROM Nowhere', []],
    ['a table that exists', 'CREATE TABLE T', []],
    ['too few parameters', 'SELECT * FROM T WHERE a = ?', []],
    ['too many parameters', 'SELECT * FROM T', [1]],
  ])('throws BadRequestException for %s', async (_, statement, parameters) => {
    const error = await rejection(run(driver, statement, ...parameters))
    expect(error).toBeInstanceOf(BadRequestException)
    expect((error as BadRequestException).$metadata.requestId).toMatch(/^[0-9A-Za-z]{22}$/)
  })

  it.each([
    ['41 documents', 'INSERT INTO T ?', [Array.from({ length: 41 }, (_, no) => ({ no }))]],
    ['a large document', 'INSERT INTO T ?', [{ text: 'x'.repeat(128 * 1024) }]],
    ['a long statement', `SELECT * FROM T ${' '.repeat(100_000)}`, []],
  ])('throws LimitExceededException for %s, and goes on', async (_, statement, parameters) => {
    const error = await rejection(run(driver, statement, ...parameters))
    expect(error).toBeInstanceOf(LimitExceededException)
    expect(await run(driver, 'SELECT COUNT(*) FROM T')).toHaveLength(1)
  })

  it('takes 40 documents, and the largest', async () => {
    await run(driver, 'CREATE TABLE Brim')
    await run(
      driver,
      'INSERT INTO Brim ?',
      Array.from({ length: 40 }, (_, no) => ({ no })),
    )
    await run(driver, 'INSERT INTO Brim ?', { text: 'x'.repeat(128 * 1024 - 100) })
    expect(await run(driver, 'SELECT * FROM Brim')).toHaveLength(41)
  })

  it('throws BadRequestException for a ledger that is not there, after its retries', async () => {
    const error = await rejection(run(live.driver('no-such-ledger'), 'SELECT * FROM T'))
    expect(error).toBeInstanceOf(BadRequestException)
    expect((error as Error).message).toBe('The Ledger with name no-such-ledger is not found')
  })

  it('commits what a lambda did although it swallowed the error of a statement', async () => {
    await driver.executeLambda(async (transaction) => {
      await transaction.execute('INSERT INTO T ?', { swallowed: 1 })
      await transaction.execute('SELECT * FROM Nowhere').catch(() => undefined)
      await transaction.execute('no statement, with a parameter', 7).catch(() => undefined)
      await transaction.execute('INSERT INTO T ?', { swallowed: 2 })
    })
    expect(await run(driver, 'SELECT * FROM T WHERE swallowed IN (1, 2)')).toHaveLength(2)
  })

  it('keeps its session after failures', async () => {
    const single = live.driver('errors', { maxConcurrentTransactions: 1, retryConfig: noRetries })
    for (let i = 0; i < 3; i++) {
      await rejection(run(single, 'SELECT * FROM Nowhere'))
      expect(await run(single, 'SELECT COUNT(*) FROM T')).toHaveLength(1)
    }
  })

  it('rolls back when the lambda throws or aborts', async () => {
    await rejection(
      driver.executeLambda(async (transaction) => {
        await transaction.execute('INSERT INTO T ?', { rolledBack: 1 })
        throw new RangeError('mine')
      }),
    )
    await rejection(
      driver.executeLambda(async (transaction) => {
        await transaction.execute('INSERT INTO T ?', { rolledBack: 1 })
        transaction.abort()
      }),
    )
    expect(await run(driver, 'SELECT * FROM T WHERE rolledBack = 1')).toEqual([])
  })

  it('runs statements that nobody awaited, in order, before the commit', async () => {
    await driver.executeLambda(async (transaction) => {
      void Promise.all(
        ['CREATE TABLE Later', 'CREATE INDEX ON Later (a)'].map((text) =>
          transaction.execute(text),
        ),
      )
      for (let i = 0; i < 5; i++) void transaction.execute('INSERT INTO Later ?', { a: i })
    })
    expect(await run(driver, 'SELECT * FROM Later')).toHaveLength(5)
  })

  it('commits a transaction without statements', async () => {
    expect(await driver.executeLambda(async () => 'done')).toBe('done')
  })
})

describe('expired transactions', () => {
  let short: LiveServer

  beforeAll(async () => {
    const transactionMsMax = 1000
    short = await LiveServer.start({
      limits: { transactionMsMax, sessionMsMax: 60_000 },
      ledgerLimits: { transactionMsMax },
    })
  })

  afterAll(async () => {
    await short.close()
  })

  /** Statements until one fails, which it must within the life of the transaction and a little. */
  async function runUntilItFails(transaction: TransactionExecutor): Promise<never> {
    for (;;) await transaction.execute('SELECT * FROM T')
  }

  it('throw, without retry, and leave the driver usable', async () => {
    const driver = short.driver(await short.createLedger('expiry'), {
      maxConcurrentTransactions: 1,
    })
    await run(driver, 'CREATE TABLE T')
    let attempts = 0
    const error = await rejection(
      driver.executeLambda((transaction) => {
        attempts++
        return runUntilItFails(transaction)
      }),
    )
    expect(error).toBeInstanceOf(InvalidSessionException)
    expect((error as Error).message).toMatch(/^Transaction [0-9A-Za-z]{22} has expired$/)
    expect(attempts).toBe(1)
    expect(await run(driver, 'SELECT * FROM T')).toEqual([])
  })

  it('throw at the commit of a lambda that took too long', async () => {
    const driver = short.driver(await short.createLedger('slow'), { maxConcurrentTransactions: 1 })
    await run(driver, 'CREATE TABLE T')
    const error = await rejection(
      driver.executeLambda(async (transaction) => {
        await transaction.execute('INSERT INTO T ?', { late: 1 })
        const startedMs = Date.now()
        while (Date.now() - startedMs < 1050) await new Promise((resolve) => setImmediate(resolve))
      }),
    )
    expect(error).toBeInstanceOf(InvalidSessionException)
    expect((error as Error).message).toMatch(/^Transaction .* has expired$/)
    expect(await run(driver, 'SELECT * FROM T')).toEqual([])
  })
})

describe('dead sessions', () => {
  it('are replaced by the driver without the caller noticing', async () => {
    const short = await LiveServer.start({ limits: { sessionMsMax: 400 } })
    try {
      const driver = short.driver(await short.createLedger('dead'), {
        maxConcurrentTransactions: 1,
      })
      await run(driver, 'CREATE TABLE T')
      const endMs = Date.now() + 1000
      let transactionCount = 0
      while (Date.now() < endMs) {
        await run(driver, 'SELECT * FROM T')
        transactionCount++
      }
      expect(transactionCount).toBeGreaterThan(1)
    } finally {
      await short.close()
    }
  })

  it('that the server lost are replaced too', async () => {
    const driver = live.driver(await live.createLedger('recreated'), {
      maxConcurrentTransactions: 1,
    })
    await run(driver, 'CREATE TABLE Old')
    await live.controlClient().send(new DeleteLedgerCommand({ Name: 'recreated' }))
    await live.createLedger('recreated')
    expect(await driver.getTableNames()).toEqual([])
  })
})

describe('conflicts', () => {
  let driver: QldbDriver

  beforeAll(async () => {
    driver = live.driver(await live.createLedger('conflicts'))
    await run(driver, 'CREATE TABLE Counter')
    await run(driver, 'CREATE INDEX ON Counter (name)')
    await run(driver, 'INSERT INTO Counter ?', { name: 'a', value: 0 })
    await run(driver, 'INSERT INTO Counter ?', { name: 'b', value: 0 })
  })

  const read = 'SELECT VALUE c."value" FROM Counter AS c WHERE c.name = ?'
  const write = 'UPDATE Counter AS c SET c."value" = ? WHERE c.name = ?'

  async function increment(transaction: TransactionExecutor, name: string): Promise<void> {
    const rows = (await transaction.execute(read, name)).getResultList()
    await transaction.execute(write, (rows[0]?.numberValue() ?? 0) + 1, name)
  }

  async function counterValue(name: string): Promise<number | null | undefined> {
    return (await run(driver, read, name))[0]?.numberValue()
  }

  it('fail at least one of three concurrent SELECT-then-UPDATE without retries', async () => {
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map(() =>
        driver.executeLambda((transaction) => increment(transaction, 'a'), noRetries),
      ),
    )
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(failures.length).toBeGreaterThanOrEqual(1)
    for (const { reason } of failures) expect(reason).toBeInstanceOf(OccConflictException)
    expect(await counterValue('a')).toBe(3 - failures.length)
  })

  it('are retried until 20 sessions at once have counted to the exact value', async () => {
    const sessionCount = 20
    const perSession = 5
    const drivers = Array.from({ length: sessionCount }, () =>
      live.driver('conflicts', {
        maxConcurrentTransactions: 1,
        retryConfig: new RetryConfig(1000, () => Math.random() * 10),
      }),
    )
    let attempts = 0
    await Promise.all(
      drivers.map(async (one) => {
        for (let i = 0; i < perSession; i++) {
          await one.executeLambda((transaction) => {
            attempts++
            return increment(transaction, 'b')
          })
        }
      }),
    )
    expect(await counterValue('b')).toBe(sessionCount * perSession)
    expect(attempts).toBeGreaterThan(sessionCount * perSession)
  })

  it('go through a retry policy of the caller', async () => {
    const policy: { attempt: number; error: Error; transactionId: string }[] = []
    const custom = new RetryConfig(2, (attempt, error, transactionId) => {
      policy.push({ attempt, error, transactionId })
      return 0
    })
    let attempts = 0
    const error = await rejection(
      driver.executeLambda(async (transaction) => {
        attempts++
        await transaction.execute(read, 'a')
        await driver.executeLambda((other) => increment(other, 'a'))
        await transaction.execute(write, 0, 'a')
      }, custom),
    )
    expect(error).toBeInstanceOf(OccConflictException)
    expect(attempts).toBe(3)
    expect(policy.map(({ attempt }) => attempt)).toEqual([1, 2])
    expect(new Set(policy.map(({ transactionId }) => transactionId)).size).toBe(2)
    for (const { error: cause } of policy) expect(cause).toBeInstanceOf(OccConflictException)
  })

  it('come also from reads that found nothing, and not from blind inserts', async () => {
    const insert = (transaction: TransactionExecutor) =>
      transaction.execute('INSERT INTO Counter ?', { name: 'new', value: 1 })
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map(() =>
        driver.executeLambda(async (transaction) => {
          const found = await transaction.execute(read, 'new')
          if (found.getResultList().length === 0) await insert(transaction)
        }),
      ),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
    expect(await run(driver, read, 'new')).toHaveLength(1)
    await Promise.all(
      Array.from({ length: 10 }, () =>
        driver.executeLambda(async (transaction) => {
          await transaction.execute('INSERT INTO Counter ?', { name: 'blind' })
        }, noRetries),
      ),
    )
    expect(await run(driver, 'SELECT * FROM Counter WHERE name = ?', 'blind')).toHaveLength(10)
  })
})
