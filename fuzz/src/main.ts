/**
 * `npm run fuzz -- [--target=NAME|all] [--runs=N] [--seed=S] [--for=10m]`: each target in its own process, one after
 * the other. Findings go to fuzz/findings with their inputs made small. Exit codes: 0 none, 1 findings, 2 usage.
 */
import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { ChildMessage, ChildOrder, SentFinding, SentSummary } from './messages.ts'
import { targets } from './targets/all.ts'

const usage = `Usage: npm run fuzz -- [OPTIONS]

  --target=NAME    ${targets.map(({ name }) => name).join(', ')}, or all (the default)
  --runs=N         inputs of each target (default 20000)
  --seed=S         repeats a run (default 1)
  --for=10m        at most so long for each target: 30s, 10m, 2h
  --guided         keep what reaches new code, and show how much was reached; several times slower
  --input=FILE     runs one input of the target and shows what it does
  --help

Example: npm run fuzz -- --target=ion-binary --runs=1000000 --seed=7
`

const findingsFolder = fileURLToPath(new URL('../findings/', import.meta.url))
const childFile = fileURLToPath(new URL('./child.ts', import.meta.url))
/** Silence of a process after which it hangs. A batch talks at least once per input and second. */
const silenceMsMax = 60_000
const watchMs = 1000
const progressMs = 5000

interface Plan {
  readonly runs: number
  readonly seed: number
  readonly msMax: number | undefined
  readonly isGuided: boolean
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', default: 'all' },
      runs: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
      for: { type: 'string' },
      guided: { type: 'boolean', default: false },
      input: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const named = targets.filter(({ name }) => values.target === 'all' || values.target === name)
  const runs = Number(values.runs)
  const seed = Number(values.seed)
  const msMax = values.for === undefined ? undefined : durationMs(values.for)
  const isUsable = runs >= 1 && Number.isSafeInteger(seed) && !Number.isNaN(msMax)
  if (values.help || named.length === 0 || !isUsable) {
    process.stderr.write(usage)
    return values.help ? 0 : 2
  }
  if (values.input !== undefined) return await runInput(values.target, values.input)

  const summaries: SentSummary[] = []
  for (const { name } of named) {
    const summary = await runTarget(name, { runs, seed, msMax, isGuided: values.guided })
    process.stdout.write(`${summaryLine(summary)}\n`)
    for (const finding of summary.findings) reportFinding(name, finding)
    summaries.push(summary)
  }
  const inputCount = summaries.reduce((sum, one) => sum + one.inputCount, 0)
  const findingCount = summaries.reduce((sum, one) => sum + one.findings.length, 0)
  process.stdout.write(`${inputCount} inputs, ${findingCount} findings, seed ${seed}\n`)
  return findingCount > 0 ? 1 : 0
}

function durationMs(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smh])$/.exec(text) ?? []
  const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }
  return Number(count || Number.NaN) * (units[unit] ?? Number.NaN)
}

async function runInput(name: string, file: string): Promise<number> {
  const target = targets.find((candidate) => candidate.name === name)
  if (target === undefined) throw new TypeError('--input needs the name of one target')
  const open = await target.open(1)
  const startMs = performance.now()
  try {
    await open.run(new Uint8Array(readFileSync(file)))
  } finally {
    process.stdout.write(`${Math.round(performance.now() - startMs)} ms\n`)
    await open.close?.()
  }
  return 0
}

/** Runs a target to its end. When its process dies or hangs, that is a finding, and what is left of it is not run. */
async function runTarget(name: string, plan: Plan): Promise<SentSummary> {
  const scratch = mkdtempSync(join(tmpdir(), 'cairn-fuzz-'))
  const inputFile = join(scratch, 'input')
  const order: ChildOrder = { targetName: name, inputFile, ...plan }
  try {
    return await superviseChild(order)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function superviseChild(order: ChildOrder): Promise<SentSummary> {
  const startMs = performance.now()
  const child = fork(childFile, [], {
    execArgv: [...process.execArgv, '--max-old-space-size=2048'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  child.send(order)
  let heardMs = performance.now()
  let printedMs = 0
  let inputCount = 0
  let summary: SentSummary | undefined
  let isHung = false
  const watch = setInterval(() => {
    if (performance.now() - heardMs < silenceMsMax) return
    isHung = true
    child.kill('SIGKILL')
  }, watchMs)
  child.on('message', (message: ChildMessage) => {
    heardMs = performance.now()
    if (message.kind === 'summary') summary = message.summary
    if (message.kind !== 'progress') return
    inputCount = message.inputCount
    if (heardMs - printedMs < progressMs) return
    printedMs = heardMs
    const covered = message.coveredPercent?.toFixed(1) ?? '-'
    const perSecond = Math.round((1000 * inputCount) / (heardMs - startMs))
    const line = `${order.targetName}: ${inputCount} inputs, ${perSecond}/s, ${covered} % covered`
    process.stderr.write(`${line}\n`)
  })
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearInterval(watch)
      resolve(summary ?? deadSummary(order, inputCount, isHung, `code ${code}, signal ${signal}`))
    })
  })
}

function deadSummary(
  order: ChildOrder,
  inputCount: number,
  isHung: boolean,
  ending: string,
): SentSummary {
  const stored = readFileSync(order.inputFile)
  const input = stored.subarray(4, 4 + (stored.length < 4 ? 0 : stored.readUInt32BE(0)))
  const finding: SentFinding = {
    kind: isHung ? 'hang' : 'crash',
    signature: isHung ? 'an input does not end' : 'the process ended',
    detail: isHung ? `silent for ${silenceMsMax} ms` : ending,
    input: input.toString('base64'),
    count: 1,
  }
  return {
    target: order.targetName,
    inputCount,
    elapsedMs: 0,
    coveredPercent: undefined,
    keptCount: 0,
    slowestMs: 0,
    peakBytes: 0,
    heapGrowthBytes: 0,
    findings: [finding],
  }
}

function summaryLine(summary: SentSummary): string {
  const { target, inputCount, elapsedMs, coveredPercent, keptCount, findings } = summary
  const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`
  return [
    `${target}: ${inputCount} inputs in ${(elapsedMs / 1000).toFixed(1)} s`,
    `${Math.round((1000 * inputCount) / Math.max(1, elapsedMs))}/s`,
    coveredPercent === undefined ? 'not guided' : `${coveredPercent.toFixed(1)} % covered`,
    `${keptCount} kept`,
    `slowest ${Math.round(summary.slowestMs)} ms`,
    `peak ${mebibytes(summary.peakBytes)}`,
    `heap grew ${mebibytes(summary.heapGrowthBytes)}`,
    `${findings.length} findings`,
  ].join(', ')
}

function reportFinding(target: string, finding: SentFinding): void {
  mkdirSync(findingsFolder, { recursive: true })
  const slug = finding.signature
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
  const file = join(findingsFolder, `${target}-${finding.kind}-${slug}`)
  writeFileSync(file, Buffer.from(finding.input, 'base64'))
  writeFileSync(`${file}.txt`, `${finding.signature}\n\n${finding.detail}\n`)
  process.stdout.write(`  ${finding.kind} (${finding.count} times): ${finding.signature}\n`)
  process.stdout.write(`    ${file}\n`)
}

process.exitCode = await main()
