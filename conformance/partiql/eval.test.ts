/**
 * The binder and executor against the PartiQL conformance suite, mode EvalModeCoerce; bags compare unordered.
 * Cases left out are named in eval-left-out.ts; one that passes all the same fails here, so the list only shrinks.
 */
import { join } from 'node:path'
import { evaluateQuery, isEqual, PartiqlError, parseStatement, type Value } from '@cairn/partiql'
import { describe, expect, it } from 'vitest'
import { openVectors } from '../vectors.ts'
import { type EvalCase, readEvalCases } from './eval-cases.ts'
import { leftOut } from './eval-left-out.ts'

const archive = 'partiql-tests-data.tar.gz'
const folder = openVectors(archive)

type Outcome =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'error'; readonly code: string; readonly message: string }

function outcomeOf(statement: string, { globals }: EvalCase): Outcome {
  try {
    const parsed = parseStatement(statement)
    return { kind: 'value', value: evaluateQuery(parsed, { globals, missingArguments: 'missing' }) }
  } catch (error) {
    if (!(error instanceof PartiqlError)) throw error
    return { kind: 'error', code: error.code, message: error.message }
  }
}

/** What is wrong, or undefined. */
function failureOf(statement: string, each: EvalCase): string | undefined {
  const outcome = outcomeOf(statement, each)
  const { expected } = each
  if (outcome.kind === 'error') {
    if (expected.kind === 'fails') return undefined
    const isEarly = outcome.code === 'SYNTAX' || outcome.code === 'SEMANTIC'
    return expected.kind === 'isRefused' && isEarly ? undefined : outcome.message
  }
  if (expected.kind !== 'value') return `gives ${show(outcome.value)}, and should fail`
  if (isEqual(outcome.value, expected.value)) return undefined
  return `gives ${show(outcome.value)}, not ${show(expected.value)}`
}

function show(value: Value): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (key === 'annotations' || key === 'isMixed') return undefined
    return typeof part === 'bigint' ? `${part}` : part
  })
}

function firstFailure(each: EvalCase): string | undefined {
  return each.statements.map((statement) => failureOf(statement, each)).find((failure) => failure)
}

const keyOf = (file: string, name: string): string => `${file}: ${name}`

if (folder === undefined) {
  describe.skip(`PartiQL evaluation: ${archive} is not there`, () => {
    it('runs', () => {})
  })
} else {
  const cases = readEvalCases(join(folder, 'partiql-tests-data'))
  const reasons = new Map(
    leftOut.flatMap(({ reason, file, names }) =>
      names.map((name): [string, string] => [keyOf(file, name), reason]),
    ),
  )

  describe('PartiQL evaluation', () => {
    it('finds the cases', () => {
      expect(cases.length).toBeGreaterThan(1900)
    })

    it('leaves out only cases that exist', () => {
      const keys = new Set(cases.map(({ file, name }) => keyOf(file, name)))
      expect([...reasons.keys()].filter((key) => !keys.has(key))).toEqual([])
    })

    for (const each of cases) {
      const key = keyOf(each.file, each.name)
      const reason = reasons.get(key)
      if (reason === undefined) {
        it(key, () => expect(firstFailure(each), each.statements.join('\n')).toBeUndefined())
      } else {
        it(`left out (${reason}) ${key}`, () => expect(firstFailure(each)).toBeDefined())
      }
    }
  })
}
