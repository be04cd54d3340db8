import { encodeIon, parseIon } from '@cairn/ion'
import { describe, expect, it } from 'vitest'
import { CliError } from './errors.ts'
import type { ApiRequest, HttpClient } from './http-client.ts'
import { createSessionClient } from './session-client.ts'

const transactionId = '2UMpTNe0bEIBCHPo7QOm0S'
/** Captured from the real driver (qldb-compat 1.5). */
const twoParameters = {
  statement: 'SELECT * FROM T WHERE a = ? AND d = ?',
  parameters: ['"x"', '2020-01-02T03:04:05.006Z'].map((text) => encodeIon(parseIon(text))),
  digest: '6SQvQzH2qw8rK3aWy4b+M9XrQ+0L+3LJWnCH5sPs/6Y=',
}
const noParameters = {
  statement: "SELECT name FROM information_schema.user_tables WHERE status = 'ACTIVE'",
  digest: 'SOqUqTVHm3+uaGeIOS/IDjgwtSCfntJMRUr+CO9nwKI=',
}

interface Command {
  readonly name: string
  readonly members: Record<string, unknown>
}

/** A server of one session that answers from `answers` by command, or fails with a fault of that name. */
function fakeServer(answers: Record<string, (members: Record<string, unknown>) => unknown>) {
  const commands: Command[] = []
  const standard: typeof answers = {
    StartSession: () => ({ SessionToken: 'token' }),
    StartTransaction: () => ({ TransactionId: transactionId }),
    ExecuteStatement: () => ({ FirstPage: { Values: [] } }),
    CommitTransaction: ({ CommitDigest }) => ({ TransactionId: transactionId, CommitDigest }),
    AbortTransaction: () => ({}),
    EndSession: () => ({}),
  }
  const http: HttpClient = {
    endpoint: 'http://fake',
    send({ body }: ApiRequest) {
      const { SessionToken: _, ...command } = JSON.parse(body ?? '') as Record<string, never>
      const [name = '', members = {}] = Object.entries(command)[0] ?? []
      commands.push({ name, members })
      return Promise.resolve().then(() => {
        const answer = (answers[name] ?? standard[name])?.(members)
        if (typeof answer !== 'string') return { [name]: answer }
        throw new CliError(
          { code: 'REQUEST_REFUSED', fault: answer, status: 400 },
          { shortMessage: answer },
        )
      })
    },
    close() {},
  }
  return { client: createSessionClient(http, 'sample'), commands }
}

function namesOf(commands: readonly Command[]): string[] {
  return commands.map(({ name }) => name)
}

describe('createSessionClient', () => {
  it('computes the commit digest of the real driver, with parameters', async () => {
    const { client, commands } = fakeServer({})
    await client.executeAlone(twoParameters.statement, twoParameters.parameters)
    expect(commands.at(-1)?.members).toEqual({
      TransactionId: transactionId,
      CommitDigest: twoParameters.digest,
    })
  })

  it('computes it without parameters', async () => {
    const { client, commands } = fakeServer({})
    await client.executeAlone(noParameters.statement)
    expect(commands.at(-1)?.members['CommitDigest']).toBe(noParameters.digest)
  })

  it('fails when the server commits something else', async () => {
    const { client } = fakeServer({ CommitTransaction: () => ({ CommitDigest: 'AAAA' }) })
    await expect(client.executeAlone('SELECT 1')).rejects.toThrow(/CommitDigest equal to ours/)
  })

  it('reads every page and adds up the costs', async () => {
    const page = (texts: string[], next?: string) => ({
      Values: texts.map((text) => ({
        IonBinary: Buffer.from(encodeIon(parseIon(text))).toString('base64'),
      })),
      ...(next === undefined ? {} : { NextPageToken: next }),
    })
    const { client, commands } = fakeServer({
      ExecuteStatement: () => ({ FirstPage: page(['1', '2'], 'n1'), ConsumedIOs: { ReadIOs: 2 } }),
      FetchPage: ({ NextPageToken }) => ({
        Page: NextPageToken === 'n1' ? page(['3'], 'n2') : page(['4']),
        ConsumedIOs: { ReadIOs: 1, WriteIOs: 1 },
      }),
    })
    const result = await client.executeAlone('SELECT 1')
    expect(result.values).toHaveLength(4)
    expect(result).toMatchObject({ readIos: 4, writeIos: 2 })
    expect(namesOf(commands)).toContain('FetchPage')
  })

  it('runs a statement again after a conflict, and gives up after five times', async () => {
    let conflicts = 2
    const answers = {
      CommitTransaction: ({ CommitDigest }: Record<string, unknown>) =>
        conflicts-- > 0 ? 'OccConflictException' : { CommitDigest },
    }
    const { client, commands } = fakeServer(answers)
    await client.executeAlone('SELECT 1')
    expect(namesOf(commands).filter((name) => name === 'CommitTransaction')).toHaveLength(3)
    expect(namesOf(commands)).not.toContain('AbortTransaction')

    conflicts = 99
    await expect(client.executeAlone('SELECT 1')).rejects.toThrow('OccConflictException')
    expect(conflicts).toBe(94)
  })

  it('opens another session when the old one has ended', async () => {
    let transactions = 0
    const { client, commands } = fakeServer({
      StartTransaction: () =>
        ++transactions === 2 ? 'InvalidSessionException' : { TransactionId: transactionId },
    })
    await client.executeAlone('SELECT 1')
    await client.executeAlone('SELECT 1')
    expect(namesOf(commands).filter((name) => name === 'StartSession')).toHaveLength(2)
  })

  it('aborts after a refused statement and tells the refusal', async () => {
    const { client, commands } = fakeServer({ ExecuteStatement: () => 'BadRequestException' })
    await expect(client.executeAlone('SELEC')).rejects.toThrow('BadRequestException')
    expect(namesOf(commands).at(-1)).toBe('AbortTransaction')
  })
})
