/** LIKE and NOT LIKE. A constant pattern is read once. */
import type { LikeExpression, Position } from '../ast.ts'
import { partiqlError } from '../errors.ts'
import { isLike, type LikePattern, parseLikePattern } from '../values/like.ts'
import { boolValue, isAbsent, missing, nullValue, textOf, type Value } from '../values/value.ts'
import { addWork, type Compiled, compiled, type Environment, fold } from './environment.ts'
import { compileExpression } from './expression.ts'
import type { Scope } from './scope.ts'

/**
 * Longest pattern. Ours: matching costs at most text × pattern steps, and a text may have 128 K characters.
 */
const patternLengthMax = 1024
/** Steps of matching that cost as much as a row does. */
const stepsPerRow = 256

export function compileLike(expression: LikeExpression, scope: Scope): Compiled {
  const value = compileExpression(expression.value, scope)
  const pattern = compileExpression(expression.pattern, scope)
  const escapeWith = expression.escape && compileExpression(expression.escape, scope)
  const { isNegated } = expression
  const answer = (env: Environment, operand: Value, read: LikePattern | Value): Value => {
    if ('type' in read) return read.type === 'null' || operand.type === 'null' ? nullValue : read
    if (isAbsent(operand)) return operand
    const text = textOf(operand)
    if (text === undefined) return missing
    addWork(env, (text.length * read.length) / stepsPerRow)
    return boolValue(isLike(text, read) !== isNegated)
  }
  if (
    pattern.constant !== undefined &&
    (escapeWith === undefined || escapeWith.constant !== undefined)
  ) {
    const read = readPattern(pattern.constant, escapeWith?.constant, expression.position)
    return fold([value], (env) => answer(env, value.evaluate(env), read))
  }
  return compiled((env) =>
    answer(
      env,
      value.evaluate(env),
      readPattern(pattern.evaluate(env), escapeWith?.evaluate(env), expression.position),
    ),
  )
}

/** The pattern, or what LIKE answers in place of a match: NULL, or MISSING for a pattern that is none. */
function readPattern(
  pattern: Value,
  escapeWith: Value | undefined,
  position: Position,
): LikePattern | Value {
  if (isAbsent(pattern)) return pattern
  if (escapeWith !== undefined && isAbsent(escapeWith)) return escapeWith
  const text = textOf(pattern)
  const escapeText = escapeWith === undefined ? undefined : textOf(escapeWith)
  if (text === undefined) return missing
  if (
    escapeWith !== undefined &&
    (escapeText === undefined || Array.from(escapeText).length !== 1)
  ) {
    return missing
  }
  if (text.length > patternLengthMax) {
    throw partiqlError('LIMIT', position, `a pattern has at most ${patternLengthMax} characters.`)
  }
  return parseLikePattern(text, escapeText) ?? missing
}
