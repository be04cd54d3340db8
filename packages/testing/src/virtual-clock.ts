/** A clock that stands still until a test moves it. */
import type { Clock } from '@cairn/core'

export interface VirtualClock extends Clock {
  /** How many sleep. */
  readonly sleeperCount: number
  /**
   * Moves time on by `ms` and wakes sleepers in the order of their times; of equal times, in the order in which they
   * fell asleep. Each one's continuation runs before the next is woken, so who sleeps again within `ms` wakes again.
   */
  advance(ms: number): Promise<void>
  /** Sets the clock ahead by `ms` at once: whoever was to wake meanwhile wakes now, later than asked for. */
  jump(ms: number): Promise<void>
}

interface Sleeper {
  readonly wakeMs: number
  readonly wake: () => void
}

/** 1 January 2024, so that dates in tests look like dates. */
const startMsDefault = 1_704_067_200_000

export function createVirtualClock(startMs: number = startMsDefault): VirtualClock {
  let now = startMs
  /** In the order of waking. */
  const sleepers: Sleeper[] = []
  /** Wakes those whose time comes up to `end`. */
  const wakeUpTo = async (end: number) => {
    for (;;) {
      const next = sleepers[0]
      if (next === undefined || next.wakeMs > end) break
      sleepers.shift()
      now = Math.max(now, next.wakeMs)
      next.wake()
      await turn()
    }
    now = end
    await turn()
  }
  return {
    get sleeperCount() {
      return sleepers.length
    },
    nowMs: () => now,
    sleep(delayMs, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason)
          return
        }
        const onAbort = () => {
          sleepers.splice(sleepers.indexOf(sleeper), 1)
          reject(signal?.reason)
        }
        const sleeper: Sleeper = {
          wakeMs: now + Math.max(0, delayMs),
          wake() {
            signal?.removeEventListener('abort', onAbort)
            resolve()
          },
        }
        signal?.addEventListener('abort', onAbort, { once: true })
        const later = sleepers.findIndex((other) => other.wakeMs > sleeper.wakeMs)
        sleepers.splice(later < 0 ? sleepers.length : later, 0, sleeper)
      })
    },
    advance: (ms) => wakeUpTo(now + ms),
    jump(ms) {
      now += ms
      return wakeUpTo(now)
    },
  }
}

/** A whole turn of the event loop: all microtasks that a waking sets off run in it. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
