import { createVirtualClock } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { IdempotencyTable } from './idempotency-table.ts'

const limits = {
  idempotencyMsMax: 60_000,
  idempotencyCountMax: 3,
  idempotencyLengthMax: 100,
}

function start() {
  const clock = createVirtualClock()
  const table = new IdempotencyTable(clock, limits)
  let runCount = 0
  /** Counts its calls. */
  const once = (key: string, body = 'body', answer = 'answer') =>
    table.once(key, body, async () => {
      runCount++
      return `${answer} ${runCount}`
    })
  return { clock, table, once, runs: () => runCount }
}

describe('IdempotencyTable', () => {
  it('runs once for a key', async () => {
    const { once, runs } = start()
    expect(await once('a')).toBe('answer 1')
    expect(await once('a')).toBe('answer 1')
    expect(await once('b')).toBe('answer 2')
    expect(runs()).toBe(2)
  })

  it('refuses the key with another body, before and after the end', async () => {
    const { table, once } = start()
    let finish: (answer: string) => void = () => undefined
    const first = table.once('a', 'one', () => new Promise((resolve) => (finish = resolve)))
    await expect(once('a', 'two')).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
    finish('done')
    await first
    await expect(once('a', 'two')).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
  })

  it('lets those wait who come meanwhile, and gives them the same', async () => {
    const { table, once, runs } = start()
    let finish: (answer: string) => void = () => undefined
    const first = table.once('a', 'body', () => new Promise((resolve) => (finish = resolve)))
    const others = [once('a'), once('a')]
    finish('done')
    expect(await Promise.all([first, ...others])).toEqual(['done', 'done', 'done'])
    expect(runs()).toBe(0)
  })

  it('shares a failure with who waits, and then forgets it', async () => {
    const { table, once } = start()
    let fail: (error: Error) => void = () => undefined
    const first = table.once('a', 'body', () => new Promise((_, reject) => (fail = reject)))
    const second = once('a')
    fail(new Error('conflict'))
    await expect(first).rejects.toThrow('conflict')
    await expect(second).rejects.toThrow('conflict')
    expect(table.count).toBe(0)
    expect(await once('a')).toBe('answer 1')
  })

  it('forgets after its time', async () => {
    const { clock, table, once } = start()
    await once('a')
    await clock.advance(59_999)
    expect(await once('a')).toBe('answer 1')
    await clock.advance(1)
    expect(await once('a')).toBe('answer 2')
    expect(table.count).toBe(1)
  })

  it('keeps no more keys than it may, the newest', async () => {
    const { table, once } = start()
    for (const key of ['a', 'b', 'c', 'd']) await once(key)
    expect(table.count).toBe(3)
    expect(await once('d')).toBe('answer 4')
    expect(await once('a')).toBe('answer 5')
  })

  it('keeps no more characters than it may', async () => {
    const { table, once } = start()
    await once('a', 'body', 'x'.repeat(60))
    await once('b', 'body', 'x'.repeat(60))
    await once('c')
    expect(table.count).toBe(2)
  })

  it('does not forget what is under way', async () => {
    const { clock, table, once } = start()
    let finish: (answer: string) => void = () => undefined
    const first = table.once('a', 'body', () => new Promise((resolve) => (finish = resolve)))
    for (const key of ['b', 'c', 'd', 'e']) await once(key)
    await clock.advance(120_000)
    const waiting = once('a')
    finish('done')
    expect(await Promise.all([first, waiting])).toEqual(['done', 'done'])
  })
})
