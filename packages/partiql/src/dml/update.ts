/**
 * UPDATE, and FROM … SET | INSERT INTO | REMOVE. All rows are read, and all right sides evaluated against them, before
 * the first write; then each document gets its edits in the order of the statement and is written once.
 */
import type { IonStruct, IonValue } from '@cairn/ion'
import type { DmlOperation, DmlTarget, Expression, Position, UpdateStatement } from '../ast.ts'
import { type Environment, type Evaluator, isPauseDue } from '../compile/environment.ts'
import { compileExpression } from '../compile/expression.ts'
import { checkHeldRows, HeldWeight } from '../compile/held-rows.ts'
import { planSource } from '../compile/plan.ts'
import type { PlannedRows } from '../compile/rows.ts'
import { addAction, childScope, type Scope, type Variable } from '../compile/scope.ts'
import { bindSource, bindTarget, type SourceNode, type TableLeaf } from '../compile/source.ts'
import { pause, type Rows } from '../compiled.ts'
import { partiqlError } from '../errors.ts'
import type { TableInfo } from '../store.ts'
import { describeValue } from '../values/describe.ts'
import { missing, textOf, toIon, type Value } from '../values/value.ts'
import { documentRow } from './document-row.ts'
import { applyEdit, type Edit, insertInto } from './edit.ts'
import {
  compileCollectionPath,
  compileTarget,
  type NestedSource,
  type TargetPath,
} from './target-path.ts'

export interface BoundTarget extends PlannedRows {
  readonly leaf: TableLeaf
  readonly document: Variable
  readonly nested: readonly NestedSource[]
  readonly scope: Scope
}

/** What a document is to become.  */
interface DocumentEdits {
  readonly documentId: string
  readonly data: IonValue
  /** `undefined` for an edit that has no place in this document. */
  readonly edits: (Edit | undefined)[]
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
  const { rows, loop } = planSource(node, where, scope)
  return { leaf, rows, loop, document, nested, scope }
}

export function compileUpdate(
  statement: UpdateStatement,
  outer: Scope,
): (env: Environment) => Rows {
  const bound = bindDmlTarget(statement.target, statement.where, outer)
  const { table } = bound.leaf
  addAction(outer.context, 'PartiQLUpdate', table)
  addAction(outer.context, 'PartiQLSelect', table)
  const { loop } = bound
  const compilers = statement.operations.flatMap((operation) => compileOperation(operation, bound))
  const rowsPerDocument = compilers.length
  return function* update(env) {
    env.store.checkDeadline()
    let documents: DocumentEdits[] = []
    const held = new HeldWeight(statement.position)
    if (loop === undefined) {
      documents = yield* readJoined(bound, compilers, env, statement.position)
    } else {
      // One table gives each document once, so there is nothing to look up by its id.
      for (const item of loop.items(env)) {
        if (isPauseDue(env)) yield pause
        if (!loop.accepts(env, item)) continue
        const data = toIon(env.slots[bound.leaf.rowSlot] ?? missing)
        if (data === undefined) continue
        const document = { documentId: item.documentId, data, edits: editsOfRow(compilers, env) }
        // The first push onto an empty array makes room for 17, 150 bytes; mostly there is one document.
        if (documents.length === 0) documents = [document]
        else documents.push(document)
        checkHeldRows(documents.length * rowsPerDocument, statement.position)
        held.add(data)
      }
    }
    writeDocuments(env, table, documents)
    for (const { documentId } of documents) {
      const row = documentRow(documentId)
      for (let i = 0; i < rowsPerDocument; i++) yield row
    }
  }
}

/** Rows of a document joined with what is unnested from it: several of them edit one document. */
function* readJoined(
  { rows, leaf }: BoundTarget,
  compilers: readonly EditCompiler[],
  env: Environment,
  position: Position,
): Generator<typeof pause, DocumentEdits[], undefined> {
  const documents = new Map<string, DocumentEdits>()
  let editCount = 0
  const held = new HeldWeight(position)
  for (const signal of rows(env)) {
    if (signal === pause) {
      yield pause
      continue
    }
    const documentId = textOf(env.slots[leaf.idSlot] ?? missing) ?? ''
    const data = toIon(env.slots[leaf.rowSlot] ?? missing)
    if (data === undefined) continue
    const edits = editsOfRow(compilers, env)
    const found = documents.get(documentId)
    if (found === undefined) {
      documents.set(documentId, { documentId, data, edits })
      held.add(data)
    } else found.edits.push(...edits)
    editCount += edits.length
    checkHeldRows(editCount, position)
  }
  return [...documents.values()]
}

function editsOfRow(compilers: readonly EditCompiler[], env: Environment): (Edit | undefined)[] {
  const [first, second] = compilers
  if (first !== undefined && second === undefined) return [first(env)]
  return compilers.map((compile) => compile(env))
}

function writeDocuments(
  { store }: Environment,
  table: TableInfo,
  documents: readonly DocumentEdits[],
): void {
  for (const { documentId, data, edits } of documents) {
    store.checkDeadline()
    const edited = editedDocument(data, edits)
    if (edited === undefined) store.delete(table, documentId)
    // The same object: nothing was there to remove, so there is no new revision.
    else if (edited !== data) store.update(table, documentId, edited as IonStruct)
  }
}

function editedDocument(
  data: IonValue,
  edits: readonly (Edit | undefined)[],
): IonValue | undefined {
  let edited: IonValue | undefined = data
  for (let i = 0; i < edits.length; i++) edited = editDocument(edited, edits[i], false)
  for (let i = edits.length - 1; i >= 0; i--) edited = editDocument(edited, edits[i], true)
  return edited
}

/** Nothing more happens to a document that an edit took away. */
function editDocument(
  data: IonValue | undefined,
  edit: Edit | undefined,
  isElementRemoval: boolean,
): IonValue | undefined {
  if (data === undefined || edit === undefined || edit.isElementRemoval !== isElementRemoval) {
    return data
  }
  const edited = applyEdit(data, edit)
  if (edited !== undefined && edited.type !== 'struct') throw notAStruct(edited, edit.position)
  return edited
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

const setTo: Edit['change'] = (_value, operand) => operand
const takeAway: Edit['change'] = () => undefined

/** SET to MISSING takes the field away: a document cannot hold it. */
function compileSet(target: TargetPath, value: Evaluator, position: Position): EditCompiler {
  return (env) => {
    const operand = toIon(value(env))
    if (target.isDocument && operand === undefined) {
      throw partiqlError('EVALUATION', position, 'a document cannot be set to MISSING.', [
        'DELETE and REMOVE take documents away.',
      ])
    }
    const steps = target.stepsOf(env)
    if (steps === undefined) return undefined
    const isCreating = operand !== undefined
    return { steps, change: setTo, operand, isCreating, isElementRemoval: false, position }
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
    const operand = toIon(value(env))
    if (operand === undefined) return undefined
    const key = at && insertKey(at(env), position)
    const change: Edit['change'] = (container) => insertInto(container, operand, key, position)
    const steps = target.stepsOf(env)
    if (steps === undefined) return undefined
    return { steps, change, operand, isCreating: true, isElementRemoval: false, position }
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
  const { isElement: isElementRemoval } = target
  return (env) => {
    const steps = target.stepsOf(env)
    if (steps === undefined) return undefined
    const operand = undefined
    return { steps, change: takeAway, operand, isCreating: false, isElementRemoval, position }
  }
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
