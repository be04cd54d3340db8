/** The real process against what disks and people do to it: a full disk, a read-only folder, a second server. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyLedgerDirectory } from '@cairn/ledger'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { mountNamespace, withReadOnly, withTmpfs } from './testing/bounded-folder.ts'
import {
  buildProgram,
  type Daemon,
  runToEnd,
  startDaemon,
  upCommand,
  withEthereum,
} from './testing/daemon.ts'

const namespace = mountNamespace()
const noNamespace = 'neither root nor user namespaces: no file system of a size can be mounted'
const isRoot = process.getuid?.() === 0
/** Room for two thirds of a segment of the journal beside the projection, so that it is soon used up. */
const diskMb = 88
/** LMDB is written to where 16 MiB and twice what is to be projected are free; the journal may have the rest. */
const ballastMb = 48
/** Room for a young chain beside the 16 MiB and more that its database wants to be free. */
const chainDiskMb = 96

let folder: string
let daemons: Daemon[]

beforeAll(buildProgram)
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-process-'))
  daemons = []
})
afterEach(async () => {
  for (const daemon of daemons) await daemon.kill().catch(() => undefined)
  await rm(folder, { recursive: true })
})

async function start(
  dataDirectory: string,
  before: readonly string[] = [],
  args: readonly string[] = [],
): Promise<Daemon> {
  const daemon = await startDaemon(dataDirectory, args, before)
  daemons.push(daemon)
  return daemon
}

async function post(url: string, body: object): Promise<{ status: number; text: string }> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: answer.status, text: await answer.text() }
}

function transact(api: string, statement: string, ...parameters: unknown[]) {
  return post(`${api}/v1/ledgers/disk/transactions`, { statements: [{ statement, parameters }] })
}

async function serialsIn(api: string): Promise<number[]> {
  const { text } = await transact(api, 'SELECT VALUE serial FROM Entry')
  const { results } = JSON.parse(text) as { results: [{ rows: number[] }] }
  return results[0].rows.sort((a, b) => a - b)
}

describe('a full disk', () => {
  it.skipIf(namespace === undefined)(
    `stops the ledger, not the process; with room again, all that was acknowledged is there${namespace === undefined ? ` (${noNamespace})` : ''}`,
    async () => {
      const data = join(folder, 'data')
      await mkdir(data)
      // The second server runs when the first one ends, in the same namespace of mounts: the disk stays mounted.
      const twice = ['sh', '-c', '"$@"; echo "exit $?" >&2; exec "$@"', 'sh']
      const before = [...withTmpfs(namespace ?? [], data, diskMb), ...twice]
      const first = await start(data, before)
      const ballast = `/proc/${first.pid}/root${data}/ballast`
      await writeFile(ballast, Buffer.alloc(ballastMb * 1024 * 1024))
      expect(
        (await post(`${first.api}/ledgers`, { Name: 'disk', PermissionsMode: 'ALLOW_ALL' })).status,
      ).toBe(200)
      expect((await transact(first.api, 'CREATE TABLE Entry')).status).toBe(200)

      const pad = 'x'.repeat(100_000)
      const acknowledged: number[] = []
      let refused = { status: 200, text: '' }
      for (let serial = 0; refused.status === 200; serial++) {
        expect(serial, 'the disk must be full by now').toBeLessThan(10 * diskMb)
        refused = await transact(first.api, 'INSERT INTO Entry ?', { serial, pad })
        if (refused.status === 200) acknowledged.push(serial)
      }
      // A commit that was caught, or the first statement after the projection failed between two commits.
      expect(refused.text).toMatch(/COMMIT_NOT_CONFIRMED|LEDGER_STOPPED/)
      const later = await transact(first.api, 'SELECT * FROM Entry')
      expect(later).toMatchObject({ status: 503, text: expect.stringContaining('LEDGER_STOPPED') })
      expect((await fetch(`${first.api}/healthz`)).status).toBe(200)
      const ready = await fetch(`${first.api}/readyz`)
      expect([ready.status, await ready.json()]).toEqual([
        503,
        { status: 'failed', stopped: ['disk'] },
      ])
      // Whichever of journal and projection meets the end of the disk first.
      expect(first.errorOutput()).toMatch(/disk is full.*start again/)

      await rm(ballast)
      const again = await first.restart()
      expect(first.errorOutput()).toContain('exit 0')
      const stored = await serialsIn(again.api)
      expect(stored.slice(0, acknowledged.length)).toEqual(acknowledged)
      // The one that was refused may have reached the disk: its outcome was not known.
      expect(stored.length - acknowledged.length).toBeLessThanOrEqual(1)
      expect((await transact(again.api, 'INSERT INTO Entry ?', { serial: -1 })).status).toBe(200)
      const [report] = await verifyLedgerDirectory({ directory: `/proc/${again.pid}/root${data}` })
      expect(report?.findings).toEqual([])
    },
  )
})

describe('a full disk below a chain', () => {
  it.skipIf(namespace === undefined)(
    `stops sealing, not the node, and sealing goes on with room${namespace === undefined ? ` (${noNamespace})` : ''}`,
    async () => {
      const data = join(folder, 'data')
      await mkdir(data)
      const before = withTmpfs(namespace ?? [], data, chainDiskMb)
      const daemon = await start(data, before, withEthereum)
      const { http = '', account = '' } = daemon.ethereum ?? {}
      const ask = async (method: string, ...params: unknown[]) => {
        const { text } = await post(http, { jsonrpc: '2.0', id: 1, method, params })
        return JSON.parse(text) as { result?: unknown; error?: unknown }
      }
      const head = async () => Number((await ask('eth_blockNumber')).result)
      await expect.poll(head).toBeGreaterThan(1)

      // The write fails where the disk ends, and the file keeps all that there was room for.
      const ballast = `/proc/${daemon.pid}/root${data}/ballast`
      const size = chainDiskMb * 1024 * 1024
      await expect(writeFile(ballast, Buffer.alloc(size))).rejects.toThrow('ENOSPC')
      await expect
        .poll(() => daemon.errorOutput())
        .toContain('the disk is full: nothing is sealed until there is room')
      const number = await head()
      const balance = (await ask('eth_getBalance', account, 'latest')).result
      expect(balance).toMatch(/^0x[0-9a-f]{10}/)
      const transfer = { from: account, to: account, value: '0x1' }
      const { result: hash } = await ask('eth_sendTransaction', transfer)
      expect(hash).toMatch(/^0x[0-9a-f]{64}$/)
      expect(await ask('eth_call', transfer, 'latest')).toMatchObject({ result: '0x' })
      expect(await head()).toBe(number)
      expect((await fetch(`${daemon.api}/healthz`)).status).toBe(200)

      await rm(ballast)
      const receipt = async () => (await ask('eth_getTransactionReceipt', hash)).result
      await expect.poll(receipt).toMatchObject({ status: '0x1' })
      expect(await head()).toBeGreaterThan(number)
      expect(daemon.errorOutput()).toContain('there is room again: sealing goes on')
      expect(await daemon.stop()).toBe(0)
    },
  )
})

describe('a data folder that cannot be written to', () => {
  it.skipIf(namespace === undefined)(
    `is refused with its reason, and nothing is tried again${namespace === undefined ? ` (${noNamespace})` : ''}`,
    async () => {
      const data = join(folder, 'data')
      const daemon = await start(data)
      expect(await daemon.stop()).toBe(0)
      const { exitCode, errorOutput } = runToEnd([
        ...withReadOnly(namespace ?? [], data),
        ...upCommand(data),
      ])
      expect(errorOutput).toContain(`The data folder ${data} cannot be written to.`)
      expect(errorOutput).toContain('The file system is read-only.')
      expect(errorOutput).toContain('--data-dir')
      expect(exitCode).toBe(1)
    },
  )

  it.skipIf(isRoot)(
    `is refused when its mode forbids it${isRoot ? ' (modes do not bind root)' : ''}`,
    async () => {
      const data = join(folder, 'data')
      await mkdir(data, { mode: 0o555 })
      const { exitCode, errorOutput } = runToEnd(upCommand(data))
      expect(errorOutput).toContain('This account may not write there.')
      expect(exitCode).toBe(1)
    },
  )

  it('is refused when it is a file', async () => {
    const data = join(folder, 'data')
    await writeFile(data, '')
    const { exitCode, errorOutput } = runToEnd(upCommand(data))
    expect(errorOutput).toContain('A file is in the way.')
    expect(exitCode).toBe(1)
  })
})

describe('a second server on one folder', () => {
  it('is refused, ends, and does not disturb the first', async () => {
    const data = join(folder, 'data')
    const first = await start(data)
    const { exitCode, errorOutput } = runToEnd(upCommand(data))
    expect(errorOutput).toContain(`in use by process ${first.pid}`)
    expect(errorOutput).toContain('Stop that process first, or use another folder.')
    expect(exitCode).toBe(1)
    expect((await fetch(`${first.api}/readyz`)).status).toBe(200)
  })
})
