/** What main.ts and the process of a target tell each other. */
import type { Finding, Summary } from './fuzz-loop.ts'

export interface ChildOrder {
  readonly targetName: string
  readonly seed: number
  readonly runs: number
  readonly msMax: number | undefined
  readonly isGuided: boolean
  /** Four bytes of length, then the input that is being run. */
  readonly inputFile: string
}

/** Inputs travel as base64. */
export interface SentFinding extends Omit<Finding, 'input'> {
  readonly input: string
}

export interface SentSummary extends Omit<Summary, 'findings'> {
  readonly findings: readonly SentFinding[]
}

export type ChildMessage =
  | { readonly kind: 'alive' }
  | {
      readonly kind: 'progress'
      readonly inputCount: number
      readonly coveredPercent: number | undefined
    }
  | { readonly kind: 'summary'; readonly summary: SentSummary }
