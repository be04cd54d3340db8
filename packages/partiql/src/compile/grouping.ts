/** GROUP BY and aggregates: reads all rows, then gives one row per group. */
import { ionInt } from '@cairn/ion'
import type { Expression, Identifier, Position, SelectQuery } from '../ast.ts'
import { pause } from '../compiled.ts'
import { partiqlError } from '../errors.ts'
import { type Accumulator, accumulatorFactory } from '../functions/aggregates.ts'
import { equalityKey } from '../values/equality.ts'
import {
  bag,
  type FieldValue,
  isAbsent,
  missing,
  nullValue,
  struct,
  type Value,
} from '../values/value.ts'
import { type Environment, type Evaluator, isPauseDue } from './environment.ts'
import { compileExpression } from './expression.ts'
import { checkHeldRows, HeldWeight, heldKey } from './held-rows.ts'
import { groupingKeyOf } from './path.ts'
import { containsKind } from './print.ts'
import { type RowSource, row, type Signal } from './rows.ts'
import { type AggregateArgument, type Grouping, newSlot, type Scope } from './scope.ts'

interface AggregateSlot {
  readonly slot: number
  readonly create: () => Accumulator
  readonly argument: AggregateArgument | undefined
}

interface Key {
  readonly slot: number
  readonly evaluate: Evaluator
}

export interface GroupPlan {
  /** Where SELECT, HAVING and ORDER BY are bound. */
  readonly scope: Scope
  /** To be called when all of those are bound: aggregates are known only then. */
  group(source: RowSource): RowSource
}

/** Undefined when the query neither groups nor aggregates. */
export function planGrouping(
  query: SelectQuery,
  orderBy: readonly { readonly expression: Expression }[],
  rowScope: Scope,
): GroupPlan | undefined {
  const hasAggregate = [query.projection, query.having, orderBy].some((part) =>
    containsKind(part, 'aggregate'),
  )
  if (query.groupBy.length === 0 && query.groupAs === undefined && !hasAggregate) {
    if (query.having !== undefined) {
      throw partiqlError('SEMANTIC', query.having.position, 'HAVING needs GROUP BY.')
    }
    return undefined
  }
  if (query.having !== undefined && query.groupBy.length === 0) {
    throw partiqlError('SEMANTIC', query.having.position, 'HAVING needs GROUP BY.')
  }
  const { context } = rowScope
  const keySlots = new Map<string, number>()
  const aggregates: AggregateSlot[] = []
  const grouping: Grouping = {
    keySlots,
    rowScope,
    addAggregate(name, argument) {
      const create = accumulatorFactory(name)
      if (create === undefined) {
        throw partiqlError('SEMANTIC', query.position, `there is no aggregate ${name}.`)
      }
      const slot = newSlot(context)
      aggregates.push({ slot, create, argument })
      return slot
    },
  }
  const scope: Scope = { parent: rowScope.parent, variables: [], context, grouping }
  const keys = query.groupBy.map((item, index): Key => {
    const { evaluate } = compileExpression(item.expression, rowScope)
    const slot = newSlot(context)
    keySlots.set(groupingKeyOf(item.expression, rowScope), slot)
    const { position } = item.expression
    const byPosition: Identifier = { name: `_${index + 1}`, isQuoted: false, position }
    addVariable(scope, item.alias ?? impliedName(item.expression) ?? byPosition, slot)
    return { slot, evaluate }
  })
  const groupAs = query.groupAs && bindGroupAs(query.groupAs, scope, rowScope)
  return {
    scope,
    group: (source) => groupRows(source, keys, aggregates, groupAs, query.position),
  }
}

interface GroupAs {
  readonly slot: number
  readonly members: readonly { readonly name: string; readonly slot: number }[]
}

function bindGroupAs(identifier: Identifier, scope: Scope, rowScope: Scope): GroupAs {
  const slot = newSlot(scope.context)
  addVariable(scope, identifier, slot)
  const members = rowScope.variables.flatMap((variable) =>
    variable.identifier === undefined
      ? []
      : [{ name: variable.identifier.name, slot: variable.slot }],
  )
  return { slot, members }
}

function addVariable(scope: Scope, identifier: Identifier | undefined, slot: number): void {
  if (identifier === undefined) return
  const origin = { view: 'other' } as const
  scope.variables.push({ identifier, slot, isRow: false, idOfSlot: undefined, origin })
}

function impliedName(expression: Expression): Identifier | undefined {
  if (expression.kind === 'name') return expression.identifier
  if (expression.kind === 'cast') return impliedName(expression.value)
  if (expression.kind !== 'path') return undefined
  const last = expression.steps.at(-1)
  return last?.kind === 'field' ? last.identifier : undefined
}

interface Group {
  readonly keyValues: readonly Value[]
  readonly states: readonly AggregateState[]
  readonly members: Value[]
}

interface AggregateState {
  readonly accumulator: Accumulator
  /** Keys already seen, for DISTINCT. */
  readonly seen: Set<string> | undefined
}

function groupRows(
  source: RowSource,
  keys: readonly Key[],
  aggregates: readonly AggregateSlot[],
  groupAs: GroupAs | undefined,
  position: Position,
): RowSource {
  const newGroup = (keyValues: readonly Value[]): Group => ({
    keyValues,
    states: aggregates.map(({ create, argument }) => ({
      accumulator: create(),
      seen: argument?.isDistinct === true ? new Set<string>() : undefined,
    })),
    members: [],
  })
  return function* group(env): Generator<Signal, void, undefined> {
    const groups = new Map<string, Group>()
    // Aggregates without GROUP BY have one group, also of no rows.
    if (keys.length === 0 && groupAs === undefined) groups.set('', newGroup([]))
    let heldCount = 0
    const held = new HeldWeight(position, env.store.heldTotal)
    try {
      for (const signal of source(env)) {
        if (signal === pause) {
          yield signal
          continue
        }
        const keyValues = keys.map((key) => keyValueOf(key.evaluate(env)))
        const key = heldKey(keyValues.map(equalityKey).join(''))
        let found = groups.get(key)
        if (found === undefined) {
          found = newGroup(keyValues)
          groups.set(key, found)
          heldCount++
          held.addAll(keyValues)
        }
        heldCount += addRow(found, aggregates, groupAs, env)
        checkHeldRows(heldCount, position)
        const member = groupAs === undefined ? undefined : found.members.at(-1)
        if (member !== undefined) held.add(member)
      }
      for (const found of groups.values()) {
        for (const [index, key] of keys.entries()) {
          env.slots[key.slot] = found.keyValues[index] ?? missing
        }
        for (const [index, aggregate] of aggregates.entries()) {
          env.slots[aggregate.slot] = found.states[index]?.accumulator.result() ?? missing
        }
        if (groupAs !== undefined) env.slots[groupAs.slot] = bag(found.members)
        if (isPauseDue(env)) yield pause
        yield row
      }
    } finally {
      held.release()
    }
  }
}

/** NULL and MISSING fall into one group, which shows as NULL. */
function keyValueOf(value: Value): Value {
  return isAbsent(value) ? nullValue : value
}

/** Answers how many rows or keys it keeps in memory for this row. */
function addRow(
  group: Group,
  aggregates: readonly AggregateSlot[],
  groupAs: GroupAs | undefined,
  env: Environment,
): number {
  let heldCount = 0
  for (const [index, { argument }] of aggregates.entries()) {
    const state = group.states[index]
    if (state === undefined) continue
    // COUNT(*) counts rows, whatever they hold.
    const value = argument === undefined ? one : argument.evaluate(env)
    if (isAbsent(value)) continue
    if (state.seen !== undefined) {
      const key = heldKey(equalityKey(value))
      if (state.seen.has(key)) continue
      state.seen.add(key)
      heldCount++
    }
    state.accumulator.add(value)
  }
  if (groupAs !== undefined) {
    const fields = groupAs.members.map(
      (member): FieldValue => ({ name: member.name, value: env.slots[member.slot] ?? missing }),
    )
    group.members.push(struct(fields))
    heldCount++
  }
  return heldCount
}

const one = ionInt(1)
