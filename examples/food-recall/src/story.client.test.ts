/** The story with the unmodified driver and SDK against a server of its own, twice in a row. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Endpoint, readEndpoint } from '@cairn/example-vehicle-registration/connect'
import { type RunningServer, startServer } from '@cairn/server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { generateSeason } from './chain.ts'
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
  const ledgerName = 'food-recall-example'
  const clients = connect(endpoint, ledgerName)
  try {
    return await tellStory({ ...clients, ledgerName, print: () => undefined })
  } finally {
    clients.close()
  }
}

it('recalls what was made of the lot and nothing else, and proves who held it, over https and http', async () => {
  for (const endpoint of [
    readEndpoint(join(directory, 'ready.json')),
    { url: server.info.endpoints.api },
  ]) {
    const outcome = await play(endpoint)
    // The harvest, the blend that it went into, and that blend's four packs of twelve.
    expect(outcome).toMatchObject({ recalledCount: 6, packCount: 4 })
    // Mill, carrier, store, and the store again when the status changed.
    expect(outcome.holders).toHaveLength(4)
    expect(outcome.holders[0]).toBe('Weir Mill')
    expect(outcome).toMatchObject({ isCustodyAccepted: true, isForgeryAccepted: false })
  }
})

it('makes the same season from the same seed', () => {
  expect(generateSeason(1)).toEqual(generateSeason(1))
  expect(generateSeason(1)).not.toEqual(generateSeason(2))
})
