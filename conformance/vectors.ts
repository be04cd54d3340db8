/**
 * Public test vectors, which lie as archives in a folder `shared/vectors` beside the checkout and are unpacked for
 * the suite that asks. A clone without that folder skips those suites.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

const vectorsFolder = fileURLToPath(new URL('../../shared/vectors/', import.meta.url))

/**
 * Unpacks an archive such as `ion-tests.tar.gz` into a temporary folder, which goes when the test file is done.
 * Call it at the top of a test file.
 * @returns that folder, or undefined when the archive is not there.
 */
export function openVectors(archiveName: string): string | undefined {
  const archive = join(vectorsFolder, archiveName)
  if (!existsSync(archive)) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'cairn-vectors-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  execFileSync('tar', ['-xzf', archive, '-C', folder])
  return folder
}
