import { describe, expect, it } from 'vitest'
import { Mutex } from './mutex.ts'

describe('Mutex', () => {
  it('runs tasks in the order they came, one at a time, also after a failure', async () => {
    const mutex = new Mutex()
    const events: string[] = []
    const task = (name: string) =>
      mutex.run(async () => {
        events.push(`${name} begins`)
        await Promise.resolve()
        events.push(`${name} ends`)
        if (name === 'b') throw new Error('b')
      })
    const results = await Promise.allSettled([task('a'), task('b'), task('c')])
    await mutex.run(() => events.push('d'))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends', 'd'])
  })

  it('lets nobody in between the end of a task and the start of the one that waits', async () => {
    const mutex = new Mutex()
    const order: number[] = []
    const first = mutex.run(async () => order.push(1)).then(() => mutex.run(() => order.push(3)))
    const second = mutex.run(() => order.push(2))
    await Promise.all([first, second])
    expect(order).toEqual([1, 2, 3])
  })
})
