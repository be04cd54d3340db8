import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { createSystemClock } from '@cairn/core'
import { type RunningServer, startServer } from '@cairn/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from './main.ts'

const anyPort = { host: '127.0.0.1', port: 0 }
let folder: string
let server: RunningServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-update-'))
  const options = { dataDirectory: join(folder, 'data'), listen: anyPort, tlsListen: anyPort }
  server = await startServer({ ...options, auth: 'off' })
  await run(['ledger', 'create', 'settings', '--strict-qldb'])
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

async function run(words: readonly string[]): Promise<{ code: number; text: string }> {
  const [output, errorOutput] = [new PassThrough(), new PassThrough()]
  const texts: Buffer[] = []
  output.on('data', (piece: Buffer) => texts.push(piece))
  errorOutput.on('data', (piece: Buffer) => texts.push(piece))
  const code = await main([...words, '--endpoint', server.info.endpoints.api], {
    input: Readable.from([]),
    output,
    errorOutput,
    isInteractive: false,
    isErrorOutputWatched: false,
    env: {},
    clock: createSystemClock(),
    stopSignal: () => new Promise(() => undefined),
  })
  return { code, text: Buffer.concat(texts).toString() }
}

describe('cairn ledger update', () => {
  it('changes what is named, and shows what is then', async () => {
    const ordered = ['sql', '-e', 'SELECT VALUE a FROM <<{}>> AS t LET 1 AS a', 'settings']
    expect((await run(ordered)).text).toContain('QLDB had no LET')
    const { code, text } = await run([
      ...['ledger', 'update', 'settings', '--strict-qldb', 'off'],
      ...['--permissions-mode', 'STANDARD', '--protect', 'on', '--json'],
    ])
    expect(code).toBe(0)
    expect(JSON.parse(text)).toMatchObject({
      permissionsMode: 'STANDARD',
      isDeletionProtected: true,
      isStrictQldb: false,
    })
    expect((await run(ordered)).code).toBe(0)
    const shown = await run(['ledger', 'update', 'settings', '--strict-qldb', 'on'])
    expect(shown.text).toMatch(/strict QLDB +on/)
    expect(shown.text).toMatch(/deletion protection +on/)
    expect((await run(['ledger', 'delete', 'settings'])).code).toBe(1)
  })

  it('asks for something to change', async () => {
    expect((await run(['ledger', 'update', 'settings'])).code).toBe(2)
    expect((await run(['ledger', 'update', 'settings', '--protect', 'maybe'])).code).toBe(2)
  })
})
