/** The version that this build reports: the one in package.json, which all packages share. */
import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
}

export const version: string = manifest.version
