/** Equivalence of the Ion data model, stricter than numeric equality: type, precision, sign of zero, annotations. */
import { equalBytes } from '@cairn/core'
import { checkDepth } from './limits.ts'
import { formatIon, formatSymbol } from './text-writer.ts'
import {
  type IonField,
  type IonStruct,
  type IonTimestamp,
  type IonValue,
  noAnnotations,
  type SymbolText,
} from './value.ts'

/**
 * Whether two values are the same Ion data. Structs are multisets of fields; nan equals nan; `1.0` and `1.00`, `0e0`
 * and `-0e0`, `2020T` and `2020-01T` differ.
 */
export function equalIon(a: IonValue, b: IonValue): boolean {
  if (a === b) return true
  return equalAnnotations(a, b) && equalContent(a, b)
}

function equalAnnotations(a: IonValue, b: IonValue): boolean {
  const x = a.annotations
  const y = b.annotations
  if (x.length !== y.length) return false
  for (let i = 0; i < x.length; i++) {
    if (!equalText(x[i] as SymbolText, y[i] as SymbolText)) return false
  }
  return true
}

export function equalText(a: SymbolText, b: SymbolText): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b
  return a.importName === b.importName && a.importSid === b.importSid
}

function equalContent(a: IonValue, b: IonValue): boolean {
  switch (a.type) {
    case 'null':
      return b.type === 'null' && a.of === b.of
    case 'bool':
      return b.type === 'bool' && a.value === b.value
    case 'int':
      return b.type === 'int' && a.value === b.value
    case 'float':
      return b.type === 'float' && Object.is(a.value, b.value)
    case 'decimal':
      return (
        b.type === 'decimal' &&
        a.exponent === b.exponent &&
        a.coefficient === b.coefficient &&
        a.isNegativeZero === b.isNegativeZero
      )
    case 'timestamp':
      return b.type === 'timestamp' && equalTimestamps(a, b)
    case 'symbol':
      return b.type === 'symbol' && equalText(a.text, b.text)
    case 'string':
      return b.type === 'string' && a.value === b.value
    case 'clob':
    case 'blob':
      return a.type === b.type && equalBytes(a.value, b.value)
    case 'list':
    case 'sexp':
      return a.type === b.type && equalValues(a.values, b.values)
    case 'struct':
      return b.type === 'struct' && equalStructs(a, b)
    default:
      return false
  }
}

function equalTimestamps(a: IonTimestamp, b: IonTimestamp): boolean {
  return (
    a.precision === b.precision &&
    a.offsetMinutes === b.offsetMinutes &&
    a.year === b.year &&
    a.month === b.month &&
    a.day === b.day &&
    a.hour === b.hour &&
    a.minute === b.minute &&
    a.second === b.second &&
    a.fractionDigits === b.fractionDigits &&
    a.fractionCoefficient === b.fractionCoefficient
  )
}

function equalValues(a: readonly IonValue[], b: readonly IonValue[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    if (!equalIon(a[i] as IonValue, b[i] as IonValue)) return false
  }
  return true
}

function equalStructs(a: IonStruct, b: IonStruct): boolean {
  if (a.fields.length !== b.fields.length) return false
  // Mostly both have the same order. From the first field that differs, the rest is compared by name.
  let i = 0
  for (; i < a.fields.length; i++) {
    const x = a.fields[i] as IonField
    const y = b.fields[i] as IonField
    if (!equalText(x.name, y.name) || !equalIon(x.value, y.value)) break
  }
  if (i === a.fields.length) return true
  return equalMultisets(a.fields.slice(i), b.fields.slice(i), knownPairOf(a.fields[i], b.fields[i]))
}

/** Two values of one name that were found to differ: comparing them again would double the work at every level. */
interface DifferentPair {
  readonly a: IonValue
  readonly b: IonValue
}

function knownPairOf(a: IonField | undefined, b: IonField | undefined): DifferentPair | undefined {
  if (a === undefined || b === undefined || !equalText(a.name, b.name)) return undefined
  return { a: a.value, b: b.value }
}

/** Values by name. Names keep apart what is unknown from text that looks alike. */
function groupByName(fields: readonly IonField[]): Map<string, IonValue[]> {
  const groups = new Map<string, IonValue[]>()
  for (const { name, value } of fields) {
    const key = typeof name === 'string' ? `t${name}` : `${name.importSid}:${name.importName ?? ''}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}

function equalMultisets(
  a: readonly IonField[],
  b: readonly IonField[],
  different: DifferentPair | undefined,
): boolean {
  const groupsA = groupByName(a)
  const groupsB = groupByName(b)
  if (groupsA.size !== groupsB.size) return false
  for (const [key, values] of groupsA) {
    const others = groupsB.get(key)
    if (others === undefined || !equalUnordered(values, others, different)) return false
  }
  return true
}

/** Above this many values of one name they are sorted first: comparing each with each would be quadratic. */
const pairwiseCountMax = 8

function equalUnordered(
  a: readonly IonValue[],
  b: readonly IonValue[],
  different: DifferentPair | undefined,
): boolean {
  if (a.length !== b.length) return false
  if (a.length <= pairwiseCountMax) {
    // Equivalence is transitive, so taking the first partner that fits never spoils a later match.
    const rest = b.slice()
    for (const value of a) {
      const index = rest.findIndex(
        (other) => !(value === different?.a && other === different.b) && equalIon(value, other),
      )
      if (index < 0) return false
      rest.splice(index, 1)
    }
    return true
  }
  const keysA = a.map((value) => canonicalText(value, 0)).sort()
  const keysB = b.map((value) => canonicalText(value, 0)).sort()
  return keysA.every((key, index) => key === keysB[index])
}

/** A text that two values share exactly when they are equal: Ion text with the fields of structs sorted. */
function canonicalText(value: IonValue, depth: number): string {
  checkDepth(depth)
  const annotations = value.annotations.map((text) => `${symbolText(text)}::`).join('')
  return annotations + canonicalContent(value, depth)
}

function canonicalContent(value: IonValue, depth: number): string {
  switch (value.type) {
    case 'list':
    case 'sexp': {
      const parts = value.values.map((one) => canonicalText(one, depth + 1))
      return `${value.type}[${parts.join(',')}]`
    }
    case 'struct': {
      const parts = value.fields.map(
        (field) => `${symbolText(field.name)}:${canonicalText(field.value, depth + 1)}`,
      )
      return `{${parts.sort().join(',')}}`
    }
    case 'symbol':
      return symbolText(value.text)
    default:
      return formatIon({ ...value, annotations: noAnnotations })
  }
}

function symbolText(text: SymbolText): string {
  if (typeof text === 'string') return formatSymbol(text)
  const { importName, importSid } = text
  return importName === undefined ? '$0' : `$${importSid}@${formatSymbol(importName)}`
}
