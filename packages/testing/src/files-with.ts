/** A search through all files of a folder, for tests of redaction. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Paths of the files below `directory` that hold the text. Files that go meanwhile are passed over. */
export async function filesWith(directory: string, text: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    if (bytes?.includes(text)) found.push(path)
  }
  return found
}
