import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it('imports nothing that a browser lacks', () => {
  const directory = new URL('.', import.meta.url)
  const sources = readdirSync(directory).filter((name) => /(?<!\.test)\.ts$/.test(name))
  expect(sources).toContain('index.ts')
  for (const name of sources) {
    const text = readFileSync(new URL(name, directory), 'utf8')
    const imports = [...text.matchAll(/from '([^']+)'|import\('([^']+)'\)/g)].map(
      (m) => m[1] ?? m[2],
    )
    for (const target of imports) expect(target, name).toMatch(/^(\.\/|@cairn\/(core|ion|merkle)$)/)
    expect(text, name).not.toMatch(/\bBuffer\b|\bprocess\b|['"`]node:/)
  }
})
