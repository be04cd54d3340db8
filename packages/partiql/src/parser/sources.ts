/**
 * What stands after FROM: tables, paths, collections, sub-queries, UNPIVOT, history, and joins of them.
 * Spec: qldb-compat 5.1, 5.2. Not here: NATURAL JOIN, JOIN … USING, joins in parentheses.
 */
import type { Expression, HistorySource, Identifier, JoinSource, Source } from '../ast.ts'
import { parseElement, parseExpression } from './expressions.ts'
import type { TokenStream } from './token-stream.ts'

type JoinType = JoinSource['type']

interface JoinPart {
  readonly type: JoinType
  readonly source: Source
  readonly condition: Expression | undefined
}

/** The list after FROM. The tree leans to the left: `a, b, c` is `(a, b), c`. */
export function parseSources(stream: TokenStream): Source {
  let left = parseJoined(stream, undefined)
  while (stream.accept(',')) left = parseJoined(stream, left)
  return left
}

/**
 * One item of the list with its joins. JOIN binds tighter than the comma. For INNER and LEFT it makes no difference, so
 * there the tree goes on leaning to the left; RIGHT and FULL keep the list before them out of the join.
 */
function parseJoined(stream: TokenStream, before: Source | undefined): Source {
  const parts: JoinPart[] = [{ type: 'inner', source: parseSource(stream), condition: undefined }]
  for (let part = parseJoinPart(stream); part !== undefined; part = parseJoinPart(stream)) {
    parts.push(part)
  }
  const isApart = parts.some(({ type }) => type === 'right' || type === 'full')
  const joined = parts.reduce<Source | undefined>(join, isApart ? undefined : before)
  return isApart && before !== undefined
    ? join(before, { type: 'inner', source: joined as Source, condition: undefined })
    : (joined as Source)
}

function join(left: Source | undefined, { type, source, condition }: JoinPart): Source {
  if (left === undefined) return source
  return Object.freeze({
    kind: 'join',
    type,
    left,
    right: source,
    condition,
    position: left.position,
  })
}

/** `JOIN source ON condition` and its kin, or undefined when no join stands here. */
function parseJoinPart(stream: TokenStream): JoinPart | undefined {
  const type = parseJoinType(stream)
  if (type === undefined) return undefined
  const isCross = stream.accept('CROSS')
  stream.expect('JOIN')
  const source = parseSource(stream)
  if (isCross) return { type, source, condition: undefined }
  if (!stream.is('ON')) {
    throw stream.expected('ON', ['Without a condition the join is written CROSS JOIN.'])
  }
  stream.advance()
  return { type, source, condition: parseExpression(stream) }
}

/** Leaves the stream before JOIN or CROSS JOIN. `LEFT CROSS JOIN` is PartiQL's join without a condition. */
function parseJoinType(stream: TokenStream): JoinType | undefined {
  const { code } = stream.token
  switch (code) {
    case 'JOIN':
    case 'CROSS':
      return 'inner'
    case 'INNER':
      stream.advance()
      return 'inner'
    case 'LEFT':
    case 'RIGHT':
    case 'FULL':
      stream.advance()
      stream.accept('OUTER')
      return code === 'LEFT' ? 'left' : code === 'RIGHT' ? 'right' : 'full'
    case 'NATURAL':
      throw stream.expected('a join', ['NATURAL JOIN is not supported; write JOIN … ON.'])
    default:
      return undefined
  }
}

/** One source with its names. */
export function parseSource(stream: TokenStream): Source {
  const { position } = stream
  if (stream.is('HISTORY') && stream.peek().code === '(') return parseHistory(stream)
  const kind = stream.accept('UNPIVOT') ? 'unpivot' : 'scan'
  const expression = parseElement(stream)
  return Object.freeze({ kind, expression, ...parseSourceNames(stream), position })
}

interface SourceNames {
  readonly alias: Identifier | undefined
  readonly at: Identifier | undefined
  readonly by: Identifier | undefined
}

/** `[AS] a`, then `AT i` and `BY id` in either order. */
function parseSourceNames(stream: TokenStream): SourceNames {
  const alias = stream.parseOptionalAlias()
  let at: Identifier | undefined
  let by: Identifier | undefined
  for (;;) {
    if (at === undefined && stream.accept('AT')) at = stream.parseAlias('a name after AT')
    else if (by === undefined && stream.accept('BY')) by = stream.parseAlias('a name after BY')
    else break
  }
  if (stream.is('AS')) {
    throw stream.expected('the end of the source', ['AS stands before AT and BY, and once.'])
  }
  return { alias, at, by }
}

/** `history(T [, start [, end]])` */
function parseHistory(stream: TokenStream): HistorySource {
  const { position } = stream.expect('HISTORY')
  const opening = stream.expect('(')
  const table = parseHistoryTable(stream)
  const start = stream.accept(',') ? parseExpression(stream) : undefined
  const end = start !== undefined && stream.accept(',') ? parseExpression(stream) : undefined
  stream.expectClosing(')', opening)
  const names = parseSourceNames(stream)
  return Object.freeze({ kind: 'history', table, start, end, ...names, position })
}

function parseHistoryTable(stream: TokenStream): HistorySource['table'] {
  if (stream.token.kind !== 'string') return stream.parseName('a name of a table, or a table id')
  return Object.freeze({ tableId: stream.advance().text })
}
