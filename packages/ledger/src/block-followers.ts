/** Those who read the journal as it grows: whom to wake when blocks have reached the disk, and where a time begins. */

interface Follower {
  readonly sequenceNo: number
  wake(): void
}

export class BlockFollowers {
  readonly #followers = new Set<Follower>()

  /** Resolves at the first `wake` that passes `sequenceNo`; rejects with the reason of `signal`. */
  until(sequenceNo: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const follower: Follower = {
        sequenceNo,
        wake: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      const onAbort = () => {
        this.#followers.delete(follower)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#followers.add(follower)
    })
  }

  /** @param blockCount Blocks on the disk; infinite when there will be no more. */
  wake(blockCount: number): void {
    for (const follower of this.#followers) {
      if (follower.sequenceNo >= blockCount) continue
      this.#followers.delete(follower)
      follower.wake()
    }
  }
}

/** By halves: the timestamps of a journal never go back. */
export function firstBlockSince(
  timestampMs: number,
  blockCount: number,
  timeOf: (sequenceNo: number) => number,
): number {
  let low = 0
  let high = blockCount
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (timeOf(middle) < timestampMs) low = middle + 1
    else high = middle
  }
  return low
}
