/** The story with the unmodified driver and SDK against a server of its own, twice in a row. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Endpoint, readEndpoint } from '@cairn/example-vehicle-registration/connect'
import { type RunningServer, startServer } from '@cairn/server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { generateDevices, generateInspections } from './devices.ts'
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

async function play(endpoint: Endpoint): Promise<Outcome> {
  const ledgerName = 'hospital-equipment-example'
  const clients = connect(endpoint, ledgerName)
  try {
    return await tellStory({ ...clients, ledgerName, print: () => undefined })
  } finally {
    clients.close()
  }
}

it('proves the whole inspection book, the redacted version included, over https and http', async () => {
  for (const endpoint of [
    readEndpoint(join(directory, 'ready.json')),
    { url: server.info.endpoints.api },
  ]) {
    const { deviceCount, versionCount, kinds } = await play(endpoint)
    expect(deviceCount).toBe(12)
    // The delivery, four inspections, the note and its correction.
    expect(versionCount).toBe(7)
    expect(kinds).toEqual(['data', 'data', 'data', 'data', 'data', 'redacted', 'data'])
  }
})

it('makes the same year from the same seed', () => {
  expect(generateDevices(1)).toEqual(generateDevices(1))
  const devices = generateDevices(1)
  expect(generateInspections(1, devices)).not.toEqual(generateInspections(2, devices))
})
