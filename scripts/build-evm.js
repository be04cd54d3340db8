/**
 * Compiles the EVM's interpreter (packages/eth-evm/assembly) to WebAssembly, when a source is newer than what is there.
 * A program of its own for `npm run build`, and the global set-up of vitest, so that tests find it without a build.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './prepare.js'

const sourceFolder = join(root, 'packages', 'eth-evm', 'assembly')
const outputFolder = join(root, 'packages', 'eth-evm', 'dist')
const outputFile = join(outputFolder, 'evm.wasm')

export function ensureEvmBuilt() {
  const sources = readdirSync(sourceFolder).map((name) => join(sourceFolder, name))
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs))
  if (existsSync(outputFile) && statSync(outputFile).mtimeMs >= newest) return
  mkdirSync(outputFolder, { recursive: true })
  // Under another name first: several processes may do this at once, and none may read a half.
  const unfinished = `${outputFile}.${process.pid}`
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js'),
      join('packages', 'eth-evm', 'assembly', 'evm.ts'),
      ...['--outFile', unfinished],
      ...['-O3', '--runtime', 'stub', '--noAssert', '--use', 'abort='],
      // 68 MiB of tables, stack and codes; the rest, up to 4 GiB, is asked for when frames need it.
      ...['--initialMemory', '1088', '--maximumMemory', '65536', '--enable', 'bulk-memory'],
    ],
    { cwd: root, stdio: ['ignore', process.stderr, 'inherit'] },
  )
  if (status !== 0) {
    rmSync(unfinished, { force: true })
    throw new Error('The EVM did not compile; see the messages above.')
  }
  renameSync(unfinished, outputFile)
}

/** What vitest calls. */
export function setup() {
  ensureEvmBuilt()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) ensureEvmBuilt()
