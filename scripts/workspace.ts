/**
 * Reads what the tidy rules look at: packages, project references and the text of source, configuration and pages.
 * Vectors and other data of foreign suites are left out by their file types.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Package, Workspace } from './tidy-rules.ts'

const skippedFolders = new Set([
  'node_modules',
  'dist',
  '.git',
  'coverage',
  'data',
  'vectors',
  'tmp',
])
const readTypes = /\.(?:ts|js|json|md|sh|yml|yaml|css|html)$|^\.ci\/run$/
/** Largest file looked at. Larger ones are data (the lock file has about 120 KB). */
const fileBytesMax = 1024 * 1024

interface Manifest {
  readonly name?: string
  readonly floor?: number | 'any'
  readonly bin?: string | Readonly<Record<string, string>>
  readonly exports?: unknown
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
}

interface ProjectFile {
  readonly references?: readonly { readonly path: string }[]
}

export function readWorkspace(root: string): Workspace {
  const files = new Map<string, string>()
  readFolder(root, '', files)
  const packages: Package[] = []
  for (const [path, text] of files) {
    if (!path.endsWith('/package.json')) continue
    const directory = posix.dirname(path)
    const manifest = JSON.parse(text) as Manifest
    const project = files.get(`${directory}/tsconfig.json`)
    packages.push({
      directory,
      name: manifest.name ?? directory,
      floor: manifest.floor,
      dependencies: Object.keys(manifest.dependencies ?? {}),
      entries: [
        ...stringsIn(manifest.bin),
        ...stringsIn(manifest.exports),
        ...filesInScripts(manifest.scripts),
      ],
      references: project === undefined ? undefined : referencesIn(project, directory),
    })
  }
  const rootManifest = JSON.parse(files.get('package.json') ?? '{}') as Manifest
  return {
    packages,
    files,
    rootReferences: referencesIn(files.get('tsconfig.json') ?? '{}', '.'),
    rootEntries: filesInScripts(rootManifest.scripts),
  }
}

function readFolder(root: string, folder: string, files: Map<string, string>): void {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!skippedFolders.has(entry.name)) readFolder(root, path, files)
    } else if (entry.isFile() && readTypes.test(path)) {
      const text = readFileSync(join(root, path), 'utf8')
      if (text.length <= fileBytesMax) files.set(path, text)
    }
  }
}

function referencesIn(projectText: string, directory: string): string[] {
  const project = JSON.parse(projectText) as ProjectFile
  return (project.references ?? []).map(({ path }) => posix.join(directory, path))
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(stringsIn)
}

function filesInScripts(scripts: Readonly<Record<string, string>> | undefined): string[] {
  return Object.values(scripts ?? {}).flatMap((line) => line.match(/[\w./-]+\.(?:ts|js)\b/g) ?? [])
}
