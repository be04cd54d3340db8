/** A ledger in a temporary folder, for tests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type EmbeddedLedger, type OpenLedgerOptions, openLedger } from '../library.ts'

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-ledger-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

export interface TemporaryLedger {
  readonly directory: string
  readonly open: EmbeddedLedger
  /** Closes it and opens the same folder again. */
  reopen(options?: Partial<OpenLedgerOptions>): Promise<EmbeddedLedger>
}

export async function temporaryLedger(
  options: Partial<OpenLedgerOptions> = {},
): Promise<TemporaryLedger> {
  const directory = await temporaryDirectory()
  let open = await openLedger({ ...options, directory })
  onTestFinished(() => open.close())
  return {
    directory,
    get open() {
      return open
    },
    async reopen(changed = {}) {
      await open.close()
      open = await openLedger({ ...options, ...changed, directory })
      return open
    },
  }
}
