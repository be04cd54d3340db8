/** Permissions mode STANDARD and strict ledgers, by the unmodified driver with keys that have policies. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QLDB } from '@aws-sdk/client-qldb'
import { signRequest } from '@cairn/aws-protocol'
import { QldbDriver, RetryConfig, type TransactionExecutor } from 'amazon-qldb-driver-nodejs'
import type { dom } from 'ion-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from './start-server.ts'

const anyPort = { host: '127.0.0.1', port: 0 }
const region = 'us-east-1'
const ledgerArn = 'arn:aws:qldb:us-east-1:000000000000:ledger'
const closers: (() => void)[] = []
let folder: string
let server: RunningServer
let root: QLDB
const tableIds: Record<string, string> = {}

const allow = (action: string | string[], resource: string | string[]) => ({
  Effect: 'Allow',
  Action: action,
  Resource: resource,
})

/** Keys with their policies. The table's id is not known before there is one: it is read by name from the server. */
function keyFile() {
  const send = allow('qldb:SendCommand', `${ledgerArn}/*`)
  const key = (accessKeyId: string, ...Statement: object[]) => ({
    accessKeyId,
    secretAccessKey: `secret of ${accessKeyId}`,
    policy: { Version: '2012-10-17', Statement },
  })
  return {
    accessKeys: [
      { accessKeyId: 'ROOT', secretAccessKey: 'secret of ROOT' },
      key('READER', send, allow('qldb:PartiQLSelect', `${ledgerArn}/*`)),
      key('WRITER', send, allow(['qldb:PartiQLInsert'], `${ledgerArn}/guarded/table/*`)),
      key('ONE', send, allow('qldb:PartiQL*', `${ledgerArn}/guarded/table/${tableIds['One']}`)),
      key('NOBODY', allow('qldb:ListLedgers', '*')),
    ],
  }
}

async function start(): Promise<void> {
  server = await startServer({
    dataDirectory: join(folder, 'data'),
    listen: anyPort,
    tlsListen: anyPort,
    auth: 'sigv4',
  })
  root = control('ROOT')
}

const credentialsOf = (accessKeyId: string) => ({
  accessKeyId,
  secretAccessKey: `secret of ${accessKeyId}`,
})

function control(accessKeyId: string): QLDB {
  const endpoint = server.info.endpoints.api
  const client = new QLDB({ endpoint, region, credentials: credentialsOf(accessKeyId) })
  closers.push(() => client.destroy())
  return client
}

async function transact<T>(
  accessKeyId: string,
  ledger: string,
  work: (transaction: TransactionExecutor) => Promise<T>,
): Promise<T> {
  const httpAgent = new Agent({ keepAlive: true })
  const endpoint = server.info.endpoints.api
  const driver = new QldbDriver(
    ledger,
    { endpoint, region, credentials: credentialsOf(accessKeyId) },
    { httpAgent },
    2,
    new RetryConfig(0),
  )
  try {
    return await driver.executeLambda(work)
  } finally {
    driver.close()
    httpAgent.destroy()
  }
}

function run(accessKeyId: string, statement: string, ledger = 'guarded'): Promise<dom.Value[]> {
  return transact(accessKeyId, ledger, async (transaction) =>
    (await transaction.execute(statement)).getResultList(),
  )
}

async function refused(accessKeyId: string, statement: string, action: string): Promise<void> {
  await expect(run(accessKeyId, statement)).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message: expect.stringContaining(
      `not authorized to perform: qldb:${action} on resource: ${ledgerArn}/guarded/`,
    ),
  })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-policy-'))
  const path = join(folder, 'data', 'keys', 'access-keys.json')
  await mkdir(join(folder, 'data', 'keys'), { recursive: true })
  await writeFile(path, JSON.stringify(keyFile()))
  await start()
  await root.createLedger({ Name: 'guarded', PermissionsMode: 'STANDARD' })
  await root.createLedger({ Name: 'open', PermissionsMode: 'ALLOW_ALL' })
  for (const ledger of ['guarded', 'open']) {
    await run('ROOT', 'CREATE TABLE One', ledger)
    await run('ROOT', 'CREATE TABLE Two', ledger)
    await run('ROOT', "INSERT INTO One VALUE {'a': 1}", ledger)
  }
  const rows = await run('ROOT', 'SELECT name, tableId FROM information_schema.user_tables')
  for (const row of rows) {
    tableIds[row.get('name')?.stringValue() ?? ''] = row.get('tableId')?.stringValue() ?? ''
  }
  await writeFile(path, JSON.stringify(keyFile()))
  await server.stop()
  await start()
})
afterAll(async () => {
  for (const close of closers) close()
  await server.stop()
  await rm(folder, { recursive: true })
})

describe('permissions mode STANDARD', () => {
  it('asks for each action of a statement', async () => {
    expect(await run('READER', 'SELECT * FROM One')).toHaveLength(1)
    expect(await run('READER', 'SELECT * FROM _ql_committed_One')).toHaveLength(1)
    expect(await run('READER', 'SELECT * FROM information_schema.user_tables')).toHaveLength(2)
    await refused('READER', 'SELECT * FROM history(One)', 'PartiQLHistoryFunction')
    await refused('READER', "INSERT INTO One VALUE {'a': 2}", 'PartiQLInsert')
    await refused('READER', 'UPDATE One SET a = 2', 'PartiQLUpdate')
    await refused('READER', 'DELETE FROM One', 'PartiQLDelete')
    await refused('READER', 'CREATE TABLE Three', 'PartiQLCreateTable')
    await refused('READER', 'CREATE INDEX ON One (a)', 'PartiQLCreateIndex')
    await refused('READER', 'DROP TABLE One', 'PartiQLDropTable')
    await refused('READER', `UNDROP TABLE "${tableIds['One']}"`, 'PartiQLUndropTable')
    await refused(
      'READER',
      "EXEC REDACT_REVISION `{strandId:\"\",sequenceNo:1}`, '', ''",
      'PartiQLRedact',
    )
    await refused('WRITER', 'SELECT * FROM One', 'PartiQLSelect')
    await refused('WRITER', 'UPDATE One SET a = 2', 'PartiQLUpdate')
    await refused('WRITER', 'INSERT INTO One (SELECT * FROM Two)', 'PartiQLSelect')
    await run('WRITER', "INSERT INTO One VALUE {'a': 2}")
    expect(await run('ROOT', 'SELECT * FROM One WHERE a = 2')).toHaveLength(1)
  })

  it('asks for each table', async () => {
    await run('ONE', "INSERT INTO One VALUE {'a': 3}")
    expect(await run('ONE', 'SELECT * FROM history(One) WHERE data.a = 3')).toHaveLength(1)
    await refused('ONE', "INSERT INTO Two VALUE {'a': 3}", 'PartiQLInsert')
    await refused('ONE', 'SELECT * FROM One, Two', 'PartiQLSelect')
    await refused('ONE', 'SELECT * FROM One WHERE a IN (SELECT VALUE a FROM Two)', 'PartiQLSelect')
    await refused('ONE', 'CREATE TABLE Three', 'PartiQLCreateTable')
    await refused('ONE', 'SELECT * FROM information_schema.user_tables', 'PartiQLSelect')
  })

  it('asks for statements of the HTTP API in the same way', async () => {
    const url = `${server.info.endpoints.api}/v1/ledgers/guarded/transactions`
    const send = async (accessKeyId: string, statement: string) => {
      const body = JSON.stringify({ statements: [{ statement }] })
      const sent = { 'content-type': 'application/json' }
      const request = { method: 'POST', url, body, region, service: 'qldb', nowMs: Date.now() }
      const headers = signRequest({ ...request, headers: sent, ...credentialsOf(accessKeyId) })
      const answer = await fetch(url, { method: 'POST', headers, body })
      return { status: answer.status, ...((await answer.json()) as object) }
    }
    expect(await send('READER', 'SELECT * FROM One')).toMatchObject({ status: 200 })
    expect(await send('READER', "INSERT INTO One VALUE {'a': 9}")).toMatchObject({
      status: 403,
      code: 'ACCESS_DENIED',
    })
    expect(await run('ROOT', 'SELECT * FROM One WHERE a = 9')).toEqual([])
  })

  it('refuses commands and operations that no policy allows', async () => {
    await expect(run('NOBODY', 'SELECT * FROM One')).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    const nobody = control('NOBODY')
    expect((await nobody.listLedgers({})).Ledgers).toHaveLength(2)
    for (const call of [
      () => nobody.getDigest({ Name: 'guarded' }),
      () => nobody.describeLedger({ Name: 'guarded' }),
      () => nobody.updateLedgerPermissionsMode({ Name: 'guarded', PermissionsMode: 'ALLOW_ALL' }),
      () => nobody.listJournalS3Exports({}),
      () => nobody.listJournalKinesisStreamsForLedger({ LedgerName: 'guarded' }),
    ]) {
      await expect(call()).rejects.toMatchObject({ name: 'AccessDeniedException' })
    }
  })

  it('is a setting of the ledger, which takes effect for the next transaction', async () => {
    await run('READER', "INSERT INTO One VALUE {'a': 4}", 'open')
    await root.updateLedgerPermissionsMode({ Name: 'open', PermissionsMode: 'STANDARD' })
    await expect(run('READER', "INSERT INTO One VALUE {'a': 5}", 'open')).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    await root.updateLedgerPermissionsMode({ Name: 'open', PermissionsMode: 'ALLOW_ALL' })
    await run('READER', "INSERT INTO One VALUE {'a': 5}", 'open')
  })

  it('does not start with a policy that it does not understand', async () => {
    const dataDirectory = join(folder, 'other')
    await mkdir(join(dataDirectory, 'keys'), { recursive: true })
    const [first] = keyFile().accessKeys
    const Statement = { ...allow('*', '*'), Condition: {} }
    const accessKeys = [{ ...first, policy: { Statement } }]
    await writeFile(join(dataDirectory, 'keys', 'access-keys.json'), JSON.stringify({ accessKeys }))
    await expect(
      startServer({ dataDirectory, listen: anyPort, tlsListen: anyPort, auth: 'sigv4' }),
    ).rejects.toMatchObject({
      code: 'KEY_FILE_INVALID',
      message: expect.stringContaining('"Condition" of a statement is not supported'),
    })
  })
})

describe('a strict ledger', () => {
  it('refuses what QLDB did not have, and its sizes are those of QLDB', async () => {
    const refusedOn = async (statement: string, feature: string) => {
      await expect(run('ROOT', statement, 'strict')).rejects.toMatchObject({
        name: 'BadRequestException',
        message: expect.stringContaining(`QLDB had no ${feature}`),
      })
    }
    await createStrict()
    await run('ROOT', 'CREATE TABLE One', 'strict')
    await refusedOn('SELECT * FROM One ORDER BY a', 'ORDER BY')
    await refusedOn('SELECT * FROM One LIMIT 1', 'LIMIT')
    await refusedOn('SELECT * FROM One OFFSET 1', 'OFFSET')
    await refusedOn('SELECT DISTINCT a FROM One', 'DISTINCT')
    await refusedOn('SELECT COUNT(DISTINCT a) FROM One', 'DISTINCT')
    await refusedOn('SELECT a FROM One GROUP BY a', 'GROUP BY')
    await refusedOn('SELECT * FROM One AS a LEFT JOIN One AS b ON a.x = b.x', 'LEFT JOIN')
    await refusedOn('SELECT CASE WHEN a = 1 THEN 2 END FROM One', 'CASE')
    await refusedOn('(SELECT a FROM One) UNION (SELECT a FROM One)', 'UNION')
    await refusedOn('SELECT * FROM One WHERE a IN (SELECT VALUE b FROM One ORDER BY b)', 'ORDER BY')
    expect(
      await run('ROOT', "SELECT * FROM One AS a, One AS b WHERE a.x = 'ORDER BY'", 'strict'),
    ).toEqual([])
    expect(await run('ROOT', 'SELECT * FROM One ORDER BY a', 'open')).not.toEqual([])
    const many = Array.from({ length: 41 }, (_, no) => ({ no }))
    await expect(
      transact('ROOT', 'strict', (tx) => tx.execute('INSERT INTO One ?', many)),
    ).rejects.toMatchObject({ name: 'LimitExceededException' })
  })

  /** The SDK does not know the member, which is ours. */
  async function createStrict(): Promise<void> {
    const url = `${server.info.endpoints.api}/ledgers`
    const body = JSON.stringify({ Name: 'strict', PermissionsMode: 'ALLOW_ALL', StrictQldb: true })
    const request = { method: 'POST', url, body, region, service: 'qldb', nowMs: Date.now() }
    const headers = signRequest({ ...request, ...credentialsOf('ROOT') })
    const answer = await fetch(url, { method: 'POST', headers, body })
    expect(await answer.json()).toMatchObject({ StrictQldb: true })
  }
})
