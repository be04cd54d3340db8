/** The story with the unmodified driver and SDK against a server of its own: over https, over http, twice in a row. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningServer, startServer } from '@cairn/server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect, type Endpoint, readEndpoint } from './connect.ts'
import { type Outcome, tellStory } from './story.ts'

let directory: string
let server: RunningServer

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-example-'))
  const anyPort = { host: '127.0.0.1', port: 0 }
  server = await startServer({
    dataDirectory: directory,
    listen: anyPort,
    tlsListen: anyPort,
    auth: 'off',
  })
})

afterAll(async () => {
  await server.stop()
  await rm(directory, { recursive: true })
})

const expected: Outcome = {
  vehicleCountOfSeller: 1,
  revisionCount: 3,
  isRevisionAccepted: true,
  isTamperedCopyAccepted: false,
}

async function play(endpoint: Endpoint): Promise<{ outcome: Outcome; lines: string[] }> {
  const ledgerName = 'vehicle-registration-example'
  const clients = connect(endpoint, ledgerName)
  const lines: string[] = []
  const print = (line: string): void => {
    lines.push(line)
  }
  try {
    return { outcome: await tellStory({ ...clients, ledgerName, print }), lines }
  } finally {
    clients.close()
  }
}

it('ends well over https, with the authority from the ready file', async () => {
  const { outcome, lines } = await play(readEndpoint(join(directory, 'ready.json')))
  expect(outcome).toEqual(expected)
  expect(lines.join('\n')).toMatch(/ACCEPTED, qldb-strict.*REFUSED, REVISION_HASH_MISMATCH/s)
})

it('ends well a second time, over http', async () => {
  const { outcome } = await play({ url: server.info.endpoints.api })
  expect(outcome).toEqual(expected)
})
