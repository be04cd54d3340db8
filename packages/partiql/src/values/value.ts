/**
 * Values at run time: Ion values, MISSING and bags. Lists and structs made by a statement may hold the latter two;
 * such containers carry `isMixed`, so that everything that came from the store crosses the border back without a walk.
 */
import {
  type Annotations,
  type IonBool,
  type IonDecimal,
  type IonFloat,
  type IonInt,
  type IonLob,
  type IonNull,
  type IonString,
  type IonSymbol,
  type IonTimestamp,
  type IonValue,
  ionBool,
  ionNull,
  noAnnotations,
  type SymbolText,
} from '@cairn/ion'
import { checkWeight, rememberedWeightMin, weightOfAll, weightOfFields } from './weight.ts'

export interface Missing {
  readonly type: 'missing'
}

export interface Bag {
  readonly type: 'bag'
  readonly values: readonly Value[]
  readonly isMixed?: true
  /** Of heavy containers that a statement made (weight.ts). */
  readonly weight?: number
}

/** An Ion list or sexp, or one with MISSING or bags inside. */
export interface SequenceValue {
  readonly type: 'list' | 'sexp'
  readonly values: readonly Value[]
  readonly annotations: Annotations
  readonly isMixed?: true
  readonly weight?: number
}

export interface FieldValue {
  readonly name: SymbolText
  readonly value: Value
}

export interface StructValue {
  readonly type: 'struct'
  readonly fields: readonly FieldValue[]
  readonly annotations: Annotations
  readonly isMixed?: true
  readonly weight?: number
}

export type Value =
  | Missing
  | Bag
  | SequenceValue
  | StructValue
  | IonNull
  | IonBool
  | IonInt
  | IonFloat
  | IonDecimal
  | IonTimestamp
  | IonSymbol
  | IonString
  | IonLob

export const missing: Missing = Object.freeze({ type: 'missing' })
export const nullValue: IonNull = Object.freeze(ionNull())
export const trueValue: IonBool = Object.freeze(ionBool(true))
export const falseValue: IonBool = Object.freeze(ionBool(false))

export function boolValue(isTrue: boolean): IonBool {
  return isTrue ? trueValue : falseValue
}

/** NULL (of any type, annotated or not) or MISSING. */
export function isAbsent(value: Value): value is Missing | IonNull {
  return value.type === 'null' || value.type === 'missing'
}

export function isTrue(value: Value): boolean {
  return value.type === 'bool' && value.value
}

/** What a strict function answers for absent arguments: NULL when one is NULL, else MISSING. */
export function absentOf(left: Value, right: Value): Value {
  return left.type === 'null' || right.type === 'null' ? nullValue : missing
}

/** @throws PartiqlError LIMIT, as `list` and `struct`, for a value too heavy. */
export function bag(values: readonly Value[]): Bag {
  const made: Bag = values.some(isMixedOrForeign)
    ? { type: 'bag', values, isMixed: true }
    : { type: 'bag', values }
  return weighed(made, weightOfAll(values))
}

export function list(values: readonly Value[], type: 'list' | 'sexp' = 'list'): SequenceValue {
  const made: SequenceValue = values.some(isMixedOrForeign)
    ? { type, values, annotations: noAnnotations, isMixed: true }
    : { type, values, annotations: noAnnotations }
  return weighed(made, weightOfAll(values))
}

/** A struct of the fields that are not MISSING. */
export function struct(fields: readonly FieldValue[]): StructValue {
  let isMixed = false
  let hasMissing = false
  for (const { value } of fields) {
    if (value.type === 'missing') hasMissing = true
    else if (isMixedOrForeign(value)) isMixed = true
  }
  const kept = hasMissing ? fields.filter(({ value }) => value.type !== 'missing') : fields
  const made: StructValue = isMixed
    ? { type: 'struct', fields: kept, annotations: noAnnotations, isMixed: true }
    : { type: 'struct', fields: kept, annotations: noAnnotations }
  return weighed(made, weightOfFields(kept))
}

function weighed<T extends Bag | SequenceValue | StructValue>(made: T, weight: number): T {
  if (weight < rememberedWeightMin) return made
  checkWeight(weight)
  return { ...made, weight }
}

/** The elements of a list, sexp or bag; undefined for anything else. */
export function elementsOf(value: Value): readonly Value[] | undefined {
  switch (value.type) {
    case 'list':
    case 'sexp':
    case 'bag':
      return value.values
    default:
      return undefined
  }
}

/** The text of a string or of a symbol whose text is known. */
export function textOf(value: Value): string | undefined {
  if (value.type === 'string') return value.value
  if (value.type === 'symbol' && typeof value.text === 'string') return value.text
  return undefined
}

/**
 * The value as Ion: a bag becomes a list, MISSING disappears from containers. Undefined for MISSING itself. A value
 * without either inside is answered as the very same object.
 */
export function toIon(value: Value): IonValue | undefined {
  switch (value.type) {
    case 'missing':
      return undefined
    case 'bag':
      return { type: 'list', values: toIonAll(value.values), annotations: noAnnotations }
    case 'list':
    case 'sexp':
      if (value.isMixed !== true) return value as IonValue
      return { type: value.type, values: toIonAll(value.values), annotations: value.annotations }
    case 'struct':
      if (value.isMixed !== true) return value as IonValue
      return {
        type: 'struct',
        fields: value.fields.flatMap((field) => {
          const ion = toIon(field.value)
          return ion === undefined ? [] : [{ name: field.name, value: ion }]
        }),
        annotations: value.annotations,
      }
    default:
      return value
  }
}

function toIonAll(values: readonly Value[]): readonly IonValue[] {
  return values.flatMap((value) => toIon(value) ?? [])
}

function isMixedOrForeign(value: Value): boolean {
  switch (value.type) {
    case 'missing':
    case 'bag':
      return true
    case 'list':
    case 'sexp':
    case 'struct':
      return value.isMixed === true
    default:
      return false
  }
}
