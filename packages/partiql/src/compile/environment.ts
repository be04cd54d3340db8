/** What a compiled closure runs in: one flat array of slots per run, numbered when the statement was compiled. */
import type { IonValue } from '@cairn/ion'
import type { Store } from '../store.ts'
import { missing, type Value } from '../values/value.ts'

export interface Environment {
  /** Every variable of the statement, its sub-queries included, has its own number; a row is written in place. */
  readonly slots: Value[]
  readonly parameters: readonly IonValue[]
  readonly store: Store
  /** Values of sub-queries that do not depend on a row, by the number of each; made when the first is known. */
  memo: Map<number, Value> | undefined
  /** Rows touched so far; decides when to pause. */
  work: number
}

export type Evaluator = (env: Environment) => Value

/** Whether a condition is TRUE. */
export type Test = (env: Environment) => boolean

/** A compiled expression; `constant` when it is the same in every row and run. */
export interface Compiled {
  readonly evaluate: Evaluator
  readonly constant: Value | undefined
}

/** For one run. */
export function newEnvironment(
  slotCount: number,
  parameters: readonly IonValue[],
  store: Store,
): Environment {
  const slots = new Array<Value>(slotCount).fill(missing)
  return { slots, parameters, store, memo: undefined, work: 0 }
}

/** Rows of work between two pauses: well below a millisecond of it. */
const workPerPause = 256

/** Counts a row of work. True when it is time to yield `pause`; the deadline has been checked then. */
export function isPauseDue(env: Environment): boolean {
  env.work++
  if (env.work % workPerPause !== 0) return false
  env.store.checkDeadline()
  return true
}

export function compiled(evaluate: Evaluator): Compiled {
  return { evaluate, constant: undefined }
}

export function constantOf(value: Value): Compiled {
  return { evaluate: () => value, constant: value }
}

/** Applies `operation` to operands, once and for all when they are constants. */
export function lift1(operand: Compiled, operation: (value: Value) => Value): Compiled {
  const { evaluate } = operand
  return fold([operand], (env) => operation(evaluate(env)))
}

export function lift2(
  left: Compiled,
  right: Compiled,
  operation: (left: Value, right: Value) => Value,
): Compiled {
  const { evaluate: evaluateLeft } = left
  const { evaluate: evaluateRight } = right
  return fold([left, right], (env) => operation(evaluateLeft(env), evaluateRight(env)))
}

/** A pure closure over operands: evaluated now when all are constants. Errors wait for the run. */
export function fold(operands: readonly Compiled[], evaluate: Evaluator): Compiled {
  if (!operands.every((operand) => operand.constant !== undefined)) return compiled(evaluate)
  try {
    // Constant operands read nothing of the environment.
    return constantOf(evaluate(emptyEnvironment))
  } catch {
    return compiled(evaluate)
  }
}

const emptyEnvironment = Object.freeze({
  slots: [],
  parameters: [],
  work: 0,
}) as unknown as Environment
