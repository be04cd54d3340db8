/** Progress of long work: a line that is written over for who watches, else plain lines now and then. */
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
/** In a log, where lines stay. */
const lineIntervalMs = 10_000

export function createProgress(terminal: Terminal): Progress {
  const { isErrorOutputWatched, errorOutput, clock } = terminal
  const startMs = clock.nowMs()
  let nextMs = startMs + (isErrorOutputWatched ? silentMs : lineIntervalMs)
  let isShown = false
  return {
    update(text) {
      const nowMs = clock.nowMs()
      if (nowMs < nextMs) return
      nextMs = nowMs + (isErrorOutputWatched ? intervalMs : lineIntervalMs)
      isShown = isErrorOutputWatched
      errorOutput.write(isErrorOutputWatched ? `\r\x1b[K${text}` : `${text}\n`)
    },
    end() {
      if (isShown) errorOutput.write('\r\x1b[K')
    },
  }
}

export interface Bar {
  /** Cheap: the clock is looked at once in many calls. */
  update(doneCount: number, totalCount: number | undefined): void
  end(): void
}

const barLength = 24
/** Calls between two looks at the clock. */
const callsPerLook = 64

/**
 * A bar with what is done, how fast, and how long it will take.
 * @param unit Of what is counted, such as `blocks`.
 */
export function createBar(terminal: Terminal, label: string, unit: string): Bar {
  const progress = createProgress(terminal)
  const startMs = terminal.clock.nowMs()
  let calls = 0
  let first: number | undefined
  return {
    update(doneCount, totalCount) {
      first ??= doneCount
      if (calls++ % callsPerLook !== 0) return
      const seconds = (terminal.clock.nowMs() - startMs) / 1000
      const perSecond = seconds > 0 ? (doneCount - first) / seconds : 0
      progress.update(barText(label, unit, doneCount, totalCount, perSecond))
    },
    end: () => progress.end(),
  }
}

function barText(
  label: string,
  unit: string,
  doneCount: number,
  totalCount: number | undefined,
  perSecond: number,
): string {
  const rate = `${Math.round(perSecond).toLocaleString('en')} ${unit}/s`
  const done = doneCount.toLocaleString('en')
  if (totalCount === undefined || totalCount === 0) return `${label}  ${done} ${unit}, ${rate}`
  const part = Math.min(1, doneCount / totalCount)
  const filled = Math.round(part * barLength)
  const bar = `${'#'.repeat(filled)}${'.'.repeat(barLength - filled)}`
  const left = perSecond > 0 ? `, ${durationText((totalCount - doneCount) / perSecond)} left` : ''
  const total = totalCount.toLocaleString('en')
  const percent = `${Math.floor(part * 100)} %`.padStart(5)
  return `${label}  [${bar}] ${percent}  ${done} of ${total} ${unit}, ${rate}${left}`
}

function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}
