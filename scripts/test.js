/**
 * `npm test`: installs and builds what is missing, checks types, lint and tidiness, runs every test project and ends
 * with the counts of all of them. Arguments go to vitest.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkNodeVersion, ensureBuilt, ensureInstalled, root } from './prepare.js'

const projects = ['unit', 'conformance', 'clients', 'crash', 'simulator']

checkNodeVersion()
ensureInstalled('all')
ensureBuilt()

const isChecked = run('npm', ['run', '--silent', 'check'], { shell: process.platform === 'win32' })

const folder = mkdtempSync(join(tmpdir(), 'cairn-test-'))
const reportFile = join(folder, 'report.json')
const areTestsGreen = run(process.execPath, [
  join(root, 'node_modules', 'vitest', 'vitest.mjs'),
  'run',
  ...projects.flatMap((project) => ['--project', project]),
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${reportFile}`,
  ...process.argv.slice(2),
])
const counts = countResults(reportFile)
rmSync(folder, { recursive: true })

if (!isChecked) console.log('npm run check failed; its findings are above the tests.')
if (counts.passed === 0) console.log('No test ran.')
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`)
process.exitCode = isChecked && areTestsGreen && counts.failed === 0 && counts.passed > 0 ? 0 : 1

function run(program, args, options = {}) {
  return spawnSync(program, args, { cwd: root, stdio: 'inherit', ...options }).status === 0
}

/** A file that fails as a whole, such as one that cannot be imported, counts as one failure. */
function countResults(file) {
  const sums = { passed: 0, failed: 0, skipped: 0 }
  let report
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    console.log('The test run ended without a report.')
    return sums
  }
  for (const { status: fileStatus, assertionResults } of report.testResults) {
    let hasFailure = false
    for (const { status } of assertionResults) {
      if (status === 'passed') sums.passed++
      else if (status === 'failed') sums.failed++
      else sums.skipped++
      hasFailure ||= status === 'failed'
    }
    if (fileStatus === 'failed' && !hasFailure) sums.failed++
  }
  return sums
}
