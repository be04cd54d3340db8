/**
 * Path steps on values: fields by name, elements by index, wildcards. What is not there is MISSING.
 */
import { missing, textOf, type Value } from './value.ts'

/** The first field of exactly this name. */
export function exactField(value: Value, name: string): Value {
  if (value.type !== 'struct') return missing
  const { fields } = value
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]
    if (field !== undefined && field.name === name) return field.value
  }
  return missing
}

/** As `exactField`, else the one field whose name differs in case only. */
export function looseField(value: Value, name: string, lowerName: string): Value {
  const exact = exactField(value, name)
  if (exact !== missing || value.type !== 'struct') return exact
  let found: Value = missing
  for (const field of value.fields) {
    if (typeof field.name !== 'string' || field.name.length !== name.length) continue
    if (field.name.toLowerCase() !== lowerName) continue
    if (found !== missing) return missing
    found = field.value
  }
  return found
}

/** `value[key]`: an index from 0 for lists and sexps, a field name for structs. Bags have no order. */
export function element(value: Value, key: Value): Value {
  if (value.type === 'struct') {
    const name = textOf(key)
    return name === undefined ? missing : exactField(value, name)
  }
  if (value.type !== 'list' && value.type !== 'sexp') return missing
  if (key.type !== 'int' || typeof key.value !== 'number' || key.value < 0) return missing
  return value.values[key.value] ?? missing
}

/** What `[*]` ranges over: the elements of a collection, else the value itself. */
export function allElements(value: Value): readonly Value[] {
  switch (value.type) {
    case 'list':
    case 'sexp':
    case 'bag':
      return value.values
    case 'missing':
      return []
    default:
      return [value]
  }
}

/** What `.*` ranges over: the values of a struct's fields, else the value itself. */
export function allFields(value: Value): readonly Value[] {
  if (value.type === 'struct') return value.fields.map((field) => field.value)
  return value.type === 'missing' ? [] : [value]
}
