/**
 * PartiQL text to a syntax tree: recursive descent over the tokens, in one pass.
 * Spec: qldb-compat 5. Not here: graph patterns, WITH, window functions, TIME and INTERVAL.
 */
import type { ParsedStatement, Statement } from '../ast.ts'
import { partiqlError } from '../errors.ts'
import { parseCreate, parseDrop, parseExec, parseUndrop } from './ddl.ts'
import { parseDelete, parseFromUpdate, parseInsert, parseUpdate } from './dml.ts'
import { parseQuery } from './queries.ts'
import { nestingDepthMax, TokenStream } from './token-stream.ts'

/**
 * Parses one statement, with or without a semicolon at its end. The nodes of the tree are frozen.
 * Time and memory grow with the length of the text, which the caller bounds.
 * @throws PartiqlError SYNTAX, or LIMIT when nested deeper than {@link nestingDepthMax}.
 * @example
 * const { statement, parameterCount } = parseStatement('SELECT * FROM Vehicle WHERE VIN = ?')
 */
export function parseStatement(text: string): ParsedStatement {
  const stream = new TokenStream(text)
  const statement = parseAny(stream)
  const hasSemicolon = stream.accept(';')
  if (stream.token.kind !== 'end') {
    throw stream.expected('the end of the statement', hintsForRest(stream, hasSemicolon))
  }
  // Short statements need no look: at the steepest, `(SELECT (SELECT …))`, three tokens make four levels.
  if (stream.tokenCount * 2 > nestingDepthMax) checkHeight(statement)
  return Object.freeze({ text, statement, parameterCount: stream.parameterCount })
}

function parseAny(stream: TokenStream): Statement {
  switch (stream.token.code) {
    case 'INSERT':
      return parseInsert(stream)
    case 'UPDATE':
      return parseUpdate(stream)
    case 'DELETE':
      return parseDelete(stream)
    case 'FROM':
      return parseFromUpdate(stream)
    case 'CREATE':
      return parseCreate(stream)
    case 'DROP':
      return parseDrop(stream)
    case 'UNDROP':
      return parseUndrop(stream)
    case 'EXEC':
      return parseExec(stream)
  }
  if (stream.token.kind === 'end' || isForeign(stream)) throw stream.expected('a statement')
  const query = parseQuery(stream)
  return Object.freeze({ kind: 'query', query, position: query.position })
}

/** Words that begin statements of SQL which PartiQL has not. */
function isForeign(stream: TokenStream): boolean {
  const { code } = stream.token
  return /^(ALTER|BEGIN|COMMIT|GRANT|REVOKE|ROLLBACK|WITH|SET|REMOVE)$/.test(code)
}

function hintsForRest(stream: TokenStream, hasSemicolon: boolean): readonly string[] {
  if (hasSemicolon) return ['One statement is run at a time.']
  const { code, text } = stream.token
  if ([')', ']', '}', '>>'].includes(code)) return [`Nothing is open that '${text}' could close.`]
  return []
}

/**
 * Left-leaning chains (`a + b + c …`, `a UNION b …`) are parsed in loops and still make high trees, on which visitors
 * recurse. So the height has the bound that nesting has. Level by level, since recursion is what must not happen here.
 * @throws PartiqlError LIMIT
 */
function checkHeight(statement: Statement): void {
  let level: readonly object[] = [statement]
  for (let height = 0; level.length > 0; height++) {
    if (height > nestingDepthMax) {
      const message = `a chain or nesting of more than ${nestingDepthMax} levels`
      throw partiqlError('LIMIT', statement.position, message)
    }
    const next: object[] = []
    for (const node of level) pushChildren(node, next)
    level = next
  }
}

/** Members of lists count as children of the node that has the list. */
function pushChildren(node: object, children: object[]): void {
  if ('kind' in node && node.kind === 'literal') return
  for (const [key, value] of Object.entries(node)) {
    if (typeof value !== 'object' || value === null || key === 'position') continue
    if (!Array.isArray(value)) children.push(value)
    else for (const item of value) if (typeof item === 'object') children.push(item)
  }
}
