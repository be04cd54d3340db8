import type { HttpRequest } from '@cairn/http-server'
import { describe, expect, it } from 'vitest'
import { createMetricsRegistry } from './metrics-registry.ts'
import { Operations, type ServerState } from './operations.ts'

function request(path: string, method = 'GET', headers: Record<string, string> = {}): HttpRequest {
  return { method, path, query: '', headers, body: new Uint8Array(0) }
}

function fixture(
  state: ServerState,
  stopped: readonly string[] = [],
  token?: string,
  ethereum?: string,
): Operations {
  const registry = createMetricsRegistry()
  registry.counter('a_total', 'a').add()
  return new Operations({
    version: '1',
    registry,
    state: () => state,
    stoppedLedgers: () => stopped,
    ethereumFailure: () => ethereum,
    metricsToken: () => token,
  })
}

describe('operations', () => {
  it.each([
    ['starting', [], 503, '{"status":"starting"}'],
    ['serving', [], 200, '{"status":"ready"}'],
    ['serving', ['a'], 503, '{"status":"failed","stopped":["a"]}'],
    ['stopping', [], 503, '{"status":"stopping"}'],
    // Ending: what has failed is no news any more.
    ['stopping', ['a'], 503, '{"status":"stopping"}'],
  ] as const)('are ready or not: %s, stopped %j', (state, stopped, status, body) => {
    const answer = fixture(state, stopped).respond(request('/readyz'), true)
    expect(answer).toMatchObject({ status, body: `${body}\n` })
    expect(fixture(state, stopped).respond(request('/healthz'), false)?.status).toBe(200)
  })

  it('are not ready when the Ethereum chain is only read any more', () => {
    const body = (state: ServerState, stopped: readonly string[]) =>
      fixture(state, stopped, undefined, 'It has failed.').respond(request('/readyz'), true)
    expect(body('serving', [])).toMatchObject({
      status: 503,
      body: '{"status":"failed","ethereum":"It has failed."}\n',
    })
    expect(body('serving', ['a'])?.body).toBe(
      '{"status":"failed","stopped":["a"],"ethereum":"It has failed."}\n',
    )
    expect(body('stopping', [])?.body).toBe('{"status":"stopping"}\n')
  })

  it('leave all other paths to others, and take reads only', () => {
    const operations = fixture('serving')
    for (const path of ['/', '/ledgers', '/health', '/metrics/', '/readyz2', '/v1/openapi.json']) {
      expect(operations.respond(request(path), true), path).toBeUndefined()
    }
    const post = operations.respond(request('/metrics', 'POST'), true)
    expect(post).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
    expect(operations.respond(request('/readyz', 'HEAD'), true)?.status).toBe(200)
  })

  it('give metrics to this machine, and to others with the token only', () => {
    const of = (authorization: string | undefined, isLocal: boolean, token?: string) => {
      const headers = authorization === undefined ? {} : { authorization }
      return fixture('serving', [], token).respond(request('/metrics', 'GET', headers), isLocal)
    }
    expect(of(undefined, true)?.body).toContain('a_total 1\n')
    expect(of('bearer secret', false, 'secret')?.body).toContain('a_total 1\n')
    for (const authorization of [undefined, 'Bearer', 'Bearer wrong', 'Basic secret', 'secret']) {
      const answer = of(authorization, false, 'secret')
      expect(answer?.status, authorization).toBe(401)
      expect(answer?.body).not.toContain('a_total')
    }
    // Before the token was read, nothing is enough.
    expect(of('Bearer undefined', false)?.status).toBe(401)
  })
})
