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
  /** Rows touched so far, and what costs as much; decides when to pause. */
  work: number
  /** The next pause is due when `work` has come so far. */
  pauseAt: number
  /** So is the next look at the deadline within a sub-query that cannot pause. */
  checkAt: number
  /** What `work` may come to while a sub-query cannot pause. */
  workMax: number
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
  return {
    slots,
    parameters,
    store,
    memo: undefined,
    work: 0,
    pauseAt: workPerPause,
    checkAt: workPerPause,
    workMax: Number.POSITIVE_INFINITY,
  }
}

/** Rows of work between two pauses: well below a millisecond of it. */
const workPerPause = 256

/**
 * Work of one sub-query in an expression, which has to come to its end before anything else can run: some tenths of a
 * second. Sub-queries in FROM give way and have no such bound.
 */
export const subqueryWorkMax = 1_000_000

/** Counts a row of work. True when it is time to yield `pause`; the deadline has been checked then. */
export function isPauseDue(env: Environment): boolean {
  return ++env.work >= env.pauseAt && takePause(env)
}

function takePause(env: Environment): boolean {
  const isOwed = env.workMax !== Number.POSITIVE_INFINITY
  if (isOwed) {
    // A sub-query that cannot pause: whoever comes next does it.
    if (env.work > env.workMax) throw new WorkExceeded()
    if (env.work < env.checkAt) return false
  } else {
    env.pauseAt = env.work + workPerPause
  }
  env.checkAt = env.work + workPerPause
  env.store.checkDeadline()
  return !isOwed
}

/** For operators that cost many times what a row costs, so that the pauses come in time. */
export function addWork(env: Environment, rowCount: number): void {
  env.work += Math.floor(rowCount)
}

/** Thrown within a sub-query that does too much; becomes a PartiqlError where its place is known. */
export class WorkExceeded extends Error {
  override readonly name = 'WorkExceeded'
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

/** Only `work` is ever written. */
const emptyEnvironment = { slots: [], parameters: [], work: 0 } as unknown as Environment
