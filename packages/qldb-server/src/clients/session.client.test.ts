/** `@aws-sdk/client-qldb-session`, unmodified: single commands, right and wrong digests, pages, sessions, conflicts. */
import {
  BadRequestException,
  InvalidSessionException,
  LimitExceededException,
  OccConflictException,
  type QLDBSessionClient,
  SendCommandCommand,
} from '@aws-sdk/client-qldb-session'
import { dumpText, load } from 'ion-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { driverHash } from './driver-hash.ts'
import { LiveServer } from './live-server.ts'
import { RawSession } from './raw-session.ts'

let live: LiveServer
let client: QLDBSessionClient

beforeAll(async () => {
  live = await LiveServer.start({ limits: { activeSessionCountMax: 30 } })
  client = live.sessionClient()
  await live.createLedger('raw')
  const session = await RawSession.start(client, 'raw')
  await session.startTransaction()
  await session.execute('CREATE TABLE T')
  await session.commit()
  await session.send({ EndSession: {} })
})

afterAll(async () => {
  expect(live.logged).toEqual([])
  await live.close()
})

async function openTransaction(): Promise<RawSession> {
  const session = await RawSession.start(client, 'raw')
  await session.startTransaction()
  return session
}

async function rowCount(where: string): Promise<number> {
  const session = await openTransaction()
  const { FirstPage } = await session.execute(`SELECT * FROM T WHERE ${where}`)
  await session.send({ EndSession: {} })
  return FirstPage?.Values?.length ?? -1
}

describe('commands', () => {
  it('answer over https as over http', async () => {
    const session = await RawSession.start(live.sessionClient({ isTls: true }), 'raw')
    expect(await session.startTransaction()).toMatch(/^[0-9A-Za-z]{22}$/)
    const ended = await session.send({ EndSession: {} })
    expect(ended.EndSession?.TimingInformation?.ProcessingTimeMilliseconds).toBeGreaterThanOrEqual(
      0,
    )
    expect(ended.$metadata.requestId).toMatch(/^[0-9A-Za-z]{22}$/)
  })

  it('carry measures and always values', async () => {
    const session = await openTransaction()
    const inserted = await session.execute('INSERT INTO T ?', { measured: 1 })
    expect(inserted.FirstPage?.Values).toHaveLength(1)
    expect(inserted.ConsumedIOs?.WriteIOs).toBeGreaterThan(0)
    expect(inserted.TimingInformation?.ProcessingTimeMilliseconds).toBeGreaterThan(0)
    const empty = await session.execute('SELECT * FROM T WHERE measured = 2')
    expect(empty.FirstPage?.Values).toEqual([])
    const { CommitTransaction } = await session.commit()
    expect(CommitTransaction?.ConsumedIOs?.WriteIOs).toBeGreaterThanOrEqual(0)
    expect(CommitTransaction?.TimingInformation?.ProcessingTimeMilliseconds).toBeGreaterThan(0)
    await session.send({ EndSession: {} })
  })

  it('take IonText parameters and answer complete Ion streams', async () => {
    const session = await openTransaction()
    const { ExecuteStatement } = await session.send({
      ExecuteStatement: {
        TransactionId: session.transactionId,
        Statement: 'SELECT ? AS a, ? AS b FROM << 0 >>',
        Parameters: [{ IonText: '{x: 2007T /* a year */}' }, { IonText: "a::'b c'" }],
      },
    })
    const bytes = ExecuteStatement?.FirstPage?.Values?.[0]?.IonBinary ?? new Uint8Array()
    expect([...bytes.subarray(0, 4)]).toEqual([0xe0, 0x01, 0x00, 0xea])
    expect(dumpText(load(bytes))).toBe("{a:{x:2007T},b:a::'b c'}")
    await session.send({ EndSession: {} })
  })

  it('refuse two in one, none, and parameters of no or two values', async () => {
    const session = await openTransaction()
    const execute = (Parameters: { IonBinary?: Uint8Array; IonText?: string }[]) =>
      session.send({
        ExecuteStatement: {
          TransactionId: session.transactionId,
          Statement: 'SELECT ? FROM << 0 >>',
          Parameters,
        },
      })
    const marker = [0xe0, 0x01, 0x00, 0xea]
    for (const refused of [
      session.send({ AbortTransaction: {}, EndSession: {} }),
      session.send({}),
      execute([{ IonBinary: new Uint8Array(marker) }]),
      execute([{ IonBinary: new Uint8Array([...marker, 0x20, 0x20]) }]),
      execute([{ IonBinary: new Uint8Array([1, 2, 3]) }]),
      execute([{ IonText: '1 2' }]),
      execute([{}]),
    ]) {
      await expect(refused).rejects.toBeInstanceOf(BadRequestException)
    }
    await session.send({ EndSession: {} })
  })
})

describe('commit digests', () => {
  it('are accepted when they are right, and returned', async () => {
    const session = await openTransaction()
    await session.execute('INSERT INTO T ?', { right: 1 })
    await session.execute('SELECT * FROM T WHERE "right" = ? AND b = ?', 1, new Date(0))
    const { CommitTransaction } = await session.commit()
    expect(CommitTransaction?.TransactionId).toBe(session.transactionId)
    expect(Buffer.from(CommitTransaction?.CommitDigest ?? [])).toEqual(
      Buffer.from(session.digest()),
    )
    expect(await rowCount('"right" = 1')).toBe(1)
    await session.send({ EndSession: {} })
  })

  it.each([
    ['one flipped bit', (digest: Uint8Array) => digest.with(31, (digest[31] ?? 0) ^ 1)],
    ['zeros', () => new Uint8Array(32)],
    ['31 bytes', (digest: Uint8Array) => digest.subarray(1)],
    ['nothing', () => new Uint8Array()],
  ])('are refused when wrong, and nothing is committed: %s', async (_, change) => {
    const session = await openTransaction()
    await session.execute('INSERT INTO T ?', { wrong: 1 })
    await expect(session.commit(change(session.digest()))).rejects.toBeInstanceOf(
      BadRequestException,
    )
    expect(await rowCount('wrong = 1')).toBe(0)
    expect((await session.send({ AbortTransaction: {} })).AbortTransaction).toBeDefined()
    await session.send({ EndSession: {} })
  })

  it('are refused when a statement that was sent is left out', async () => {
    const session = await openTransaction()
    const early = session.digest()
    await session.execute('INSERT INTO T ?', { wrong: 2 })
    await expect(session.commit(early)).rejects.toBeInstanceOf(BadRequestException)
    expect(await rowCount('wrong = 2')).toBe(0)
    await session.send({ EndSession: {} })
  })

  it('count statements that were refused', async () => {
    const session = await openTransaction()
    await expect(session.execute('no statement at all', 7)).rejects.toBeInstanceOf(
      BadRequestException,
    )
    await session.execute('INSERT INTO T ?', { counted: 1 })
    await session.commit()
    expect(await rowCount('counted = 1')).toBe(1)
    await session.send({ EndSession: {} })
  })

  it('of a transaction without statements are the hash of its id', async () => {
    const session = await openTransaction()
    const digest = driverHash(session.transactionId).getQldbHash()
    const { CommitTransaction } = await session.commit(digest)
    expect(Buffer.from(CommitTransaction?.CommitDigest ?? [])).toEqual(Buffer.from(digest))
    await session.send({ EndSession: {} })
  })

  it('give the first answer to a commit that is repeated', async () => {
    const session = await openTransaction()
    await session.execute('INSERT INTO T ?', { repeated: 1 })
    const first = await session.commit()
    const second = await session.commit()
    expect(second.CommitTransaction).toEqual(first.CommitTransaction)
    expect(await rowCount('repeated = 1')).toBe(1)
    await session.send({ EndSession: {} })
  })
})

describe('pages', () => {
  it('hold at most a megabyte, and at least one value', async () => {
    const session = await openTransaction()
    const text = 'x'.repeat(120_000)
    for (let i = 0; i < 12; i++) await session.execute('INSERT INTO T ?', { big: i, text })
    const result = await session.execute('SELECT * FROM T WHERE big >= 0')
    let page = result.FirstPage
    const sizes: number[] = []
    let count = 0
    for (;;) {
      const values = page?.Values ?? []
      count += values.length
      sizes.push(values.reduce((sum, { IonBinary }) => sum + (IonBinary?.length ?? 0), 0))
      const NextPageToken = page?.NextPageToken
      if (!NextPageToken) break
      const { FetchPage } = await session.send({
        FetchPage: { TransactionId: session.transactionId, NextPageToken },
      })
      page = FetchPage?.Page
    }
    expect(count).toBe(12)
    expect(sizes.length).toBe(2)
    for (const size of sizes) expect(size).toBeLessThanOrEqual(1024 * 1024)
    await session.send({ EndSession: {} })
  })

  it('belong to their transaction', async () => {
    const session = await openTransaction()
    const rows = '<< 0, 1, 2, 3, 4, 5, 6 >>'
    const statement = `SELECT * FROM ${rows} AS a, ${rows} AS b, ${rows} AS c`
    const result = await session.execute(statement)
    const NextPageToken = result.FirstPage?.NextPageToken
    expect(NextPageToken).toBeDefined()
    await session.commit()
    await session.startTransaction()
    const fetched = session.send({
      FetchPage: { TransactionId: session.transactionId, NextPageToken },
    })
    await expect(fetched).rejects.toBeInstanceOf(BadRequestException)
    await session.send({ EndSession: {} })
  })
})

describe('sessions', () => {
  it('are unknown when made up or ended', async () => {
    const session = await openTransaction()
    await session.send({ EndSession: {} })
    for (const SessionToken of [session.token, 'made-up-token']) {
      const error = await client
        .send(new SendCommandCommand({ SessionToken, StartTransaction: {} }))
        .catch((cause: unknown) => cause)
      expect(error).toBeInstanceOf(InvalidSessionException)
      expect((error as Error).message).toBe('No such session')
    }
  })

  it('are limited per ledger', async () => {
    await live.createLedger('crowded')
    const sessions: RawSession[] = []
    for (let i = 0; i < 30; i++) sessions.push(await RawSession.start(client, 'crowded'))
    await expect(RawSession.start(client, 'crowded')).rejects.toBeInstanceOf(LimitExceededException)
    await sessions[0]?.send({ EndSession: {} })
    await RawSession.start(client, 'crowded')
  })

  it('survive a conflict, which closes the transaction', async () => {
    const [first, second] = [await openTransaction(), await openTransaction()]
    for (const session of [first, second]) {
      await session.execute('SELECT * FROM T')
      await session.execute('INSERT INTO T ?', { raced: 1 })
    }
    await first.commit()
    const error = await second.commit().catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(OccConflictException)
    expect((error as Error).message).toBe('Optimistic concurrency control failure')
    await second.startTransaction()
    await second.execute('INSERT INTO T ?', { raced: 2 })
    await second.commit()
    expect(await rowCount('raced IN (1, 2)')).toBe(2)
    for (const session of [first, second]) await session.send({ EndSession: {} })
  })
})
