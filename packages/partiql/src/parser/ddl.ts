/**
 * CREATE, DROP and UNDROP of tables and indexes, and EXEC. Spec: qldb-compat 5.1.
 * Not here: unique indexes, and indexes on nested fields.
 */
import { type IonValue, ionBool, ionNull, ionString } from '@cairn/ion'
import type {
  CreateIndexStatement,
  CreateTableStatement,
  DropIndexStatement,
  DropTableStatement,
  ExecStatement,
  Expression,
  Identifier,
  StatementOption,
  UndropTableStatement,
} from '../ast.ts'
import { parseElement } from './expressions.ts'
import { parseIonLiteral, parseNumber } from './literals.ts'
import type { TokenStream } from './token-stream.ts'

/** `CREATE TABLE t [WITH (…)]`, `CREATE INDEX ON t (field)` */
export function parseCreate(stream: TokenStream): CreateTableStatement | CreateIndexStatement {
  const { position } = stream.expect('CREATE')
  if (stream.accept('TABLE')) {
    const table = stream.parseName('a name of a table')
    return Object.freeze({ kind: 'createTable', table, options: parseOptions(stream), position })
  }
  if (!stream.accept('INDEX')) throw stream.expected('TABLE or INDEX')
  stream.expect('ON', ['An index has no name of its own: CREATE INDEX ON t (field).'])
  const table = stream.parseName('a name of a table')
  const opening = stream.expect('(')
  const fields: Identifier[] = []
  do fields.push(stream.parseName('a name of a field'))
  while (stream.accept(','))
  stream.expectClosing(')', opening)
  return Object.freeze({ kind: 'createIndex', table, fields: Object.freeze(fields), position })
}

/** `DROP TABLE t`, `DROP INDEX "id" ON t WITH (purge = true)` */
export function parseDrop(stream: TokenStream): DropTableStatement | DropIndexStatement {
  const { position } = stream.expect('DROP')
  if (stream.accept('TABLE')) {
    const table = stream.parseName('a name of a table')
    return Object.freeze({ kind: 'dropTable', table, position })
  }
  if (!stream.accept('INDEX')) throw stream.expected('TABLE or INDEX')
  const index = stream.parseName('a name: the id of an index in double quotes')
  stream.expect('ON')
  const table = stream.parseName('a name of a table')
  return Object.freeze({ kind: 'dropIndex', index, table, options: parseOptions(stream), position })
}

/** `UNDROP TABLE "id"` */
export function parseUndrop(stream: TokenStream): UndropTableStatement {
  const { position } = stream.expect('UNDROP')
  stream.expect('TABLE')
  const table = stream.parseName('a name: the id of a table in double quotes')
  return Object.freeze({ kind: 'undropTable', table, position })
}

/** `EXEC procedure argument, …` */
export function parseExec(stream: TokenStream): ExecStatement {
  const { position } = stream.expect('EXEC')
  const procedure = stream.parseName('a name of a procedure').name.toLowerCase()
  const args: Expression[] = []
  if (stream.token.kind !== 'end' && !stream.is(';')) {
    do args.push(parseElement(stream))
    while (stream.accept(','))
  }
  return Object.freeze({ kind: 'exec', procedure, arguments: Object.freeze(args), position })
}

/** `WITH (name = literal, …)`, or none. */
function parseOptions(stream: TokenStream): readonly StatementOption[] {
  const options: StatementOption[] = []
  if (stream.accept('WITH')) {
    const opening = stream.expect('(')
    do {
      const { name, position } = stream.parseName('a name of an option')
      stream.expect('=')
      options.push(Object.freeze({ name, value: parseOptionValue(stream), position }))
    } while (stream.accept(','))
    stream.expectClosing(')', opening)
  }
  return Object.freeze(options)
}

function parseOptionValue(stream: TokenStream): IonValue {
  const { kind, code, text } = stream.token
  if (kind === 'ion') return parseIonLiteral(stream.advance()).value
  if (kind === 'number') return parseNumber(stream.advance()).value
  if (kind === 'string') {
    stream.advance()
    return ionString(text)
  }
  if (code === 'TRUE' || code === 'FALSE') {
    stream.advance()
    return ionBool(code === 'TRUE')
  }
  if (stream.accept('NULL')) return ionNull()
  throw stream.expected('a literal')
}
