/**
 * Statements from a grammar of the dialect: mostly valid, over the tables of the vehicle sample, with the shapes that
 * cost most (joins with themselves, LIKE, sub-queries, huge numbers, deep paths) more often than people write them.
 */
import type { SeededRandom } from '@cairn/testing'

const tables = ['Vehicle', 'VehicleRegistration', '_ql_committed_Vehicle', '"Vehicle"', 'Nope']
const names = [
  'v',
  'r',
  'VIN',
  'Make',
  'Year',
  'City',
  'Owners',
  'PrimaryOwner',
  'x',
  '"a b"',
  'id',
]
const numbers = [
  ...['0', '1', '2', '-1', '200', '1.5', '1e3', '1e308', '-1e-300', '0.1', '1.10'],
  ...['9007199254740993', '99999999999999999999', '`1d2000000000`', '`-1d-2000000000`', '`nan`'],
  '`1.00000000000000000000000000001`',
]
const strings = [
  "''",
  "'a'",
  "'v1'",
  "'%'",
  "'%_%a%'",
  "'aaaaaaaaaaaaaaaaaaaaab'",
  "'2024-01-01T'",
  "'é🙂'",
]
const others = [
  'NULL',
  'MISSING',
  'TRUE',
  'FALSE',
  '?',
  '`2020-01-01T`',
  '`{{aGk=}}`',
  '`[1,{a:b}]`',
]
const types = [
  'INT',
  'SMALLINT',
  'DECIMAL(10,2)',
  'DECIMAL',
  'FLOAT',
  'STRING',
  'VARCHAR(3)',
  'BOOL',
]
const moreTypes = ['TIMESTAMP', 'SYMBOL', 'LIST', 'BAG', 'SEXP', 'STRUCT', 'CLOB', 'NULL', 'ANY']
const operators = ['+', '-', '*', '/', '%', '||', '=', '<>', '<', '<=', '>', '>=', 'AND', 'OR']
const functions = [
  ...[
    'UPPER',
    'LOWER',
    'TRIM',
    'CHAR_LENGTH',
    'SIZE',
    'EXISTS',
    'COALESCE',
    'NULLIF',
    'ABS',
    'MOD',
  ],
  ...['SUBSTRING', 'POSITION', 'DATE_ADD', 'DATE_DIFF', 'EXTRACT', 'TO_STRING', 'TO_TIMESTAMP'],
  ...['TXID', 'UTCNOW', 'COLL_SUM', 'COLL_COUNT', 'COLL_AVG', 'COLL_MAX', 'CARDINALITY', 'OVERLAY'],
  ...['BIT_LENGTH', 'OCTET_LENGTH', 'COUNT', 'SUM', 'MIN', 'AVG', 'EVERY', 'NOPE', 'HISTORY'],
]

const columns = ['*', 'v.*', 'COUNT(*)', 'DISTINCT v.VIN', 'MAX(v.Year)']
const setOperators = ['UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT']
/** Each makes its operand twice as large. */
const doublings = [
  ...['v || v', '[v, v]', '<< v, v >>', "{'a': v, 'a': v}", 'OVERLAY(v PLACING v FROM 1 FOR 0)'],
]

function pick(random: SeededRandom, pool: readonly string[]): string {
  return pool[random.below(pool.length)] ?? ''
}

export function randomStatement(random: SeededRandom): string {
  switch (random.below(12)) {
    case 0:
      return `INSERT INTO ${pick(random, tables)} ${expression(random, 2)}`
    case 1:
      return `INSERT INTO ${pick(random, tables)} VALUE ${expression(random, 2)}`
    case 2:
      return `UPDATE ${pick(random, tables)} AS v ${edit(random)}${where(random)}`
    case 3:
      return `DELETE FROM ${pick(random, tables)} AS v BY id${where(random)}`
    case 4:
      return `FROM ${pick(random, tables)} AS v${where(random)} ${edit(random)}`
    case 5:
      return definition(random)
    case 6:
      return random.chance(0.3) ? doubled(random, 1 + random.below(60)) : query(random, 2)
    default:
      return query(random, 3)
  }
}

function edit(random: SeededRandom): string {
  switch (random.below(3)) {
    case 0:
      return `SET ${path(random)} = ${expression(random, 2)}`
    case 1:
      return `REMOVE ${path(random)}`
    default:
      return [
        `INSERT INTO ${path(random)} VALUE ${expression(random, 1)}`,
        `AT ${pick(random, numbers)}`,
      ].join(' ')
  }
}

function definition(random: SeededRandom): string {
  const table = pick(random, tables)
  switch (random.below(5)) {
    case 0:
      return `CREATE TABLE ${pick(random, names)}`
    case 1:
      return `CREATE INDEX ON ${table} (${pick(random, names)})`
    case 2:
      return `DROP TABLE ${table}`
    case 3:
      return `UNDROP TABLE "${pick(random, names)}"`
    default:
      return `EXEC REDACT_REVISION ${expression(random, 1)}, ${expression(random, 1)}`
  }
}

/** Sub-queries that double what the one within them gives: text, lists, bags, structs. */
export function doubled(random: SeededRandom, levels: number): string {
  const kind = pick(random, doublings)
  let text = `SELECT VALUE ${literal(random)} FROM << 1${random.chance(0.5) ? ', 2' : ''} >> AS z`
  for (let level = 0; level < levels; level++) {
    const body = random.chance(0.9) ? kind : pick(random, doublings)
    text = `SELECT VALUE ${body} FROM (${text}) AS v`
  }
  return random.chance(0.3) ? `${text} ORDER BY v` : text
}

export function query(random: SeededRandom, depth: number): string {
  const select = random.chance(0.4)
    ? `SELECT VALUE ${expression(random, depth)}`
    : `SELECT ${random.chance(0.5) ? pick(random, columns) : `${expression(random, depth)} AS c`}`
  let text = `${select} FROM ${source(random, depth)}${where(random)}`
  if (random.chance(0.15)) text += ` GROUP BY ${path(random)} AS k`
  if (random.chance(0.05)) text += ` HAVING COUNT(*) > ${pick(random, numbers)}`
  if (random.chance(0.15)) {
    text += ` ${pick(random, setOperators)} ${query(random, depth - 1)}`
  }
  if (random.chance(0.2)) text += ` ORDER BY ${expression(random, 1)} ${pick(random, ['', 'DESC'])}`
  if (random.chance(0.15)) text += ` LIMIT ${pick(random, numbers)}`
  if (random.chance(0.1)) text += ` OFFSET ${pick(random, numbers)}`
  return text
}

function source(random: SeededRandom, depth: number): string {
  const one = (alias: string): string => {
    switch (random.below(7)) {
      case 0:
        return `<< ${expression(random, 1)}, 2 >> AS ${alias}`
      case 1:
        return depth > 0 ? `(${query(random, depth - 1)}) AS ${alias}` : `Vehicle AS ${alias}`
      case 2:
        return `UNPIVOT ${expression(random, 1)} AS ${alias} AT k${alias}`
      case 3:
        return `history(Vehicle, ${pick(random, others)}) AS ${alias}`
      default:
        return `${pick(random, tables)} AS ${alias} BY id${alias}`
    }
  }
  let text = one('v')
  const joins = random.below(random.chance(0.1) ? 6 : 2)
  for (let i = 0; i < joins; i++) {
    const kind = pick(random, [', ', ' CROSS JOIN ', ' JOIN ', ' LEFT JOIN ', ' FULL OUTER JOIN '])
    text += `${kind}${one(`r${i}`)}`
    if (/^ (?:JOIN|LEFT|FULL)/.test(kind)) text += ` ON ${expression(random, 1)}`
  }
  return text
}

function where(random: SeededRandom): string {
  return random.chance(0.5) ? ` WHERE ${expression(random, 2)}` : ''
}

function path(random: SeededRandom): string {
  let text = pick(random, names)
  const steps = random.below(random.chance(0.05) ? 30 : 3)
  for (let i = 0; i < steps; i++) {
    text += pick(random, ['.VIN', '.*', '[0]', '[*]', "['Make']", '[-1]', '.Owners', `."${i}"`])
  }
  return text
}

function literal(random: SeededRandom): string {
  return pick(random, [numbers, strings, others][random.below(3)] ?? others)
}

function expression(random: SeededRandom, depth: number): string {
  if (depth <= 0) return random.chance(0.5) ? literal(random) : path(random)
  const inner = (): string => expression(random, depth - 1)
  switch (random.below(16)) {
    case 0:
      return literal(random)
    case 1:
    case 2:
      return path(random)
    case 3:
    case 4:
      return `(${inner()} ${pick(random, operators)} ${inner()})`
    case 5:
      return `${inner()} LIKE ${pick(random, strings)}${random.chance(0.2) ? " ESCAPE '%'" : ''}`
    case 6:
      return `${inner()} IN (${inner()}, ${inner()})`
    case 7:
      return `${inner()} BETWEEN ${inner()} AND ${inner()}`
    case 8:
      return `CAST(${inner()} AS ${pick(random, random.chance(0.5) ? types : moreTypes)})`
    case 9:
      return `CASE WHEN ${inner()} THEN ${inner()} ELSE ${inner()} END`
    case 10:
      return `[${inner()}, ${inner()}]`
    case 11:
      return `{'a': ${inner()}, 'b': ${inner()}}`
    case 12:
      return `<< ${inner()}, ${inner()} >>`
    case 13:
      return `(${query(random, depth - 1)})`
    case 14:
      return `${inner()} IS ${pick(random, ['', 'NOT '])}${pick(random, moreTypes)}`
    default:
      return call(random, depth)
  }
}

function call(random: SeededRandom, depth: number): string {
  const name = pick(random, functions)
  const parts = ['year', 'month', 'day', 'hour', 'minute', 'second']
  const args = Array.from({ length: random.below(4) }, () => expression(random, depth - 1))
  if (name.startsWith('DATE_')) args.unshift(pick(random, parts))
  if (name === 'EXTRACT') return `EXTRACT(${pick(random, parts)} FROM ${args[0] ?? 'v'})`
  return `${name}(${random.chance(0.1) ? 'DISTINCT ' : ''}${args.join(', ')})`
}
