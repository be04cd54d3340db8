/**
 * Queries: SELECT and PIVOT, the set operators over them, ORDER BY, LIMIT and OFFSET.
 * Spec: PartiQL specification, "Query"; qldb-compat 5.1, 5.6. Not here: WITH, CORRESPONDING, window functions.
 */
import type {
  Expression,
  GroupItem,
  Identifier,
  OrderItem,
  Projection,
  ProjectionItem,
  Query,
  SelectQuery,
  SetQuery,
} from '../ast.ts'
import { reservedWords } from '../reserved-words.ts'
import { parseElement, parseExpression, parsePath } from './expressions.ts'
import { parseSources } from './sources.ts'
import type { TokenStream } from './token-stream.ts'

/** A query that is no expression without parentheses. */
export function startsQuery(stream: TokenStream): boolean {
  return stream.is('SELECT') || stream.is('PIVOT') || stream.is('TABLE')
}

/** Whether what follows an expression makes a query of it. */
export function continuesQuery(stream: TokenStream): boolean {
  const { code, kind } = stream.token
  if (kind !== 'word') return false
  const isOrdering = code === 'ORDER' || code === 'LIMIT' || code === 'OFFSET'
  return isOrdering || setOperatorAt(stream) !== undefined
}

/** A query with its order and bounds. A bare expression is one too. */
export function parseQuery(stream: TokenStream): Query {
  stream.enter()
  const query = parseOrdering(stream, parseSetOperators(stream, parseTerm(stream), 1))
  stream.leave()
  return query
}

/** The rest of a query whose first term was read as an expression. */
export function continueQuery(stream: TokenStream, first: Expression): Query {
  return parseOrdering(stream, parseSetOperators(stream, queryOf(first), 1))
}

function queryOf(expression: Expression): Query {
  if (expression.kind === 'query') return expression.query
  return Object.freeze({ kind: 'expressionQuery', expression, position: expression.position })
}

// ---- set operators ----

type SetOperator = SetQuery['operator']

function setOperatorAt(stream: TokenStream): SetOperator | undefined {
  const { code } = stream.is('OUTER') ? stream.peek() : stream.token
  return code === 'UNION' || code === 'INTERSECT' || code === 'EXCEPT' ? code : undefined
}

/** INTERSECT binds tighter than UNION and EXCEPT, as in SQL. */
function parseSetOperators(stream: TokenStream, first: Query, precedenceMin: number): Query {
  let left = first
  for (;;) {
    const operator = setOperatorAt(stream)
    const precedence = operator === 'INTERSECT' ? 2 : 1
    if (operator === undefined || precedence < precedenceMin) return left
    const isOuter = stream.accept('OUTER')
    stream.advance()
    const isAll = stream.accept('ALL')
    if (!isAll) stream.accept('DISTINCT')
    if (stream.is('CORRESPONDING')) {
      throw stream.expected('a query', [
        'CORRESPONDING is not supported; name the columns in each SELECT.',
      ])
    }
    const right = parseSetOperators(stream, parseTerm(stream), precedence + 1)
    const { position } = left
    left = Object.freeze({ kind: 'set', operator, isAll, isOuter, left, right, position })
  }
}

function parseTerm(stream: TokenStream): Query {
  if (stream.is('SELECT') || stream.is('PIVOT')) return parseSelect(stream)
  // TABLE t is the whole table, as an expression of its name is.
  if (stream.accept('TABLE')) return queryOf(parsePath(stream))
  return queryOf(parseExpression(stream))
}

// ---- order and bounds ----

function parseOrdering(stream: TokenStream, query: Query): Query {
  const orderBy = parseOrderBy(stream)
  const limit = stream.accept('LIMIT') ? parseExpression(stream) : undefined
  const offset = stream.accept('OFFSET') ? parseExpression(stream) : undefined
  if (orderBy.length === 0 && limit === undefined && offset === undefined) return query
  const { position } = query
  return Object.freeze({ kind: 'ordered', query, orderBy, limit, offset, position })
}

function parseOrderBy(stream: TokenStream): readonly OrderItem[] {
  const items: OrderItem[] = []
  if (stream.accept('ORDER')) {
    stream.expect('BY')
    do items.push(parseOrderItem(stream))
    while (stream.accept(','))
  }
  return Object.freeze(items)
}

function parseOrderItem(stream: TokenStream): OrderItem {
  const expression = parseExpression(stream)
  const isDescending = stream.accept('DESC')
  if (!isDescending) stream.accept('ASC')
  let nulls: OrderItem['nulls']
  if (stream.accept('NULLS')) {
    if (stream.accept('FIRST')) nulls = 'first'
    else if (stream.accept('LAST')) nulls = 'last'
    else throw stream.expected('FIRST or LAST')
  }
  return Object.freeze({ expression, isDescending, nulls })
}

// ---- SELECT ----

function parseSelect(stream: TokenStream): SelectQuery {
  const { position } = stream
  const isPivot = stream.is('PIVOT')
  stream.advance()
  const isDistinct = !isPivot && stream.accept('DISTINCT')
  if (!isPivot && !isDistinct) stream.accept('ALL')
  const projection = isPivot ? parsePivot(stream) : parseProjection(stream)
  const from = parseFrom(stream, projection)
  const lets = parseLets(stream)
  const where = stream.accept('WHERE') ? parseExpression(stream) : undefined
  const { groupBy, groupAs } = parseGroupBy(stream)
  const having = stream.accept('HAVING') ? parseExpression(stream) : undefined
  return Object.freeze({
    kind: 'select',
    isDistinct,
    projection,
    from,
    lets,
    where,
    groupBy,
    groupAs,
    having,
    position,
  })
}

/** `PIVOT value AT name` */
function parsePivot(stream: TokenStream): Projection {
  const value = parseExpression(stream)
  stream.expect('AT')
  return Object.freeze({ kind: 'pivot', value, at: parseExpression(stream) })
}

function parseProjection(stream: TokenStream): Projection {
  if (stream.accept('VALUE')) {
    return Object.freeze({ kind: 'value', expression: parseExpression(stream) })
  }
  if (stream.accept('*')) {
    if (stream.is(',')) throw stream.expected('FROM', ["'*' stands alone after SELECT."])
    return Object.freeze({ kind: 'star' })
  }
  const items: ProjectionItem[] = []
  do items.push(parseProjectionItem(stream))
  while (stream.accept(','))
  return Object.freeze({ kind: 'items', items: Object.freeze(items) })
}

function parseProjectionItem(stream: TokenStream): ProjectionItem {
  const { position } = stream
  if (stream.is('*')) {
    throw stream.expected('an expression', ["'*' stands alone after SELECT; one source is a.*."])
  }
  const expression = parseExpression(stream)
  const source = sourceOfAll(expression)
  if (source !== undefined) return Object.freeze({ kind: 'allOf', expression: source, position })
  const alias = stream.parseOptionalAlias()
  return Object.freeze({ kind: 'expression', expression, alias, position })
}

/** `a` of `a.*`, or undefined when the expression does not end so. */
function sourceOfAll(expression: Expression): Expression | undefined {
  if (expression.kind !== 'path' || expression.steps.at(-1)?.kind !== 'allFields') return undefined
  const { root, steps, position } = expression
  if (steps.length === 1) return root
  return Object.freeze({ kind: 'path', root, steps: Object.freeze(steps.slice(0, -1)), position })
}

/** `SELECT 1` has no FROM; `*` and PIVOT mean nothing without one. */
function parseFrom(stream: TokenStream, projection: Projection): SelectQuery['from'] {
  if (stream.accept('FROM')) return parseSources(stream)
  const { kind, code } = stream.token
  const isStray = kind !== 'end' && kind !== 'symbol' && !reservedWords.has(code)
  const isNeeded = projection.kind === 'star' || projection.kind === 'pivot'
  if (isNeeded || (isStray && code !== 'OFFSET' && code !== 'LET')) throw stream.expected('FROM')
  return undefined
}

function parseLets(stream: TokenStream): SelectQuery['lets'] {
  const lets: { readonly expression: Expression; readonly alias: Identifier }[] = []
  if (stream.accept('LET')) {
    do {
      const expression = parseElement(stream)
      stream.expect('AS')
      lets.push(Object.freeze({ expression, alias: stream.parseAlias('a name after AS') }))
    } while (stream.accept(','))
  }
  return Object.freeze(lets)
}

function parseGroupBy(stream: TokenStream): Pick<SelectQuery, 'groupBy' | 'groupAs'> {
  const groupBy: GroupItem[] = []
  let groupAs: Identifier | undefined
  if (stream.accept('GROUP')) {
    stream.expect('BY')
    do {
      const expression = parseExpression(stream)
      const alias = stream.accept('AS') ? stream.parseAlias('a name after AS') : undefined
      groupBy.push(Object.freeze({ expression, alias }))
    } while (stream.accept(','))
    if (stream.accept('GROUP')) {
      stream.expect('AS')
      groupAs = stream.parseAlias('a name after AS')
    }
  }
  return { groupBy: Object.freeze(groupBy), groupAs }
}
