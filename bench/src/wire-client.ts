/**
 * A lean client of the QLDB session API, so that the load costs as little as can be beside the server: one connection,
 * one request at a time, commit digests from our own Ion and Merkle packages.
 */
import { encodeBase64 } from '@cairn/aws-protocol'
import { encodeIon, hashIonBytes, hashIonString, type IonValue } from '@cairn/ion'
import { dot } from '@cairn/merkle'
import { ClientConnection } from './client-connection.ts'
import { createRequestSigner, type SigningTarget } from './request-signer.ts'

export interface WireTarget extends SigningTarget {
  readonly ledgerName: string
}

/** A statement with its parameters, as it goes on the wire, and what it adds to the commit digest. */
export interface PreparedStatement {
  readonly members: string
  readonly digest: Uint8Array
}

/** @param text ASCII without characters that JSON escapes. */
export function prepareStatement(
  text: string,
  parameters: readonly IonValue[] = [],
): PreparedStatement {
  const streams = parameters.map((value) => encodeIon(value))
  const holders = streams.map((stream) => `{"IonBinary":"${encodeBase64(stream)}"}`)
  return {
    members: `"Statement":"${text}","Parameters":[${holders.join(',')}]`,
    digest: streams.reduce(
      (digest, stream) => dot(digest, hashIonBytes(stream)),
      hashIonString(text),
    ),
  }
}

/** Times of one committed transaction. */
export interface TransactionTimes {
  readonly transactionMs: number
  /** The last of its requests alone. */
  readonly commitMs: number
}

export class WireSession {
  readonly #connection: ClientConnection
  readonly #sign: (body: string) => string
  #members = ''
  /** The one request that is always the same; its signature holds for five minutes. */
  #startRequest = ''

  private constructor(target: WireTarget, connection: ClientConnection) {
    this.#connection = connection
    this.#sign = createRequestSigner(target, {
      path: '/',
      contentType: 'application/x-amz-json-1.0',
      operation: 'QLDBSession.SendCommand',
    })
  }

  static async open(target: WireTarget): Promise<WireSession> {
    const session = new WireSession(target, await ClientConnection.open(target.host, target.port))
    const command = `{"StartSession":{"LedgerName":"${target.ledgerName}"}}`
    const answer = await session.#connection.ask(session.#sign(command))
    session.#members = `{"SessionToken":"${member(answer, 'SessionToken')}"`
    session.#startRequest = session.#sign(`${session.#members},"StartTransaction":{}}`)
    return session
  }

  /** Start, one request per statement, commit. @throws WireError also for conflicts; the session stays usable. */
  async transact(statements: readonly PreparedStatement[]): Promise<TransactionTimes> {
    const startMs = performance.now()
    const id = member(await this.#connection.ask(this.#startRequest), 'TransactionId')
    const ofTransaction = `"TransactionId":"${id}"`
    let digest = hashIonString(id)
    for (const statement of statements) {
      digest = dot(digest, statement.digest)
      await this.#send(`"ExecuteStatement":{${ofTransaction},${statement.members}}`)
    }
    const digestText = encodeBase64(digest)
    const commitStartMs = performance.now()
    const committed = await this.#send(
      `"CommitTransaction":{${ofTransaction},"CommitDigest":"${digestText}"}`,
    )
    if (member(committed, 'CommitDigest') !== digestText) {
      throw new Error('The server has another digest.')
    }
    const endMs = performance.now()
    return { transactionMs: endMs - startMs, commitMs: endMs - commitStartMs }
  }

  close(): void {
    this.#connection.close()
  }

  #send(command: string): Promise<string> {
    return this.#connection.ask(this.#sign(`${this.#members},${command}}`))
  }
}

/** The first member of that name, a string without escapes: our own server's answers need no parser for that. */
function member(answer: string, name: string): string {
  const start = answer.indexOf(`"${name}":"`) + name.length + 4
  const end = answer.indexOf('"', start)
  if (start < name.length + 4 || end < 0) throw new Error(`The answer has no ${name}: ${answer}`)
  return answer.slice(start, end)
}
