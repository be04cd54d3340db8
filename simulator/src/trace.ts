/** The steps of a run as lines of text, and one hash over all of them: the same seed must give the same hash. */
import { createHash } from 'node:crypto'

export interface Trace {
  note(text: string): void
  /** The newest lines, oldest first. */
  readonly lastLines: readonly string[]
  hash(): string
}

const keptLineCountMax = 60

/** @param prefix Put before each line: the time and the step. */
export function createTrace(prefix: () => string, print?: (line: string) => void): Trace {
  const sum = createHash('sha256')
  let lastLines: string[] = []
  return {
    note(text) {
      const line = `${prefix()} ${text}`
      sum.update(line).update('\n')
      if (lastLines.length >= 2 * keptLineCountMax) lastLines = lastLines.slice(keptLineCountMax)
      lastLines.push(line)
      print?.(line)
    },
    get lastLines() {
      return lastLines.slice(-keptLineCountMax)
    },
    hash: () => sum.copy().digest('hex'),
  }
}
