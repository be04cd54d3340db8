import { type Metrics, noMetrics } from '@cairn/core'
import { RetryConfig } from 'amazon-qldb-driver-nodejs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LiveServer } from './live-server.ts'

const clientCount = 200
/** So few that requests meet on a fast machine too: one that waits for the disk is enough. */
const commandCountMax = 1
/** Of requests that were taken, in the same process as all the clients; tens where nothing else runs. */
const acceptedMsMax = 60_000
/** So many that a client gives up on no machine, however long the others keep it waiting. */
const retryCountMax = 100_000

/** How long requests with each status took. */
const times = new Map<string, number[]>()
const gauges = new Map<string, () => number>()
const metrics: Metrics = {
  ...noMetrics,
  histogram: (_name, _help, _bounds, labels) => ({
    observe: (seconds) => {
      const status = labels?.['status'] ?? ''
      times.set(status, [...(times.get(status) ?? []), seconds * 1000])
    },
  }),
  gauge: (name, _help, read) => {
    gauges.set(name, read)
  },
}

let live: LiveServer

beforeAll(async () => {
  live = await LiveServer.start({ limits: { commandCountMax }, metrics })
})
afterAll(() => live.close())

describe(`${clientCount} transactions at once, requests allowed: ${commandCountMax}`, () => {
  it('sheds what the driver repeats, loses nothing acknowledged, recovers at once', async () => {
    const ledger = await live.createLedger('overload')
    const setUp = live.driver(ledger)
    await setUp.executeLambda(async (tx) => {
      await tx.execute('CREATE TABLE Booking')
      await tx.execute('CREATE INDEX ON Booking (seat)')
    })
    times.clear()
    const retryConfig = new RetryConfig(
      retryCountMax,
      // Ever longer, so that what is shed does not grow with the time that the work takes on a slow machine.
      (attempt) => Math.random() * 20 * attempt,
    )
    const driver = live.driver(ledger, {
      maxConcurrentTransactions: clientCount,
      maxSockets: clientCount,
      retryConfig,
    })
    const acknowledged = await Promise.all(
      Array.from({ length: clientCount }, async (_, no) => {
        await driver.executeLambda((tx) => tx.execute('INSERT INTO Booking ?', { seat: no }))
        return no
      }),
    )
    const shed = times.get('503') ?? []
    const accepted = times.get('200') ?? []
    expect(shed.length, 'requests turned away').toBeGreaterThan(0)
    expect(Math.max(...accepted), 'the slowest taken').toBeLessThan(acceptedMsMax)
    expect([...times.keys()].sort(), 'no other failure').toEqual(['200', '503'])
    // What was shed left nothing open behind: one session for each client.
    expect(gauges.get('cairn_sessions')?.()).toBeLessThanOrEqual(clientCount + 1)
    expect(gauges.get('cairn_requests_running')?.()).toBe(0)

    times.clear()
    const result = await setUp.executeLambda((tx) => tx.execute('SELECT VALUE seat FROM Booking'))
    expect(times.get('503')).toBeUndefined()
    const stored = result.getResultList().map((value) => value.numberValue())
    expect(stored.sort((a, b) => Number(a) - Number(b))).toEqual(acknowledged)
    expect(live.logged).toEqual([])
    const sorted = accepted.sort((a, b) => a - b)
    const at = (part: number) => (sorted[Math.floor(part * sorted.length)] ?? 0).toFixed(0)
    console.log(
      `${accepted.length} requests taken (p50 ${at(0.5)} ms, p99 ${at(0.99)} ms), ` +
        `${shed.length} shed (slowest ${Math.max(...shed).toFixed(1)} ms)`,
    )
  })
})
