/**
 * A lean client of the QLDB session API, so that the load costs as little as can be beside the server: one keep-alive
 * socket, one request at a time, SigV4 with a derived key, commit digests from our own Ion and Merkle packages.
 */
import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { fromBase64, toBase64 } from '@cairn/core'
import { encodeIon, hashIon, hashIonBytes, type IonValue, ionString } from '@cairn/ion'
import { dot } from '@cairn/merkle'

export interface WireTarget {
  readonly host: string
  readonly port: number
  readonly ledgerName: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** What the server answered when it was not 200. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly fault: string

  constructor(fault: string, message: string) {
    super(`${fault}: ${message}`)
    this.fault = fault
  }
}

export interface Statement {
  readonly text: string
  readonly parameters: readonly IonValue[]
}

interface Reply {
  readonly status: number
  readonly text: string
}

/** Times of one committed transaction. */
export interface TransactionTimes {
  readonly transactionMs: number
  /** The last of its requests alone. */
  readonly commitMs: number
}

const region = 'us-east-1'
const service = 'qldb'
const target = 'QLDBSession.SendCommand'
const signedNames = 'host;x-amz-content-sha256;x-amz-date;x-amz-target'

export class WireSession {
  readonly #target: WireTarget
  readonly #socket: Socket
  readonly #sign: (bodyHash: string) => string
  readonly #statementHashes = new Map<string, Uint8Array>()
  #token = ''
  #received: Buffer = Buffer.alloc(0)
  #waiting: { resolve(reply: Reply): void; reject(error: Error): void } | undefined

  private constructor(wireTarget: WireTarget, socket: Socket) {
    this.#target = wireTarget
    this.#socket = socket
    this.#sign = createSigner(wireTarget)
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => this.#waiting?.reject(new Error('The server closed the connection.')))
  }

  static async open(wireTarget: WireTarget): Promise<WireSession> {
    const socket = createConnection({ host: wireTarget.host, port: wireTarget.port })
    await once(socket, 'connect')
    const session = new WireSession(wireTarget, socket)
    const reply = await session.#send({ StartSession: { LedgerName: wireTarget.ledgerName } })
    session.#token = member(reply, 'StartSession', 'SessionToken')
    return session
  }

  /** Start, one request per statement, commit. @throws WireError also for conflicts; the session stays usable. */
  async transact(statements: readonly Statement[]): Promise<TransactionTimes> {
    const startMs = performance.now()
    const started = await this.#send({ SessionToken: this.#token, StartTransaction: {} })
    const id = member(started, 'StartTransaction', 'TransactionId')
    let digest = hashIon(ionString(id))
    for (const statement of statements) {
      const parameters = statement.parameters.map((value) => encodeIon(value))
      digest = dot(digest, this.#statementDigest(statement.text, parameters))
      const Parameters = parameters.map((bytes) => ({ IonBinary: toBase64(bytes) }))
      const ExecuteStatement = { TransactionId: id, Statement: statement.text, Parameters }
      await this.#send({ SessionToken: this.#token, ExecuteStatement })
    }
    const commitStartMs = performance.now()
    const CommitTransaction = { TransactionId: id, CommitDigest: toBase64(digest) }
    const committed = await this.#send({ SessionToken: this.#token, CommitTransaction })
    const answered = fromBase64(member(committed, 'CommitTransaction', 'CommitDigest'))
    if (Buffer.compare(answered, digest) !== 0) throw new Error('The server has another digest.')
    const endMs = performance.now()
    return { transactionMs: endMs - startMs, commitMs: endMs - commitStartMs }
  }

  close(): void {
    this.#socket.destroy()
  }

  #statementDigest(text: string, parameters: readonly Uint8Array[]): Uint8Array {
    let hash = this.#statementHashes.get(text)
    if (hash === undefined) {
      hash = hashIon(ionString(text))
      this.#statementHashes.set(text, hash)
    }
    for (const bytes of parameters) hash = dot(hash, hashIonBytes(bytes))
    return hash
  }

  async #send(command: object): Promise<unknown> {
    const body = JSON.stringify(command)
    const head = [
      'POST / HTTP/1.1',
      `host: ${this.#target.host}:${this.#target.port}`,
      'content-type: application/x-amz-json-1.0',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-amz-target: ${target}`,
      this.#sign(createHash('sha256').update(body).digest('hex')),
    ]
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
    })
    if (reply.status === 200) return JSON.parse(reply.text)
    const fault = JSON.parse(reply.text) as { __type?: string; Message?: string; message?: string }
    throw new WireError(fault.__type ?? String(reply.status), fault.Message ?? fault.message ?? '')
  }

  #onData(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = this.#received.toString('latin1', 0, headEnd)
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    const waiting = this.#waiting
    if (length === undefined || waiting === undefined) {
      this.#socket.destroy(new Error(`An answer without a question or a length:\n${head}`))
      return
    }
    const end = headEnd + 4 + Number(length)
    if (this.#received.length < end) return
    const text = this.#received.toString('utf8', headEnd + 4, end)
    this.#received = this.#received.subarray(end)
    this.#waiting = undefined
    waiting.resolve({ status: Number(head.slice(9, 12)), text })
  }
}

/** Three header lines for a body with the given hash. The derived key is kept for the day. */
function createSigner(wireTarget: WireTarget): (bodyHash: string) => string {
  const host = `${wireTarget.host}:${wireTarget.port}`
  const hmac = (key: string | Buffer, text: string): Buffer =>
    createHmac('sha256', key).update(text).digest()
  let keyDay = ''
  let key: Buffer = Buffer.alloc(0)
  return (bodyHash) => {
    const time = `${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`
    const day = time.slice(0, 8)
    if (day !== keyDay) {
      const dayKey = hmac(`AWS4${wireTarget.secretAccessKey}`, day)
      key = hmac(hmac(hmac(dayKey, region), service), 'aws4_request')
      keyDay = day
    }
    const scope = `${day}/${region}/${service}/aws4_request`
    const headers =
      `host:${host}\nx-amz-content-sha256:${bodyHash}\n` +
      `x-amz-date:${time}\nx-amz-target:${target}\n`
    const canonical = `POST\n/\n\n${headers}\n${signedNames}\n${bodyHash}`
    const canonicalHash = createHash('sha256').update(canonical).digest('hex')
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${canonicalHash}`
    const signature = createHmac('sha256', key).update(text).digest('hex')
    return [
      `x-amz-content-sha256: ${bodyHash}`,
      `x-amz-date: ${time}`,
      `authorization: AWS4-HMAC-SHA256 Credential=${wireTarget.accessKeyId}/${scope}, ` +
        `SignedHeaders=${signedNames}, Signature=${signature}`,
    ].join('\r\n')
  }
}

function member(reply: unknown, result: string, name: string): string {
  const outer = (reply as Record<string, Record<string, unknown> | undefined>)[result]
  const value = outer?.[name]
  if (typeof value !== 'string') throw new Error(`The answer has no ${result}.${name}.`)
  return value
}
