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

const start = (port = 0) =>
  startServer({
    dataDirectory: join(folder, 'data'),
    listen: { ...anyPort, port },
    tlsListen: anyPort,
    auth: 'off',
  })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-tail-'))
  server = await start()
  await run(['ledger', 'create', 'tailed'])
  await run(['sql', '-e', 'CREATE TABLE T', 'tailed'])
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

/** A command that runs; `stop` is what Ctrl-C is. */
function begin(words: readonly string[]) {
  const [output, errorOutput] = [new PassThrough(), new PassThrough()]
  const lines: string[] = []
  let wake: () => void = () => undefined
  let text = ''
  output.on('data', (piece: Buffer) => {
    text += piece
    lines.splice(0, lines.length, ...text.split('\n').slice(0, -1))
    wake()
  })
  let stop: (signal: string) => void = () => undefined
  const signal = new Promise<string>((resolve) => {
    stop = resolve
  })
  const code = main([...words, '--endpoint', server.info.endpoints.api], {
    input: Readable.from([]),
    output,
    errorOutput: errorOutput.resume(),
    isInteractive: false,
    isErrorOutputWatched: false,
    env: {},
    clock: createSystemClock(),
    stopSignal: () => signal,
  })
  const until = async (count: number) => {
    while (lines.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { lines, code, until, stop: () => stop('SIGINT') }
}

async function run(words: readonly string[]): Promise<string[]> {
  const { lines, code } = begin(words)
  expect(await code).toBe(0)
  return lines
}

const insert = (no: number | string) =>
  run(['sql', '-e', `INSERT INTO T VALUE {'no': ${no}}`, 'tailed'])

describe('cairn ledger tail', () => {
  it('prints what is there, as JSON with all digits or as Ion text', async () => {
    await insert('12345678901234567890.50')
    const lines = await run(['ledger', 'tail', 'tailed', '--from', '0', '--no-follow'])
    expect(lines.map((line) => JSON.parse(line).blockAddress.sequenceNo)).toEqual([0, 1, 2])
    expect(lines[2]).toContain('"no":12345678901234567890.50')
    const words = ['ledger', 'tail', 'tailed', '--from', '2', '--no-follow', '--format', 'ion']
    const [line] = await run(words)
    expect(line).toMatch(/^\{blockAddress:\{strandId:"\w+",sequenceNo:2\}/)
  })

  it('follows from now on, over a restart of the server, until it is stopped', async () => {
    const tail = begin(['ledger', 'tail', 'tailed'])
    // What is committed before the tail has asked where the end is does not count; so commit until it shows one.
    while (tail.lines.length === 0) await insert(1)
    const { port } = new URL(server.info.endpoints.api)
    await server.stop()
    server = await start(Number(port))
    await insert(2)
    const all = await run(['ledger', 'tail', 'tailed', '--from', '0', '--no-follow'])
    const [first = 0] = numbersOf(tail.lines)
    await tail.until(all.length - first)
    tail.stop()
    expect(await tail.code).toBe(0)
    expect(tail.lines).toEqual(all.slice(first))
  })

  it('says what is wrong', async () => {
    const unknown = begin(['ledger', 'tail', 'nobody', '--no-follow'])
    expect(await unknown.code).toBe(1)
    const bad = begin(['ledger', 'tail', 'tailed', '--from', 'x'])
    expect(await bad.code).toBe(2)
  })
})

function numbersOf(lines: readonly string[]): number[] {
  return lines.map((line) => JSON.parse(line).blockAddress.sequenceNo)
}
