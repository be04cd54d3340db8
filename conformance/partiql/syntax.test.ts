/**
 * The parser against the PartiQL conformance suite: what should parse parses, what should not does not.
 * Cases left out are named in syntax-left-out.ts; one that passes all the same fails here, so the list only shrinks.
 */
import { join } from 'node:path'
import { PartiqlError, parseStatement } from '@cairn/partiql'
import { describe, expect, it } from 'vitest'
import { openVectors } from '../vectors.ts'
import { readSyntaxCases, type SyntaxCase } from './syntax-cases.ts'
import { leftOut } from './syntax-left-out.ts'

const archive = 'partiql-tests-data.tar.gz'
const folder = openVectors(archive)

/** What is wrong, or undefined. */
function failureOf({ statement, isValid }: SyntaxCase): string | undefined {
  try {
    parseStatement(statement)
    return isValid ? undefined : 'parses'
  } catch (error) {
    if (!(error instanceof PartiqlError) || error.code !== 'SYNTAX') throw error
    return isValid ? error.message : undefined
  }
}

const keyOf = (file: string, name: string): string => `${file}: ${name}`

if (folder === undefined) {
  describe.skip(`PartiQL syntax: ${archive} is not there`, () => {
    it('runs', () => {})
  })
} else {
  const cases = readSyntaxCases(join(folder, 'partiql-tests-data'))
  const reasons = new Map(
    leftOut.flatMap(({ reason, file, names }) =>
      names.map((name): [string, string] => [keyOf(file, name), reason]),
    ),
  )

  describe('PartiQL syntax', () => {
    it('finds the cases', () => {
      expect(cases.length).toBeGreaterThan(2000)
    })

    it('leaves out only cases that exist', () => {
      const keys = new Set(cases.map(({ file, name }) => keyOf(file, name)))
      expect([...reasons.keys()].filter((key) => !keys.has(key))).toEqual([])
    })

    for (const each of cases) {
      const key = keyOf(each.file, each.name)
      const reason = reasons.get(key)
      if (reason === undefined) {
        it(key, () => expect(failureOf(each), each.statement).toBeUndefined())
      } else {
        it(`left out (${reason}) ${key}`, () => expect(failureOf(each)).toBeDefined())
      }
    }
  })
}
