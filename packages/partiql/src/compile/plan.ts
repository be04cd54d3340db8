/**
 * From bound sources and conditions to row sources. Conditions are the AND-ed parts of WHERE and of inner joins; each
 * is tested at the first source where all it reads is at hand, and may choose an index there. The order of sources
 * stays as written: it is the user's plan, as QLDB has it.
 */
import type { Expression } from '../ast.ts'
import { nullValue } from '../values/value.ts'
import type { Test } from './environment.ts'
import { compileTest, tracked } from './expression.ts'
import { type Condition, chooseAccess, describeAccess } from './index-choice.ts'
import { leafRows } from './leaves.ts'
import {
  allTrue,
  filtered,
  fullOuterLoop,
  leftOuterLoop,
  nestedLoop,
  type PlannedRows,
  type RowSource,
} from './rows.ts'
import type { Scope } from './scope.ts'
import { type JoinNode, type Leaf, type SourceNode, slotsOf } from './source.ts'

interface BoundCondition extends Condition {
  readonly test: Test
  readonly uses: ReadonlySet<number>
}

/** Conditions not placed yet, and the slots that no source has written yet. */
interface Planning {
  pending: readonly BoundCondition[]
  readonly unbound: Set<number>
}

/**
 * @param where Bound where all variables are visible.
 * @param lateSlots Slots written after the sources, by LET: conditions on them are handed back.
 */
export function planSource(
  node: SourceNode,
  where: Expression | undefined,
  scope: Scope,
  lateSlots: readonly number[] = [],
): PlannedRows & { readonly late: readonly Test[] } {
  const planning: Planning = {
    pending: bindConditions(where, scope),
    unbound: new Set([...slotsOf(node), ...lateSlots]),
  }
  const { rows, loop } = planNode(node, planning, scope)
  return { rows, loop, late: planning.pending.map((condition) => condition.test) }
}

/** The parts of a condition that AND joins. */
export function conjunctsOf(expression: Expression | undefined): readonly Expression[] {
  if (expression === undefined) return []
  if (expression.kind === 'binary' && expression.operator === 'AND') {
    return [...conjunctsOf(expression.left), ...conjunctsOf(expression.right)]
  }
  return [expression]
}

export function bindConditions(
  expression: Expression | undefined,
  scope: Scope,
): readonly BoundCondition[] {
  return conjunctsOf(expression).map((part) => {
    const { value: test, uses } = tracked(scope, () => compileTest(part, scope))
    return { expression: part, scope, test, uses }
  })
}

function planNode(node: SourceNode, planning: Planning, scope: Scope): PlannedRows {
  return node.kind === 'join' ? planJoin(node, planning, scope) : planLeaf(node, planning, scope)
}

function planLeaf(leaf: Leaf, planning: Planning, scope: Scope): PlannedRows {
  for (const slot of slotsOf(leaf)) planning.unbound.delete(slot)
  const ready = takeReady(planning)
  const access =
    leaf.kind === 'table' || leaf.kind === 'history'
      ? chooseAccess(leaf, ready)
      : ({ kind: 'scan' } as const)
  if (leaf.kind === 'table' || leaf.kind === 'history') {
    scope.context.accesses.add(describeAccess(leaf, access))
  }
  return leafRows(
    leaf,
    access,
    ready.map((condition) => condition.test),
  )
}

function planJoin(node: JoinNode, planning: Planning, scope: Scope): PlannedRows {
  const { type } = node.source
  const on = bindConditions(node.source.condition, scope)
  if (type === 'inner') {
    planning.pending = [...planning.pending, ...on]
    const left = planNode(node.left, planning, scope)
    return joined(nestedLoop(left.rows, planNode(node.right, planning, scope)))
  }
  if (type === 'full') return planFullJoin(node, on, planning, scope)
  // A right join is a left join with its sides exchanged.
  const [outer, inner] = type === 'left' ? [node.left, node.right] : [node.right, node.left]
  const outerRows = planNode(outer, planning, scope)
  const innerPlanning: Planning = { pending: on, unbound: planning.unbound }
  const innerRows = planNode(inner, innerPlanning, scope)
  const matched = filtered(
    innerRows.rows,
    innerPlanning.pending.map((condition) => condition.test),
  )
  const rows = leftOuterLoop(outerRows.rows, matched, slotsOf(inner), nullValue)
  return joined(
    filtered(
      rows,
      takeReady(planning).map((condition) => condition.test),
    ),
  )
}

function planFullJoin(
  node: JoinNode,
  on: readonly BoundCondition[],
  planning: Planning,
  scope: Scope,
): PlannedRows {
  const alone: Planning = { pending: [], unbound: planning.unbound }
  const left = planNode(node.left, alone, scope)
  const right = planNode(node.right, alone, scope)
  const rows = fullOuterLoop(
    left.rows,
    right.rows,
    { left: slotsOf(node.left), right: slotsOf(node.right) },
    allTrue(on.map((condition) => condition.test)),
    nullValue,
    node.source.position,
  )
  return joined(
    filtered(
      rows,
      takeReady(planning).map((condition) => condition.test),
    ),
  )
}

function joined(rows: RowSource): PlannedRows {
  return { rows, loop: undefined }
}

function takeReady(planning: Planning): readonly BoundCondition[] {
  const isReady = (condition: BoundCondition): boolean =>
    [...condition.uses].every((slot) => !planning.unbound.has(slot))
  const ready = planning.pending.filter(isReady)
  planning.pending = planning.pending.filter((condition) => !isReady(condition))
  return ready
}
