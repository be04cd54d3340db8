/**
 * Statements of the public PartiQL conformance suite (partiql/partiql-tests) with what a parser should make of them.
 * A file is Ion text: structs with `name`, `statement` and `assert`, in lists of any depth; classes of equivalent
 * statements have `id` and `statements`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fieldOf, type IonStruct, type IonValue, parseIonAll } from '@cairn/ion'

export interface SyntaxCase {
  /** Path below the suite's folder, with `/`. */
  readonly file: string
  /** Unique within its file: repeated names have `#2`, `#3`, … after them. */
  readonly name: string
  readonly statement: string
  readonly isValid: boolean
}

/**
 * Every statement below the folders `success`, `eval`, `eval-equiv` and `fail/syntax` of the suite at `root`. Not here:
 * `fail/static-analysis`, whose statements a parser may refuse or not.
 */
export function readSyntaxCases(root: string): readonly SyntaxCase[] {
  return ['success/syntax', 'eval', 'eval-equiv', 'fail/syntax'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ion'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .flatMap((path) => readCases(path, relative(root, path).split(sep).join('/'))),
  )
}

function readCases(path: string, file: string): readonly SyntaxCase[] {
  const found: { readonly name: string; readonly statement: string; readonly isValid: boolean }[] =
    []
  const pending: IonValue[] = [...parseIonAll(readFileSync(path, 'utf8'))]
  for (const value of pending) {
    if (value.type === 'list' || value.type === 'sexp') pending.push(...value.values)
    if (value.type === 'struct') found.push(...casesOf(value))
  }
  const counts = new Map<string, number>()
  return found.map(({ name, ...rest }) => {
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return { file, name: count === 1 ? name : `${name}#${count}`, ...rest }
  })
}

function casesOf(struct: IonStruct): readonly Omit<SyntaxCase, 'file'>[] {
  const statements = fieldOf(struct, 'statements')
  if (statements?.type === 'list') {
    const name = `class ${textOf(fieldOf(struct, 'id')) ?? ''}`
    return statements.values
      .map(textOf)
      .filter((statement) => statement !== undefined)
      .map((statement) => ({ name, statement, isValid: true }))
  }
  const name = textOf(fieldOf(struct, 'name'))
  // A case of equivalent statements names its class in place of a statement; the class has them.
  const statementField = fieldOf(struct, 'statement')
  if (name === undefined || statementField?.type !== 'string') return []
  const isValid = !resultsOf(fieldOf(struct, 'assert')).includes('SyntaxFail')
  return [{ name, statement: statementField.value, isValid }]
}

/** `assert` is a struct with a `result`, or a list of such. */
function resultsOf(assert: IonValue | undefined): readonly (string | undefined)[] {
  if (assert?.type === 'list') return assert.values.flatMap(resultsOf)
  return assert?.type === 'struct' ? [textOf(fieldOf(assert, 'result'))] : []
}

function textOf(value: IonValue | undefined): string | undefined {
  if (value?.type === 'string') return value.value
  return value?.type === 'symbol' && typeof value.text === 'string' ? value.text : undefined
}
