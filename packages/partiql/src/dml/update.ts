/**
 * UPDATE, and FROM … SET | INSERT INTO | REMOVE. All rows are read, and all right sides evaluated against them, before
 * the first write; then each document gets its edits in the order of the statement and is written once.
 */
import { type IonStruct, type IonValue, ionRecord, ionString } from '@cairn/ion'
import type { DmlOperation, DmlTarget, Expression, Position, UpdateStatement } from '../ast.ts'
import type { Environment, Evaluator } from '../compile/environment.ts'
import { compileExpression } from '../compile/expression.ts'
import { checkHeldRows } from '../compile/held-rows.ts'
import { planSource } from '../compile/plan.ts'
import type { RowSource } from '../compile/rows.ts'
import { addAction, childScope, type Scope, type Variable } from '../compile/scope.ts'
import { bindSource, bindTarget, type SourceNode, type TableLeaf } from '../compile/source.ts'
import { pause, type Rows } from '../compiled.ts'
import { partiqlError } from '../errors.ts'
import { describeValue } from '../values/describe.ts'
import { missing, textOf, toIon, type Value } from '../values/value.ts'
import { type Change, type EditStep, editPath, insertInto } from './edit.ts'
import {
  compileCollectionPath,
  compileTarget,
  type NestedSource,
  type TargetPath,
} from './target-path.ts'

export interface BoundTarget {
  readonly leaf: TableLeaf
  readonly rows: RowSource
  readonly document: Variable
  readonly nested: readonly NestedSource[]
  readonly scope: Scope
}

/** One edit of one row, its values computed. */
interface Edit {
  readonly steps: readonly EditStep[]
  readonly change: Change
  readonly isCreating: boolean
  /** Removal of an element found by unnesting: done last and from the end, as positions are those that were read. */
  readonly isElementRemoval: boolean
  readonly isDocument: boolean
  readonly position: Position
}

interface DocumentEdits {
  readonly data: IonValue
  readonly edits: Edit[]
}

type EditCompiler = (env: Environment) => Edit | undefined

/** FROM and WHERE of a statement that writes. */
export function bindDmlTarget(
  target: DmlTarget,
  where: Expression | undefined,
  outer: Scope,
): BoundTarget {
  const scope = childScope(outer)
  const leaf = bindTarget(target, scope)
  const document = variableAt(scope, leaf.rowSlot)
  const nested: NestedSource[] = []
  let node: SourceNode = leaf
  for (const source of target.nested) {
    const isPlain = source.kind === 'scan' || source.kind === 'unpivot'
    const collection = isPlain
      ? compileCollectionPath(source.expression, scope, document, nested)
      : undefined
    const right = bindSource(source, scope)
    if (right.kind !== 'join') {
      nested.push({ leaf: right, variable: variableAt(scope, right.rowSlot), collection })
    }
    const { position } = source
    const join = { kind: 'join', type: 'inner', left: source, right: source } as const
    node = { kind: 'join', source: { ...join, condition: undefined, position }, left: node, right }
  }
  const { rows } = planSource(node, where, scope)
  return { leaf, rows, document, nested, scope }
}

export function compileUpdate(
  statement: UpdateStatement,
  outer: Scope,
): (env: Environment) => Rows {
  const bound = bindDmlTarget(statement.target, statement.where, outer)
  const { table } = bound.leaf
  addAction(outer.context, 'PartiQLUpdate', table)
  addAction(outer.context, 'PartiQLSelect', table)
  const compilers = statement.operations.flatMap((operation) => compileOperation(operation, bound))
  const rowsPerDocument = compilers.length
  return function* update(env) {
    const documents = new Map<string, DocumentEdits>()
    let editCount = 0
    for (const signal of bound.rows(env)) {
      if (signal === pause) {
        yield pause
        continue
      }
      const documentId = documentIdOf(env, bound.leaf)
      const data = toIon(env.slots[bound.leaf.rowSlot] ?? missing)
      if (data === undefined) continue
      let found = documents.get(documentId)
      if (found === undefined) {
        found = { data, edits: [] }
        documents.set(documentId, found)
      }
      for (const compile of compilers) {
        const edit = compile(env)
        if (edit !== undefined) found.edits.push(edit)
      }
      editCount += compilers.length
      checkHeldRows(editCount, statement.position)
    }
    for (const [documentId, { data, edits }] of documents) {
      env.store.checkDeadline()
      writeDocument(env, bound.leaf, documentId, data, edits)
    }
    for (const documentId of documents.keys()) {
      const row = ionRecord({ documentId: ionString(documentId) })
      for (let i = 0; i < rowsPerDocument; i++) yield row
    }
  }
}

export function documentIdOf(env: Environment, leaf: TableLeaf): string {
  return textOf(env.slots[leaf.idSlot] ?? missing) ?? ''
}

function writeDocument(
  env: Environment,
  leaf: TableLeaf,
  documentId: string,
  data: IonValue,
  edits: readonly Edit[],
): void {
  const removals = edits.filter((edit) => edit.isElementRemoval)
  const others = edits.filter((edit) => !edit.isElementRemoval)
  let edited: IonValue | undefined = data
  for (const edit of [...others, ...removals.toReversed()]) {
    edited = editPath(edited, edit.steps, edit.change, edit.isCreating, edit.position)
    if (edited === undefined) break
    if (edited.type !== 'struct') throw notAStruct(edited, edit.position)
  }
  if (edited === undefined) env.store.delete(leaf.table, documentId)
  // The same object: nothing was there to remove, so there is no new revision.
  else if (edited !== data) env.store.update(leaf.table, documentId, edited as IonStruct)
}

function compileOperation(operation: DmlOperation, bound: BoundTarget): readonly EditCompiler[] {
  switch (operation.kind) {
    case 'set':
      return operation.assignments.map((assignment) => {
        const target = targetOf(assignment.target, bound)
        const value = compileExpression(assignment.value, bound.scope).evaluate
        return compileSet(target, value, assignment.target.position)
      })
    case 'insertInto':
      return [compileInsertInto(operation, bound)]
    case 'remove':
      return [compileRemove(targetOf(operation.target, bound), operation.position)]
  }
}

function targetOf(target: Expression, bound: BoundTarget): TargetPath {
  return compileTarget(target, bound.scope, bound.document, bound.nested)
}

/** SET to MISSING takes the field away: a document cannot hold it. */
function compileSet(target: TargetPath, value: Evaluator, position: Position): EditCompiler {
  return (env) => {
    const ion = toIon(value(env))
    if (target.isDocument && ion === undefined) {
      throw partiqlError('EVALUATION', position, 'a document cannot be set to MISSING.', [
        'DELETE and REMOVE take documents away.',
      ])
    }
    return editOf(target, env, () => ion, ion !== undefined, position)
  }
}

function compileInsertInto(
  operation: DmlOperation & { readonly kind: 'insertInto' },
  bound: BoundTarget,
): EditCompiler {
  const target = targetOf(operation.target, bound)
  const value = compileExpression(operation.value, bound.scope).evaluate
  const at = operation.at && compileExpression(operation.at, bound.scope).evaluate
  const { position } = operation
  return (env) => {
    const inserted = toIon(value(env))
    if (inserted === undefined) return undefined
    const key = at && insertKey(at(env), position)
    const change: Change = (container) => insertInto(container, inserted, key, position)
    return editOf(target, env, change, true, position)
  }
}

function insertKey(value: Value, position: Position): number | string {
  const text = textOf(value)
  if (text !== undefined) return text
  if (value.type === 'int' && typeof value.value === 'number' && value.value >= 0)
    return value.value
  throw partiqlError('EVALUATION', position, 'AT takes a position from 0, or the name of a field.')
}

function compileRemove(target: TargetPath, position: Position): EditCompiler {
  return (env) => {
    const edit = editOf(target, env, () => undefined, false, position)
    return edit && { ...edit, isElementRemoval: target.isElement }
  }
}

function editOf(
  target: TargetPath,
  env: Environment,
  change: Change,
  isCreating: boolean,
  position: Position,
): Edit | undefined {
  const steps = target.stepsOf(env)
  if (steps === undefined) return undefined
  const { isDocument } = target
  return { steps, change, isCreating, isElementRemoval: false, isDocument, position }
}

function variableAt(scope: Scope, slot: number): Variable {
  const variable = scope.variables.find((candidate) => candidate.slot === slot)
  if (variable === undefined) throw new Error('a source adds its variable to the scope')
  return variable
}

/** What a statement tried to store in place of a document. */
export function notAStruct(value: Value, position: Position): Error {
  return partiqlError(
    'EVALUATION',
    position,
    `a document is a struct, not ${describeValue(value)}.`,
  )
}
