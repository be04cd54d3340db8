/**
 * What those who run a server ask it: `/healthz` (the process answers), `/readyz` (it takes work) and `/metrics`.
 * Metrics are for the machine itself, or for whoever has the token where other machines can ask (control-plane 1).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { dirname } from 'node:path'
import { type FileSystem, fromUtf8, type Random, toHex, utf8 } from '@cairn/core'
import type { HttpRequest, HttpResponse } from '@cairn/http-server'
import { type MetricsRegistry, metricsContentType } from './metrics-registry.ts'

export type ServerState = 'starting' | 'serving' | 'stopping'

export interface OperationsOptions {
  readonly version: string
  readonly registry: MetricsRegistry
  state(): ServerState
  /** Names of ledgers that only a restart helps. */
  stoppedLedgers(): readonly string[]
  /** Why the Ethereum chain is only read until a restart; undefined while all is well, or there is none. */
  ethereumFailure(): string | undefined
  /** What others than this machine show for metrics; undefined: nothing is enough. */
  metricsToken(): string | undefined
}

const jsonHeaders = { 'content-type': 'application/json', 'cache-control': 'no-store' }
const privateFileMode = 0o600
const tokenBytesSize = 24

export class Operations {
  readonly #options: OperationsOptions
  readonly #healthText: string

  constructor(options: OperationsOptions) {
    this.#options = options
    this.#healthText = `${JSON.stringify({ status: 'ok', version: options.version })}\n`
  }

  /**
   * @param isLocal Whether only this machine reaches the listener that the request came to.
   * @returns undefined for requests that are not for it.
   */
  respond(request: HttpRequest, isLocal: boolean): HttpResponse | undefined {
    // The path of every request is looked at: one character tells nearly all of them.
    const { path } = request
    if (path.length > 8 || path.length < 7) return undefined
    if (path !== '/healthz' && path !== '/readyz' && path !== '/metrics') return undefined
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return { status: 405, headers: { ...jsonHeaders, allow: 'GET, HEAD' }, body: '' }
    }
    if (path === '/healthz') return { status: 200, headers: jsonHeaders, body: this.#healthText }
    return path === '/readyz' ? this.#readiness() : this.#metrics(request, isLocal)
  }

  #readiness(): HttpResponse {
    const state = this.#options.state()
    const stopped = state === 'serving' ? this.#options.stoppedLedgers() : []
    const ethereum = state === 'serving' ? this.#options.ethereumFailure() : undefined
    const hasFailed = stopped.length > 0 || ethereum !== undefined
    const isReady = state === 'serving' && !hasFailed
    const body = isReady
      ? { status: 'ready' }
      : {
          status: hasFailed ? 'failed' : state,
          ...(stopped.length > 0 ? { stopped } : {}),
          ...(ethereum === undefined ? {} : { ethereum }),
        }
    return { status: isReady ? 200 : 503, headers: jsonHeaders, body: `${JSON.stringify(body)}\n` }
  }

  #metrics(request: HttpRequest, isLocal: boolean): HttpResponse {
    if (!isLocal && !this.#hasToken(request)) {
      const body = { message: 'Send the token of keys/metrics-token: authorization: Bearer TOKEN' }
      return {
        status: 401,
        headers: { ...jsonHeaders, 'www-authenticate': 'Bearer realm="metrics"' },
        body: `${JSON.stringify(body)}\n`,
      }
    }
    const headers = { 'content-type': metricsContentType, 'cache-control': 'no-store' }
    return { status: 200, headers, body: this.#options.registry.format() }
  }

  #hasToken({ headers }: HttpRequest): boolean {
    const token = this.#options.metricsToken()
    const given = /^Bearer +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1]
    if (token === undefined || given === undefined) return false
    return timingSafeEqual(sha256Of(given), sha256Of(token))
  }
}

function sha256Of(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}

/** The token for metrics, made on first use; the file is for the owner only. */
export async function openMetricsToken(
  files: FileSystem,
  path: string,
  random: Random,
): Promise<string> {
  if (!(await files.exists(path))) {
    await files.makeDirectory(dirname(path))
    const token = toHex(random.bytes(tokenBytesSize))
    await files.writeFileAtomic(path, utf8(`${token}\n`), privateFileMode)
  }
  return fromUtf8(await files.readFile(path)).trim()
}
