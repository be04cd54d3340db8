/** Progress of long work, for the person who watches: one line that is written over, nothing when nobody does. */
import type { Terminal } from './terminal.ts'

export interface Progress {
  /** Cheap: most calls write nothing. */
  update(text: string): void
  /** Clears the line. */
  end(): void
}

/** Work shorter than this shows nothing. */
const silentMs = 1000
/** As often as a person can read. */
const intervalMs = 250

export function createProgress({ isErrorOutputWatched, errorOutput, clock }: Terminal): Progress {
  if (!isErrorOutputWatched) return { update() {}, end() {} }
  let nextMs = clock.nowMs() + silentMs
  let isShown = false
  return {
    update(text) {
      const nowMs = clock.nowMs()
      if (nowMs < nextMs) return
      nextMs = nowMs + intervalMs
      isShown = true
      errorOutput.write(`\r\x1b[K${text}`)
    },
    end() {
      if (isShown) errorOutput.write('\r\x1b[K')
    },
  }
}
