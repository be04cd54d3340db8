/**
 * The session API (qldb-compat 1) in one session: transactions, pages, and the commit digest that both sides compute.
 * A small driver of our own, so that the shell needs none of the AWS packages.
 */
import { equalBytes, fromBase64, toBase64 } from '@cairn/core'
import { hashIonBytes, hashIonString } from '@cairn/ion'
import { dot } from '@cairn/merkle'
import { CliError, isFault } from './errors.ts'
import type { HttpClient } from './http-client.ts'

export interface StatementResult {
  /** Ion streams of one value each. */
  readonly values: readonly Uint8Array[]
  readonly readIos: number
  readonly writeIos: number
  readonly processingMs: number
}

export interface ClientTransaction {
  readonly id: string
  /** Reads every page. @param parameters Ion streams of one value each. */
  execute(statement: string, parameters?: readonly Uint8Array[]): Promise<StatementResult>
  commit(): Promise<void>
  abort(): Promise<void>
}

export interface SessionClient {
  /** Starts the session, so that a wrong ledger is noticed before the first statement. */
  open(): Promise<void>
  startTransaction(): Promise<ClientTransaction>
  /**
   * Runs one statement in a transaction of its own, again when another transaction was faster or the session had ended.
   */
  executeAlone(statement: string, parameters?: readonly Uint8Array[]): Promise<StatementResult>
  close(): Promise<void>
}

/** As the drivers do: four more attempts. */
const retryCountMax = 4
/** Values of one result that are kept in memory. */
const valueCountMax = 1_000_000

const target = 'QLDBSession.SendCommand'
const contentType = 'application/x-amz-json-1.0'

type Members = Readonly<Record<string, unknown>>

export function createSessionClient(http: HttpClient, ledgerName: string): SessionClient {
  let sessionToken: string | undefined

  const command = async (name: string, members: Members = {}): Promise<Members> => {
    const answer = await http.send({
      method: 'POST',
      path: '/',
      headers: { 'content-type': contentType, 'x-amz-target': target },
      body: JSON.stringify({
        ...(sessionToken === undefined ? {} : { SessionToken: sessionToken }),
        [name]: members,
      }),
    })
    return membersOf(answer[name])
  }

  const startSession = async (): Promise<void> => {
    sessionToken = undefined
    const token = (await command('StartSession', { LedgerName: ledgerName }))['SessionToken']
    if (typeof token !== 'string') throw invalidAnswer(http, 'SessionToken')
    sessionToken = token
  }

  const startTransaction = async (): Promise<ClientTransaction> => {
    if (sessionToken === undefined) await startSession()
    const id = (await command('StartTransaction'))['TransactionId']
    if (typeof id !== 'string') throw invalidAnswer(http, 'TransactionId')
    return createTransaction(http, command, id)
  }

  return {
    open: startSession,
    startTransaction: () => withFreshSession(startTransaction, startSession),
    async executeAlone(statement, parameters) {
      for (let attempt = 0; ; attempt++) {
        const transaction = await withFreshSession(startTransaction, startSession)
        try {
          const result = await transaction.execute(statement, parameters)
          await transaction.commit()
          return result
        } catch (error) {
          if (!isFault(error, 'OccConflictException')) {
            await transaction.abort().catch(() => undefined) // the first error is the one to tell
            throw error
          }
          if (attempt === retryCountMax) throw error
        }
      }
    },
    async close() {
      if (sessionToken === undefined) return
      // The server forgets the session by itself; nobody waits for an answer here.
      await command('EndSession').catch(() => undefined)
      sessionToken = undefined
    },
  }
}

/** Sessions end after some minutes at a prompt; the next statement opens another one. */
async function withFreshSession<T>(
  action: () => Promise<T>,
  startSession: () => Promise<void>,
): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (!isFault(error, 'InvalidSessionException')) throw error
    await startSession()
    return action()
  }
}

function createTransaction(
  http: HttpClient,
  command: (name: string, members?: Members) => Promise<Members>,
  id: string,
): ClientTransaction {
  let digest = hashIonString(id)
  return {
    id,
    async execute(statement, parameters = []) {
      // Before sending: the server counts a statement that it refuses, too (qldb-compat 1.5).
      let statementHash = hashIonString(statement)
      for (const each of parameters) statementHash = dot(statementHash, hashIonBytes(each))
      digest = dot(digest, statementHash)
      const answer = await command('ExecuteStatement', {
        TransactionId: id,
        Statement: statement,
        ...(parameters.length === 0
          ? {}
          : { Parameters: parameters.map((each) => ({ IonBinary: toBase64(each) })) }),
      })
      return readPages(http, answer, (token) =>
        command('FetchPage', { TransactionId: id, NextPageToken: token }),
      )
    },
    async commit() {
      const sent = toBase64(digest)
      const answer = await command('CommitTransaction', { TransactionId: id, CommitDigest: sent })
      const received = answer['CommitDigest']
      if (typeof received !== 'string' || !equalBytes(fromBase64(received), digest)) {
        throw invalidAnswer(http, 'CommitDigest equal to ours')
      }
    },
    async abort() {
      await command('AbortTransaction')
    },
  }
}

async function readPages(
  http: HttpClient,
  first: Members,
  fetchPage: (token: string) => Promise<Members>,
): Promise<StatementResult> {
  const values: Uint8Array[] = []
  let readIos = 0
  let writeIos = 0
  let processingMs = 0
  let answer = first
  for (let page = membersOf(first['FirstPage']); ; page = membersOf(answer['Page'])) {
    for (const holder of Array.isArray(page['Values']) ? page['Values'] : []) {
      const base64 = membersOf(holder)['IonBinary']
      if (typeof base64 !== 'string') throw invalidAnswer(http, 'IonBinary')
      values.push(fromBase64(base64))
    }
    const ios = membersOf(answer['ConsumedIOs'])
    readIos += Number(ios['ReadIOs'] ?? 0)
    writeIos += Number(ios['WriteIOs'] ?? 0)
    const timing = membersOf(answer['TimingInformation'])
    processingMs += Number(timing['ProcessingTimeMilliseconds'] ?? 0)
    const token = page['NextPageToken']
    if (typeof token !== 'string' || token === '') break
    if (values.length > valueCountMax) throw invalidAnswer(http, 'end of the result')
    answer = await fetchPage(token)
  }
  return { values, readIos, writeIos, processingMs }
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {}
}

function invalidAnswer(http: HttpClient, member: string): CliError {
  return new CliError(
    { code: 'ANSWER_INVALID', endpoint: http.endpoint },
    {
      shortMessage: `The server's answer has no ${member}.`,
      metaMessages: [`Endpoint: ${http.endpoint}`],
    },
  )
}
