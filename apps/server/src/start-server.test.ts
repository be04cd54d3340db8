import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signRequest } from '@cairn/aws-protocol'
import type { Logger } from '@cairn/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ownReadyFile,
  type RunningServer,
  type StartServerOptions,
  startServer,
} from './start-server.ts'

const anyPort = { host: '127.0.0.1', port: 0 }
const ledgersPath = '/ledgers?max_results=10'

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

async function get(url: string, headers: Record<string, string> = {}, ca?: string) {
  const start = url.startsWith('https') ? httpsRequest : httpRequest
  const outgoing = start(url, { headers, agent: false, ...(ca === undefined ? {} : { ca }) })
  outgoing.end()
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  const text = (await incoming.toArray()).join('')
  return { status: incoming.statusCode, text }
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
