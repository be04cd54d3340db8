/** Time as a parameter, so that the simulator can run the real engine on a virtual clock. */

export interface Clock {
  /** Milliseconds since the Unix epoch, never going back within a process. */
  nowMs(): number
  /** Resolves after `delayMs`, or rejects with the signal's reason when `signal` aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

/** The machine's clock, held at its highest reading when the machine sets it back. */
export function createSystemClock(): Clock {
  let highestMs = 0
  return {
    nowMs() {
      highestMs = Math.max(highestMs, Date.now())
      return highestMs
    },
    sleep(delayMs, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason)
          return
        }
        const onAbort = () => {
          clearTimeout(timer)
          reject(signal?.reason)
        }
        const timer = setTimeout(() => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        }, delayMs)
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
  }
}
