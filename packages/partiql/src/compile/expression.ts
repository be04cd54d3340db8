/**
 * Expressions to closures. Types at run time decide; a mismatch is MISSING (permissive typing, qldb-compat 5.3).
 */
import { unreachable } from '@cairn/core'
import { ionString } from '@cairn/ion'
import type {
  AggregateExpression,
  BinaryOperator,
  CaseExpression,
  CastExpression,
  Expression,
  InExpression,
  IsExpression,
  ListExpression,
  StructExpression,
  TypeName,
} from '../ast.ts'
import { partiqlError } from '../errors.ts'
import { castValue } from '../functions/cast.ts'
import { arithmetic, negate } from '../values/arithmetic.ts'
import { equalityKey, equals, isEqual, isSame } from '../values/equality.ts'
import { and, not, or } from '../values/logic.ts'
import { ordered } from '../values/order.ts'
import { isOfKind, type Kind, kindOf } from '../values/type-names.ts'
import {
  absentOf,
  bag,
  boolValue,
  elementsOf,
  falseValue,
  isAbsent,
  isTrue,
  list,
  missing,
  nullValue,
  struct,
  textOf,
  trueValue,
  type Value,
} from '../values/value.ts'
import { checkTextLength } from '../values/weight.ts'
import { compileCall } from './call.ts'
import {
  addWork,
  type Compiled,
  compiled,
  constantOf,
  fold,
  lift1,
  lift2,
  type Test,
} from './environment.ts'
import { compileLike } from './like.ts'
import { compileName, compilePath, groupingKeyOf } from './path.ts'
import type { Scope } from './scope.ts'
import { compileSubquery, exists } from './subquery.ts'

/** An expression as one value: a SQL sub-query among it counts as its single value. */
export function compileExpression(expression: Expression, scope: Scope): Compiled {
  const key = groupingKey(expression, scope)
  if (key !== undefined) return key
  switch (expression.kind) {
    case 'literal':
      return constantOf(expression.value)
    case 'missing':
      return constantOf(missing)
    case 'parameter':
      return compileParameter(expression.index)
    case 'name':
      return compileName(expression, scope)
    case 'path':
      return compilePath(expression, scope)
    case 'unary':
      return compileUnary(expression.operator, compileExpression(expression.operand, scope))
    case 'binary':
      return compileBinary(
        expression.operator,
        compileExpression(expression.left, scope),
        compileExpression(expression.right, scope),
      )
    case 'between':
      return compileBetween(
        compileExpression(expression.value, scope),
        compileExpression(expression.low, scope),
        compileExpression(expression.high, scope),
        expression.isNegated,
      )
    case 'in':
      return compileIn(expression, scope)
    case 'like':
      return compileLike(expression, scope)
    case 'is':
      return compileIs(expression, scope)
    case 'cast':
      return compileCast(expression, scope)
    case 'case':
      return compileCase(expression, scope)
    case 'call':
      return compileCall(expression, scope)
    case 'aggregate':
      return compileAggregate(expression, scope)
    case 'list':
      return compileList(expression, scope)
    case 'bag': {
      const values = expression.values.map((value) => compileExpression(value, scope))
      const evaluates = values.map((value) => value.evaluate)
      return fold(values, (env) => bag(evaluates.map((evaluate) => evaluate(env))))
    }
    case 'struct':
      return compileStruct(expression, scope)
    case 'query':
      return compileSubquery(expression.query, scope, 'single')
    case 'exists': {
      if (expression.operand.kind === 'query') {
        return compileSubquery(expression.operand.query, scope, 'exists')
      }
      const operand = compileCollection(expression.operand, scope)
      return lift1(operand, exists)
    }
    default:
      return unreachable(expression)
  }
}

/** An expression where a collection is wanted: a sub-query counts as the bag of its rows. */
export function compileCollection(expression: Expression, scope: Scope): Compiled {
  if (expression.kind === 'query') return compileSubquery(expression.query, scope, 'rows')
  return compileExpression(expression, scope)
}

/** A condition. Equality answers at once here, without making a boolean value first. */
export function compileTest(expression: Expression, scope: Scope): Test {
  const isEquality = expression.kind === 'binary' && expression.operator === '='
  if (!isEquality || groupingKey(expression, scope) !== undefined) {
    const { evaluate } = compileExpression(expression, scope)
    return (env) => isTrue(evaluate(env))
  }
  const { evaluate: left } = compileExpression(expression.left, scope)
  const { evaluate: right } = compileExpression(expression.right, scope)
  return (env) => isSame(left(env), right(env))
}

/** Compiles and answers also which slots are read. */
export function tracked<T>(
  scope: Scope,
  compile: () => T,
): { readonly value: T; readonly uses: ReadonlySet<number> } {
  const { context } = scope
  const outer = context.uses
  const uses = new Set<number>()
  context.uses = uses
  const value = compile()
  context.uses = outer
  for (const slot of uses) outer.add(slot)
  return { value, uses }
}

function groupingKey(expression: Expression, scope: Scope): Compiled | undefined {
  if (scope.grouping === undefined || scope.grouping.keySlots.size === 0) return undefined
  if (expression.kind === 'literal') return undefined
  const slot = scope.grouping.keySlots.get(groupingKeyOf(expression, scope.grouping.rowScope))
  if (slot === undefined) return undefined
  scope.context.uses.add(slot)
  return compiled((env) => env.slots[slot] ?? missing)
}

function compileParameter(index: number): Compiled {
  return compiled((env) => env.parameters[index] ?? missing)
}

function compileUnary(operator: '+' | '-' | 'NOT', operand: Compiled): Compiled {
  switch (operator) {
    case 'NOT':
      return lift1(operand, not)
    case '-':
      return lift1(operand, negate)
    case '+':
      return lift1(operand, (value) =>
        isAbsent(value) || negate(value) !== missing ? value : missing,
      )
  }
}

function compileBinary(operator: BinaryOperator, left: Compiled, right: Compiled): Compiled {
  switch (operator) {
    case 'AND':
      return compileAnd(left, right)
    case 'OR':
      return compileOr(left, right)
    case '=':
      return lift2(left, right, equals)
    case '<>':
      return lift2(left, right, (a, b) => not(equals(a, b)))
    case '<':
    case '<=':
    case '>':
    case '>=':
      return lift2(left, right, (a, b) => ordered(operator, a, b))
    case '||':
      return lift2(left, right, concatenate)
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return lift2(left, right, (a, b) => arithmetic(operator, a, b))
    default:
      return unreachable(operator)
  }
}

/** The right side is not looked at when the left decides. */
function compileAnd(left: Compiled, right: Compiled): Compiled {
  const { evaluate: evaluateLeft } = left
  const { evaluate: evaluateRight } = right
  return fold([left, right], (env) => {
    const a = evaluateLeft(env)
    if (a.type === 'bool' && !a.value) return falseValue
    return and(a, evaluateRight(env))
  })
}

function compileOr(left: Compiled, right: Compiled): Compiled {
  const { evaluate: evaluateLeft } = left
  const { evaluate: evaluateRight } = right
  return fold([left, right], (env) => {
    const a = evaluateLeft(env)
    if (isTrue(a)) return trueValue
    return or(a, evaluateRight(env))
  })
}

function concatenate(left: Value, right: Value): Value {
  if (isAbsent(left) || isAbsent(right)) return absentOf(left, right)
  const a = textOf(left)
  const b = textOf(right)
  if (a === undefined || b === undefined) return missing
  checkTextLength(a.length + b.length)
  return ionString(a + b)
}

function compileBetween(
  value: Compiled,
  low: Compiled,
  high: Compiled,
  isNegated: boolean,
): Compiled {
  const test = compileAnd(
    lift2(value, low, (a, b) => ordered('>=', a, b)),
    lift2(value, high, (a, b) => ordered('<=', a, b)),
  )
  return isNegated ? lift1(test, not) : test
}

/** TRUE when an element equals; else NULL when the value or an element is absent; else FALSE. */
function compileIn(expression: InExpression, scope: Scope): Compiled {
  const value = compileExpression(expression.value, scope)
  const { collection } = expression
  const candidates =
    collection.kind === 'query'
      ? compileSubquery(collection.query, scope, 'column')
      : compileExpression(collection, scope)
  const test =
    candidates.constant === undefined
      ? compileSearch(value, candidates)
      : compileConstantIn(value, elementsOf(candidates.constant))
  return expression.isNegated ? lift1(test, not) : test
}

/** Elements that are compared at the cost of a row. */
const elementsPerRow = 16

/** Looks at one element after the other. */
function compileSearch(value: Compiled, candidates: Compiled): Compiled {
  return compiled((env) => {
    const collection = candidates.evaluate(env)
    addWork(env, (elementsOf(collection)?.length ?? 0) / elementsPerRow)
    return isIn(value.evaluate(env), collection)
  })
}

function isIn(value: Value, collection: Value): Value {
  if (isAbsent(value)) return value
  if (isAbsent(collection)) return collection
  const elements = elementsOf(collection)
  if (elements === undefined) return missing
  let answer: Value = falseValue
  for (const element of elements) {
    if (isAbsent(element)) answer = nullValue
    else if (isEqual(value, element)) return trueValue
  }
  return answer
}

/** A list of constants is searched by key, however long it is. */
function compileConstantIn(value: Compiled, elements: readonly Value[] | undefined): Compiled {
  if (elements === undefined) return lift1(value, (left) => (isAbsent(left) ? left : missing))
  const keys = new Set(elements.filter((element) => !isAbsent(element)).map(equalityKey))
  const otherwise = elements.some(isAbsent) ? nullValue : falseValue
  return lift1(value, (left) => {
    if (isAbsent(left)) return left
    return keys.has(equalityKey(left)) ? trueValue : otherwise
  })
}

function compileIs(expression: IsExpression, scope: Scope): Compiled {
  const kind = knownKind(expression.type)
  const { parameters } = expression.type
  const { isNegated } = expression
  const value = compileExpression(expression.value, scope)
  return lift1(value, (operand) => boolValue(isOfKind(operand, kind, parameters) !== isNegated))
}

function compileCast(expression: CastExpression, scope: Scope): Compiled {
  const { type, mode, position } = expression
  const kind = knownKind(type)
  const value = compileExpression(expression.value, scope)
  switch (mode) {
    case 'CAST':
      return lift1(value, (operand) => castValue(operand, kind, type, position))
    case 'CAN_CAST':
      return lift1(value, (operand) => boolValue(canCast(operand, kind, type)))
    case 'CAN_LOSSLESS_CAST':
      return lift1(value, (operand) => boolValue(canCastLossless(operand, kind, type)))
  }
}

function canCast(value: Value, kind: Kind, type: TypeName): boolean {
  if (kind === 'null' || kind === 'missing') return isAbsent(value)
  return value.type === 'missing' || castValue(value, kind, type, type.position) !== missing
}

function canCastLossless(value: Value, kind: Kind, type: TypeName): boolean {
  if (!canCast(value, kind, type)) return false
  if (isAbsent(value)) return true
  const there = castValue(value, kind, type, type.position)
  const back = castValue(there, value.type, { ...type, parameters: [] }, type.position)
  return isEqual(value, back)
}

function knownKind(type: TypeName): Kind {
  const kind = kindOf(type.name)
  if (kind !== undefined) return kind
  throw partiqlError('SEMANTIC', type.position, `there is no type ${type.name}.`)
}

function compileCase(expression: CaseExpression, scope: Scope): Compiled {
  const operand = expression.operand && compileExpression(expression.operand, scope)
  const branches = expression.branches.map((branch) => ({
    when: compileExpression(branch.when, scope).evaluate,
    // A branch may never be taken, so its constants are not evaluated ahead of the choice.
    answer: compileExpression(branch.then, scope).evaluate,
  }))
  const otherwise = expression.otherwise
    ? compileExpression(expression.otherwise, scope).evaluate
    : () => nullValue
  return compiled((env) => {
    const value = operand?.evaluate(env)
    for (const branch of branches) {
      const when = branch.when(env)
      if (isTrue(value === undefined ? when : equals(value, when))) return branch.answer(env)
    }
    return otherwise(env)
  })
}

function compileAggregate(expression: AggregateExpression, scope: Scope): Compiled {
  const { grouping, context } = scope
  const { argument, name, isDistinct } = expression
  if (grouping === undefined) {
    throw partiqlError(
      'SEMANTIC',
      expression.position,
      `the aggregate ${name} may stand only in SELECT, HAVING and ORDER BY of a query.`,
    )
  }
  const evaluate = argument && compileExpression(argument, grouping.rowScope).evaluate
  const slot = grouping.addAggregate(name, evaluate && { evaluate, isDistinct })
  context.uses.add(slot)
  return compiled((env) => env.slots[slot] ?? missing)
}

function compileList(expression: ListExpression, scope: Scope): Compiled {
  const values = expression.values.map((value) => compileExpression(value, scope))
  const evaluates = values.map((value) => value.evaluate)
  const type = expression.constructor_ === 'sexp' ? 'sexp' : 'list'
  return fold(values, (env) =>
    list(
      evaluates.map((evaluate) => evaluate(env)),
      type,
    ),
  )
}

/** Fields with a name that is no text, or with a MISSING value, are left out. */
function compileStruct(expression: StructExpression, scope: Scope): Compiled {
  const fields = expression.fields.map((field) => ({
    name: compileExpression(field.name, scope),
    value: compileExpression(field.value, scope),
  }))
  const operands = fields.flatMap((field) => [field.name, field.value])
  return fold(operands, (env) =>
    struct(
      fields.flatMap((field) => {
        const name = textOf(field.name.evaluate(env))
        return name === undefined ? [] : [{ name, value: field.value.evaluate(env) }]
      }),
    ),
  )
}
