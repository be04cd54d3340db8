/** Calls: the function, the number of its arguments and constants of a wrong kind are checked here. */
import type { CallExpression } from '../ast.ts'
import { partiqlError } from '../errors.ts'
import {
  type ArgumentKind,
  type FunctionDefinition,
  isOfArgumentKind,
} from '../functions/definition.ts'
import { findFunction, nearestFunction } from '../functions/registry.ts'
import { counted, describeValue, withArticle } from '../values/describe.ts'
import { equalityKey } from '../values/equality.ts'
import { bag, elementsOf, missing, nullValue, type Value } from '../values/value.ts'
import { type Compiled, compiled, fold, lift1 } from './environment.ts'
import { compileCollection, compileExpression } from './expression.ts'
import type { Scope } from './scope.ts'

export function compileCall(expression: CallExpression, scope: Scope): Compiled {
  const definition = findFunction(expression.name)
  if (definition === undefined) throw unknownFunction(expression)
  checkArgumentCount(expression, definition)
  const operands = expression.arguments.map((argument, index) => {
    const kind = kindAt(definition, index)
    const isCollection = kind === 'collection' || expression.name.startsWith('COLL_')
    const operand = isCollection
      ? compileCollection(argument, scope)
      : compileExpression(argument, scope)
    checkConstant(operand.constant, expression, definition, index)
    return expression.isDistinct ? lift1(operand, distinctElements) : operand
  })
  const evaluates = operands.map((operand) => operand.evaluate)
  const { isStrict, isVolatile } = definition
  const forMissing = scope.context.options.missingArguments === 'missing' ? missing : nullValue
  const call = (env: Parameters<(typeof evaluates)[0]>[0]): Value => {
    const args = evaluates.map((evaluate) => evaluate(env))
    if (isStrict) {
      const absent = strictAnswer(args, forMissing)
      if (absent !== undefined) return absent
    }
    return definition.evaluate(args, env)
  }
  return isVolatile ? compiled(call) : fold(operands, call)
}

function strictAnswer(args: readonly Value[], forMissing: Value): Value | undefined {
  let answer: Value | undefined
  for (const { type } of args) {
    if (type === 'missing') return forMissing
    if (type === 'null') answer = nullValue
  }
  return answer
}

const kindWords: Readonly<Record<ArgumentKind, string>> = {
  any: 'value',
  text: 'text',
  number: 'number',
  int: 'int',
  timestamp: 'timestamp',
  collection: 'collection',
  bytes: 'text or lob',
}

function kindAt(definition: FunctionDefinition, index: number) {
  return definition.kinds[Math.min(index, definition.kinds.length - 1)] ?? 'any'
}

function checkArgumentCount(expression: CallExpression, definition: FunctionDefinition): void {
  const { argumentCountMin: least, argumentCountMax: most } = definition
  const given = expression.arguments.length
  if (given >= least && given <= most) return
  const range =
    least === most
      ? `${least}`
      : most === Number.POSITIVE_INFINITY
        ? `${least} or more`
        : `${least} to ${most}`
  throw partiqlError(
    'SEMANTIC',
    expression.position,
    `${expression.name} takes ${counted(range, 'argument')}, not ${given}.`,
  )
}

function checkConstant(
  constant: Value | undefined,
  expression: CallExpression,
  definition: FunctionDefinition,
  index: number,
): void {
  const kind = kindAt(definition, index)
  if (constant === undefined || isOfArgumentKind(constant, kind)) return
  const argument = `argument ${index + 1} of ${expression.name}`
  const wanted = withArticle(kindWords[kind])
  throw partiqlError(
    'SEMANTIC',
    expression.position,
    `${argument} is ${describeValue(constant)}, not ${wanted}.`,
  )
}

/** The collection without repeated elements, for `COLL_SUM(DISTINCT c)`. */
function distinctElements(value: Value): Value {
  const elements = elementsOf(value)
  if (elements === undefined) return value
  const byKey = new Map<string, Value>()
  for (const element of elements) {
    const key = equalityKey(element)
    if (!byKey.has(key)) byKey.set(key, element)
  }
  return bag([...byKey.values()])
}

function unknownFunction(expression: CallExpression): Error {
  const nearest = nearestFunction(expression.name)
  return partiqlError(
    'SEMANTIC',
    expression.position,
    `there is no function ${expression.name}.`,
    nearest === undefined ? [] : [`Did you mean ${nearest}?`],
  )
}
