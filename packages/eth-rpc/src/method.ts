/**
 * A method as a record: how its parameters are read, and what it does with them. Reading follows geth (rpc/json.go):
 * missing, surplus and malformed parameters are told apart, and optional ones may be null.
 */
import { faults, RpcFault } from './faults.ts'

/** What a call knows of where it came from. */
export interface CallContext {
  readonly transport: 'http' | 'ws' | 'ipc'
  /** Absent where nothing can be pushed. */
  readonly subscriber: Subscriber | undefined
  /** Its effect has to be there when it returns: the next call of the batch begins then. */
  readonly isInBatch?: boolean
}

/** One connection that takes notifications. */
export interface Subscriber {
  /** Sends a notification; `params` is put into the message as it is. */
  notify(method: string, params: unknown): void
  /** Called once when the connection is gone. */
  onClose(listener: () => void): void
}

export interface Parameter<T> {
  readonly isOptional: boolean
  /** @throws Error whose message is the reason, or the RpcFault to answer with. */
  read(value: unknown): T
}

export interface RpcMethod {
  /**
   * Told of the parameters of all its calls in a batch before the first call of that batch begins, for work that is
   * better done for many at once. What is wrong with parameters is for `call` to say.
   * @returns what the batch waits for; it does not reject.
   */
  prepare?(calls: readonly (readonly unknown[])[]): Promise<void> | undefined
  call(parameters: readonly unknown[], context: CallContext): unknown
}

/** The methods of one namespace by their full names. */
export type MethodTable = Readonly<Record<string, RpcMethod>>

type ValuesOf<P extends readonly Parameter<unknown>[]> = {
  readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never
}

/** @param run Answers what JSON can hold, at once or later; throws what faults.ts knows. */
export function method<const P extends readonly Parameter<unknown>[]>(
  parameters: P,
  run: (values: ValuesOf<P>, context: CallContext) => unknown,
): RpcMethod {
  return {
    call(given, context) {
      if (given.length > parameters.length) throw faults.tooManyParameters(parameters.length)
      const values = parameters.map((parameter, index) => readOne(parameter, given[index], index))
      return run(values as ValuesOf<P>, context)
    },
  }
}

function readOne(parameter: Parameter<unknown>, value: unknown, index: number): unknown {
  if (value === undefined || value === null) {
    if (parameter.isOptional) return undefined
    throw faults.missingParameter(index)
  }
  try {
    return parameter.read(value)
  } catch (error) {
    if (error instanceof RpcFault) throw error
    throw faults.invalidParameter(index, error instanceof Error ? error.message : String(error))
  }
}

/** The same parameter where it may be left out. */
export function optional<T>(parameter: Parameter<T>): Parameter<T | undefined> {
  return { isOptional: true, read: (value) => parameter.read(value) }
}

export function required<T>(read: (value: unknown) => T): Parameter<T> {
  return { isOptional: false, read }
}
