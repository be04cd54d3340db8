/** A server over the real engine on a disk in memory, made anew now and then so that its data stays small. */
import { createIdSource, createSystemClock, type Logger, systemRandom } from '@cairn/core'
import {
  createMemoryProjections,
  type LedgerHost,
  type LedgerLimits,
  openLedgerHost,
} from '@cairn/ledger'
import { createQldbServer, type QldbServer } from '@cairn/qldb-server'
import { createMemoryFileSystem } from '@cairn/testing'
import { mustHold, Violation } from './target.ts'

export interface ApiHost {
  readonly server: QldbServer
  readonly host: LedgerHost
  /** What the server logged as errors since it was asked last. */
  takeErrors(): readonly string[]
  close(): Promise<void>
}

export interface ApiHostOptions {
  /** Of the engine and the server. */
  readonly transactionMsMax?: number
  readonly ledgerLimits?: Partial<LedgerLimits>
}

export async function openApiHost(options: ApiHostOptions = {}): Promise<ApiHost> {
  const { transactionMsMax = 500 } = options
  const clock = createSystemClock()
  const errors: string[] = []
  const logger: Logger = {
    log(level, message, fields) {
      if (level === 'error') errors.push(`${message}: ${fields?.['error'] ?? ''}`)
    },
  }
  const fileSystem = createMemoryFileSystem()
  await fileSystem.makeDirectory('/data')
  const host = await openLedgerHost({
    directory: '/data',
    fileSystem,
    clock,
    logger,
    projections: createMemoryProjections(),
    isLocked: false,
    limits: { transactionMsMax, ...options.ledgerLimits },
  })
  const server = createQldbServer({
    host,
    clock,
    ids: createIdSource(clock, systemRandom),
    logger,
    auth: 'off',
    limits: { transactionMsMax },
  })
  return {
    server,
    host,
    takeErrors: () => errors.splice(0),
    async close() {
      await server.close()
      await host.close()
    },
  }
}

/** Every answer is a success or a fault that clients can read; nothing fails inside. */
export function checkAnswer(
  answer: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  },
  api: ApiHost,
): void {
  const { status, headers, body } = answer
  const errors = api.takeErrors()
  if (status >= 500 && status !== 503) {
    throw new Violation(`status ${status}, ${errors[0]?.slice(0, 1500) ?? 'nothing logged'}`)
  }
  mustHold(errors.length === 0, `logged as an error: ${errors[0]?.slice(0, 1500)}`)
  if (body !== '') {
    const value: unknown = JSON.parse(body)
    mustHold(typeof value === 'object' && value !== null, 'an answer is no object')
    mustHold(status === 200 || 'Message' in value, 'a fault has no Message')
  }
  if (status === 200) return
  mustHold(status >= 400, `a status that no client expects: ${status}`)
  mustHold(/^[A-Za-z]+$/.test(headers['x-amzn-ErrorType'] ?? ''), 'a fault has no name')
}
