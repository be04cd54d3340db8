/**
 * Evaluation cases of the public PartiQL conformance suite (partiql/partiql-tests), mode EvalModeCoerce. A case is a
 * struct with `name`, `statement` and `assert`; `envs::` structs before it, or its own `env`, hold the global names.
 * Classes of equivalent statements must all give the output of the case that names the class.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fieldOf, type IonField, type IonStruct, type IonValue, parseIonAll } from '@cairn/ion'
import { bag, missing, type Value } from '@cairn/partiql'

export interface EvalCase {
  /** Path below the suite's folder, with `/`. */
  readonly file: string
  /** Unique within its file: repeated names have `#2`, `#3`, … after them. */
  readonly name: string
  readonly statements: readonly string[]
  readonly globals: ReadonlyMap<string, Value>
  /** `fails`: while it is compiled or run. `isRefused`: before it runs. */
  readonly expected:
    | { readonly kind: 'value'; readonly value: Value }
    | { readonly kind: 'fails' }
    | { readonly kind: 'isRefused' }
}

const mode = 'EvalModeCoerce'

export function readEvalCases(root: string): readonly EvalCase[] {
  return ['eval', 'eval-equiv', 'fail/static-analysis'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ion'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .flatMap((path) => readFile(path, relative(root, path).split(sep).join('/'))),
  )
}

interface Context {
  readonly globals: ReadonlyMap<string, Value>
  readonly classes: Map<string, readonly string[]>
}

function readFile(path: string, file: string): readonly EvalCase[] {
  const values = [...parseIonAll(readFileSync(path, 'utf8'))]
  const context: Context = { globals: new Map(), classes: new Map() }
  const counts = new Map<string, number>()
  return readAll(values, context).map((found) => {
    const count = (counts.get(found.name) ?? 0) + 1
    counts.set(found.name, count)
    return { ...found, file, name: count === 1 ? found.name : `${found.name}#${count}` }
  })
}

/** An environment holds for what follows it in its list, lists inside included. */
function readAll(values: readonly IonValue[], outer: Context): readonly Omit<EvalCase, 'file'>[] {
  let context = outer
  return values.flatMap((value) => {
    if (value.type === 'list') return readAll(value.values, context)
    if (value.type !== 'struct') return []
    if (value.annotations.includes('envs')) {
      context = { ...context, globals: withGlobals(context.globals, value) }
      return []
    }
    if (value.annotations.includes('equiv_class')) {
      const statements = fieldOf(value, 'statements')
      if (statements?.type === 'list') {
        context.classes.set(textOf(fieldOf(value, 'id')), statements.values.map(textOf))
      }
      return []
    }
    return readCase(value, context)
  })
}

function readCase(struct: IonStruct, context: Context): readonly Omit<EvalCase, 'file'>[] {
  const assert = assertOf(fieldOf(struct, 'assert'))
  const statement = fieldOf(struct, 'statement')
  if (assert === undefined || statement === undefined) return []
  const env = fieldOf(struct, 'env')
  const globals = env?.type === 'struct' ? withGlobals(context.globals, env) : context.globals
  const statements =
    statement.type === 'symbol'
      ? (context.classes.get(textOf(statement)) ?? [])
      : [textOf(statement)]
  const name = textOf(fieldOf(struct, 'name'))
  return [{ name, statements, globals, expected: expectedOf(assert) }]
}

/** The assertion of our mode; static failures have none. */
function assertOf(assert: IonValue | undefined): IonStruct | undefined {
  if (assert?.type === 'list') {
    return assert.values.map(assertOf).find((found) => found !== undefined)
  }
  if (assert?.type !== 'struct') return undefined
  const modes = fieldOf(assert, 'evalMode')
  const isOurs = modes?.type === 'list' ? modes.values.map(textOf).includes(mode) : true
  return isOurs && (modes?.type !== 'symbol' || textOf(modes) === mode) ? assert : undefined
}

function expectedOf(assert: IonStruct): EvalCase['expected'] {
  const output = fieldOf(assert, 'output')
  switch (textOf(fieldOf(assert, 'result'))) {
    case 'StaticAnalysisFail':
      return { kind: 'isRefused' }
    case 'EvaluationSuccess':
      return output === undefined ? { kind: 'fails' } : { kind: 'value', value: toValue(output) }
    default:
      return { kind: 'fails' }
  }
}

function withGlobals(
  globals: ReadonlyMap<string, Value>,
  struct: IonStruct,
): ReadonlyMap<string, Value> {
  const added = struct.fields.map((field): [string, Value] => [nameOf(field), toValue(field.value)])
  return new Map([...globals, ...added])
}

function nameOf(field: IonField): string {
  return typeof field.name === 'string' ? field.name : ''
}

/** `$bag::[…]` and `$missing::null` are how the suite writes what Ion has not. */
function toValue(value: IonValue): Value {
  if (value.annotations.includes('$missing')) return missing
  switch (value.type) {
    case 'list':
      return value.annotations.includes('$bag')
        ? bag(value.values.map(toValue))
        : mixed({ ...value, values: value.values.map(toValue) })
    case 'sexp':
      return mixed({ ...value, values: value.values.map(toValue) })
    case 'struct': {
      const fields = value.fields.map((field) => ({ ...field, value: toValue(field.value) }))
      return mixed({ ...value, fields })
    }
    default:
      return value
  }
}

/** Marked whether or not something inside needs it: the suite does not look at identity. */
function mixed(value: Value & { readonly type: 'list' | 'sexp' | 'struct' }): Value {
  return { ...value, isMixed: true }
}

function textOf(value: IonValue | undefined): string {
  if (value?.type === 'string') return value.value
  return value?.type === 'symbol' && typeof value.text === 'string' ? value.text : ''
}
