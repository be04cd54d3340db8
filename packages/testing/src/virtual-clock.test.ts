import { describe, expect, it } from 'vitest'
import { createVirtualClock } from './virtual-clock.ts'

describe('the virtual clock', () => {
  it('wakes sleepers in the order of their times, also those that sleep again', async () => {
    const clock = createVirtualClock(1000)
    const woken: string[] = []
    const sleeper = async (name: string, delayMs: number, count: number) => {
      for (let i = 0; i < count; i++) {
        await clock.sleep(delayMs)
        woken.push(`${name}@${clock.nowMs()}`)
      }
    }
    const all = Promise.all([sleeper('a', 30, 2), sleeper('b', 20, 3), sleeper('c', 30, 1)])
    await clock.advance(35)
    expect(woken).toEqual(['b@1020', 'a@1030', 'c@1030'])
    expect(clock.nowMs()).toBe(1035)
    await clock.advance(25)
    await all
    expect(woken.slice(3)).toEqual(['b@1040', 'a@1060', 'b@1060'])
    expect(clock.sleeperCount).toBe(0)
  })

  it('jumps over the times at which sleepers were to wake', async () => {
    const clock = createVirtualClock(1000)
    const woken: number[] = []
    const sleeper = async () => {
      for (let i = 0; i < 3; i++) {
        await clock.sleep(10)
        woken.push(clock.nowMs())
      }
    }
    const all = sleeper()
    await clock.jump(25)
    expect(woken).toEqual([1025])
    await clock.advance(20)
    await all
    expect(woken).toEqual([1025, 1035, 1045])
  })

  it('stops sleeping when the signal aborts', async () => {
    const clock = createVirtualClock()
    const controller = new AbortController()
    const sleep = clock.sleep(10, controller.signal)
    controller.abort(new Error('enough'))
    await expect(sleep).rejects.toThrow('enough')
    await expect(clock.sleep(10, controller.signal)).rejects.toThrow('enough')
    expect(clock.sleeperCount).toBe(0)
  })
})
