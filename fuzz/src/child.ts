/**
 * Runs one target in a process of its own, started by main.ts: a crash there is a finding here. The input at hand lies
 * in a file before it runs, so that it outlives the process.
 */
import { openSync, writeSync } from 'node:fs'
import { fuzz } from './fuzz-loop.ts'
import type { ChildMessage, ChildOrder } from './messages.ts'
import { targets } from './targets/all.ts'

const progressMs = 500

process.once('message', (order: ChildOrder) => {
  void run(order)
})

async function run({
  targetName,
  seed,
  runs,
  msMax,
  isGuided,
  inputFile,
}: ChildOrder): Promise<void> {
  const target = targets.find(({ name }) => name === targetName)
  if (target === undefined) throw new TypeError(`no target ${targetName}`)
  const file = openSync(inputFile, 'w')
  const size = new Uint8Array(4)
  let toldMs = 0
  const summary = await fuzz(target, {
    seed,
    runs,
    ...(msMax === undefined ? {} : { msMax }),
    isGuided,
    onInput(input) {
      new DataView(size.buffer).setUint32(0, input.length)
      writeSync(file, input, 0, input.length, 4)
      writeSync(file, size, 0, 4, 0)
      const nowMs = performance.now()
      if (nowMs - toldMs < progressMs) return
      toldMs = nowMs
      tell({ kind: 'alive' })
    },
    onProgress: (inputCount, coveredPercent) =>
      tell({ kind: 'progress', inputCount, coveredPercent }),
  })
  const findings = summary.findings.map((finding) => ({
    ...finding,
    input: Buffer.from(finding.input).toString('base64'),
  }))
  tell({ kind: 'summary', summary: { ...summary, findings } }, () => process.exit(0))
}

function tell(message: ChildMessage, done: () => void = () => undefined): void {
  process.send?.(message, undefined, undefined, done)
}
