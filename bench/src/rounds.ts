/**
 * Interleaved rounds: every round runs every contestant once, and the next round starts with the next contestant, so
 * that a slow minute of the machine hits all of them alike. The median over rounds is what gets compared.
 */
import { type Summary, summarize } from './statistics.ts'

export interface Sample {
  readonly operationCount: number
  readonly elapsedMs: number
  /** User and system time of the process or processes doing the work; undefined when it cannot be read. */
  readonly cpuUs: number | undefined
  /** Further figures of the round, such as latencies or conflicts. */
  readonly more?: Readonly<Record<string, number>>
}

export interface Contestant {
  readonly name: string
  run(): Promise<Sample>
}

export interface Measurement {
  readonly name: string
  readonly samples: readonly Sample[]
  readonly operationsPerSecond: Summary
  /** User and system time. */
  readonly cpuUsPerOperation: Summary | undefined
  /** Summaries of the further figures, by name. */
  readonly more: Readonly<Record<string, Summary>>
}

export type Progress = (text: string) => void

/** Fewer rounds have no meaningful median. */
export const roundCountMin = 3

/** @param roundCount At least `roundCountMin`. */
export async function runRounds(
  contestants: readonly Contestant[],
  roundCount: number,
  progress: Progress,
): Promise<readonly Measurement[]> {
  const samples = contestants.map((): Sample[] => [])
  for (let round = 0; round < roundCount; round++) {
    for (let step = 0; step < contestants.length; step++) {
      const index = (round + step) % contestants.length
      const contestant = contestants[index]
      if (contestant === undefined) continue
      progress(`round ${round + 1} of ${roundCount}: ${contestant.name}`)
      samples[index]?.push(await contestant.run())
    }
  }
  return contestants.map((contestant, index) => measurement(contestant.name, samples[index] ?? []))
}

function measurement(name: string, samples: readonly Sample[]): Measurement {
  const cpu = samples.flatMap((sample) =>
    sample.cpuUs === undefined ? [] : [sample.cpuUs / sample.operationCount],
  )
  const keys = new Set(samples.flatMap((sample) => Object.keys(sample.more ?? {})))
  const more = [...keys].map((key): [string, Summary] => [
    key,
    summarize(samples.flatMap((sample) => sample.more?.[key] ?? [])),
  ])
  return {
    name,
    samples,
    operationsPerSecond: summarize(
      samples.map((sample) => (1000 * sample.operationCount) / sample.elapsedMs),
    ),
    cpuUsPerOperation: cpu.length === samples.length ? summarize(cpu) : undefined,
    more: Object.fromEntries(more),
  }
}

/**
 * A contestant that calls a synchronous function for a while.
 * @param work Its result is kept reachable, so that the compiler cannot drop the work.
 * @param durationMs Of one round.
 */
export function loop(name: string, durationMs: number, work: () => unknown): Contestant {
  let batchCount = 1
  let kept: unknown
  return {
    name,
    async run() {
      const startMs = performance.now()
      const startCpu = process.cpuUsage()
      let operationCount = 0
      let elapsedMs = 0
      while (elapsedMs < durationMs) {
        for (let i = 0; i < batchCount; i++) kept = work()
        operationCount += batchCount
        elapsedMs = performance.now() - startMs
        // Reading the clock must not weigh in: batches grow until one takes about a millisecond.
        if (elapsedMs / (operationCount / batchCount) < 1) batchCount *= 2
      }
      const cpu = process.cpuUsage(startCpu)
      if (kept === undefined) throw new Error(`${name} does nothing`)
      return { operationCount, elapsedMs, cpuUs: cpu.user + cpu.system }
    },
  }
}
