/** What a function of the registry is. */
import type { IonType } from '@cairn/ion'
import type { Environment } from '../compile/environment.ts'
import type { Value } from '../values/value.ts'

/** Kinds of values an argument takes. A constant of another kind is an error before the statement runs. */
export type ArgumentKind = 'any' | 'text' | 'number' | 'int' | 'timestamp' | 'collection' | 'bytes'

export interface FunctionDefinition {
  readonly name: string
  readonly argumentCountMin: number
  readonly argumentCountMax: number
  /** By position; the last one holds for all further arguments. */
  readonly kinds: readonly ArgumentKind[]
  /**
   * Strict functions are not called with NULL or MISSING: they answer NULL (or as the `missingArguments` option says).
   */
  readonly isStrict: boolean
  /** Reads the run's environment (clock, transaction), so that it is never folded to a constant. */
  readonly isVolatile: boolean
  evaluate(args: readonly Value[], env: Environment): Value
}

/** A strict function of a fixed number of arguments. */
export function strict(
  name: string,
  kinds: readonly ArgumentKind[],
  evaluate: (...args: readonly Value[]) => Value,
  argumentCountMin: number = kinds.length,
): FunctionDefinition {
  return {
    name,
    argumentCountMin,
    argumentCountMax: kinds.length,
    kinds,
    isStrict: true,
    isVolatile: false,
    evaluate: (args) => evaluate(...args),
  }
}

const typesByKind: Readonly<Record<Exclude<ArgumentKind, 'any'>, readonly (IonType | 'bag')[]>> = {
  text: ['string', 'symbol'],
  number: ['int', 'decimal', 'float'],
  int: ['int'],
  timestamp: ['timestamp'],
  collection: ['list', 'sexp', 'bag', 'struct'],
  bytes: ['string', 'symbol', 'clob', 'blob'],
}

export function isOfArgumentKind(value: Value, kind: ArgumentKind): boolean {
  if (kind === 'any' || value.type === 'missing' || value.type === 'null') return true
  return typesByKind[kind].includes(value.type)
}
