/** Row sources: generators that write the row at hand into the slots and yield a signal for it. */
import type { Position } from '../ast.ts'
import { pause } from '../compiled.ts'
import { missing, type Value } from '../values/value.ts'
import { type Environment, type Evaluator, isPauseDue, type Test } from './environment.ts'
import { checkHeldRows, HeldWeight } from './held-rows.ts'

/** Yielded when the slots hold a row. */
export const row: unique symbol = Symbol('row')

export type Signal = typeof row | typeof pause
export type RowSource = (env: Environment) => Generator<Signal, void, undefined>

/**
 * One table as a loop, for whoever pulls rows and needs no generator in between:
 *
 *     for (const item of loop.items(env)) {
 *       if (isPauseDue(env)) yield pause
 *       if (loop.accepts(env, item)) // the slots hold a row
 *     }
 *
 * A generator costs 250 to 400 bytes and a tenth of a microsecond to start; a point SELECT had six of them stacked.
 */
export interface TableLoop<Item extends LoopItem = LoopItem> {
  items(env: Environment): Iterable<Item>
  /** Counts the read, writes the row into its slots and tests its conditions. */
  accepts(env: Environment, item: Item): boolean
}

export interface LoopItem {
  readonly documentId: string
}

/** What a plan pulls rows from; `loop` gives the same rows when all of it is one table. */
export interface PlannedRows {
  readonly rows: RowSource
  readonly loop: TableLoop | undefined
}

export function loopRows(loop: TableLoop): RowSource {
  return function* pullLoop(env) {
    for (const item of loop.items(env)) {
      if (isPauseDue(env)) yield pause
      if (loop.accepts(env, item)) yield row
    }
  }
}

/** One row without variables: SELECT without FROM. */
export function* singleRow(): Generator<Signal, void, undefined> {
  yield row
}

export function allTrue(tests: readonly Test[]): Test {
  const [first, second, third] = tests
  if (first === undefined) return () => true
  if (second === undefined) return first
  if (third === undefined) return (env) => first(env) && second(env)
  return (env) => {
    for (const test of tests) if (!test(env)) return false
    return true
  }
}

export function filtered(source: RowSource, tests: readonly Test[]): RowSource {
  if (tests.length === 0) return source
  const passes = allTrue(tests)
  return function* filter(env) {
    for (const signal of source(env)) {
      if (signal === pause || passes(env)) yield signal
    }
  }
}

/** Computes values of each row into slots, in order: LET. */
export function extended(
  source: RowSource,
  items: readonly { readonly slot: number; readonly evaluate: Evaluator }[],
): RowSource {
  if (items.length === 0) return source
  return function* extend(env) {
    for (const signal of source(env)) {
      if (signal !== pause) {
        for (const item of items) env.slots[item.slot] = item.evaluate(env)
      }
      yield signal
    }
  }
}

/** For each row of the left, the rows of the right, which may depend on it. */
export function nestedLoop(left: RowSource, right: PlannedRows): RowSource {
  const { rows, loop } = right
  if (loop === undefined) {
    return function* join(env) {
      for (const signal of left(env)) {
        if (signal === pause) yield signal
        else yield* rows(env)
      }
    }
  }
  return function* joinTable(env) {
    for (const signal of left(env)) {
      if (signal === pause) {
        yield signal
        continue
      }
      for (const item of loop.items(env)) {
        if (isPauseDue(env)) yield pause
        if (loop.accepts(env, item)) yield row
      }
    }
  }
}

/** As `nestedLoop`, but a left row without a match comes once, the slots of the right padded. */
export function leftOuterLoop(
  left: RowSource,
  right: RowSource,
  rightSlots: readonly number[],
  padding: Value,
): RowSource {
  return function* join(env) {
    for (const signal of left(env)) {
      if (signal === pause) {
        yield signal
        continue
      }
      let isMatched = false
      for (const inner of right(env)) {
        if (inner !== pause) isMatched = true
        yield inner
      }
      if (isMatched) continue
      for (const slot of rightSlots) env.slots[slot] = padding
      yield row
    }
  }
}

/** Both sides kept. The right side is held in memory and must not depend on the left. */
export function fullOuterLoop(
  left: RowSource,
  right: RowSource,
  sides: { readonly left: readonly number[]; readonly right: readonly number[] },
  condition: Test,
  padding: Value,
  position: Position,
): RowSource {
  return function* join(env) {
    const held: { readonly values: readonly Value[]; isMatched: boolean }[] = []
    const heldWeight = new HeldWeight(position, env.store.heldTotal)
    try {
      for (const signal of right(env)) {
        if (signal === pause) {
          yield signal
          continue
        }
        const values = sides.right.map((slot) => env.slots[slot] ?? missing)
        checkHeldRows(held.push({ values, isMatched: false }), position)
        heldWeight.addAll(values)
      }
      const write = (slots: readonly number[], values: readonly Value[] | undefined): void => {
        for (const [index, slot] of slots.entries()) env.slots[slot] = values?.[index] ?? padding
      }
      for (const signal of left(env)) {
        if (signal === pause) {
          yield signal
          continue
        }
        let isMatched = false
        for (const candidate of held) {
          write(sides.right, candidate.values)
          if (isPauseDue(env)) yield pause
          if (!condition(env)) continue
          isMatched = true
          candidate.isMatched = true
          yield row
        }
        if (isMatched) continue
        write(sides.right, undefined)
        yield row
      }
      write(sides.left, undefined)
      for (const candidate of held) {
        if (candidate.isMatched) continue
        write(sides.right, candidate.values)
        yield row
      }
    } finally {
      heldWeight.release()
    }
  }
}
