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

/** What to do with the value at the end of the path; `undefined` in or out means that there is none. */
export type Change = (value: IonValue | undefined) => IonValue | undefined

/**
 * Applies `change` at the end of `steps`. Missing fields on the way become structs, as UPDATE creates paths; a step
 * into a value that cannot have it is an error. Where nothing is to be created (`isCreating` false) nothing happens.
 */
export function editPath(
  value: IonValue | undefined,
  steps: readonly EditStep[],
  change: Change,
  isCreating: boolean,
  position: Position,
): IonValue | undefined {
  const [step, ...rest] = steps
  if (step === undefined) return change(value)
  if (value === undefined || value.type === 'null') {
    if (!isCreating) return value
    if (step.kind === 'index') {
      throw badStep(position, `there is no list to take element ${step.index} of.`)
    }
    const created = editPath(undefined, rest, change, isCreating, position)
    return created === undefined ? value : ionStruct([{ name: step.name, value: created }])
  }
  if (step.kind === 'field') return editField(value, step, rest, change, isCreating, position)
  return editElement(value, step.index, rest, change, isCreating, position)
}

/** The position of a field: of this very name first, else (unquoted) the one that differs in case only. */
export function fieldIndex(struct: IonStruct, name: string, isQuoted: boolean): number {
  const exact = struct.fields.findIndex((field) => field.name === name)
  if (exact >= 0 || isQuoted) return exact
  const lower = name.toLowerCase()
  const isAlike = (field: IonField): boolean =>
    typeof field.name === 'string' && field.name.toLowerCase() === lower
  const first = struct.fields.findIndex(isAlike)
  return first >= 0 && struct.fields.findLastIndex(isAlike) === first ? first : -1
}

function editField(
  value: IonValue,
  step: EditStep & { readonly kind: 'field' },
  rest: readonly EditStep[],
  change: Change,
  isCreating: boolean,
  position: Position,
): IonValue {
  if (value.type !== 'struct') {
    if (!isCreating) return value
    throw badStep(position, `${describeValue(value)} has no field ${step.name}.`)
  }
  const at = fieldIndex(value, step.name, step.isQuoted)
  const field = value.fields[at]
  const edited = editPath(field?.value, rest, change, isCreating, position)
  if (edited === field?.value) return value
  if (edited === undefined) return { ...value, fields: value.fields.toSpliced(at, 1) }
  if (field === undefined) {
    return { ...value, fields: [...value.fields, { name: step.name, value: edited }] }
  }
  return { ...value, fields: value.fields.with(at, { name: field.name, value: edited }) }
}

/** The element after the last one may be set too: it is appended. */
function editElement(
  value: IonValue,
  index: number,
  rest: readonly EditStep[],
  change: Change,
  isCreating: boolean,
  position: Position,
): IonValue {
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
  const edited = editPath(current, rest, change, isCreating, position)
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
