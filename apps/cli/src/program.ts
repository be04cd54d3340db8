/** The program `cairn`: what bin/cairn.js runs. */
import { needsSmallHeap, runInSmallHeap } from './small-heap.ts'

const words = process.argv.slice(2)
if (needsSmallHeap(words)) process.exitCode = await runInSmallHeap(words)
else {
  const { runAsProgram } = await import('./main.ts')
  await runAsProgram()
}
