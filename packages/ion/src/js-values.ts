/**
 * Plain JavaScript values to Ion and back, by the rules that the QLDB driver for Node.js follows (qldb-compat 1.2).
 * For reports, tests and samples; the ledger itself keeps Ion values.
 */
import { valueError } from './errors.ts'
import { checkDepth } from './limits.ts'
import { formatTimestamp, timestampToMs } from './timestamp.ts'
import {
  type IonDecimal,
  type IonField,
  type IonStruct,
  type IonTimestamp,
  type IonType,
  type IonValue,
  ionBlob,
  ionBool,
  ionFloat,
  ionInt,
  ionList,
  ionNull,
  ionString,
  ionStruct,
  ionTimestampFromMs,
  noAnnotations,
  type SymbolText,
} from './value.ts'

/** An Ion value among plain ones; see `embedIon`. */
export class EmbeddedIon {
  readonly value: IonValue

  constructor(value: IonValue) {
    this.value = value
  }
}

/** Marks an Ion value that `ionFromJs` shall take as it is. Needed only for values with annotations. */
export function embedIon(value: IonValue): EmbeddedIon {
  return new EmbeddedIon(value)
}

const ionTypes: ReadonlySet<unknown> = new Set<IonType>([
  'null',
  'bool',
  'int',
  'float',
  'decimal',
  'timestamp',
  'symbol',
  'string',
  'clob',
  'blob',
  'list',
  'sexp',
  'struct',
])

/**
 * The Ion form of a plain value: null, boolean, number (an integer becomes an int, others a float), bigint, string,
 * Date (a timestamp in milliseconds, UTC), Uint8Array (a blob), array (a list), plain object (a struct; members that
 * are undefined are left out).
 *
 * Ion values may stand anywhere among them. They are told apart by `annotations` being the very object
 * `noAnnotations`, which all constructors and readers use for values without annotations and which no data from
 * outside can hold; a value cloned between threads is plain data. A value with annotations goes in by `embedIon`.
 * @throws IonError VALUE_INVALID for what has no Ion form, LIMIT
 */
export function ionFromJs(value: unknown): IonValue {
  return fromJs(value, 0)
}

function fromJs(value: unknown, depth: number): IonValue {
  switch (typeof value) {
    case 'string':
      return ionString(value)
    case 'boolean':
      return ionBool(value)
    case 'bigint':
      return ionInt(value)
    case 'number':
      if (Object.is(value, -0)) return ionFloat(value)
      if (Number.isSafeInteger(value)) return ionInt(value)
      return Number.isInteger(value) ? ionInt(BigInt(value)) : ionFloat(value)
    case 'object':
      return value === null ? ionNull() : fromObject(value, depth)
    default:
      throw valueError(`a ${typeof value} is no data`)
  }
}

function fromObject(value: object, depth: number): IonValue {
  if (isIonRecord(value)) return value
  if (value instanceof EmbeddedIon) return value.value
  if (value instanceof Uint8Array) return ionBlob(Uint8Array.from(value))
  if (value instanceof Date) return fromDate(value)
  checkDepth(depth + 1)
  if (Array.isArray(value)) return ionList(value.map((one) => fromJs(one, depth + 1)))
  const prototype: unknown = Object.getPrototypeOf(value)
  // An object of another realm has another Object.prototype, whose own prototype is null too.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw valueError('an object of a class is no data; use plain objects')
  }
  const fields: IonField[] = []
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) fields.push({ name, value: fromJs(member, depth + 1) })
  }
  return ionStruct(fields)
}

function isIonRecord(value: object): value is IonValue {
  const { annotations, type } = value as { annotations?: unknown; type?: unknown }
  return annotations === noAnnotations && ionTypes.has(type)
}

function fromDate(date: Date): IonValue {
  const ms = date.getTime()
  const year = date.getUTCFullYear()
  if (Number.isNaN(ms) || year < 1 || year > 9999) {
    throw valueError('a Date is invalid or not within the years 1 to 9999')
  }
  return ionTimestampFromMs(ms)
}

/**
 * The plain form of an Ion value. Annotations go; null is null; an int beyond the safe integers stays a bigint; a
 * decimal becomes the nearest number; a timestamp of day precision or finer becomes a Date, a coarser one its text;
 * a symbol becomes a string (`$0` when its text is not known); clob and blob become bytes; of repeated field names
 * the first counts, as in `fieldOf`.
 */
export function jsFromIon(value: IonValue): unknown {
  switch (value.type) {
    case 'null':
      return null
    case 'bool':
    case 'int':
    case 'float':
    case 'string':
      return value.value
    case 'decimal':
      return decimalToNumber(value)
    case 'timestamp':
      return timestampToJs(value)
    case 'symbol':
      return textOf(value.text)
    case 'clob':
    case 'blob':
      return Uint8Array.from(value.value)
    case 'list':
    case 'sexp':
      return value.values.map(jsFromIon)
    case 'struct':
      return structToJs(value)
    default:
      throw valueError('it has no Ion type')
  }
}

function textOf(text: SymbolText): string {
  return typeof text === 'string' ? text : '$0'
}

function decimalToNumber(value: IonDecimal): number {
  // Number() of the digits and exponent rounds once, to the nearest; multiplying by a power of ten would round twice.
  return value.isNegativeZero ? -0 : Number(`${value.coefficient}e${value.exponent}`)
}

function timestampToJs(value: IonTimestamp): Date | string {
  if (value.precision === 'year' || value.precision === 'month') return formatTimestamp(value)
  return new Date(timestampToMs(value))
}

function structToJs(struct: IonStruct): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const field of struct.fields) {
    const name = textOf(field.name)
    if (Object.hasOwn(out, name)) continue
    const value = jsFromIon(field.value)
    // Assigning `__proto__` would set the prototype of `out`.
    if (name !== '__proto__') out[name] = value
    else {
      Object.defineProperty(out, name, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      })
    }
  }
  return out
}
