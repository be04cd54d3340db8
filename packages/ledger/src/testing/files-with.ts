/** A search through all files of a folder, for tests of redaction. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

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
