/** Strict reading of the structs that QLDB writes: the fields a shape names, each once, and no annotations. */
import { hashBytesSize } from '@cairn/core'
import type { IonSequence, IonStruct, IonTimestamp, IonValue } from '@cairn/ion'
import { VerificationError, type VerificationErrorType } from './errors.ts'

type MalformedCode = Extract<
  VerificationErrorType,
  { readonly path: string; expected: string }
>['code']

/** A struct's values by name. */
export type Fields<Required extends string, Optional extends string> = Readonly<
  Record<Required, IonValue>
> &
  Readonly<Partial<Record<Optional, IonValue>>>

/** Reads values and throws under one code, with the path of the value that is not what it must be. */
export class ShapeReader {
  readonly #code: MalformedCode

  constructor(code: MalformedCode) {
    this.#code = code
  }

  error(path: string, expected: string): VerificationError {
    return new VerificationError(
      { code: this.#code, path, expected },
      { shortMessage: `${path} is not ${expected}.` },
    )
  }

  /** The value, when it is of `type` and has no annotations. */
  #plain<T extends IonValue['type']>(
    value: IonValue,
    path: string,
    type: T,
    expected: string,
  ): Extract<IonValue, { readonly type: T }> {
    if (value.type !== type || value.annotations.length > 0) throw this.error(path, expected)
    return value as Extract<IonValue, { readonly type: T }>
  }

  /** Fields in their order, with names that are known text and do not repeat. */
  entries(value: IonValue, path: string): [name: string, value: IonValue][] {
    const struct: IonStruct = this.#plain(value, path, 'struct', 'a struct without annotations')
    const seen = new Set<string>()
    return struct.fields.map(({ name, value: field }) => {
      if (typeof name !== 'string') throw this.error(path, 'a struct with known field names')
      if (seen.has(name)) throw this.error(`${path}.${name}`, 'there once')
      seen.add(name)
      return [name, field]
    })
  }

  /** Fields nobody knows are refused: no hash covers them. */
  struct<Required extends string, Optional extends string = never>(
    value: IonValue,
    path: string,
    required: readonly Required[],
    optional: readonly Optional[] = [],
  ): Fields<Required, Optional> {
    const names: readonly string[] = [...required, ...optional]
    const entries = this.entries(value, path)
    for (const [name] of entries) {
      if (!names.includes(name)) throw this.error(`${path}.${name}`, 'a field of this struct')
    }
    const fields = Object.fromEntries(entries)
    for (const name of required) {
      if (fields[name] === undefined) throw this.error(`${path}.${name}`, 'there')
    }
    return fields as Fields<Required, Optional>
  }

  list(value: IonValue, path: string): readonly IonValue[] {
    const list: IonSequence = this.#plain(value, path, 'list', 'a list without annotations')
    return list.values
  }

  string(value: IonValue, path: string): string {
    return this.#plain(value, path, 'string', 'a string').value
  }

  /** An int from 0 that a number holds exactly. */
  count(value: IonValue, path: string): number {
    const expected = 'an int from 0 to 2^53 - 1'
    const count = this.#plain(value, path, 'int', expected).value
    if (typeof count !== 'number' || count < 0) throw this.error(path, expected)
    return count
  }

  hash(value: IonValue, path: string): Uint8Array {
    const bytes = this.blob(value, path)
    if (bytes.length !== hashBytesSize) throw this.error(path, `a blob of ${hashBytesSize} bytes`)
    return bytes
  }

  blob(value: IonValue, path: string): Uint8Array {
    if (value.type !== 'blob' || value.annotations.length > 0) throw this.error(path, 'a blob')
    return value.value
  }

  /** A timestamp that is exact to the second at least. */
  timestamp(value: IonValue, path: string): IonTimestamp {
    const expected = 'a timestamp with seconds'
    const timestamp: IonTimestamp = this.#plain(value, path, 'timestamp', expected)
    if (timestamp.precision !== 'second') throw this.error(path, expected)
    return timestamp
  }
}
