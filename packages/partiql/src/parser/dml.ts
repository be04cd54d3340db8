/**
 * INSERT, UPDATE, DELETE and the FROM-forms of QLDB, which say the same as UPDATE with the target first.
 * Spec: qldb-compat 5.1. Not here: ON CONFLICT, RETURNING.
 */
import type {
  DeleteStatement,
  DmlOperation,
  DmlTarget,
  Expression,
  InsertStatement,
  SetAssignment,
  Source,
  UpdateStatement,
} from '../ast.ts'
import { partiqlError } from '../errors.ts'
import { parseElement, parseExpression, parsePath } from './expressions.ts'
import { parseSource } from './sources.ts'
import type { TokenStream } from './token-stream.ts'

/** `INSERT INTO t VALUE doc`, `INSERT INTO t << … >>`, `INSERT INTO t ?`, … */
export function parseInsert(stream: TokenStream): InsertStatement {
  const { position } = stream.expect('INSERT')
  stream.expect('INTO')
  const table = stream.parseName('a name of a table')
  const isOneDocument = stream.is('{') || (stream.is('VALUES') && stream.peek().code === '{')
  if (isOneDocument) {
    throw stream.expected('VALUE', [
      'One document is inserted with VALUE {…}, several with << {…}, {…} >>.',
    ])
  }
  if (stream.token.kind === 'end') {
    throw stream.expected('VALUE, or a collection of documents')
  }
  const isSingle = stream.accept('VALUE')
  const source = parseElement(stream)
  if (stream.is('VALUES')) {
    throw stream.expected('the end of the statement', [
      "Documents have no columns: write INSERT INTO t VALUE {'name': value, …}.",
    ])
  }
  if (stream.is('ON')) {
    throw stream.expected('the end of the statement', ['INSERT has no ON CONFLICT.'])
  }
  return Object.freeze({ kind: 'insert', table, source, isSingle, position })
}

/** `UPDATE t SET … WHERE …` */
export function parseUpdate(stream: TokenStream): UpdateStatement {
  const { position } = stream.expect('UPDATE')
  const target = parseTarget(stream)
  const operations = parseOperations(stream)
  const where = stream.accept('WHERE') ? parseExpression(stream) : undefined
  return Object.freeze({ kind: 'update', target, operations, where, position })
}

/** `FROM t WHERE … SET …` */
export function parseFromUpdate(stream: TokenStream): UpdateStatement {
  const { position } = stream.expect('FROM')
  const target = parseTarget(stream, true)
  const where = stream.accept('WHERE') ? parseExpression(stream) : undefined
  if (stream.is('SELECT')) {
    throw stream.expected('SET, INSERT INTO or REMOVE', ['A query begins with SELECT.'])
  }
  if (stream.is('DELETE')) {
    throw stream.expected('SET, INSERT INTO or REMOVE', ['Documents are deleted with DELETE FROM.'])
  }
  const operations = parseOperations(stream)
  return Object.freeze({ kind: 'update', target, operations, where, position })
}

/** `DELETE FROM t WHERE …` */
export function parseDelete(stream: TokenStream): DeleteStatement {
  const { position } = stream.expect('DELETE')
  stream.expect('FROM')
  const target = parseTarget(stream)
  const where = stream.accept('WHERE') ? parseExpression(stream) : undefined
  return Object.freeze({ kind: 'delete', target, where, position })
}

/** `t [[AS] a] [BY id]`, and `, a.nested AS b …` where sources may follow. */
function parseTarget(stream: TokenStream, isSourceList = false): DmlTarget {
  const { position } = stream
  const table = stream.parseName('a name of a table')
  const alias = stream.parseOptionalAlias()
  const by = stream.accept('BY') ? stream.parseAlias('a name after BY') : undefined
  if (stream.is('AS') && by !== undefined) {
    throw stream.expected('the end of the target', ['AS stands before BY.'])
  }
  const nested: Source[] = []
  while (isSourceList && stream.accept(',')) nested.push(parseSource(stream))
  return Object.freeze({ table, alias, by, nested: Object.freeze(nested), position })
}

/** One or more operations, one after the other. */
function parseOperations(stream: TokenStream): readonly DmlOperation[] {
  const operations: DmlOperation[] = []
  for (;;) {
    if (stream.is('SET')) operations.push(parseSet(stream))
    else if (stream.is('INSERT')) operations.push(parseInsertInto(stream))
    else if (stream.is('REMOVE')) operations.push(parseRemove(stream))
    else break
  }
  if (operations.length === 0) throw stream.expected('SET, INSERT INTO or REMOVE')
  return Object.freeze(operations)
}

function parseSet(stream: TokenStream): DmlOperation {
  stream.expect('SET')
  const assignments: SetAssignment[] = []
  do {
    const target = parseTargetPath(stream)
    stream.expect('=')
    assignments.push(Object.freeze({ target, value: parseElement(stream) }))
  } while (stream.accept(','))
  return Object.freeze({ kind: 'set', assignments: Object.freeze(assignments) })
}

function parseInsertInto(stream: TokenStream): DmlOperation {
  const { position } = stream.expect('INSERT')
  stream.expect('INTO')
  const target = parseTargetPath(stream)
  stream.expect('VALUE', [
    'A value is put into a list or a struct with INSERT INTO path VALUE value [AT place].',
  ])
  const value = parseElement(stream)
  const at = stream.accept('AT') ? parseExpression(stream) : undefined
  return Object.freeze({ kind: 'insertInto', target, value, at, position })
}

function parseRemove(stream: TokenStream): DmlOperation {
  const { position } = stream.expect('REMOVE')
  return Object.freeze({ kind: 'remove', target: parseTargetPath(stream), position })
}

/** A name, or a path on one without `*`: a place that can be written to. */
function parseTargetPath(stream: TokenStream): Expression {
  const { position } = stream
  const target = parsePath(stream)
  const isPlace =
    target.kind === 'name' ||
    (target.kind === 'path' &&
      target.root.kind === 'name' &&
      target.steps.every(({ kind }) => kind === 'field' || kind === 'element'))
  if (!isPlace) throw partiqlError('SYNTAX', position, 'expected a name or a path to write to')
  return target
}
