/** `npm run check:tidy`: prints one line per finding of the tidy rules and fails when there is one. */
import { fileURLToPath } from 'node:url'
import { findUntidy } from './tidy-rules.ts'
import { readWorkspace } from './workspace.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const findings = findUntidy(readWorkspace(root))
for (const { file, line, message } of findings) console.log(`${file}:${line}: ${message}`)
if (findings.length > 0) {
  console.log(`${findings.length} finding${findings.length === 1 ? '' : 's'}`)
  process.exitCode = 1
}
