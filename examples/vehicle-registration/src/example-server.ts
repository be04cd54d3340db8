/** A server of their own for the tests of examples. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '@cairn/server'
import { afterAll, beforeAll } from 'vitest'
import { type Endpoint, readEndpoint } from './connect.ts'

/** Runs while the tests of the file that calls do. @returns its addresses, to be asked for in a test. */
export function exampleServer(): { readonly https: Endpoint; readonly http: Endpoint } {
  let directory = ''
  let server: Awaited<ReturnType<typeof startServer>>
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-example-'))
    const anyPort = { host: '127.0.0.1', port: 0 }
    const listeners = { listen: anyPort, tlsListen: anyPort }
    server = await startServer({ dataDirectory: directory, ...listeners, auth: 'off' })
  })
  afterAll(async () => {
    await server.stop()
    await rm(directory, { recursive: true })
  })
  return {
    /** With the authority from the ready file. */
    get https() {
      return readEndpoint(join(directory, 'ready.json'))
    },
    get http() {
      return { url: server.info.endpoints.api }
    },
  }
}
