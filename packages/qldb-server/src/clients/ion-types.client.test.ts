/**
 * `amazon-qldb-driver-nodejs` 3.1.0: 38 Ion values, inserted and updated, found by `= ?` or IS NULL, and unchanged.
 * The values are those of the driver's own integration test: 12 types, 13 nulls, 13 annotated ones.
 */
import type { QldbDriver } from 'amazon-qldb-driver-nodejs'
import { dom, dumpText } from 'ion-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LiveServer } from './live-server.ts'

const values = [
  '{{"This is a CLOB of text."}}',
  '{{aGVsbG8=}}',
  'true',
  '0.1',
  '0.2e0',
  '1',
  '[1,2]',
  '(Lisp 1)',
  '"string"',
  '{brand:"ford"}',
  'abc',
  '2016-12-20T05:23:43.000-00:00',
]
const nulls = [
  'null',
  ...'blob bool clob decimal float int list sexp string struct symbol timestamp'
    .split(' ')
    .map((type) => `null.${type}`),
]
const annotated = [...values, 'null'].map((text) => `annotation::${text}`)
const cases = [...values, ...nulls, ...annotated]

let live: LiveServer
let driver: QldbDriver

beforeAll(async () => {
  live = await LiveServer.start()
  driver = live.driver(await live.createLedger('types'))
  await driver.executeLambda((transaction) => transaction.execute('CREATE TABLE T'))
})

afterAll(async () => {
  expect(live.logged).toEqual([])
  await live.close()
})

function load(text: string): dom.Value {
  const value = dom.load(text)
  if (value === null) throw new Error(`no Ion: ${text}`)
  return value
}

async function expectFound(text: string): Promise<void> {
  const value = load(text)
  const select = 'SELECT VALUE t.ColumnName FROM T AS t WHERE t.ColumnName'
  const result = await driver.executeLambda((transaction) =>
    value.isNull()
      ? transaction.execute(`${select} IS NULL`)
      : transaction.execute(`${select} = ?`, value),
  )
  const found = result.getResultList()
  expect(found.map((row) => dumpText(row))).toEqual([dumpText(value)])
  expect(found[0]?.ionEquals(value)).toBe(true)
}

async function clear(): Promise<void> {
  await driver.executeLambda((transaction) => transaction.execute('DELETE FROM T'))
}

describe('Ion values', () => {
  it('are 38', () => {
    expect(cases).toHaveLength(38)
  })

  it.each(cases)('are found and unchanged when inserted: %s', async (text) => {
    await clear()
    await driver.executeLambda((transaction) =>
      transaction.execute('INSERT INTO T ?', load(`{ColumnName:${text}}`)),
    )
    await expectFound(text)
  })

  it.each(cases)('are found and unchanged when updated: %s', async (text) => {
    await clear()
    await driver.executeLambda((transaction) =>
      transaction.execute('INSERT INTO T ?', { ColumnName: 'before' }),
    )
    await driver.executeLambda((transaction) =>
      transaction.execute('UPDATE T SET ColumnName = ?', load(text)),
    )
    await expectFound(text)
  })

  it.each([
    'annotation::null.string',
    '{a:{b:[1.50,-0.,-0d-3,1e400]}}',
    '12345678901234567890123456789',
    '2007T',
    '2007-02-23T12:14Z',
    '2007-02-23T12:14:33.079-08:00',
    'a::b::(c \'needs quotes\' "" + -)',
    "{'':1,a:2,a:3}",
    'nan',
    '"\\u0000\\U0001F600"',
  ])('pass unchanged at the edges: %s', async (text) => {
    await clear()
    const document = `{ColumnName:${text}}`
    await driver.executeLambda((transaction) =>
      transaction.execute('INSERT INTO T ?', load(document)),
    )
    const result = await driver.executeLambda((transaction) =>
      transaction.execute('SELECT * FROM T'),
    )
    expect(result.getResultList().map((row) => dumpText(row))).toEqual([dumpText(load(document))])
  })
})
