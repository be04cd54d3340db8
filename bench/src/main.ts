/**
 * `npm run bench [-- NAME…] [--save]`: Cairn beside the peers a user would pick, as ratios taken in one run, and at the
 * end every bar with what was measured. Tables go to stdout, progress to stderr.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { fileSystemOf } from './machine.ts'
import { barTable, reportText, type SuiteResult, saveBarTable, saveResult } from './report.ts'
import { roundCountMin } from './rounds.ts'
import { type Scale, type Suite, smallDocumentCount } from './suite.ts'

interface SuitePlan {
  readonly load: () => Promise<Suite>
  readonly roundCount: number
  readonly seconds: number
}

// Loaded one by one, the one with ion-js last: its mere presence makes strings slower in the whole process.
const plans: Readonly<Record<string, SuitePlan>> = {
  transactions: {
    load: async () => (await import('./transactions-suite.ts')).transactionsSuite,
    roundCount: 3,
    seconds: 5,
  },
  wire: {
    load: async () => (await import('./wire-suite.ts')).wireSuite,
    roundCount: 3,
    seconds: 5,
  },
  reads: {
    load: async () => (await import('./reads-suite.ts')).readsSuite,
    roundCount: 3,
    seconds: 5,
  },
  latency: {
    load: async () => (await import('./latency-suite.ts')).latencySuite,
    roundCount: 3,
    seconds: 5,
  },
  bulk: {
    load: async () => (await import('./bulk-suite.ts')).bulkSuite,
    roundCount: 3,
    seconds: 5,
  },
  proofs: {
    load: async () => (await import('./proofs-suite.ts')).proofsSuite,
    roundCount: 3,
    seconds: 1,
  },
  import: {
    load: async () => (await import('./import-suite.ts')).importSuite,
    roundCount: 3,
    seconds: 5,
  },
  growth: {
    load: async () => (await import('./growth-suite.ts')).growthSuite,
    roundCount: 3,
    seconds: 10,
  },
  ethereum: {
    load: async () => (await import('./ethereum/node-suite.ts')).nodeSuite,
    roundCount: 3,
    seconds: 1,
  },
  evm: {
    load: async () => (await import('./ethereum/evm-suite.ts')).evmSuite,
    roundCount: 5,
    seconds: 1,
  },
  'ethereum-codec': {
    load: async () => (await import('./ethereum/codec-suite.ts')).codecSuite,
    roundCount: 5,
    seconds: 0.3,
  },
  'ethereum-state': {
    load: async () => (await import('./ethereum/state-suite.ts')).stateSuite,
    roundCount: 3,
    seconds: 4,
  },
  layers: {
    load: async () => (await import('./layers-suite.ts')).layersSuite,
    roundCount: 3,
    seconds: 2,
  },
  ion: {
    load: async () => (await import('./ion-suite.ts')).ionSuite,
    roundCount: 5,
    seconds: 0.3,
  },
}

/** Ten million documents take several minutes to load and 11 GB of disk: asked for by name. */
const defaultScale: Scale = { blockCount: 1_000_000, documentCount: 1_000_000 }

const usage = `Usage: npm run bench [-- NAME… OPTIONS]

Suites: ${Object.keys(plans).join(', ')}; all of them when none is named.

  --save          keep the result: bench/results/<date>-<name>.json and the table in bench/README.md
  --rounds=N      rounds of each contestant, at least ${roundCountMin}
  --seconds=N     length of a contestant's turn in a round
  --blocks=N      of the ledger of suite proofs (default: ${defaultScale.blockCount})
  --documents=N   of the larger ledger of suite growth (default: ${defaultScale.documentCount})
  --directory=D   where the databases under test keep their files (default: the temporary folder)
  --hardhat=D     where "npm install --ignore-scripts hardhat@2.29.0" was run; suite ethereum leaves
                  Hardhat out otherwise
  --help

Example: npm run bench -- transactions --seconds=2
`

const cleanUps: (() => Promise<void>)[] = []

async function cleanUpAll(): Promise<void> {
  for (let next = cleanUps.pop(); next !== undefined; next = cleanUps.pop()) await next()
}

function makeScratch(parent: string | undefined): string {
  const folder = parent ?? tmpdir()
  mkdirSync(folder, { recursive: true })
  if (['tmpfs', 'ramfs'].includes(fileSystemOf(folder))) {
    throw new Error(
      `${folder} lies in memory, where a sync costs nothing. Name a disk: --directory=D`,
    )
  }
  return mkdtempSync(join(folder, 'cairn-bench-'))
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      save: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      blocks: { type: 'string' },
      documents: { type: 'string' },
      directory: { type: 'string' },
      hardhat: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.filter((name) => plans[name] === undefined)
  const roundCount = numberOf(values.rounds)
  const seconds = numberOf(values.seconds)
  const scale: Scale = {
    blockCount: numberOf(values.blocks) ?? defaultScale.blockCount,
    documentCount: numberOf(values.documents) ?? defaultScale.documentCount,
  }
  const isUsable =
    (roundCount ?? roundCountMin) >= roundCountMin &&
    (seconds ?? 1) > 0 &&
    scale.blockCount >= 1 &&
    scale.documentCount >= smallDocumentCount
  if (values.help || unknown.length > 0 || !isUsable) {
    process.stderr.write(unknown.length > 0 ? `No suite ${unknown.join(', ')}.\n\n${usage}` : usage)
    return values.help ? 0 : 2
  }

  const names = positionals.length > 0 ? positionals : Object.keys(plans)
  const results: SuiteResult[] = []
  for (const name of names) {
    const plan = plans[name]
    if (plan === undefined) continue
    const directory = makeScratch(values.directory)
    cleanUps.push(async () => rmSync(directory, { recursive: true, force: true }))
    const suite = await plan.load()
    const result = await suite({
      directory,
      roundCount: roundCount ?? plan.roundCount,
      durationMs: 1000 * (seconds ?? plan.seconds),
      scale,
      ...(values.hardhat === undefined ? {} : { hardhatDirectory: resolve(values.hardhat) }),
      progress: (text) => process.stderr.write(`${name}: ${text}\n`),
      defer: (cleanUp) => cleanUps.push(cleanUp),
    })
    await cleanUpAll()
    results.push(result)
    process.stdout.write(`\n${reportText(result)}\n\n`)
    if (values.save) {
      process.stderr.write(`kept as bench/results/${saveResult(result, new Date())}\n`)
      saveBarTable(Object.keys(plans))
    }
  }
  if (results.some(({ bars }) => bars.length > 0)) {
    process.stdout.write(`${barTable(results)}\n`)
  }
  return 0
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void cleanUpAll().finally(() => process.exit(1))
  })
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  await cleanUpAll()
}
