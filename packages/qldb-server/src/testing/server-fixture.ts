/** A server over the fake host on a clock that tests set, spoken to without a socket. */
import { type Clock, createIdSource, type Logger, systemRandom } from '@cairn/core'
import { createQldbServer, type QldbServer, type QldbServerOptions } from '../server.ts'
import { FakeHost } from './fake-host.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** Parsed; an empty object for an empty body. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of any shape.
  readonly body: any
}

export class ManualClock implements Clock {
  #nowMs = Date.UTC(2024, 0, 1)

  nowMs(): number {
    return this.#nowMs
  }

  advance(ms: number): void {
    this.#nowMs += ms
  }

  /** Ends only by its signal. */
  sleep(_delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  }
}

export class ServerFixture {
  readonly clock: ManualClock = new ManualClock()
  readonly host: FakeHost = new FakeHost(() => this.clock.nowMs())
  readonly logged: string[] = []
  readonly server: QldbServer

  constructor(options: Partial<QldbServerOptions> = {}) {
    const logger: Logger = {
      log: (level, message, fields) => {
        this.logged.push(`${level} ${message} ${JSON.stringify(fields)}`)
      },
    }
    this.server = createQldbServer({
      host: this.host,
      clock: this.clock,
      ids: createIdSource(this.clock, systemRandom),
      logger,
      auth: 'off',
      ...options,
    })
  }

  async request(
    method: string,
    address: string,
    body: string | object = '',
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const [path = '/', query = ''] = address.split('?')
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await this.server.respond({
      method,
      path,
      query,
      headers,
      body: Buffer.from(text),
    })
    return {
      status: response.status,
      headers: response.headers,
      text: response.body,
      body: response.body === '' ? {} : JSON.parse(response.body),
    }
  }

  send(command: string | object, target = 'QLDBSession.SendCommand'): Promise<Answer> {
    return this.request('POST', '/', command, { 'x-amz-target': target })
  }

  /** The token of a new session on the ledger `L`, which is created when there is none. */
  async startSession(): Promise<string> {
    if (!this.host.ledgers.has('L')) await this.host.createLedger({ name: 'L' })
    const { body } = await this.send({ StartSession: { LedgerName: 'L' } })
    return body.StartSession.SessionToken
  }

  async startTransaction(token: string): Promise<string> {
    const { body } = await this.send({ SessionToken: token, StartTransaction: {} })
    return body.StartTransaction.TransactionId
  }

  execute(token: string, transactionId: string, statement: string): Promise<Answer> {
    return this.send({
      SessionToken: token,
      ExecuteStatement: { TransactionId: transactionId, Statement: statement },
    })
  }
}
