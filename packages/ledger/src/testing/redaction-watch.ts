/** What tests of redaction share: a logger that tells when data is gone, a search through all files of a folder. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '@cairn/core'

export interface RedactionWatch {
  readonly logger: Logger
  /** Revisions reported as gone so far. */
  readonly goneCount: number
  /** Resolves when so many revisions are reported as gone, since the beginning. */
  untilGone(count: number): Promise<void>
}

export function watchRedactions(): RedactionWatch {
  let goneCount = 0
  let waiters: { readonly count: number; readonly resolve: () => void }[] = []
  return {
    logger: {
      log(_level, message, fields) {
        if (message !== 'redacted data is gone from the files') return
        goneCount += Number(fields?.['revisions'])
        for (const { count, resolve } of waiters) if (count <= goneCount) resolve()
        waiters = waiters.filter(({ count }) => count > goneCount)
      },
    },
    get goneCount() {
      return goneCount
    },
    untilGone(count) {
      if (goneCount >= count) return Promise.resolve()
      return new Promise((resolve) => waiters.push({ count, resolve }))
    },
  }
}

/** Paths of the files below `directory` that hold the text. */
export async function filesWith(directory: string, text: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    if ((await readFile(path)).includes(text)) found.push(path)
  }
  return found
}
