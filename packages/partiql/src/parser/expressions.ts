/**
 * Expressions, loosest operator first: OR, AND, NOT, comparisons, `||`, `+ -`, `* / %`, sign, path.
 * Spec: PartiQL specification, "Grammar"; qldb-compat 5.3. Function forms with words inside are in calls.ts.
 */
import { ionBool, ionNull } from '@cairn/ion'
import type {
  BinaryOperator,
  Expression,
  ListExpression,
  PathStep,
  Position,
  TypeName,
  UnaryOperator,
} from '../ast.ts'
import type { Token } from '../lexer.ts'
import { parseCall, startsCall } from './calls.ts'
import {
  literal,
  parseDate,
  parseIonLiteral,
  parseNumber,
  parseTimestamp,
  stringLiteral,
} from './literals.ts'
import { continueQuery, continuesQuery, parseQuery, startsQuery } from './queries.ts'
import { identifierOf, type TokenStream } from './token-stream.ts'

/** Chains of AND and OR longer than this become a balanced tree, so that visitors may recurse. */
const leftDeepCountMax = 16

/** An expression, or a query without parentheses where only one can stand: in arguments, lists, bags and structs. */
export function parseElement(stream: TokenStream): Expression {
  if (startsQuery(stream)) return parseQueryExpression(stream)
  return parseExpression(stream)
}

export function parseExpression(stream: TokenStream): Expression {
  stream.enter()
  const first = parseAnd(stream)
  const expression = stream.is('OR') ? parseChain(stream, 'OR', first, parseAnd) : first
  stream.leave()
  return expression
}

function parseAnd(stream: TokenStream): Expression {
  const first = parseNot(stream)
  return stream.is('AND') ? parseChain(stream, 'AND', first, parseNot) : first
}

function parseChain(
  stream: TokenStream,
  operator: 'AND' | 'OR',
  first: Expression,
  parseTerm: (stream: TokenStream) => Expression,
): Expression {
  const terms = [first]
  while (stream.accept(operator)) terms.push(parseTerm(stream))
  if (terms.length > leftDeepCountMax) return balance(operator, terms, 0, terms.length)
  return terms.reduce((left, right) => binary(operator, left, right))
}

/** AND and OR are associative, also over NULL and MISSING; the order of the terms stays. */
function balance(
  operator: 'AND' | 'OR',
  terms: readonly Expression[],
  start: number,
  end: number,
): Expression {
  if (end - start === 1) return terms[start] as Expression
  const middle = (start + end) >>> 1
  return binary(
    operator,
    balance(operator, terms, start, middle),
    balance(operator, terms, middle, end),
  )
}

function parseNot(stream: TokenStream): Expression {
  if (!stream.is('NOT')) return parseComparison(stream)
  const positions: Position[] = []
  while (stream.is('NOT')) positions.push(stream.advance().position)
  return unaries('NOT', positions, parseComparison(stream))
}

/** Comparisons and predicates share a level and associate to the left: `a = b IS NULL` is `(a = b) IS NULL`. */
function parseComparison(stream: TokenStream): Expression {
  let left = parseOperand(stream)
  for (;;) {
    const next = parsePredicate(stream, left)
    if (next === undefined) return left
    left = next
  }
}

function parsePredicate(stream: TokenStream, left: Expression): Expression | undefined {
  const { code, kind } = stream.token
  if (kind !== 'word' && kind !== 'symbol') return undefined
  switch (code) {
    case '=':
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=': {
      stream.advance()
      return binary(code, left, parseComparand(stream))
    }
    case '!=':
      stream.advance()
      return binary('<>', left, parseComparand(stream))
    case 'IS':
      return parseIs(stream, left)
    case 'OVERLAPS': {
      stream.advance()
      const args = Object.freeze([left, parseOperand(stream)])
      return Object.freeze({
        kind: 'call',
        name: 'OVERLAPS',
        arguments: args,
        isDistinct: false,
        position: left.position,
      })
    }
    case 'NOT':
    case 'IN':
    case 'LIKE':
    case 'BETWEEN':
      return parseNegatable(stream, left)
    default:
      return undefined
  }
}

/** The right side of a comparison sign. */
function parseComparand(stream: TokenStream): Expression {
  if (stream.is('=')) {
    throw stream.expected('an expression', ['Equality is written with one =.'])
  }
  return parseOperand(stream)
}

function parseIs(stream: TokenStream, value: Expression): Expression {
  stream.expect('IS')
  const isNegated = stream.accept('NOT')
  const type = parseType(stream)
  return Object.freeze({ kind: 'is', value, type, isNegated, position: value.position })
}

function parseNegatable(stream: TokenStream, value: Expression): Expression {
  const { position } = value
  const isNegated = stream.accept('NOT')
  if (stream.accept('IN')) {
    const collection = parseInCollection(stream)
    return Object.freeze({ kind: 'in', value, collection, isNegated, position })
  }
  if (stream.accept('LIKE')) {
    const pattern = parseOperand(stream)
    const escapeMark = stream.accept('ESCAPE') ? parseOperand(stream) : undefined
    return Object.freeze({ kind: 'like', value, pattern, escape: escapeMark, isNegated, position })
  }
  if (stream.accept('BETWEEN')) {
    const low = parseOperand(stream)
    stream.expect('AND')
    const high = parseOperand(stream)
    return Object.freeze({ kind: 'between', value, low, high, isNegated, position })
  }
  throw stream.expected('IN, LIKE or BETWEEN')
}

/** `IN (a)` asks for one of a list as `IN (a, b)` does; `IN (SELECT …)` and `IN (<<…>>)` give the collection itself. */
function parseInCollection(stream: TokenStream): Expression {
  if (!stream.is('(')) return parseOperand(stream)
  const { position } = stream
  const inner = parseParenthesized(stream)
  if (startsPathStep(stream) || precedenceOf(stream.token) > 0) {
    return continueOperand(stream, continuePath(stream, inner), 1)
  }
  const isCollection = inner.kind === 'query' || inner.kind === 'list' || inner.kind === 'bag'
  return isCollection ? inner : list('values', [inner], position)
}

// ---- arithmetic and concatenation ----

/** Above comparison: `||` 1, sums 2, products 3; 0 for anything else. */
function precedenceOf(token: Token): 0 | 1 | 2 | 3 {
  if (token.kind !== 'symbol') return 0
  switch (token.code) {
    case '||':
      return 1
    case '+':
    case '-':
      return 2
    case '*':
    case '/':
    case '%':
      return 3
    default:
      return 0
  }
}

/** An operand of a comparison. */
export function parseOperand(stream: TokenStream): Expression {
  return continueOperand(stream, parseSigned(stream), 1)
}

function continueOperand(
  stream: TokenStream,
  first: Expression,
  precedenceMin: number,
): Expression {
  let left = first
  for (;;) {
    const precedence = precedenceOf(stream.token)
    if (precedence === 0 || precedence < precedenceMin) return left
    const operator = stream.advance().code as BinaryOperator
    const right = continueOperand(stream, parseSigned(stream), precedence + 1)
    left = binary(operator, left, right)
  }
}

function parseSigned(stream: TokenStream): Expression {
  if (!stream.is('-') && !stream.is('+')) return parsePath(stream)
  const signs: Token[] = []
  while (stream.is('-') || stream.is('+')) signs.push(stream.advance())
  let operand = parsePath(stream)
  for (let sign = signs.pop(); sign !== undefined; sign = signs.pop()) {
    operand = unaries(sign.code as UnaryOperator, [sign.position], operand)
  }
  return operand
}

// ---- paths ----

/** A primary expression with the steps after it. */
export function parsePath(stream: TokenStream): Expression {
  return continuePath(stream, parsePrimary(stream))
}

function startsPathStep(stream: TokenStream): boolean {
  return stream.is('.') || stream.is('[')
}

function continuePath(stream: TokenStream, root: Expression): Expression {
  if (!startsPathStep(stream)) return root
  const steps: PathStep[] = []
  while (startsPathStep(stream)) steps.push(parsePathStep(stream))
  return Object.freeze({
    kind: 'path',
    root,
    steps: Object.freeze(steps),
    position: root.position,
  })
}

function parsePathStep(stream: TokenStream): PathStep {
  const opening = stream.advance()
  const { position } = opening
  if (opening.code === '.') {
    if (stream.accept('*')) return Object.freeze({ kind: 'allFields', position })
    const { kind } = stream.token
    // Any word: reserved ones are in no doubt after a dot. A string is taken as a quoted name.
    if (kind !== 'word' && kind !== 'quoted' && kind !== 'string') {
      throw stream.expected("a name or '*' after '.'")
    }
    return Object.freeze({ kind: 'field', identifier: identifierOf(stream.advance()), position })
  }
  if (stream.is('*') && stream.peek().code === ']') {
    stream.advance()
    stream.advance()
    return Object.freeze({ kind: 'allElements', position })
  }
  const expression = parseElement(stream)
  stream.expectClosing(']', opening)
  return Object.freeze({ kind: 'element', expression, position })
}

// ---- primary expressions ----

function parsePrimary(stream: TokenStream): Expression {
  const { token } = stream
  switch (token.kind) {
    case 'number':
      return parseNumber(stream.advance())
    case 'string':
      stream.advance()
      return stringLiteral(token.text, token.position)
    case 'ion':
      return parseIonLiteral(stream.advance())
    case 'symbol':
      return parseSymbol(stream)
    case 'word':
      return parseWord(stream)
    case 'quoted':
      return parseNameExpression(stream, false)
    case 'end':
      throw stream.expected('an expression')
  }
}

function parseSymbol(stream: TokenStream): Expression {
  const { code, position } = stream.token
  switch (code) {
    case '?':
      stream.advance()
      return Object.freeze({ kind: 'parameter', index: stream.parameterCount++, position })
    case '(':
      return parseParenthesized(stream)
    case '[':
      return list('list', parseSequence(stream, ']'), position)
    case '<<':
      return bag(parseSequence(stream, '>>'), position)
    case '{':
      return parseStruct(stream)
    case '@':
      stream.advance()
      return parseNameExpression(stream, true)
    default:
      throw stream.expected('an expression')
  }
}

function parseWord(stream: TokenStream): Expression {
  const { code, position } = stream.token
  switch (code) {
    case 'NULL':
      stream.advance()
      return literal(ionNull(), position)
    case 'MISSING':
      stream.advance()
      return Object.freeze({ kind: 'missing', position })
    case 'TRUE':
    case 'FALSE':
      stream.advance()
      return literal(ionBool(code === 'TRUE'), position)
    case 'CASE':
      return parseCase(stream)
    case 'VALUES':
      return parseValues(stream)
    case 'DATE':
      return parseDate(stream)
    case 'TIMESTAMP':
      return parseTimestamp(stream)
    case 'TIME':
    case 'INTERVAL':
      throw stream.expected('an expression', [
        `Ion has no type for ${code}; a timestamp such as \`2024-02-29T13:05Z\` may do.`,
      ])
    case 'BAG':
      if (stream.peek().code !== '(') break
      stream.advance()
      return bag(parseSequence(stream, ')'), position)
    case 'LIST':
    case 'SEXP': {
      if (stream.peek().code !== '(') break
      stream.advance()
      return list(code === 'LIST' ? 'list' : 'sexp', parseSequence(stream, ')'), position)
    }
  }
  if (startsCall(stream)) return parseCall(stream)
  return parseNameExpression(stream, false)
}

function parseNameExpression(stream: TokenStream, isLocal: boolean): Expression {
  const start = stream.position
  const identifier = stream.parseName(isLocal ? "a name after '@'" : 'an expression')
  return Object.freeze({ kind: 'name', identifier, isLocal, position: start })
}

/** `(e)` is `e`; `(a, b)` a list; `(SELECT …)` a query. */
function parseParenthesized(stream: TokenStream): Expression {
  const opening = stream.expect('(')
  const { position } = opening
  if (startsQuery(stream)) {
    const query = parseQueryExpression(stream)
    stream.expectClosing(')', opening)
    return query
  }
  const first = parseExpression(stream)
  if (continuesQuery(stream)) {
    const query = continueQuery(stream, first)
    stream.expectClosing(')', opening)
    return Object.freeze({ kind: 'query', query, position })
  }
  if (!stream.is(',')) {
    stream.expectClosing(')', opening)
    return first
  }
  const values = [first]
  while (stream.accept(',')) values.push(parseElement(stream))
  stream.expectClosing(')', opening)
  return list('values', values, position)
}

function parseQueryExpression(stream: TokenStream): Expression {
  const { position } = stream
  return Object.freeze({ kind: 'query', query: parseQuery(stream), position })
}

/** From an opening token at hand to `closing`: elements with commas between them, or none. */
export function parseSequence(stream: TokenStream, closing: string): readonly Expression[] {
  const opening = stream.advance()
  const values: Expression[] = []
  if (!stream.is(closing)) {
    do values.push(parseElement(stream))
    while (stream.accept(','))
  }
  stream.expectClosing(closing, opening)
  return values
}

function parseStruct(stream: TokenStream): Expression {
  const opening = stream.expect('{')
  const fields: { readonly name: Expression; readonly value: Expression }[] = []
  if (!stream.is('}')) {
    do {
      const name = parseExpression(stream)
      stream.expect(':')
      fields.push(Object.freeze({ name, value: parseElement(stream) }))
    } while (stream.accept(','))
  }
  stream.expectClosing('}', opening)
  return Object.freeze({
    kind: 'struct',
    fields: Object.freeze(fields),
    position: opening.position,
  })
}

/** `VALUES (1, 2), (3, 4)`: a bag of rows. A row of one value is a row all the same. */
function parseValues(stream: TokenStream): Expression {
  const { position, text } = stream.expect('VALUES')
  const rows: Expression[] = []
  do {
    const start = stream.position
    if (!stream.is('(')) {
      throw stream.expected("'('", [
        `VALUES is a reserved word; as a name it is written "${text}".`,
      ])
    }
    rows.push(list('values', parseSequence(stream, ')'), start))
  } while (stream.accept(','))
  return bag(rows, position)
}

function parseCase(stream: TokenStream): Expression {
  const { position } = stream.expect('CASE')
  const operand = stream.is('WHEN') ? undefined : parseExpression(stream)
  const branches: { readonly when: Expression; readonly then: Expression }[] = []
  if (!stream.is('WHEN')) throw stream.expected('WHEN')
  while (stream.accept('WHEN')) {
    const when = parseExpression(stream)
    stream.expect('THEN')
    // biome-ignore lint/suspicious/noThenProperty: named for the keyword; nobody awaits a node.
    branches.push(Object.freeze({ when, then: parseElement(stream) }))
  }
  const otherwise = stream.accept('ELSE') ? parseElement(stream) : undefined
  stream.expect('END')
  return Object.freeze({
    kind: 'case',
    operand,
    branches: Object.freeze(branches),
    otherwise,
    position,
  })
}

// ---- types ----

/** Types of more than one word, each word but the last followed by the rest. */
const longTypes: Readonly<Record<string, readonly string[]>> = {
  DOUBLE: ['PRECISION'],
  CHARACTER: ['VARYING'],
  TIME: ['WITH', 'TIME', 'ZONE'],
  TIMESTAMP: ['WITH', 'TIME', 'ZONE'],
}

/** Any word: the binder knows which types there are. */
export function parseType(stream: TokenStream): TypeName {
  if (stream.token.kind !== 'word') throw stream.expected('the name of a type')
  const { code, position } = stream.advance()
  const words = [code]
  const rest = Object.hasOwn(longTypes, code) ? (longTypes[code] ?? []) : []
  // Parameters may stand before the rest, as in TIME (3) WITH TIME ZONE, or after it.
  let parameters = parseTypeParameters(stream)
  if (rest.length > 0 && stream.is(rest[0] as string)) {
    for (const word of rest) words.push(stream.expect(word).code)
    if (parameters.length === 0) parameters = parseTypeParameters(stream)
  }
  return Object.freeze({ name: words.join(' '), parameters: Object.freeze(parameters), position })
}

function parseTypeParameters(stream: TokenStream): readonly number[] {
  if (!stream.is('(')) return []
  const opening = stream.advance()
  const parameters: number[] = []
  do {
    const { kind, text } = stream.token
    if (kind !== 'number' || !/^[0-9]{1,9}$/.test(text)) throw stream.expected('a whole number')
    stream.advance()
    parameters.push(Number(text))
  } while (stream.accept(','))
  stream.expectClosing(')', opening)
  return parameters
}

// ---- nodes ----

function binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
  return Object.freeze({ kind: 'binary', operator, left, right, position: left.position })
}

function unaries(
  operator: UnaryOperator,
  positions: readonly Position[],
  operand: Expression,
): Expression {
  return positions.reduceRight<Expression>(
    (inner, position) => Object.freeze({ kind: 'unary', operator, operand: inner, position }),
    operand,
  )
}

function list(
  constructor_: ListExpression['constructor_'],
  values: readonly Expression[],
  position: Position,
): Expression {
  return Object.freeze({ kind: 'list', values: Object.freeze(values), constructor_, position })
}

function bag(values: readonly Expression[], position: Position): Expression {
  return Object.freeze({ kind: 'bag', values: Object.freeze(values), position })
}
