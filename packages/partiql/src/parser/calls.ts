/**
 * Calls: plain ones, SQL aggregates, and the SQL forms with words between the arguments, which become plain arguments
 * (see CallExpression). Which functions there are, and how many arguments they take, is the binder's business.
 */
import type { Expression, Position } from '../ast.ts'
import type { Token } from '../lexer.ts'
import { dateParts, reservedWords } from '../reserved-words.ts'
import {
  parseElement,
  parseExpression,
  parseOperand,
  parseSequence,
  parseType,
} from './expressions.ts'
import { stringLiteral } from './literals.ts'
import type { TokenStream } from './token-stream.ts'

type FormParser = (stream: TokenStream, name: Token) => Expression

const forms: ReadonlyMap<string, FormParser> = new Map<string, FormParser>([
  ['CAST', parseCast],
  ['CAN_CAST', parseCast],
  ['CAN_LOSSLESS_CAST', parseCast],
  ['EXTRACT', parseExtract],
  ['DATE_ADD', parseDateCall],
  ['DATE_DIFF', parseDateCall],
  ['TRIM', parseTrim],
  ['SUBSTRING', parseSubstring],
  ['POSITION', parsePosition],
  ['OVERLAY', parseOverlay],
  ['EXISTS', parseExists],
  ...['COUNT', 'SUM', 'AVG', 'MIN', 'MAX', 'EVERY', 'SOME', 'ANY'].map(
    (name): [string, FormParser] => [name, parseAggregate],
  ),
])

/** Reserved words that are functions without a form of their own. */
const reservedFunctions: ReadonlySet<string> = new Set(
  `BIT_LENGTH CHARACTER_LENGTH CHAR_LENGTH COALESCE CONVERT LOWER NULLIF OCTET_LENGTH SIZE
  TO_STRING TO_TIMESTAMP TRANSLATE TXID UPPER UTCNOW`.split(/\s+/),
)

/** A word with its parenthesis. */
export function startsCall(stream: TokenStream): boolean {
  if (stream.token.kind !== 'word' || stream.peek().code !== '(') return false
  const { code } = stream.token
  return (
    forms.has(code) ||
    reservedFunctions.has(code) ||
    !reservedWords.has(code) ||
    dateParts.has(code)
  )
}

export function parseCall(stream: TokenStream): Expression {
  const name = stream.advance()
  const parseForm = forms.get(name.code)
  if (parseForm !== undefined) return parseForm(stream, name)
  if (name.code.startsWith('COLL_')) return parseCollectionCall(stream, name)
  return call(name, parseSequence(stream, ')'))
}

/** `COLL_SUM(DISTINCT collection)`: the aggregates of PartiQL proper, which take a collection as any value. */
function parseCollectionCall(stream: TokenStream, name: Token): Expression {
  const next = stream.peek().code
  if (next !== 'DISTINCT' && next !== 'ALL') return call(name, parseSequence(stream, ')'))
  const opening = stream.expect('(')
  stream.advance()
  const argument = parseElement(stream)
  stream.expectClosing(')', opening)
  return call(name, [argument], next === 'DISTINCT')
}

function parseAggregate(stream: TokenStream, name: Token): Expression {
  const opening = stream.expect('(')
  let isDistinct = false
  let argument: Expression | undefined
  if (name.code !== 'COUNT' || !stream.accept('*')) {
    isDistinct = stream.accept('DISTINCT')
    if (!isDistinct) stream.accept('ALL')
    argument = parseElement(stream)
  }
  stream.expectClosing(')', opening)
  return Object.freeze({
    kind: 'aggregate',
    name: name.code,
    argument,
    isDistinct,
    position: name.position,
  })
}

function parseExists(stream: TokenStream, name: Token): Expression {
  const opening = stream.expect('(')
  const operand = parseElement(stream)
  stream.expectClosing(')', opening)
  return Object.freeze({ kind: 'exists', operand, position: name.position })
}

/** `CAST(e AS type)` and its two questions. */
function parseCast(stream: TokenStream, name: Token): Expression {
  const opening = stream.expect('(')
  const value = parseElement(stream)
  stream.expect('AS')
  const type = parseType(stream)
  stream.expectClosing(')', opening)
  const mode = name.code as 'CAST' | 'CAN_CAST' | 'CAN_LOSSLESS_CAST'
  return Object.freeze({ kind: 'cast', mode, value, type, position: name.position })
}

function parseDatePart(stream: TokenStream): Expression {
  const { code, position } = stream.token
  if (!dateParts.has(code)) {
    throw stream.expected('a part of a date', [`The parts are ${[...dateParts].join(', ')}, bare.`])
  }
  stream.advance()
  return stringLiteral(code.toLowerCase(), position)
}

/** `EXTRACT(year FROM t)` */
function parseExtract(stream: TokenStream, name: Token): Expression {
  const opening = stream.expect('(')
  const part = parseDatePart(stream)
  stream.expect('FROM')
  const value = parseElement(stream)
  stream.expectClosing(')', opening)
  return call(name, [part, value])
}

/** `DATE_ADD(year, 1, t)` */
function parseDateCall(stream: TokenStream, name: Token): Expression {
  const opening = stream.expect('(')
  const args = [parseDatePart(stream)]
  while (stream.accept(',')) args.push(parseElement(stream))
  stream.expectClosing(')', opening)
  return call(name, args)
}

/** `TRIM(s)`, `TRIM(c FROM s)`, `TRIM(LEADING FROM s)`, `TRIM(BOTH c FROM s)`. */
function parseTrim(stream: TokenStream, name: Token): Expression {
  const opening = stream.expect('(')
  const side = stream.is('LEADING') || stream.is('TRAILING') || stream.is('BOTH')
  const sideToken = side ? stream.advance() : undefined
  const first = stream.is('FROM') ? undefined : parseElement(stream)
  if (sideToken === undefined && !stream.is('FROM')) {
    stream.expectClosing(')', opening)
    return call(name, first === undefined ? [] : [first])
  }
  const { position } = stream.expect('FROM')
  const value = parseElement(stream)
  stream.expectClosing(')', opening)
  const sideText = (sideToken?.code ?? 'BOTH').toLowerCase()
  const sideLiteral = stringLiteral(sideText, sideToken?.position ?? name.position)
  return call(name, [sideLiteral, first ?? stringLiteral(' ', position), value])
}

/** `SUBSTRING(s FROM 1 FOR 2)` or with commas. */
function parseSubstring(stream: TokenStream, name: Token): Expression {
  const opening = stream.expect('(')
  const args = stream.is(')') ? [] : [parseElement(stream)]
  if (stream.accept('FROM')) {
    args.push(parseElement(stream))
    if (stream.accept('FOR')) args.push(parseElement(stream))
  } else {
    while (stream.accept(',')) args.push(parseElement(stream))
  }
  stream.expectClosing(')', opening)
  return call(name, args)
}

/** `POSITION(a IN b)` or with a comma. IN is no operator here, so `a` is an operand. */
function parsePosition(stream: TokenStream, name: Token): Expression {
  const opening = stream.expect('(')
  const first = parseOperand(stream)
  if (!stream.accept('IN')) stream.expect(',')
  const second = parseElement(stream)
  stream.expectClosing(')', opening)
  return call(name, [first, second])
}

/** `OVERLAY(s PLACING r FROM 1 FOR 2)` or with commas. */
function parseOverlay(stream: TokenStream, name: Token): Expression {
  const opening = stream.expect('(')
  const args = [parseElement(stream)]
  if (stream.accept('PLACING')) {
    args.push(parseExpression(stream))
    stream.expect('FROM')
    args.push(parseExpression(stream))
    if (stream.accept('FOR')) args.push(parseExpression(stream))
  } else {
    while (stream.accept(',')) args.push(parseElement(stream))
  }
  stream.expectClosing(')', opening)
  return call(name, args)
}

function call(name: Token, args: readonly Expression[], isDistinct = false): Expression {
  const position: Position = name.position
  return Object.freeze({
    kind: 'call',
    name: name.code,
    arguments: Object.freeze(args),
    isDistinct,
    position,
  })
}
