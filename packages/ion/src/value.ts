/**
 * Ion 1.0 values as plain readonly records, closed under `type`. Spec: Ion data model.
 * Every Ion value has one form here and equal values have equal forms, so codecs, hash and PartiQL need no adapters.
 */
import { assert } from '@cairn/core'

/** A symbol whose text is not known: `$0`, or a symbol of a shared table that is not at hand. */
export interface UnknownSymbol {
  /** Name of the shared table, or undefined for `$0`. */
  readonly importName: string | undefined
  /** Symbol id within that table, from 1; 0 for `$0`. */
  readonly importSid: number
}

/** The text of a symbol, a field name or an annotation. */
export type SymbolText = string | UnknownSymbol

export type IonType =
  | 'null'
  | 'bool'
  | 'int'
  | 'float'
  | 'decimal'
  | 'timestamp'
  | 'symbol'
  | 'string'
  | 'clob'
  | 'blob'
  | 'list'
  | 'sexp'
  | 'struct'

export type Annotations = readonly SymbolText[]

/** `null`, and every typed null: `null.int` has `of: 'int'`. */
export interface IonNull {
  readonly type: 'null'
  readonly of: IonType
  readonly annotations: Annotations
}

export interface IonBool {
  readonly type: 'bool'
  readonly value: boolean
  readonly annotations: Annotations
}

/** A `number` when it is a safe integer, else a `bigint`; never the other way round. */
export interface IonInt {
  readonly type: 'int'
  readonly value: number | bigint
  readonly annotations: Annotations
}

export interface IonFloat {
  readonly type: 'float'
  readonly value: number
  readonly annotations: Annotations
}

/** `coefficient × 10^exponent`, precision kept: `1.0` is 10 × 10^-1. */
export interface IonDecimal {
  readonly type: 'decimal'
  readonly coefficient: bigint
  readonly exponent: number
  /** `-0`, `-0.00`, …: the one value whose sign the coefficient cannot hold. */
  readonly isNegativeZero: boolean
  readonly annotations: Annotations
}

export type TimestampPrecision = 'year' | 'month' | 'day' | 'minute' | 'second'

/**
 * A point in time with its precision. Fields are **UTC**, as the binary encoding has them; text shows them shifted by
 * `offsetMinutes`. Fields finer than the precision hold their smallest value (month 1, day 1, hour 0, …).
 */
export interface IonTimestamp {
  readonly type: 'timestamp'
  readonly precision: TimestampPrecision
  /** Minutes east of UTC; undefined when unknown (`-00:00`, and always below minute precision). */
  readonly offsetMinutes: number | undefined
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** Digits after the second: `fractionCoefficient × 10^-fractionDigits`. 0 digits: no fraction. */
  readonly fractionDigits: number
  readonly fractionCoefficient: bigint
  readonly annotations: Annotations
}

export interface IonSymbol {
  readonly type: 'symbol'
  readonly text: SymbolText
  readonly annotations: Annotations
}

export interface IonString {
  readonly type: 'string'
  readonly value: string
  readonly annotations: Annotations
}

/** `clob` and `blob`. The bytes belong to the value: nobody writes into them. */
export interface IonLob {
  readonly type: 'clob' | 'blob'
  readonly value: Uint8Array
  readonly annotations: Annotations
}

export interface IonSequence {
  readonly type: 'list' | 'sexp'
  readonly values: readonly IonValue[]
  readonly annotations: Annotations
}

export interface IonField {
  readonly name: SymbolText
  readonly value: IonValue
}

/** Fields in the order of the source; names may repeat. */
export interface IonStruct {
  readonly type: 'struct'
  readonly fields: readonly IonField[]
  readonly annotations: Annotations
}

export type IonValue =
  | IonNull
  | IonBool
  | IonInt
  | IonFloat
  | IonDecimal
  | IonTimestamp
  | IonSymbol
  | IonString
  | IonLob
  | IonSequence
  | IonStruct

/** Shared by all values without annotations, so that a test for none is a test of length. */
export const noAnnotations: Annotations = Object.freeze([])

export function ionNull(of: IonType = 'null', annotations: Annotations = noAnnotations): IonNull {
  return { type: 'null', of, annotations }
}

export function ionBool(value: boolean, annotations: Annotations = noAnnotations): IonBool {
  return { type: 'bool', value, annotations }
}

/** @param value An integer; a `number` must be a safe integer. */
export function ionInt(value: number | bigint, annotations: Annotations = noAnnotations): IonInt {
  if (typeof value === 'number') {
    assert(Number.isSafeInteger(value), 'an Ion int given as a number is a safe integer')
    // -0 would be told apart from 0 by Object.is and by deep equality in tests; Ion ints have one zero.
    return { type: 'int', value: value + 0, annotations }
  }
  const isSafe =
    value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
  return { type: 'int', value: isSafe ? Number(value) : value, annotations }
}

export function ionFloat(value: number, annotations: Annotations = noAnnotations): IonFloat {
  return { type: 'float', value, annotations }
}

export function ionDecimal(
  coefficient: bigint,
  exponent: number,
  annotations: Annotations = noAnnotations,
): IonDecimal {
  return { type: 'decimal', coefficient, exponent, isNegativeZero: false, annotations }
}

export function ionNegativeZero(
  exponent: number,
  annotations: Annotations = noAnnotations,
): IonDecimal {
  return { type: 'decimal', coefficient: 0n, exponent, isNegativeZero: true, annotations }
}

export function ionString(value: string, annotations: Annotations = noAnnotations): IonString {
  return { type: 'string', value, annotations }
}

export function ionSymbol(text: SymbolText, annotations: Annotations = noAnnotations): IonSymbol {
  return { type: 'symbol', text, annotations }
}

export function ionBlob(value: Uint8Array, annotations: Annotations = noAnnotations): IonLob {
  return { type: 'blob', value, annotations }
}

export function ionClob(value: Uint8Array, annotations: Annotations = noAnnotations): IonLob {
  return { type: 'clob', value, annotations }
}

export function ionList(
  values: readonly IonValue[],
  annotations: Annotations = noAnnotations,
): IonSequence {
  return { type: 'list', values, annotations }
}

export function ionSexp(
  values: readonly IonValue[],
  annotations: Annotations = noAnnotations,
): IonSequence {
  return { type: 'sexp', values, annotations }
}

export function ionStruct(
  fields: readonly IonField[],
  annotations: Annotations = noAnnotations,
): IonStruct {
  return { type: 'struct', fields, annotations }
}

/** A struct from the entries of a record, in their order. */
export function ionRecord(entries: Readonly<Record<string, IonValue>>): IonStruct {
  return ionStruct(Object.entries(entries).map(([name, value]) => ({ name, value })))
}

/** The millisecond instant `epochMs` as QLDB writes times: `YYYY-MM-DDThh:mm:ss.mmmZ`. */
export function ionTimestampFromMs(epochMs: number): IonTimestamp {
  const date = new Date(epochMs)
  const year = date.getUTCFullYear()
  assert(year >= 1 && year <= 9999, 'an Ion timestamp lies in the years 1 to 9999')
  return {
    type: 'timestamp',
    precision: 'second',
    offsetMinutes: 0,
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    fractionDigits: 3,
    fractionCoefficient: BigInt(date.getUTCMilliseconds()),
    annotations: noAnnotations,
  }
}

/** The first value under `name`, as the last writer of a repeated name is not defined by Ion. */
export function fieldOf(struct: IonStruct, name: string): IonValue | undefined {
  for (const field of struct.fields) if (field.name === name) return field.value
  return undefined
}
