import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { signRequest } from '@cairn/aws-protocol'
import type { Logger } from '@cairn/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readLimitsFile } from './limits-file.ts'
import {
  ownReadyFile,
  type RunningServer,
  type StartServerOptions,
  startServer,
} from './start-server.ts'
import { parseMetrics, sampleOf } from './testing/parse-metrics.ts'

const anyPort = { host: '127.0.0.1', port: 0 }
const ledgersPath = '/ledgers?max_results=10'
const metricsPage = fileURLToPath(new URL('../../../docs/reference/metrics.md', import.meta.url))

let folder: string
let running: RunningServer[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-server-'))
  running = []
})
afterEach(async () => {
  for (const server of running) await server.stop()
  await rm(folder, { recursive: true })
})

async function start(changes: Partial<StartServerOptions> = {}): Promise<RunningServer> {
  const server = await startServer({
    dataDirectory: join(folder, 'data'),
    listen: anyPort,
    tlsListen: anyPort,
    auth: 'off',
    ...changes,
  })
  running.push(server)
  return server
}

async function get(
  url: string,
  headers: Record<string, string> = {},
  ca?: string,
  method = 'GET',
  body = '',
) {
  const start = url.startsWith('https') ? httpsRequest : httpRequest
  const options = { method, headers, agent: false as const, ...(ca === undefined ? {} : { ca }) }
  const outgoing = start(url, options)
  outgoing.end(body)
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  const text = (await incoming.toArray()).join('')
  return { status: incoming.statusCode, headers: incoming.headers, text }
}

function post(url: string, body: object) {
  const headers = { 'content-type': 'application/json' }
  return get(url, headers, undefined, 'POST', JSON.stringify(body))
}

describe('startServer', () => {
  it('serves over http and https, and says where in ready files that are private', async () => {
    const readyFile = join(folder, 'run', 'ready.json')
    const { info } = await start({ readyFile })
    for (const path of [readyFile, join(folder, 'data', ownReadyFile)]) {
      expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(info)
      expect((await stat(path)).mode & 0o777).toBe(0o600)
    }
    expect(info).toMatchObject({ pid: process.pid, version: '0.1.0' })
    expect(info.endpoints.api).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/)

    const { api, apiTls } = info.endpoints
    expect(JSON.parse((await get(`${api}/healthz`)).text)).toEqual({
      status: 'ok',
      version: '0.1.0',
    })
    const ca = await readFile(info.caFile, 'utf8')
    expect(JSON.parse((await get(`${apiTls}${ledgersPath}`, {}, ca)).text)).toEqual({ Ledgers: [] })
    await expect(get(`${apiTls}/healthz`)).rejects.toThrow(/certificate/)
  })

  it('says what it does at /metrics, and nothing of it to other machines without the token', async () => {
    const ledger = { Name: 'vehicles', PermissionsMode: 'ALLOW_ALL', DeletionProtection: false }
    const { info } = await start({
      tlsListen: { host: '0.0.0.0', port: 0 },
      isInsecureAllowed: true,
    })
    const { api, apiTls } = info.endpoints
    await post(`${api}/ledgers`, ledger)
    const transactions = `${api}/v1/ledgers/vehicles/transactions`
    const create = { statements: [{ statement: 'CREATE TABLE T' }] }
    expect((await post(transactions, create)).status).toBe(200)
    expect((await post(transactions, create)).status).toBe(400)
    const { text, headers } = await get(`${api}/metrics`)
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    const families = parseMetrics(text)
    const value = (sample: string) => sampleOf(text, sample)
    expect(value('cairn_request_seconds_count{operation="CreateLedger",status="200"}')).toBe(1)
    expect(value('cairn_request_seconds_count{operation="Transact",status="200"}')).toBe(1)
    expect(value('cairn_request_faults_total{fault="TABLE_EXISTS"}')).toBe(1)
    expect(value('cairn_commit_seconds_count{ledger="vehicles"}')).toBe(1)
    const committed = 'cairn_transactions_total{ledger="vehicles",outcome="committed"}'
    expect(value(committed)).toBe(1)
    // The first block of a ledger, and the table.
    expect(value('cairn_journal_group_records_sum{ledger="vehicles"}')).toBe(2)
    expect(value('cairn_journal_blocks{ledger="vehicles"}')).toBe(2)
    expect(value('cairn_journal_bytes{ledger="vehicles"}')).toBeGreaterThan(500)
    expect(value('cairn_ledger_up{ledger="vehicles"}')).toBe(1)
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0)
    const documented = await readFile(metricsPage, 'utf8')
    const undocumented = [...families.keys()].filter((name) => !documented.includes(`\`${name}\``))
    expect(undocumented).toEqual([])
    const gone = [...documented.matchAll(/^\| `(\w+)` \|/gm)].filter(([, name = '']) => {
      return !families.has(name)
    })
    expect(gone.map(([, name]) => name)).toEqual([])

    const ca = await readFile(info.caFile, 'utf8')
    const far = apiTls.replace('0.0.0.0', '127.0.0.1')
    expect((await get(`${far}/metrics`, {}, ca)).status).toBe(401)
    expect((await get(`${far}/metrics`, { authorization: 'Bearer no' }, ca)).status).toBe(401)
    const token = await readFile(join(folder, 'data', 'keys', 'metrics-token'), 'utf8')
    const allowed = await get(`${far}/metrics`, { authorization: `Bearer ${token.trim()}` }, ca)
    expect(allowed.status).toBe(200)

    await get(`${api}/ledgers/vehicles`, {}, undefined, 'DELETE')
    expect((await get(`${api}/metrics`)).text).not.toContain('vehicles')
  })

  it('is not ready before its ledgers are open, and lets drivers wait', async () => {
    const first = await start()
    await first.stop()
    // A description that nobody writes to the end yet.
    const pipe = join(folder, 'data', 'ledgers', 'late', 'ledger.json')
    await mkdir(dirname(pipe))
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
    let isStarted: Promise<RunningServer> | undefined
    const isListening = new Promise<string>((resolve) => {
      const logger: Logger = {
        log: (_level, message, fields) => {
          if (message === 'Opening the ledgers.') resolve(String(fields?.['api']))
        },
      }
      isStarted = start({ logger })
    })
    const api = await Promise.race([isListening, isStarted?.then(() => 'too early')])
    expect(await get(`${api}/readyz`)).toMatchObject({
      status: 503,
      text: '{"status":"starting"}\n',
    })
    expect((await get(`${api}/healthz`)).status).toBe(200)
    const early = await get(`${api}${ledgersPath}`)
    expect(early).toMatchObject({ status: 503, text: expect.stringContaining('CapacityExceeded') })
    await writeFile(pipe, '{"state":"DELETING"}')
    await isStarted
    expect(await get(`${api}/readyz`)).toMatchObject({ status: 200, text: '{"status":"ready"}\n' })
    expect((await get(`${api}${ledgersPath}`)).status).toBe(200)
  })

  it('holds to limits that it was given', async () => {
    const path = join(folder, 'limits.json')
    await writeFile(path, '{"ledgerCountMax": 1}')
    const { info } = await start({ limits: await readLimitsFile(path) })
    const url = `${info.endpoints.api}/ledgers`
    expect((await post(url, { Name: 'a', PermissionsMode: 'ALLOW_ALL' })).status).toBe(200)
    const refused = await post(url, { Name: 'b', PermissionsMode: 'ALLOW_ALL' })
    expect(refused.status).toBe(400)
    expect(refused.text).toContain('raise ledgerCountMax with cairn up --limits FILE')
  })

  it('stops: ready files gone, ports closed, folder free for the next one', async () => {
    const readyFile = join(folder, 'ready.json')
    const first = await start({ readyFile })
    await first.stop()
    await first.stop()
    expect(existsSync(readyFile)).toBe(false)
    expect(existsSync(join(folder, 'data', ownReadyFile))).toBe(false)
    await expect(get(`${first.info.endpoints.api}/healthz`)).rejects.toThrow(/ECONNREFUSED/)
    const authority = await readFile(first.info.caFile, 'utf8')
    const second = await start()
    expect(await readFile(second.info.caFile, 'utf8')).toBe(authority)
  })

  it('answers a request that is under way when it stops', async () => {
    const { info, stop } = await start()
    const body = JSON.stringify({ Name: 'late', PermissionsMode: 'ALLOW_ALL' })
    const outgoing = httpRequest(`${info.endpoints.api}/ledgers`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        expect: '100-continue',
      },
    })
    outgoing.flushHeaders()
    // The server has seen the request once it asks for the body.
    await once(outgoing, 'continue')
    const stopped = stop()
    outgoing.end(body)
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    expect(incoming.statusCode).toBe(200)
    expect(incoming.headers.connection).toBe('close')
    incoming.resume()
    await stopped
  })

  it('keeps nothing open when a port is taken', async () => {
    const first = await start()
    const port = Number(new URL(first.info.endpoints.apiTls).port)
    const dataDirectory = join(folder, 'other')
    const tlsListen = { ...anyPort, port }
    await expect(start({ dataDirectory, tlsListen })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining('--tls-listen'),
    })
    await start({ dataDirectory })
  })

  it('refuses a folder that another server holds', async () => {
    await start()
    await expect(start()).rejects.toThrow(/in use by process/)
  })

  it('refuses to serve other machines without authentication, unless told to', async () => {
    const listen = { host: '0.0.0.0', port: 0 }
    await expect(start({ listen })).rejects.toMatchObject({ code: 'LISTEN_INSECURE' })
    const levels: string[] = []
    const logger: Logger = { log: (level) => levels.push(level) }
    const server = await start({ listen, isInsecureAllowed: true, logger })
    expect(levels).toContain('warn')
    const { port } = new URL(server.info.endpoints.api)
    expect((await get(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
  })

  it('asks for signatures by a key of the key file, and never logs the secret', async () => {
    const lines: string[] = []
    const logger: Logger = { log: (...event) => lines.push(JSON.stringify(event)) }
    const { info, accessKeyFile } = await start({ auth: 'sigv4', logger })
    const url = `${info.endpoints.api}${ledgersPath}`
    expect((await get(url)).status).toBeGreaterThanOrEqual(400)

    const accessKeyId = accessKeyFile?.accessKeyIds[0] ?? ''
    const secretAccessKey = accessKeyFile?.lookup(accessKeyId)?.secretAccessKey ?? ''
    const credentials = { accessKeyId, secretAccessKey, region: 'eu-central-1', service: 'qldb' }
    const headers = signRequest({ method: 'GET', url, ...credentials, nowMs: Date.now() })
    expect(await get(url, headers)).toMatchObject({ status: 200, text: '{"Ledgers":[]}' })
    expect(lines.join('\n')).not.toContain(secretAccessKey)
  })
})
