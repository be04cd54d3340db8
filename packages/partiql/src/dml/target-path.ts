/**
 * Targets of SET, INSERT INTO and REMOVE: a path from the document. A variable that was unnested from the document
 * (`FROM T AS t, t.list AS x`) stands for the element it came from.
 */
import type { Expression, PathStep, Position } from '../ast.ts'
import type { Environment, Evaluator } from '../compile/environment.ts'
import { compileExpression } from '../compile/expression.ts'
import { checkPathLength } from '../compile/path.ts'
import { findVariable, type Scope, type Variable } from '../compile/scope.ts'
import type { Leaf } from '../compile/source.ts'
import { partiqlError } from '../errors.ts'
import { missing, textOf, type Value } from '../values/value.ts'
import type { EditStep } from './edit.ts'

export interface TargetPath {
  /** Undefined when the row has no such place: an unnested value that is MISSING, an index that is no index. */
  readonly stepsOf: (env: Environment) => readonly EditStep[] | undefined
  /** The bare alias: the document itself. */
  readonly isDocument: boolean
  /** An unnested element as a whole: removing it moves the ones after it. */
  readonly isElement: boolean
}

/** A source after the first, and where in the document its rows come from. */
export interface NestedSource {
  readonly leaf: Leaf
  readonly variable: Variable
  /** Path of the collection; undefined when it does not come from the document. */
  readonly collection: TargetPath | undefined
}

export function compileTarget(
  target: Expression,
  scope: Scope,
  document: Variable,
  nested: readonly NestedSource[],
): TargetPath {
  const { root, steps } = splitPath(target)
  checkPathLength(steps, target.position)
  const variable = findVariable(root, scope.variables)
  if (variable === undefined) {
    // A bare name is a field of the document.
    return compileSteps(
      [{ kind: 'field', identifier: root, position: root.position }, ...steps],
      scope,
    )
  }
  if (variable === document) {
    return { ...compileSteps(steps, scope), isDocument: steps.length === 0 }
  }
  const source = nested.find((candidate) => candidate.variable === variable)
  if (source?.collection === undefined) {
    throw partiqlError('SEMANTIC', target.position, `${root.name} is no part of the document.`)
  }
  const { stepsOf: collectionSteps } = source.collection
  const own = compileSteps(steps, scope)
  const { rowSlot, atSlot } = source.leaf
  return {
    isDocument: false,
    isElement: steps.length === 0,
    stepsOf: (env) => {
      const head = collectionSteps(env)
      const at = env.slots[atSlot] ?? missing
      const tail = own.stepsOf(env)
      if (head === undefined || tail === undefined || env.slots[rowSlot] === missing)
        return undefined
      const step = stepFromValue(at)
      // A value that is no collection was its own row: its place is the place of the collection.
      return step === undefined ? [...head, ...tail] : [...head, step, ...tail]
    },
  }
}

/** The path of a nested source's collection when it starts at the document or at another nested source. */
export function compileCollectionPath(
  expression: Expression,
  scope: Scope,
  document: Variable,
  nested: readonly NestedSource[],
): TargetPath | undefined {
  if (expression.kind !== 'path' || expression.root.kind !== 'name') return undefined
  const variable = findVariable(expression.root.identifier, scope.variables)
  const isInside =
    variable === document || nested.some((candidate) => candidate.variable === variable)
  return isInside ? compileTarget(expression, scope, document, nested) : undefined
}

function splitPath(target: Expression): {
  readonly root: { readonly name: string; readonly isQuoted: boolean; readonly position: Position }
  readonly steps: readonly PathStep[]
} {
  if (target.kind === 'name') return { root: target.identifier, steps: [] }
  if (target.kind === 'path' && target.root.kind === 'name') {
    return { root: target.root.identifier, steps: target.steps }
  }
  throw partiqlError('SEMANTIC', target.position, 'a target is a name or a path.')
}

function compileSteps(steps: readonly PathStep[], scope: Scope): TargetPath {
  const compiled = steps.map((step) => compileStep(step, scope))
  const isFixed = (step: EditStep | Evaluator): step is EditStep => typeof step !== 'function'
  // Names are the same for every row: one array serves them all.
  const fixed = compiled.every(isFixed) ? compiled.filter(isFixed) : undefined
  return {
    isDocument: false,
    isElement: false,
    stepsOf: (env) => {
      if (fixed !== undefined) return fixed
      const found: EditStep[] = []
      for (const step of compiled) {
        const value = typeof step === 'function' ? stepFromValue(step(env)) : step
        if (value === undefined) return undefined
        found.push(value)
      }
      return found
    },
  }
}

function compileStep(step: PathStep, scope: Scope): EditStep | Evaluator {
  switch (step.kind) {
    case 'field':
      return { kind: 'field', name: step.identifier.name, isQuoted: step.identifier.isQuoted }
    case 'element':
      return compileExpression(step.expression, scope).evaluate
    default:
      throw partiqlError('SEMANTIC', step.position, 'a target has no wildcards.')
  }
}

function stepFromValue(value: Value): EditStep | undefined {
  const name = textOf(value)
  if (name !== undefined) return { kind: 'field', name, isQuoted: true }
  if (value.type !== 'int' || typeof value.value !== 'number' || value.value < 0) return undefined
  return { kind: 'index', index: value.value }
}
