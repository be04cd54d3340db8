import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { importsOf, scanSource } from './source-text.ts'
import { findUntidy, type Package, type Workspace } from './tidy-rules.ts'
import { readWorkspace } from './workspace.ts'

const header = '/** What this is. */\n'

function packageAt(directory: string, floor: Package['floor'], dependencies: string[] = []) {
  return {
    directory,
    name: `@cairn/${directory.split('/')[1]}`,
    floor,
    dependencies,
    entries: [],
    references: dependencies
      .filter((name) => name.startsWith('@cairn/'))
      .map((name) => name.replace('@cairn/', 'packages/')),
  }
}

/** Findings over two packages, `low` (floor 1) and `high` (floor 2, depends on `low`), and `files`. */
function untidyIn(files: Record<string, string>, changes: Partial<Workspace> = {}): string[] {
  const all = {
    'packages/low/src/index.ts': header,
    'packages/high/src/index.ts': `${header}import '@cairn/low'\n`,
    ...files,
  }
  return linesOf({
    packages: [
      packageAt('packages/low', 1),
      packageAt('packages/high', 2, ['@cairn/low']),
      { ...packageAt('packages/testing', 'any'), references: undefined },
    ],
    files: new Map(Object.entries(all)),
    rootReferences: ['packages/low', 'packages/high'],
    rootEntries: [],
    ...changes,
  })
}

function linesOf(workspace: Workspace): string[] {
  return findUntidy(workspace).map(({ file, line, message }) => `${file}:${line}: ${message}`)
}

describe('tidy rules', () => {
  it('find nothing in a tidy workspace', () => {
    expect(untidyIn({})).toEqual([])
  })

  it('find nothing in this repository', () => {
    const root = fileURLToPath(new URL('..', import.meta.url))
    expect(linesOf(readWorkspace(root))).toEqual([])
  })

  it('notice an import that goes up, also from a test', () => {
    const found = untidyIn({ 'packages/low/src/a.test.ts': "import { b } from '@cairn/high'\n" })
    expect(found).toHaveLength(1)
    expect(found[0]).toContain('a.test.ts:1: floor 1 imports @cairn/high of floor 2')
  })

  it('allow test-only packages in tests and nowhere else', () => {
    const text = `${header}import { clock } from '@cairn/testing'\n`
    expect(untidyIn({ 'packages/low/src/a.test.ts': text })).toEqual([])
    const found = untidyIn({ 'packages/low/src/index.ts': text })
    expect(found.join('\n')).toContain('index.ts:2: imports @cairn/testing, which is for tests')
  })

  it('hold dependencies to imports, both ways', () => {
    const index = `${header}import { open } from 'lmdb'\n`
    expect(untidyIn({ 'packages/high/src/index.ts': index })).toEqual([
      'packages/high/package.json:1: dependency @cairn/low is imported by no source file, remove it',
      expect.stringContaining('packages/high/src/index.ts:2: imports lmdb, add it to dependencies'),
    ])
  })

  it('take folders of test support for tests', () => {
    const text = `${header}import { clock } from '@cairn/testing'\nimport { QldbDriver } from 'driver'\n`
    const used = "import './clients/live.ts'\n"
    expect(
      untidyIn({ 'packages/low/src/clients/live.ts': text, 'packages/low/src/a.test.ts': used }),
    ).toEqual([])
  })

  it('hold project references to dependencies', () => {
    const high = { ...packageAt('packages/high', 2, ['@cairn/low']), references: [] }
    const found = untidyIn({}, { packages: [packageAt('packages/low', 1), high] })
    expect(found).toEqual([
      'packages/high/tsconfig.json:1: no reference to packages/low, which is a dependency, add it',
    ])
  })

  it('ask for a header except in tests', () => {
    const found = untidyIn({
      'packages/low/src/index.ts': 'export const a = 1\n',
      'packages/low/src/a.test.ts': 'export const a = 1\n',
    })
    expect(found).toEqual([expect.stringContaining('packages/low/src/index.ts:1: no header')])
  })

  it('notice a file that nothing reaches, and follow workers and tests', () => {
    const found = untidyIn({
      'packages/low/src/index.ts': `${header}new URL('./worker.ts', import.meta.url)\n`,
      'packages/low/src/worker.ts': header,
      'packages/low/src/helper.ts': header,
      'packages/low/src/a.test.ts': "import './helper.ts'\n",
      'packages/low/src/dead.ts': header,
    })
    expect(found).toEqual([expect.stringContaining('packages/low/src/dead.ts:1: reached from no')])
  })

  it('count columns: 100 for code, 120 for comments, none for long literals and imports', () => {
    const wide = (columns: number) => 'x'.repeat(columns)
    const text = [
      header.trim(),
      `// ${wide(117)}`,
      `// ${wide(118)}`,
      `const a = 1 // ${wide(90)}`,
      `const b = '${wide(120)}'`,
      `import { c } from './${wide(120)}.ts'`,
      `const d = ${wide(100)}`,
    ]
    const lines = untidyIn({ 'packages/low/src/index.ts': text.join('\n') }).map(
      (finding) => finding.split(':')[1],
    )
    expect(lines).toEqual(['3', '4', '7'])
  })

  it('notice default exports but not in strings', () => {
    const text = `${header}const a = 'x as default y'\nexport default a\n`
    expect(untidyIn({ 'packages/low/src/index.ts': text })).toEqual([
      expect.stringContaining('index.ts:3: default export'),
    ])
  })

  it('notice marks of unfinished work but not base64', () => {
    const mark = `FIX${'ME'}`
    const text = `${header}// ${mark}: later\nconst a = 'abc+${mark}='\n`
    expect(untidyIn({ 'packages/low/src/index.ts': text })).toEqual([
      expect.stringContaining('index.ts:2: mark of unfinished work'),
    ])
  })

  it('keep node: out of browser-safe packages', () => {
    const core = { ...packageAt('packages/core', 0), references: [] }
    const found = untidyIn(
      { 'packages/core/src/index.ts': `${header}import { join } from 'node:path'\n` },
      {
        packages: [
          core,
          packageAt('packages/low', 1),
          packageAt('packages/high', 2, ['@cairn/low']),
        ],
        rootReferences: ['packages/core', 'packages/low', 'packages/high'],
      },
    )
    expect(found).toEqual([expect.stringContaining('@cairn/core also runs in browsers')])
  })

  it('ask for kebab-case', () => {
    const found = untidyIn({ 'packages/low/src/blockHash.test.ts': '' })
    expect(found).toEqual([expect.stringContaining('the file name is not kebab-case')])
  })

  it('notice paths of one machine but not paths of addresses', () => {
    const folder = `/${'home'}/`
    const text = `see ${folder}ann/cairn\nand https://example.org${folder}page\n`
    expect(untidyIn({ 'docs/a.md': text })).toEqual([
      expect.stringContaining('docs/a.md:1: path of one machine'),
    ])
  })

  it('notice a lock file that names a host', () => {
    const lock = '{\n  "resolved": "https://registry.example/a.tgz"\n}\n'
    expect(untidyIn({ 'package-lock.json': lock })).toEqual([
      expect.stringContaining('package-lock.json:2: names a download host'),
    ])
  })

  it('notice an example whose client is not what a started clone would install', () => {
    const example = JSON.stringify({ devDependencies: { viem: '2.0.0', '@cairn/low': '1.0.0' } })
    const shared = JSON.stringify({ devDependencies: { viem: '1.0.0' } })
    const files = { 'examples/token/package.json': example, 'examples/package.json': shared }
    expect(untidyIn(files)).toEqual([
      expect.stringContaining('examples/package.json:1: an example uses viem 2.0.0'),
    ])
    expect(untidyIn({ ...files, 'examples/package.json': example })).toEqual([])
  })

  it('hold a package to its rules that lies in the folder of another', () => {
    const directories = ['packages/low', 'packages/high', 'packages/low/inner']
    const found = untidyIn(
      { 'packages/low/inner/src/dead.ts': header },
      { packages: directories.map((directory) => packageAt(directory, 'any')) },
    )
    expect(found).toContainEqual(expect.stringContaining('inner/src/dead.ts:1: reached from no'))
  })
})

describe('scanSource', () => {
  it('tells code from comments, strings, templates and regular expressions', () => {
    const text = `a(/[/'"]/) // it's\n'b' + \`c \${d({ e: \`f\` })} g\` / 2`
    const source = scanSource(text)
    const kindOf = (part: string) => source.kindAt(text.indexOf(part))
    expect(kindOf('a(')).toBe('code')
    expect(kindOf("/[/'")).toBe('regex')
    expect(kindOf("// it's")).toBe('comment')
    expect(kindOf("'b'")).toBe('string')
    expect(kindOf('c $')).toBe('template')
    expect(kindOf('d({')).toBe('code')
    expect(kindOf('f`')).toBe('template')
    expect(kindOf(' })}')).toBe('code')
    expect(kindOf(' g`')).toBe('template')
    expect(kindOf('/ 2')).toBe('code')
  })

  it('finds imports of every form and none in comments', () => {
    const text = [
      "import a from 'a'",
      "import type { B } from 'b'",
      'import {',
      '  c,',
      "} from 'c'",
      "export { d } from 'd'",
      "import 'e'",
      "const f = await import('f')",
      "// import 'no'",
      " * import { x } from 'x' */",
    ]
    const found = importsOf(scanSource(text.slice(0, 9).join('\n')))
    expect(found.map(({ specifier }) => specifier).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })
})
