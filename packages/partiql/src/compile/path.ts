/** Names and paths. A name is a variable, else a field of the one row in scope that has it. */
import type { Expression, NameExpression, PathExpression, PathStep, Position } from '../ast.ts'
import { partiqlError } from '../errors.ts'
import { nestingDepthMax } from '../parser/token-stream.ts'
import { allElements, allFields, element, exactField, looseField } from '../values/access.ts'
import { bag, missing, textOf, type Value } from '../values/value.ts'
import { type Compiled, compiled, constantOf, type Evaluator, lift1, lift2 } from './environment.ts'
import { compileExpression } from './expression.ts'
import { printNode } from './print.ts'
import { type Resolved, resolveName, type Scope, type Variable } from './scope.ts'

export function compileName(expression: NameExpression, scope: Scope): Compiled {
  const { identifier } = expression
  const resolved = resolveName(identifier, scope)
  switch (resolved.kind) {
    case 'variable':
      return readSlot(resolved.variable.slot, scope)
    case 'global':
      return constantOf(resolved.value)
    case 'field':
      return compileRowField(resolved, [fieldStep(expression)], scope)
    case 'unknown':
      throw unknownName(expression, scope)
  }
}

export function compilePath(expression: PathExpression, scope: Scope): Compiled {
  const { root, steps } = expression
  checkPathLength(steps, expression.position)
  if (root.kind === 'name') {
    const resolved = resolveName(root.identifier, scope)
    if (resolved.kind === 'variable') {
      return compileVariableSteps(resolved.variable, steps, scope)
    }
    if (resolved.kind === 'field') {
      return compileRowField(resolved, [fieldStep(root), ...steps], scope)
    }
  }
  return compileSteps(compileExpression(root, scope), steps, scope)
}

/**
 * No value is nested deeper than a statement may be, so neither is a path.
 * @throws PartiqlError LIMIT
 */
export function checkPathLength(steps: readonly PathStep[], position: Position): void {
  if (steps.length <= nestingDepthMax) return
  throw partiqlError('LIMIT', position, `a path has at most ${nestingDepthMax} steps.`)
}

/** The field names of a path that is made of nothing else, and the variable it starts at. */
export interface FieldPath {
  readonly variable: Variable
  readonly names: readonly { readonly name: string; readonly isQuoted: boolean }[]
}

/** Reads `a.b.c`, `b.c` and `a['b']` as fields of one row variable; undefined for any other expression. */
export function fieldPathOf(
  expression: NameExpression | PathExpression,
  scope: Scope,
): FieldPath | undefined {
  const root = expression.kind === 'name' ? expression : expression.root
  if (root.kind !== 'name') return undefined
  const resolved = resolveName(root.identifier, scope)
  const steps = expression.kind === 'name' ? [] : expression.steps
  if (resolved.kind === 'variable') return namesOf(resolved.variable, steps)
  if (resolved.kind !== 'field') return undefined
  const [rows = []] = resolved.scopes
  const [variable] = rows
  if (variable === undefined || rows.length > 1) return undefined
  return namesOf(variable, [fieldStep(root), ...steps])
}

/**
 * What makes two grouping expressions the same: for fields the row and the names, however it is written (`a`, `T.a`,
 * `t.A`), else the structure.
 */
export function groupingKeyOf(expression: Expression, rowScope: Scope): string {
  const isField = expression.kind === 'name' || expression.kind === 'path'
  const path = isField ? fieldPathOf(expression, rowScope) : undefined
  if (path === undefined) return printNode(expression)
  const names = path.names.map((step) => (step.isQuoted ? step.name : step.name.toLowerCase()))
  return JSON.stringify([path.variable.slot, ...names])
}

function namesOf(variable: Variable, steps: readonly PathStep[]): FieldPath | undefined {
  const names: { name: string; isQuoted: boolean }[] = []
  for (const step of steps) {
    const name = step.kind === 'element' ? literalName(step) : undefined
    if (step.kind === 'field') names.push(step.identifier)
    else if (name !== undefined) names.push({ name, isQuoted: true })
    else return undefined
  }
  return { variable, names }
}

function literalName(step: PathStep & { readonly kind: 'element' }): string | undefined {
  const { expression } = step
  return expression.kind === 'literal' ? textOf(expression.value) : undefined
}

function readSlot(slot: number, scope: Scope): Compiled {
  scope.context.uses.add(slot)
  return compiled((env) => env.slots[slot] ?? missing)
}

function fieldStep(name: NameExpression): PathStep {
  return { kind: 'field', identifier: name.identifier, position: name.position }
}

/**
 * Fields of the innermost query's rows. With several rows the one that has the field gives it; two that have it are an
 * error, since either choice would be a guess.
 */
function compileRowField(
  resolved: Resolved & { readonly kind: 'field' },
  steps: readonly PathStep[],
  scope: Scope,
): Compiled {
  const [rows = []] = resolved.scopes
  const [only] = rows
  if (only !== undefined && rows.length === 1) return compileVariableSteps(only, steps, scope)
  const [first, ...rest] = steps
  if (first === undefined || first.kind !== 'field') return constantOf(missing)
  const { name } = first.identifier
  const fields = rows.map((row) => compileVariableSteps(row, [first], scope).evaluate)
  const found = compiled((env) =>
    uniqueField(
      fields.map((field) => field(env)),
      name,
      first.position,
    ),
  )
  return compileSteps(found, rest, scope)
}

function uniqueField(values: readonly Value[], name: string, position: Position): Value {
  const present = values.filter((value) => value !== missing)
  const [value = missing] = present
  if (present.length < 2) return value
  throw partiqlError('EVALUATION', position, `the field ${name} is in more than one source.`, [
    'Write the alias of a source before it.',
  ])
}

/**
 * Steps from a row. A field that has an index is found by its exact name only, quoted or not: else the same query would
 * find other documents by index than by scan.
 */
function compileVariableSteps(
  variable: Variable,
  steps: readonly PathStep[],
  scope: Scope,
): Compiled {
  const { origin } = variable
  const depth = origin.view === 'user' ? 0 : origin.view === 'other' ? -1 : 1
  const indexes = origin.view === 'other' ? [] : origin.table.indexes
  const fixed = steps.map((step, at): PathStep => {
    if (step.kind !== 'field' || at !== depth) return step
    const isIndexed = indexes.some((index) => index.field === step.identifier.name)
    return isIndexed ? { ...step, identifier: { ...step.identifier, isQuoted: true } } : step
  })
  return compileSteps(readSlot(variable.slot, scope), fixed, scope)
}

/** After a wildcard each further step applies to each value, and the whole is a bag. */
function compileSteps(root: Compiled, steps: readonly PathStep[], scope: Scope): Compiled {
  const wild = steps.findIndex((step) => step.kind === 'allElements' || step.kind === 'allFields')
  const plain = wild < 0 ? steps : steps.slice(0, wild)
  const value = plain.reduce((from, step) => compileStep(from, step, scope), root)
  return wild < 0 ? value : compileWildcards(value, steps.slice(wild), scope)
}

function compileStep(from: Compiled, step: PathStep, scope: Scope): Compiled {
  if (step.kind === 'element') {
    const key = compileExpression(step.expression, scope)
    return namesField(step.expression) ? lift2(from, key, element) : lift2(from, key, indexed)
  }
  if (step.kind !== 'field') return from
  const { name, isQuoted } = step.identifier
  if (isQuoted) return lift1(from, (value) => exactField(value, name))
  const lowerName = name.toLowerCase()
  return lift1(from, (value) => looseField(value, name, lowerName))
}

/** `s['a']`, `s[?]` and `s[CAST(x AS STRING)]` may name a field; in other forms the key is an index. */
function namesField({ kind }: Expression): boolean {
  return kind === 'literal' || kind === 'parameter' || kind === 'cast'
}

function indexed(value: Value, key: Value): Value {
  return key.type === 'int' ? element(value, key) : missing
}

type Spread = (values: readonly Value[], env: Parameters<Evaluator>[0]) => readonly Value[]

function compileWildcards(root: Compiled, steps: readonly PathStep[], scope: Scope): Compiled {
  const spreads = steps.map((step): Spread => {
    if (step.kind === 'allElements') return (values) => values.flatMap(allElements)
    if (step.kind === 'allFields') return (values) => values.flatMap(allFields)
    if (step.kind === 'field') {
      const { name, isQuoted } = step.identifier
      const lowerName = name.toLowerCase()
      return (values) =>
        present(
          values.map((value) =>
            isQuoted ? exactField(value, name) : looseField(value, name, lowerName),
          ),
        )
    }
    const key = compileExpression(step.expression, scope).evaluate
    return (values, env) => present(values.map((value) => element(value, key(env))))
  })
  return compiled((env) =>
    bag(
      spreads.reduce<readonly Value[]>(
        (values, spread) => spread(values, env),
        [root.evaluate(env)],
      ),
    ),
  )
}

function present(values: readonly Value[]): readonly Value[] {
  return values.filter((value) => value !== missing)
}

function unknownName(expression: NameExpression, scope: Scope): Error {
  const { name } = expression.identifier
  if (scope.grouping !== undefined) {
    const message = `${name} is neither in GROUP BY nor inside an aggregate.`
    return partiqlError('SEMANTIC', expression.position, message)
  }
  return partiqlError('SEMANTIC', expression.position, `nothing here is named ${name}.`, [
    "Text stands in single quotes: 'text'. Names need a source in FROM.",
  ])
}
