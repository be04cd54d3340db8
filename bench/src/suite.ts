/** What every benchmark suite gets and gives. */

import type { SuiteResult } from './report.ts'
import type { Progress } from './rounds.ts'

export interface SuiteContext {
  /** An empty folder on the disk to be measured; deleted at the end. */
  readonly directory: string
  readonly roundCount: number
  /** How long each contestant runs in a round. */
  readonly durationMs: number
  readonly progress: Progress
  /** Runs at the end in reverse order, also after an error or Ctrl-C: stops servers, closes ledgers. */
  defer(cleanUp: () => Promise<void>): void
}

export type Suite = (context: SuiteContext) => Promise<SuiteResult>
