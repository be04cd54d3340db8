/** The example against a server of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningServer, startServer } from '@cairn/server'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type EthereumEndpoint, tellStory } from './story.ts'

const anyPort = { host: '127.0.0.1', port: 0 }
let folder: string
let server: RunningServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-token-'))
  server = await startServer({
    dataDirectory: folder,
    listen: anyPort,
    tlsListen: anyPort,
    auth: 'off',
    ethereum: {
      http: anyPort,
      webSocket: anyPort,
      mayMove: { http: false, webSocket: false },
      periodSeconds: 0,
    },
  })
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

it('deploys a token, sends it, reads its history and is refused too much', async () => {
  const lines: string[] = []
  const endpoint = server.info.endpoints.ethereum as EthereumEndpoint
  const outcome = await tellStory(endpoint, (line) => lines.push(line))
  expect(outcome).toEqual({
    balances: [970n, 30n],
    eventCount: 2,
    refusedWith: 'InsufficientBalance',
  })
  expect(lines.filter((line) => /^ \d /.test(line))).toHaveLength(5)
})
