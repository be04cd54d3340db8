/** What every benchmark suite gets and gives. */

import type { SuiteResult } from './report.ts'
import type { Progress } from './rounds.ts'

/** How large ledgers are where size is the question. */
export interface Scale {
  /** Of the suite `proofs`. */
  readonly blockCount: number
  /** The larger of the two ledgers of the suite `growth`. */
  readonly documentCount: number
}

/** Documents of the smaller ledger of the suite `growth`. */
export const smallDocumentCount = 100_000

export interface SuiteContext {
  /** An empty folder on the disk to be measured; deleted at the end. */
  readonly directory: string
  readonly roundCount: number
  /** How long each contestant runs in a round. */
  readonly durationMs: number
  readonly scale: Scale
  /** Where Hardhat is installed; it is left out without. */
  readonly hardhatDirectory?: string
  readonly progress: Progress
  /** Runs at the end in reverse order, also after an error or Ctrl-C: stops servers, closes ledgers. */
  defer(cleanUp: () => Promise<void>): void
}

export type Suite = (context: SuiteContext) => Promise<SuiteResult>
