/**
 * `npm run simulate -- --seed=N [--count=500] [--for=10m] [--trace]`: runs seeds one after the other from N on, until
 * the count or the time is used up or a checker finds something. Exit code 1 then.
 */
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { mutants } from './mutants.ts'
import { type RunOptions, type RunResult, simulate } from './run.ts'

const help = `npm run simulate -- [options]

  --seed=N         the first seed; the time of day without it
  --count=N        how many seeds; 1 with --seed alone, else without end
  --for=10m        for how long: 90s, 10m, 2h
  --trace          print every step
  --mutant=NAME    break the engine on purpose; --mutant=list names the ways

Example: npm run simulate -- --seed=1 --count=500`

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }
const progressIntervalMs = 2000

interface Settings {
  readonly firstSeed: number
  readonly count: number
  readonly forMs: number
  readonly run: Omit<RunOptions, 'seed'>
}

class UsageError extends Error {}

function settingsOf(args: readonly string[]): Settings | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      count: { type: 'string' },
      for: { type: 'string' },
      trace: { type: 'boolean', default: false },
      mutant: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const firstSeed = values.seed === undefined ? Date.now() % 1_000_000_000 : whole(values.seed)
  const isOne = values.seed !== undefined && values.for === undefined
  const count =
    values.count === undefined ? (isOne ? 1 : Number.POSITIVE_INFINITY) : whole(values.count)
  const mutant = mutants.find(({ name }) => name === values.mutant)
  if (values.mutant !== undefined && mutant === undefined) {
    throw new UsageError(`Mutants: ${mutants.map(({ name }) => `\n  ${name}`).join('')}`)
  }
  return {
    firstSeed,
    count,
    forMs: values.for === undefined ? Number.POSITIVE_INFINITY : durationMs(values.for),
    run: {
      ...(mutant === undefined ? {} : { mutant }),
      ...(values.trace ? { print: (line: string) => console.log(line) } : {}),
    },
  }
}

function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${text} is no whole number.`)
  return Number(text)
}

function durationMs(text: string): number {
  const [, count, unit] = /^(\d+)([smh])$/.exec(text) ?? []
  const factor = unitMs[unit ?? '']
  if (count === undefined || factor === undefined) {
    throw new UsageError(`${text} is no duration; write 90s, 10m or 2h.`)
  }
  return Number(count) * factor
}

/** Answers whether all was well. */
async function runSeeds({ firstSeed, count, forMs, run }: Settings): Promise<boolean> {
  const startedMs = Date.now()
  let reportedMs = startedMs
  let committedCount = 0
  let seed = firstSeed
  for (; seed < firstSeed + count && Date.now() - startedMs < forMs; seed++) {
    const result = await simulate({ seed, ...run })
    committedCount += result.committedCount
    if (result.violation !== undefined) {
      report(result)
      return false
    }
    if (count === 1) describe(result)
    if (Date.now() - reportedMs >= progressIntervalMs) {
      reportedMs = Date.now()
      console.log(`seed ${seed}, ${committedCount} committed transactions, nothing found`)
    }
  }
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
  const seeds = `${seed - firstSeed} seeds from ${firstSeed} on`
  console.log(`${seeds}, ${committedCount} committed transactions, ${seconds} s: nothing found`)
  return true
}

function describe({ lifeCount, transactionCount, blockCount, stepCount, traceHash }: RunResult) {
  const counts = `${lifeCount} lives, ${transactionCount} transactions, ${blockCount} blocks`
  console.log(`${counts}, ${stepCount} steps, trace ${traceHash.slice(0, 16)}`)
}

function report({ seed, stepCount, violation, lastLines }: RunResult): void {
  console.log(lastLines.join('\n'))
  console.log(`\nseed ${seed}, commit ${commitOf()}, step ${stepCount}`)
  console.log(violation?.message)
  if (violation?.cause instanceof Error) console.log(violation.cause.stack)
  console.log(`Again, step by step: npm run simulate -- --seed=${seed} --trace`)
}

function commitOf(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}

try {
  const settings = settingsOf(process.argv.slice(2))
  if (settings === undefined) console.log(help)
  else if (!(await runSeeds(settings))) process.exitCode = 1
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error)
  if (!isUsage) throw error
  console.error(`${error.message}\n\n${help}`)
  process.exitCode = 2
}
