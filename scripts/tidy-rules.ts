/**
 * The rules of the house that neither the compiler nor the linter knows, as functions from a workspace to findings.
 * What they are for: CONTRIBUTING.md, "Code".
 */
import { posix } from 'node:path'
import { importsOf, relativePathsOf, type SourceText, scanSource } from './source-text.ts'

export interface Finding {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** What is wrong, then what to do about it. */
  readonly message: string
}

export interface Package {
  /** Relative to the root, such as `packages/core`. */
  readonly directory: string
  readonly name: string
  readonly floor: number | 'any' | undefined
  readonly dependencies: readonly string[]
  /** Files named by `bin`, `exports` and `scripts`, relative to the directory. */
  readonly entries: readonly string[]
  /** Directories of project references, relative to the root; undefined without a tsconfig.json. */
  readonly references: readonly string[] | undefined
}

export interface Workspace {
  readonly packages: readonly Package[]
  /** Text of every file looked at, by its path relative to the root. */
  readonly files: ReadonlyMap<string, string>
  /** Directories that the root tsconfig.json builds. */
  readonly rootReferences: readonly string[]
  /** Files named by the scripts of the root package.json. */
  readonly rootEntries: readonly string[]
}

/** Longest line of code, and of a line that holds only a comment. Source: house style, "Tools". */
export const codeColumnsMax = 100
export const commentColumnsMax = 120
/** A literal of this length cannot be helped by breaking the line elsewhere. */
const longLiteralColumns = 50

const browserSafePackages = new Set([
  '@cairn/core',
  '@cairn/ion',
  '@cairn/merkle',
  '@cairn/verifier',
])

type Rule = (workspace: Workspace, sources: Sources) => Finding[]

/** Scanned once, used by every rule. */
interface Sources {
  readonly all: ReadonlyMap<string, SourceText>
  packageOf(path: string): Package | undefined
}

export function findUntidy(workspace: Workspace): Finding[] {
  const all = new Map<string, SourceText>()
  for (const [path, text] of workspace.files) if (isCode(path)) all.set(path, scanSource(text))
  // A package may lie in the folder of another: the innermost owns the file.
  const nested = workspace.packages.toSorted((a, b) => b.directory.length - a.directory.length)
  const sources: Sources = {
    all,
    packageOf: (path) => nested.find((p) => path.startsWith(`${p.directory}/`)),
  }
  return rules
    .flatMap((rule) => rule(workspace, sources))
    .sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

function isCode(path: string): boolean {
  return /\.(?:ts|js)$/.test(path)
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

/** Tests, and what stands beside them for tests alone; that nothing else reaches it, the rule on dead files sees. */
function isTestOnly(path: string): boolean {
  return isTest(path) || /\/src\/(?:testing|clients)\//.test(path)
}

function lineOf(text: string, offset: number): number {
  let line = 1
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) line++
  return line
}

/** `@cairn/ion` of `@cairn/ion/x`; `lmdb` of `lmdb/y`; undefined for relative paths and `node:`. */
function packageNameOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('node:')) {
    return undefined
  }
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

const checkFloors: Rule = (workspace, sources) => {
  const findings: Finding[] = []
  const byName = new Map(workspace.packages.map((p) => [p.name, p]))
  for (const each of workspace.packages) {
    if (each.floor === undefined) {
      findings.push({
        file: `${each.directory}/package.json`,
        line: 1,
        message: 'no "floor", add its number from the table of layers, or "any" for test-only code',
      })
    }
  }
  for (const [path, source] of sources.all) {
    const from = sources.packageOf(path)
    if (from === undefined || from.floor === 'any' || from.floor === undefined) continue
    for (const { specifier, offset } of importsOf(source)) {
      const to = byName.get(packageNameOf(specifier) ?? '')
      if (to === undefined || to.floor === undefined) continue
      const line = lineOf(source.text, offset)
      if (to.floor === 'any') {
        if (isTestOnly(path)) continue
        const message = `imports ${to.name}, which is for tests only, move the import to a test`
        findings.push({ file: path, line, message })
      } else if (to.floor >= from.floor) {
        const remedy = 'declare the interface needed here and join the two higher up'
        const message = `floor ${from.floor} imports ${to.name} of floor ${to.floor}, ${remedy}`
        findings.push({ file: path, line, message })
      }
    }
  }
  return findings
}

const checkDependencies: Rule = (workspace, sources) => {
  const findings: Finding[] = []
  const byName = new Map(workspace.packages.map((p) => [p.name, p]))
  for (const each of workspace.packages) {
    if (each.references === undefined) continue
    const imported = new Map<string, Finding>()
    for (const [path, source] of sources.all) {
      if (!path.startsWith(`${each.directory}/`) || isTestOnly(path)) continue
      for (const { specifier, offset } of importsOf(source)) {
        const name = packageNameOf(specifier)
        if (name === undefined || name === each.name || imported.has(name)) continue
        const message = `imports ${name}, add it to dependencies in ${each.directory}/package.json`
        imported.set(name, { file: path, line: lineOf(source.text, offset), message })
      }
    }
    const manifest = `${each.directory}/package.json`
    const manifestText = workspace.files.get(manifest) ?? ''
    for (const [name, finding] of imported) {
      if (!each.dependencies.includes(name)) findings.push(finding)
    }
    for (const name of each.dependencies) {
      if (imported.has(name)) continue
      const line = lineOf(manifestText, manifestText.lastIndexOf(`"${name}"`))
      const message = `dependency ${name} is imported by no source file, remove it`
      findings.push({ file: manifest, line, message })
    }
    findings.push(...checkReferences(each, byName))
    if (!workspace.rootReferences.includes(each.directory)) {
      const message = `${each.directory} is not built, add it to the references`
      findings.push({ file: 'tsconfig.json', line: 1, message })
    }
  }
  return findings
}

function checkReferences(each: Package, byName: ReadonlyMap<string, Package>): Finding[] {
  const file = `${each.directory}/tsconfig.json`
  const wanted = each.dependencies.flatMap((name) => byName.get(name)?.directory ?? [])
  const present = each.references ?? []
  return [
    ...wanted
      .filter((directory) => !present.includes(directory))
      .map((directory) => `no reference to ${directory}, which is a dependency, add it`),
    ...present
      .filter((directory) => !wanted.includes(directory))
      .map((directory) => `reference to ${directory}, which is no dependency, remove it`),
  ].map((message) => ({ file, line: 1, message }))
}

const checkHeaders: Rule = (_workspace, sources) => {
  const findings: Finding[] = []
  for (const [path, source] of sources.all) {
    if (isTest(path) || !isHeaded(sources, path)) continue
    if (source.text.replace(/^#!.*\n/, '').startsWith('/**')) continue
    findings.push({
      file: path,
      line: 1,
      message: 'no header, start the file with one to four lines of /** … */ on what it holds',
    })
  }
  return findings
}

/** The source of packages, and all of the folders that have no `src`. Programs in `bin` are too short for a header. */
function isHeaded(sources: Sources, path: string): boolean {
  return isInSource(sources, path) || /^(?:conformance|scripts)\//.test(path)
}

function isInSource(sources: Sources, path: string): boolean {
  const owner = sources.packageOf(path)
  return owner !== undefined && path.startsWith(`${owner.directory}/src/`)
}

/** Follows relative paths from the entries and the tests of each package; what is never reached is dead. */
const checkDeadFiles: Rule = (workspace, sources) => {
  const reached = new Set<string>()
  const waiting: string[] = [...workspace.rootEntries]
  for (const each of workspace.packages) {
    for (const entry of each.entries) waiting.push(posix.join(each.directory, entry))
    waiting.push(`${each.directory}/src/index.ts`, `${each.directory}/src/main.ts`)
  }
  for (const path of sources.all.keys()) if (isTest(path)) waiting.push(path)
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    // What runs built (`dist/x.js`) is held to its source.
    const file = path.replace('/dist/', '/src/').replace(/\.d\.ts$/, '.ts')
    for (const candidate of [file, file.replace(/\.js$/, '.ts')]) {
      const source = sources.all.get(candidate)
      if (source === undefined || reached.has(candidate)) continue
      reached.add(candidate)
      for (const relative of relativePathsOf(source)) {
        waiting.push(posix.join(posix.dirname(candidate), relative))
      }
    }
  }
  return [...sources.all.keys()]
    .filter((path) => isInSource(sources, path) && !reached.has(path))
    .map((file) => ({
      file,
      line: 1,
      message: 'reached from no index.ts, program, worker or test, use it or remove it',
    }))
}

const checkLines: Rule = (_workspace, sources) => {
  const findings: Finding[] = []
  for (const [file, source] of sources.all) {
    if (file.includes('/generated/')) continue
    let start = 0
    for (const [index, text] of source.text.split('\n').entries()) {
      const from = start
      start += text.length + 1
      if (text.length <= codeColumnsMax) continue
      const max = isCommentOnly(source, from, text) ? commentColumnsMax : codeColumnsMax
      if (text.length <= max || isUnbreakable(source, from, text)) continue
      const message = `${text.length} columns, ${max} are allowed, break the line`
      findings.push({ file, line: index + 1, message })
    }
  }
  return findings
}

function isCommentOnly(source: SourceText, from: number, text: string): boolean {
  const first = from + text.search(/\S/)
  return source.kindAt(first) === 'comment' && source.kindAt(from + text.length - 1) === 'comment'
}

/** Import lines, lines with a link, and lines with a literal that no other line break makes shorter. */
function isUnbreakable(source: SourceText, from: number, text: string): boolean {
  if (/^(?:import|export)\b.*\bfrom '/.test(text) || /https?:\/\/\S{30}/.test(text)) return true
  let run = 0
  for (let i = 0; i < text.length; i++) {
    const kind = source.kindAt(from + i)
    run = kind === 'code' || kind === 'comment' ? 0 : run + 1
    if (run >= longLiteralColumns) return true
  }
  return false
}

const checkDefaultExports: Rule = (_workspace, sources) => {
  const findings: Finding[] = []
  for (const [file, source] of sources.all) {
    if (/(?:^|\/)vitest\.config\.ts$/.test(file)) continue
    for (const match of source.codeText.matchAll(/^export default\b|\bas default\b/gm)) {
      if (source.kindAt(match.index) !== 'code') continue
      const message = 'default export, name the thing so that it has one name in every import'
      findings.push({ file, line: lineOf(source.text, match.index), message })
    }
  }
  return findings
}

// Spelt in halves, so that this file passes its own rule. Neighbours of the base64 alphabet are test vectors.
const unfinishedMark = new RegExp(
  `(?<![\\w+/=])(?:${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})(?![\\w+/=])`,
  'g',
)

const checkUnfinished: Rule = (workspace) => {
  const findings: Finding[] = []
  for (const [file, text] of workspace.files) {
    if (isLockFile(file)) continue
    for (const match of text.matchAll(unfinishedMark)) {
      const message = `mark of unfinished work (${match[0]}), finish it or open an issue`
      findings.push({ file, line: lineOf(text, match.index), message })
    }
  }
  return findings
}

const checkBrowserSafe: Rule = (_workspace, sources) => {
  const findings: Finding[] = []
  for (const [file, source] of sources.all) {
    const owner = sources.packageOf(file)
    if (owner === undefined || !browserSafePackages.has(owner.name) || isTest(file)) continue
    for (const { specifier, offset } of importsOf(source)) {
      if (!specifier.startsWith('node:')) continue
      const what = `${owner.name} also runs in browsers but imports ${specifier}`
      const message = `${what}, take what it gives as a parameter`
      findings.push({ file, line: lineOf(source.text, offset), message })
    }
  }
  return findings
}

const kebabCase = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9-]+)+$/

const checkFileNames: Rule = (_workspace, sources) =>
  [...sources.all.keys()]
    .filter((file) => !kebabCase.test(posix.basename(file)))
    .map((file) => ({ file, line: 1, message: 'the file name is not kebab-case, rename it' }))

// Folders of one machine: a path below them means nothing on another one.
const machinePath = /(?<![\w.\-/}])\/(?:work|root|Users|home)\/[\w.-]+|\b[A-Z]:\\\\?Users\\/g

const checkMachinePaths: Rule = (workspace) => {
  const findings: Finding[] = []
  for (const [file, text] of workspace.files) {
    for (const match of text.matchAll(machinePath)) {
      const message = `path of one machine (${match[0]}), derive it or take it as a parameter`
      findings.push({ file, line: lineOf(text, match.index), message })
    }
  }
  return findings
}

/** The workspace's, and those of tools that are installed apart. */
function isLockFile(path: string): boolean {
  return posix.basename(path) === 'package-lock.json'
}

const checkLockFiles: Rule = (workspace) => {
  const findings: Finding[] = []
  for (const [file, text] of workspace.files) {
    const at = isLockFile(file) ? text.search(/"resolved": "http/) : -1
    if (at < 0) continue
    const remedy = 'install again with omit-lockfile-registry-resolved=true (.npmrc)'
    findings.push({ file, line: lineOf(text, at), message: `names a download host, ${remedy}` })
  }
  return findings
}

const examplesManifest = 'examples/package.json'

/** What the examples install beside themselves, in a clone that was only started, is what tests run them with. */
const checkExamples: Rule = (workspace) => {
  const wanted = new Map<string, string>()
  for (const [path, text] of workspace.files) {
    if (!/^examples\/[^/]+\/package\.json$/.test(path)) continue
    for (const [name, version] of devDependenciesIn(text)) {
      if (!name.startsWith('@cairn/')) wanted.set(name, version)
    }
  }
  const present = devDependenciesIn(workspace.files.get(examplesManifest) ?? '{}')
  return [...wanted]
    .filter(([name, version]) => present.get(name) !== version)
    .map(([name, version]) => {
      const remedy = `name it there, then \`npm install --package-lock-only\` in examples`
      const message = `an example uses ${name} ${version}, ${remedy}`
      return { file: examplesManifest, line: 1, message }
    })
}

function devDependenciesIn(manifestText: string): ReadonlyMap<string, string> {
  const manifest = JSON.parse(manifestText) as {
    readonly devDependencies?: Readonly<Record<string, string>>
  }
  return new Map(Object.entries(manifest.devDependencies ?? {}))
}

const rules: readonly Rule[] = [
  checkFloors,
  checkDependencies,
  checkHeaders,
  checkDeadFiles,
  checkLines,
  checkDefaultExports,
  checkUnfinished,
  checkBrowserSafe,
  checkFileNames,
  checkMachinePaths,
  checkLockFiles,
  checkExamples,
]
