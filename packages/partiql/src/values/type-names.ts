/** Type names of IS and CAST, and which values belong to each. */
import { digitCount } from './decimal.ts'
import { textOf, type Value } from './value.ts'

export type Kind =
  | 'null'
  | 'missing'
  | 'any'
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
  | 'bag'

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['NULL', 'null'],
  ['MISSING', 'missing'],
  ['ANY', 'any'],
  ['BOOL', 'bool'],
  ['BOOLEAN', 'bool'],
  ['INT', 'int'],
  ['INT2', 'int'],
  ['INT4', 'int'],
  ['INT8', 'int'],
  ['INTEGER', 'int'],
  ['INTEGER2', 'int'],
  ['INTEGER4', 'int'],
  ['INTEGER8', 'int'],
  ['SMALLINT', 'int'],
  ['BIGINT', 'int'],
  ['TINYINT', 'int'],
  ['FLOAT', 'float'],
  ['REAL', 'float'],
  ['DOUBLE', 'float'],
  ['DOUBLE PRECISION', 'float'],
  ['DOUBLE_PRECISION', 'float'],
  ['DECIMAL', 'decimal'],
  ['DEC', 'decimal'],
  ['NUMERIC', 'decimal'],
  ['TIMESTAMP', 'timestamp'],
  ['SYMBOL', 'symbol'],
  ['STRING', 'string'],
  ['VARCHAR', 'string'],
  ['CHAR', 'string'],
  ['CHARACTER', 'string'],
  ['CHARACTER VARYING', 'string'],
  ['CHARACTER_VARYING', 'string'],
  ['CLOB', 'clob'],
  ['BLOB', 'blob'],
  ['LIST', 'list'],
  ['ARRAY', 'list'],
  ['SEXP', 'sexp'],
  ['STRUCT', 'struct'],
  ['TUPLE', 'struct'],
  ['BAG', 'bag'],
])

/** The kind that a type name means; undefined for one we do not know. */
export function kindOf(typeName: string): Kind | undefined {
  return kinds.get(typeName.toUpperCase())
}

/** Bounds of the sized integer types. Plain INT and INTEGER hold any integer, as Ion's does. */
export function integerBitsOf(typeName: string): number | undefined {
  switch (typeName.toUpperCase()) {
    case 'TINYINT':
      return 8
    case 'SMALLINT':
    case 'INT2':
    case 'INTEGER2':
      return 16
    case 'INT4':
    case 'INTEGER4':
      return 32
    case 'BIGINT':
    case 'INT8':
    case 'INTEGER8':
      return 64
    default:
      return undefined
  }
}

/** `value IS kind`. Parameters count for DECIMAL(precision, scale) and VARCHAR(length). */
export function isOfKind(value: Value, kind: Kind, parameters: readonly number[]): boolean {
  switch (kind) {
    case 'any':
      return true
    case 'null':
      return value.type === 'null' || value.type === 'missing'
    case 'decimal':
      return value.type === 'decimal' && fitsDecimal(value, parameters)
    case 'string': {
      const text = value.type === 'string' ? textOf(value) : undefined
      const [lengthMax] = parameters
      return text !== undefined && (lengthMax === undefined || Array.from(text).length <= lengthMax)
    }
    default:
      return value.type === kind
  }
}

function fitsDecimal(
  value: { readonly coefficient: bigint; readonly exponent: number },
  parameters: readonly number[],
): boolean {
  const [precision, scale = 0] = parameters
  if (precision === undefined) return true
  const wholeDigits =
    value.coefficient === 0n ? 0 : Math.max(digitCount(value.coefficient) + value.exponent, 0)
  return -value.exponent <= scale && wholeDigits <= precision - scale
}
