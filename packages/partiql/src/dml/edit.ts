/**
 * Edits inside a document: SET, INSERT INTO and REMOVE along a path. Documents are immutable; an edit answers a new one
 * that shares all it did not touch. Annotations and the order of fields stay.
 */
import {
  type IonField,
  type IonSequence,
  type IonStruct,
  type IonValue,
  ionList,
  ionStruct,
} from '@cairn/ion'
import type { Position } from '../ast.ts'
import { partiqlError } from '../errors.ts'
import { counted, describeValue } from '../values/describe.ts'

export type EditStep =
  /** Unquoted names find a field that differs in case only when none is the same. */
  | { readonly kind: 'field'; readonly name: string; readonly isQuoted: boolean }
  | { readonly kind: 'index'; readonly index: number }

/** One edit of one row, its values computed. */
export interface Edit {
  readonly steps: readonly EditStep[]
  /**
   * Answers what stands at the end of the path afterwards; `undefined` in or out means that there is nothing.
   * The same function for every row: what differs is `operand`.
   */
  readonly change: (
    value: IonValue | undefined,
    operand: IonValue | undefined,
  ) => IonValue | undefined
  readonly operand: IonValue | undefined
  /** Missing fields on the way become structs, as UPDATE creates paths; else nothing happens where one is missing. */
  readonly isCreating: boolean
  /** Removal of an element found by unnesting: done last and from the end, as positions are those that were read. */
  readonly isElementRemoval: boolean
  readonly position: Position
}

/**
 * Applies an edit to what stands `depth` steps down its path.
 * @throws PartiqlError EVALUATION for a step into a value that cannot have it.
 */
export function applyEdit(
  value: IonValue | undefined,
  edit: Edit,
  depth = 0,
): IonValue | undefined {
  const step = edit.steps[depth]
  if (step === undefined) return edit.change(value, edit.operand)
  if (value === undefined || value.type === 'null') {
    if (!edit.isCreating) return value
    if (step.kind === 'index') {
      throw badStep(edit.position, `there is no list to take element ${step.index} of.`)
    }
    const created = applyEdit(undefined, edit, depth + 1)
    return created === undefined ? value : ionStruct([{ name: step.name, value: created }])
  }
  return step.kind === 'field'
    ? editField(value, step, edit, depth)
    : editElement(value, step.index, edit, depth)
}

/** The position of a field: of this very name first, else (unquoted) the one that differs in case only. */
export function fieldIndex(struct: IonStruct, name: string, isQuoted: boolean): number {
  const { fields } = struct
  for (let at = 0; at < fields.length; at++) if (fields[at]?.name === name) return at
  if (isQuoted) return -1
  const lower = name.toLowerCase()
  const isAlike = (field: IonField): boolean =>
    typeof field.name === 'string' && field.name.toLowerCase() === lower
  const first = fields.findIndex(isAlike)
  return first >= 0 && fields.findLastIndex(isAlike) === first ? first : -1
}

function editField(
  value: IonValue,
  step: EditStep & { readonly kind: 'field' },
  edit: Edit,
  depth: number,
): IonValue {
  if (value.type !== 'struct') {
    if (!edit.isCreating) return value
    throw badStep(edit.position, `${describeValue(value)} has no field ${step.name}.`)
  }
  const at = fieldIndex(value, step.name, step.isQuoted)
  const field = value.fields[at]
  const edited = applyEdit(field?.value, edit, depth + 1)
  if (edited === field?.value) return value
  if (edited === undefined) return ionStruct(value.fields.toSpliced(at, 1), value.annotations)
  const fields = value.fields.slice()
  if (field === undefined) fields.push({ name: step.name, value: edited })
  else fields[at] = { name: field.name, value: edited }
  return ionStruct(fields, value.annotations)
}

/** The element after the last one may be set too: it is appended. */
function editElement(value: IonValue, index: number, edit: Edit, depth: number): IonValue {
  const { isCreating, position } = edit
  if (value.type !== 'list' && value.type !== 'sexp') {
    if (!isCreating) return value
    throw badStep(position, `${describeValue(value)} has no element ${index}.`)
  }
  const { values } = value
  if (index > values.length || (index === values.length && !isCreating)) {
    if (!isCreating) return value
    throw badStep(position, `the list has ${counted(values.length, 'element')}, none at ${index}.`)
  }
  const current = values[index]
  const edited = applyEdit(current, edit, depth + 1)
  if (edited === current) return value
  if (edited === undefined) return { ...value, values: values.toSpliced(index, 1) }
  return {
    ...value,
    values: current === undefined ? [...values, edited] : values.with(index, edited),
  }
}

/**
 * `INSERT INTO path VALUE inserted [AT key]`: appends to a list, or puts at a position of it, or adds a field to a
 * struct, replacing one of that name. What is missing or NULL is created.
 */
export function insertInto(
  container: IonValue | undefined,
  inserted: IonValue,
  key: number | string | undefined,
  position: Position,
): IonValue {
  if (container === undefined || container.type === 'null') {
    if (typeof key === 'string') return ionStruct([{ name: key, value: inserted }])
    if (key === undefined || key === 0) return ionList([inserted])
    throw badStep(position, `there is no list to insert into at ${key}.`)
  }
  if (container.type === 'struct') return insertField(container, inserted, key, position)
  if (container.type === 'list' || container.type === 'sexp') {
    return insertElement(container, inserted, key, position)
  }
  throw badStep(position, `nothing can be inserted into ${describeValue(container)}.`)
}

function insertField(
  struct: IonStruct,
  inserted: IonValue,
  key: number | string | undefined,
  position: Position,
): IonStruct {
  if (typeof key !== 'string') throw badStep(position, "a struct takes a name: AT 'name'.")
  const at = fieldIndex(struct, key, true)
  const field: IonField = { name: key, value: inserted }
  const fields = at < 0 ? [...struct.fields, field] : struct.fields.with(at, field)
  return { ...struct, fields }
}

function insertElement(
  sequence: IonSequence,
  inserted: IonValue,
  key: number | string | undefined,
  position: Position,
): IonSequence {
  if (typeof key === 'string') throw badStep(position, 'a list takes a position: AT 0.')
  const { values } = sequence
  const at = key ?? values.length
  if (at > values.length) {
    throw badStep(position, `the list has ${counted(values.length, 'element')}, no place at ${at}.`)
  }
  return { ...sequence, values: values.toSpliced(at, 0, inserted) }
}

function badStep(position: Position, message: string): Error {
  return partiqlError('EVALUATION', position, message)
}
