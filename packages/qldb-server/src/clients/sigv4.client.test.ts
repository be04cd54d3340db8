/** Signatures of unmodified clients: right and wrong secrets, unknown keys, session tokens, wrong clocks. */
import { ListLedgersCommand } from '@aws-sdk/client-qldb'
import { RetryConfig } from 'amazon-qldb-driver-nodejs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Credentials, LiveServer } from './live-server.ts'
import { RawSession } from './raw-session.ts'

const good: Credentials = { accessKeyId: 'AKIDGOOD', secretAccessKey: 'a good secret' }
const temporary: Credentials = { ...good, accessKeyId: 'ASIATEMP', sessionToken: 'to/ken+=' }
const keys = new Map([good, temporary].map((key) => [key.accessKeyId, key]))
const refused: [string, string, Credentials][] = [
  ['a wrong secret', 'InvalidSignatureException', { ...good, secretAccessKey: 'another' }],
  ['an unknown key', 'UnrecognizedClientException', { ...good, accessKeyId: 'AKIDNONE' }],
  ['a wrong token', 'UnrecognizedClientException', { ...temporary, sessionToken: 'other' }],
]

let live: LiveServer

beforeAll(async () => {
  live = await LiveServer.start({
    auth: { mode: 'sigv4', lookup: (accessKeyId) => keys.get(accessKeyId) },
  })
  await live.createLedger('signed')
})

afterAll(async () => {
  expect(live.logged).toEqual([])
  await live.close()
})

function nameOf(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => 'none',
    (error: Error) => error.name,
  )
}

describe.each([
  ['a key', good],
  ['a temporary key', temporary],
])('%s', (_, credentials) => {
  it('opens the session API to the driver', async () => {
    for (const isTls of [false, true]) {
      const driver = live.driver('signed', { credentials, isTls })
      expect(await driver.getTableNames()).toEqual([])
    }
  })

  it('opens the control API', async () => {
    const { Ledgers } = await live
      .controlClient({ credentials })
      .send(new ListLedgersCommand({ MaxResults: 10 }))
    expect(Ledgers?.map(({ Name }) => Name)).toEqual(['signed'])
  })
})

describe.each(refused)('%s', (_, name, credentials) => {
  it('opens neither API', async () => {
    const control = live.controlClient({ credentials }).send(new ListLedgersCommand({}))
    expect(await nameOf(control)).toBe(name)
    expect(await nameOf(RawSession.start(live.sessionClient({ credentials }), 'signed'))).toBe(name)
    const driver = live.driver('signed', { credentials, retryConfig: new RetryConfig(0) })
    expect(await nameOf(driver.getTableNames())).toBe(name)
  })
})

describe('sessions and clocks', () => {
  it('does not lend a session to another key', async () => {
    const session = await RawSession.start(live.sessionClient({ credentials: good }), 'signed')
    const other = live.sessionClient({ credentials: temporary })
    const borrowed = Object.assign(Object.create(session) as RawSession, { client: other })
    expect(await nameOf(borrowed.startTransaction())).toBe('InvalidSessionException')
    await session.startTransaction()
  })

  it.each([-3_600_000, 3_600_000])(
    'lets a client that tries again find out that its clock is wrong by %i ms',
    async (systemClockOffset) => {
      const options = { credentials: good, systemClockOffset, maxAttempts: 2 }
      const { Ledgers } = await live.controlClient(options).send(new ListLedgersCommand({}))
      expect(Ledgers).toHaveLength(1)
      await RawSession.start(live.sessionClient(options), 'signed')
    },
  )

  it.each([-6 * 60_000, 6 * 60_000])('refuses a clock that is wrong by %i ms', async (offset) => {
    const client = live.controlClient({ credentials: good, systemClockOffset: offset })
    const error = await client.send(new ListLedgersCommand({})).catch((cause: Error) => cause)
    expect((error as Error).name).toBe('InvalidSignatureException')
    expect((error as Error).message).toMatch(
      offset < 0
        ? /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z$/
        : /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z$/,
    )
  })
})
