/** What each form of statement becomes. Trees are compared as text, see `show`. */
import type { IonValue } from '@cairn/ion'
import { describe, expect, it } from 'vitest'
import { PartiqlError } from '../errors.ts'
import { parseStatement } from './parse-statement.ts'
import { nestingDepthMax } from './token-stream.ts'

/** A value of the tree as text: `(kind member:value …)`, without positions and without what is absent or false. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const node = value as Record<string, unknown>
  switch (node['kind']) {
    case 'literal':
      return showIon(node['value'] as IonValue)
    case 'parameter':
      return `?${node['index']}`
    case 'missing':
      return 'MISSING'
    case 'name':
      return `${node['isLocal'] === true ? '@' : ''}${show(node['identifier'])}`
    case 'unary':
      return `(${node['operator']} ${show(node['operand'])})`
    case 'binary':
      return `(${show(node['left'])} ${node['operator']} ${show(node['right'])})`
    case 'path':
      return [node['root'], ...(node['steps'] as unknown[])].map(show).join('')
    case 'field':
      return `.${show(node['identifier'])}`
    case 'element':
      return `[${show(node['expression'])}]`
    case 'allFields':
      return '.*'
    case 'allElements':
      return '[*]'
  }
  if ('isQuoted' in node) return node['isQuoted'] === true ? `"${node['name']}"` : `${node['name']}`
  if ('type' in node && 'annotations' in node) return showIon(value as IonValue)
  const members = Object.entries(node)
    .filter(([key, member]) => {
      const isAbsent = member === undefined || member === false
      return !isAbsent && !(Array.isArray(member) && member.length === 0) && key !== 'position'
    })
    .map(([key, member]) => (key === 'kind' ? String(member) : `${key}:${show(member)}`))
  return `(${members.join(' ')})`
}

function showIon(value: IonValue): string {
  switch (value.type) {
    case 'string':
      return `'${value.value}'`
    case 'int':
    case 'bool':
      return String(value.value)
    case 'decimal':
      return `${value.coefficient}d${value.exponent}`
    case 'null':
      return 'NULL'
    case 'timestamp': {
      const { year, month, day, hour, minute, second, precision, offsetMinutes } = value
      return `<${precision} ${year}-${month}-${day} ${hour}:${minute}:${second} ${offsetMinutes}>`
    }
    case 'struct':
      return `{${value.fields.map((field) => `${field.name}:${showIon(field.value)}`).join(' ')}}`
    default:
      return `<${value.type}>`
  }
}

function statement(text: string): string {
  return show(parseStatement(text).statement)
}

/** The tree of a bare expression. */
function expression(text: string): string {
  const shown = statement(text)
  const match = /^\(query query:\(expressionQuery expression:(.*)\)\)$/s.exec(shown)
  return match?.[1] ?? shown
}

/** The tree of a query. */
function query(text: string): string {
  const shown = statement(text)
  return /^\(query query:(.*)\)$/s.exec(shown)?.[1] ?? shown
}

/** The tree of what stands after FROM. */
function source(text: string): string {
  const shown = query(`SELECT * FROM ${text}`)
  return /^\(select projection:\(star\) from:(.*)\)$/s.exec(shown)?.[1] ?? shown
}

describe('literals', () => {
  it.each([
    ['123', '123'],
    ['007', '7'],
    ['9007199254740991', '9007199254740991'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['1.5', '15d-1'],
    ['1.', '1d0'],
    ['.5', '5d-1'],
    ['1e0', '1d0'],
    ['1.50e3', '150d1'],
    ['1E-2', '1d-2'],
    ["'it''s'", "'it's'"],
    ["''", "''"],
    ['TRUE', 'true'],
    ['false', 'false'],
    ['null', 'NULL'],
    ['mIsSiNg', 'MISSING'],
    ["DATE '2024-02-29'", '<day 2024-2-29 0:0:0 undefined>'],
    ["TIMESTAMP '2024-02-29 13:05:00'", '<second 2024-2-29 13:5:0 undefined>'],
    ["TIMESTAMP WITH TIME ZONE '2024-02-29 13:05:00+01:00'", '<second 2024-2-29 12:5:0 60>'],
    ['`2024T`', '<year 2024-1-1 0:0:0 undefined>'],
    ['`{\'a\': "b"}`', "{a:'b'}"],
    ['`\n  {\n  }\n`', '{}'],
  ])('reads %s', (text, tree) => {
    expect(expression(text)).toBe(tree)
  })

  it('makes a bigint of a number that is not a safe integer', () => {
    const { statement } = parseStatement('9007199254740993')
    expect(statement).toMatchObject({
      query: { expression: { value: { type: 'int', value: 9007199254740993n } } },
    })
  })

  it.each([
    ['`"a`b"`', "'a`b'"],
    ["`'''a`b'''`", "'a`b'"],
    ['`"\\"`"`', "'\"`'"],
    ["`'a`b'`", '<symbol>'],
    ['`1 // ` in a comment\n`', '1'],
    ['`1 /* ` */`', '1'],
    ['`{{aGk//w==}}`', '<blob>'],
    ['`{{ "`" }}`', '<clob>'],
  ])('finds the end of %s', (text, tree) => {
    expect(expression(`${text} `)).toBe(tree)
  })
})

describe('precedence', () => {
  it.each([
    ['a OR b AND c', '(a OR (b AND c))'],
    ['a AND b OR c', '((a AND b) OR c)'],
    ['NOT a AND b', '((NOT a) AND b)'],
    ['NOT a = b', '(NOT (a = b))'],
    ['NOT NOT a', '(NOT (NOT a))'],
    ['a = b || c', '(a = (b || c))'],
    ['a || b + c', '(a || (b + c))'],
    ['a + b || c', '((a + b) || c)'],
    ['a + b * c', '(a + (b * c))'],
    ['a * b + c', '((a * b) + c)'],
    ['a - b - c', '((a - b) - c)'],
    ['a / b % c * d', '(((a / b) % c) * d)'],
    ['-a * b', '((- a) * b)'],
    ['a - -b', '(a - (- b))'],
    ['+-+a', '(+ (- (+ a)))'],
    ['-a.b', '(- a.b)'],
    ['(a + b) * c', '((a + b) * c)'],
    ['a = b = c', '((a = b) = c)'],
    ['a != b', '(a <> b)'],
    ['a<=b AND c>=d', '((a <= b) AND (c >= d))'],
    ['a < b OR a > b', '((a < b) OR (a > b))'],
    ["status = 'ACTIVE'AND name = 1", "((status = 'ACTIVE') AND (name = 1))"],
    ['a = 5AND b', '((a = 5) AND b)'],
    ['a BETWEEN 1 AND 2 AND b', '((between value:a low:1 high:2) AND b)'],
    ['a NOT BETWEEN b + 1 AND c', '(between value:a low:(b + 1) high:c isNegated:true)'],
    ['a IS NULL OR b', '((is value:a type:(name:NULL)) OR b)'],
    ['a = b IS NOT MISSING', '(is value:(a = b) type:(name:MISSING) isNegated:true)'],
    ['a + 1 IN b', '(in value:(a + 1) collection:b)'],
    ["a LIKE 'x' || b", "(like value:a pattern:('x' || b))"],
    ["a NOT LIKE 'x' ESCAPE '!'", "(like value:a pattern:'x' escape:'!' isNegated:true)"],
  ])('reads %s', (text, tree) => {
    expect(expression(text)).toBe(tree)
  })

  it('takes IN (…) as a list, a sub-query or a collection', () => {
    expect(expression('a IN (1, 2)')).toBe(
      '(in value:a collection:(list values:[1 2] constructor_:values))',
    )
    expect(expression('a IN (?)')).toBe(
      '(in value:a collection:(list values:[?0] constructor_:values))',
    )
    expect(expression('a IN (<<1>>)')).toBe('(in value:a collection:(bag values:[1]))')
    expect(expression('a NOT IN (SELECT VALUE b FROM c)')).toBe(
      '(in value:a collection:(query query:(select projection:(value expression:b) from:(scan expression:c))) isNegated:true)',
    )
    expect(expression('a IN (b).c')).toBe('(in value:a collection:b.c)')
    expect(expression('a IN (b) || c')).toBe('(in value:a collection:(b || c))')
    expect(expression('a IN ?')).toBe('(in value:a collection:?0)')
  })
})

describe('names and paths', () => {
  it.each([
    ['a', 'a'],
    ['"a"', '"a"'],
    ['"a""b"', '"a"b"'],
    ['@a.b', '@a.b'],
    ['$x_1', '$x_1'],
    ['a.b."c"[0][\'d\'][*].*', 'a.b."c"[0][\'d\'][*].*'],
    ['a.order.select', 'a.order.select'],
    ["a.'b'", 'a."b"'],
    ['a[b + 1]', 'a[(b + 1)]'],
    ['?.a', '?0.a'],
    ['f(x).a', '(call name:F arguments:[x]).a'],
    ["{'a': 1}.a", "(struct fields:[(name:'a' value:1)]).a"],
    ['year', 'year'],
    ['t.year = Year', '(t.year = Year)'],
  ])('reads %s', (text, tree) => {
    expect(expression(text)).toBe(tree)
  })
})

describe('containers', () => {
  it.each([
    ['[]', '(list constructor_:list)'],
    ['[1, [2]]', '(list values:[1 (list values:[2] constructor_:list)] constructor_:list)'],
    ['<<>>', '(bag)'],
    ['<<<<1>>>>', '(bag values:[(bag values:[1])])'],
    ['(1, 2)', '(list values:[1 2] constructor_:values)'],
    ['list(1)', '(list values:[1] constructor_:list)'],
    ['SEXP(a, 1)', '(list values:[a 1] constructor_:sexp)'],
    ['bag(1)', '(bag values:[1])'],
    ['{}', '(struct)'],
    ["{'a': 1, b: ?}", "(struct fields:[(name:'a' value:1) (name:b value:?0)])"],
    [
      'VALUES (1), (2, 3)',
      '(bag values:[(list values:[1] constructor_:values) (list values:[2 3] constructor_:values)])',
    ],
  ])('reads %s', (text, tree) => {
    expect(expression(text)).toBe(tree)
  })
})

describe('calls', () => {
  it.each([
    ['lower(a)', '(call name:LOWER arguments:[a])'],
    ['TXID ()', '(call name:TXID)'],
    ['coalesce(a, 1)', '(call name:COALESCE arguments:[a 1])'],
    ['Size(a)', '(call name:SIZE arguments:[a])'],
    ['COUNT(*)', '(aggregate name:COUNT)'],
    ['count(DISTINCT a.b)', '(aggregate name:COUNT argument:a.b isDistinct:true)'],
    ['SUM(ALL a)', '(aggregate name:SUM argument:a)'],
    ['any(a)', '(aggregate name:ANY argument:a)'],
    ['COLL_SUM(DISTINCT a)', '(call name:COLL_SUM arguments:[a] isDistinct:true)'],
    ['COLL_MAX(ALL a)', '(call name:COLL_MAX arguments:[a])'],
    ['EXTRACT(Year FROM t)', "(call name:EXTRACT arguments:['year' t])"],
    ['DATE_ADD(year, 1, t)', "(call name:DATE_ADD arguments:['year' 1 t])"],
    ['date_diff(SECOND, a, b)', "(call name:DATE_DIFF arguments:['second' a b])"],
    ['TRIM(s)', '(call name:TRIM arguments:[s])'],
    ["TRIM('x' FROM s)", "(call name:TRIM arguments:['both' 'x' s])"],
    ['TRIM(LEADING FROM s)', "(call name:TRIM arguments:['leading' ' ' s])"],
    ['TRIM(trailing c FROM s)', "(call name:TRIM arguments:['trailing' c s])"],
    ['SUBSTRING(s, 1, 2)', '(call name:SUBSTRING arguments:[s 1 2])'],
    ['SUBSTRING(s FROM 1 FOR 2)', '(call name:SUBSTRING arguments:[s 1 2])'],
    ['SUBSTRING(s FROM 1)', '(call name:SUBSTRING arguments:[s 1])'],
    ['POSITION(a IN b)', '(call name:POSITION arguments:[a b])'],
    ['POSITION(a, b)', '(call name:POSITION arguments:[a b])'],
    ['OVERLAY(s PLACING r FROM 1 FOR 2)', '(call name:OVERLAY arguments:[s r 1 2])'],
    ['CAST(a AS decimal(10, 2))', '(cast mode:CAST value:a type:(name:DECIMAL parameters:[10 2]))'],
    ['CAN_CAST(a AS INT)', '(cast mode:CAN_CAST value:a type:(name:INT))'],
    ['CAST(a AS DOUBLE PRECISION)', '(cast mode:CAST value:a type:(name:DOUBLE PRECISION))'],
    [
      'CAST(a AS TIMESTAMP WITH TIME ZONE)',
      '(cast mode:CAST value:a type:(name:TIMESTAMP WITH TIME ZONE))',
    ],
    [
      'CAST(a AS CHARACTER VARYING (5))',
      '(cast mode:CAST value:a type:(name:CHARACTER VARYING parameters:[5]))',
    ],
    ['EXISTS(<<>>)', '(exists operand:(bag))'],
    [
      'EXISTS(SELECT * FROM t)',
      '(exists operand:(query query:(select projection:(star) from:(scan expression:t))))',
    ],
    [
      'COLL_COUNT(SELECT VALUE a FROM t)',
      '(call name:COLL_COUNT arguments:[(query query:(select projection:(value expression:a) from:(scan expression:t)))])',
    ],
    [
      'CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END',
      '(case branches:[(when:a then:1) (when:b then:2)] otherwise:3)',
    ],
    ['CASE a WHEN 1 THEN b END', '(case operand:a branches:[(when:1 then:b)])'],
    ['a OVERLAPS b', '(call name:OVERLAPS arguments:[a b])'],
  ])('reads %s', (text, tree) => {
    expect(expression(text)).toBe(tree)
  })
})

describe('SELECT', () => {
  it.each([
    ['SELECT * FROM T', '(select projection:(star) from:(scan expression:T))'],
    ['select all 1', '(select projection:(items items:[(expression expression:1)]))'],
    [
      'SELECT DISTINCT a, b.c AS d, e f FROM T;',
      '(select isDistinct:true projection:(items items:[(expression expression:a) (expression expression:b.c alias:d) (expression expression:e alias:f)]) from:(scan expression:T))',
    ],
    [
      'SELECT a.*, b.c.* FROM a, b',
      '(select projection:(items items:[(allOf expression:a) (allOf expression:b.c)]) from:(join type:inner left:(scan expression:a) right:(scan expression:b)))',
    ],
    ['SELECT VALUE a FROM T', '(select projection:(value expression:a) from:(scan expression:T))'],
    ['PIVOT v AT k FROM T', '(select projection:(pivot value:v at:k) from:(scan expression:T))'],
    [
      'SELECT * FROM T LET a AS b, b AS c WHERE c GROUP BY d AS e, f GROUP AS g HAVING h',
      '(select projection:(star) from:(scan expression:T) lets:[(expression:a alias:b) (expression:b alias:c)] where:c groupBy:[(expression:d alias:e) (expression:f)] groupAs:g having:h)',
    ],
    [
      'SELECT * FROM T ORDER BY a, b DESC NULLS LAST, c ASC NULLS FIRST LIMIT 1 OFFSET ?',
      '(ordered query:(select projection:(star) from:(scan expression:T)) orderBy:[(expression:a) (expression:b isDescending:true nulls:last) (expression:c nulls:first)] limit:1 offset:?0)',
    ],
    [
      'SELECT * FROM T OFFSET 5',
      '(ordered query:(select projection:(star) from:(scan expression:T)) offset:5)',
    ],
    ['a LIMIT 1', '(ordered query:(expressionQuery expression:a) limit:1)'],
    [
      'SELECT a AS order FROM T AS select',
      '(select projection:(items items:[(expression expression:a alias:order)]) from:(scan expression:T alias:select))',
    ],
  ])('reads %s', (text, tree) => {
    expect(query(text)).toBe(tree)
  })

  it('binds INTERSECT tighter than UNION and EXCEPT, all from the left', () => {
    expect(query('a UNION ALL b INTERSECT c OUTER EXCEPT DISTINCT d')).toBe(
      '(set operator:EXCEPT isOuter:true left:(set operator:UNION isAll:true left:(expressionQuery expression:a) right:(set operator:INTERSECT left:(expressionQuery expression:b) right:(expressionQuery expression:c))) right:(expressionQuery expression:d))',
    )
  })

  it('orders the whole of a set operation', () => {
    expect(query('(SELECT * FROM a LIMIT 1) UNION SELECT * FROM b LIMIT 2')).toBe(
      '(ordered query:(set operator:UNION left:(ordered query:(select projection:(star) from:(scan expression:a)) limit:1) right:(select projection:(star) from:(scan expression:b))) limit:2)',
    )
  })

  it('takes sub-queries as values', () => {
    expect(query('SELECT VALUE (SELECT * FROM b) FROM ((a) UNION b) AS c')).toBe(
      '(select projection:(value expression:(query query:(select projection:(star) from:(scan expression:b)))) from:(scan expression:(query query:(set operator:UNION left:(expressionQuery expression:a) right:(expressionQuery expression:b))) alias:c))',
    )
  })
})

describe('sources', () => {
  it.each([
    ['T t', '(scan expression:T alias:t)'],
    ['T AS t AT i BY id', '(scan expression:T alias:t at:i by:id)'],
    ['T t BY id AT i', '(scan expression:T alias:t at:i by:id)'],
    ['T BY id', '(scan expression:T by:id)'],
    ['"T" AS "t"', '(scan expression:"T" alias:"t")'],
    ['information_schema.user_tables', '(scan expression:information_schema.user_tables)'],
    ['_ql_committed_T', '(scan expression:_ql_committed_T)'],
    ['<< 0 >>', '(scan expression:(bag values:[0]))'],
    ['? AS p', '(scan expression:?0 alias:p)'],
    ['UNPIVOT a.b AS v AT k', '(unpivot expression:a.b alias:v at:k)'],
    ['history(T)', '(history table:T)'],
    [
      'History ( T, `2024T`, ? ) AS h BY id',
      '(history table:T start:<year 2024-1-1 0:0:0 undefined> end:?0 alias:h by:id)',
    ],
    ['history("T")', '(history table:"T")'],
    ["history('abc')", '(history table:(tableId:abc))'],
    ['history', '(scan expression:history)'],
    [
      'a, @a.b AS c',
      '(join type:inner left:(scan expression:a) right:(scan expression:@a.b alias:c))',
    ],
    [
      'a JOIN b ON c',
      '(join type:inner left:(scan expression:a) right:(scan expression:b) condition:c)',
    ],
    [
      'a INNER JOIN b ON c',
      '(join type:inner left:(scan expression:a) right:(scan expression:b) condition:c)',
    ],
    ['a CROSS JOIN b', '(join type:inner left:(scan expression:a) right:(scan expression:b))'],
    [
      'a LEFT CROSS JOIN a.b',
      '(join type:left left:(scan expression:a) right:(scan expression:a.b))',
    ],
    [
      'a left outer join b on c',
      '(join type:left left:(scan expression:a) right:(scan expression:b) condition:c)',
    ],
    [
      'a RIGHT JOIN b ON c',
      '(join type:right left:(scan expression:a) right:(scan expression:b) condition:c)',
    ],
    [
      'a FULL OUTER JOIN b ON c',
      '(join type:full left:(scan expression:a) right:(scan expression:b) condition:c)',
    ],
    [
      'a, b JOIN c ON d',
      '(join type:inner left:(join type:inner left:(scan expression:a) right:(scan expression:b)) right:(scan expression:c) condition:d)',
    ],
    [
      'a, b FULL JOIN c ON d',
      '(join type:inner left:(scan expression:a) right:(join type:full left:(scan expression:b) right:(scan expression:c) condition:d))',
    ],
  ])('reads %s', (text, tree) => {
    expect(source(text)).toBe(tree)
  })
})

describe('DML', () => {
  it.each([
    [
      "INSERT INTO T VALUE {'a': ?}",
      "(insert table:T source:(struct fields:[(name:'a' value:?0)]) isSingle:true)",
    ],
    ['INSERT INTO T ?', '(insert table:T source:?0)'],
    ['INSERT INTO "T" << ?, ? >>', '(insert table:"T" source:(bag values:[?0 ?1]))'],
    ['INSERT INTO T [?]', '(insert table:T source:(list values:[?0] constructor_:list))'],
    [
      'INSERT INTO T SELECT * FROM U',
      '(insert table:T source:(query query:(select projection:(star) from:(scan expression:U))))',
    ],
    [
      'UPDATE T AS t BY id SET t.a = 1, t.b.c = ? WHERE id = ?',
      '(update target:(table:T alias:t by:id) operations:[(set assignments:[(target:t.a value:1) (target:t.b.c value:?0)])] where:(id = ?1))',
    ],
    [
      'UPDATE T t SET t = ?',
      '(update target:(table:T alias:t) operations:[(set assignments:[(target:t value:?0)])])',
    ],
    [
      'UPDATE T INSERT INTO a.b VALUE 1 AT 0 WHERE c',
      '(update target:(table:T) operations:[(insertInto target:a.b value:1 at:0)] where:c)',
    ],
    ['UPDATE T REMOVE a[0]', '(update target:(table:T) operations:[(remove target:a[0])])'],
    [
      'UPDATE T SET a = 1 REMOVE b',
      '(update target:(table:T) operations:[(set assignments:[(target:a value:1)]) (remove target:b)])',
    ],
    [
      'FROM T AS t BY id WHERE t.a = 1 SET t.b = 2',
      '(update target:(table:T alias:t by:id) operations:[(set assignments:[(target:t.b value:2)])] where:(t.a = 1))',
    ],
    [
      'FROM T AS t, t.list AS x WHERE x.a = 1 REMOVE x',
      '(update target:(table:T alias:t nested:[(scan expression:t.list alias:x)]) operations:[(remove target:x)] where:(x.a = 1))',
    ],
    [
      'FROM T INSERT INTO a VALUE ?',
      '(update target:(table:T) operations:[(insertInto target:a value:?0)])',
    ],
    [
      'DELETE FROM T AS t BY id WHERE id = ?',
      '(delete target:(table:T alias:t by:id) where:(id = ?0))',
    ],
    ['DELETE FROM T', '(delete target:(table:T))'],
  ])('reads %s', (text, tree) => {
    expect(statement(text)).toBe(tree)
  })
})

describe('DDL and EXEC', () => {
  it.each([
    ['CREATE TABLE T', '(createTable table:T)'],
    [
      "create table T with (aws_tags = `{'k': 'v'}`, x = true, y = 1, z = 'a', n = NULL)",
      "(createTable table:T options:[(name:aws_tags value:{k:<symbol>}) (name:x value:true) (name:y value:1) (name:z value:'a') (name:n value:NULL)])",
    ],
    ['DROP TABLE "T"', '(dropTable table:"T")'],
    ['UNDROP TABLE "abc"', '(undropTable table:"abc")'],
    ['CREATE INDEX on T (VIN)', '(createIndex table:T fields:[VIN])'],
    ['CREATE INDEX ON T (a, "b")', '(createIndex table:T fields:[a "b"])'],
    [
      'DROP INDEX "abc" ON T WITH (purge = true)',
      '(dropIndex index:"abc" table:T options:[(name:purge value:true)])',
    ],
    ["EXEC REDACT_REVISION ?, 'a', 'b'", "(exec procedure:redact_revision arguments:[?0 'a' 'b'])"],
    ['EXEC nothing;', '(exec procedure:nothing)'],
  ])('reads %s', (text, tree) => {
    expect(statement(text)).toBe(tree)
  })
})

describe('the statement as a whole', () => {
  it('counts the parameters and keeps the text', () => {
    const text = 'SELECT ? FROM T WHERE a = ? AND b IN (?, ?) -- ?\n;'
    expect(parseStatement(text)).toMatchObject({ text, parameterCount: 4 })
  })

  it('skips comments and white space of any kind', () => {
    expect(statement('/* a\n */ SELECT--b\r\n\t* FROM\u00a0T--')).toBe(statement('SELECT * FROM T'))
  })

  it('gives each node the place where it begins', () => {
    const { statement } = parseStatement('SELECT *\nFROM T AS t\n  WHERE t.a = 1\n    AND b')
    expect(statement).toMatchObject({
      position: { line: 1, column: 1 },
      query: {
        from: { position: { line: 2, column: 6 }, alias: { position: { line: 2, column: 11 } } },
        where: {
          position: { line: 3, column: 9 },
          left: { right: { position: { line: 3, column: 15 } } },
          right: { position: { line: 4, column: 9 } },
        },
      },
    })
  })

  it('counts lines within strings, comments and Ion', () => {
    const { statement } = parseStatement("'a\nb' || `\n1` || /*\n*/ c")
    expect(statement).toMatchObject({
      query: { expression: { right: { position: { line: 4, column: 4 } } } },
    })
  })

  it('freezes every node', () => {
    const { statement } = parseStatement(
      "SELECT a.b, CASE WHEN x THEN {'a': [1]} END FROM T t, history(U) LET 1 AS q GROUP BY z ORDER BY c",
    )
    const seen: unknown[] = [statement]
    for (const value of seen) {
      const isNode = typeof value === 'object' && value !== null && !('annotations' in value)
      if (!isNode) continue
      expect(Object.isFrozen(value)).toBe(true)
      seen.push(...Object.values(value))
    }
    expect(seen.length).toBeGreaterThan(100)
  })
})

describe('bounds', () => {
  /** The code of the error, or `ok`. */
  function outcome(text: string): string {
    try {
      parseStatement(text)
      return 'ok'
    } catch (error) {
      return error instanceof PartiqlError ? error.code : String(error)
    }
  }

  const half = nestingDepthMax / 2
  const shapes: readonly (readonly [string, (count: number) => string])[] = [
    ['parentheses', (n) => `${'('.repeat(n)}1${')'.repeat(n)}`],
    ['lists', (n) => `${'['.repeat(n)}1${']'.repeat(n)}`],
    ['bags', (n) => `${'<<'.repeat(n)}1${'>>'.repeat(n)}`],
    ['structs', (n) => `${"{'a':".repeat(n)}1${'}'.repeat(n)}`],
    ['steps', (n) => `${'a['.repeat(n)}1${']'.repeat(n)}`],
    ['calls', (n) => `${'f('.repeat(n)}1${')'.repeat(n)}`],
    ['IN', (n) => `${'a IN ('.repeat(n)}1${')'.repeat(n)}`],
    ['CASE', (n) => `${'CASE WHEN a THEN '.repeat(n)}1${' END'.repeat(n)}`],
    ['signs', (n) => `${'- '.repeat(n)}1`],
    ['NOT', (n) => `${'NOT '.repeat(n)}a`],
    ['sums', (n) => `1${'+1'.repeat(n)}`],
    ['predicates', (n) => `a${' IS NULL'.repeat(n)}`],
    ['unions', (n) => `a${' UNION a'.repeat(n)}`],
    ['joins', (n) => `SELECT * FROM a${', a'.repeat(n)}`],
  ]

  it.each(shapes)('allows %s up to the bound, and not beyond', (_, shape) => {
    expect(outcome(shape(half - 10))).toBe('ok')
    expect(outcome(shape(nestingDepthMax + 1))).toBe('LIMIT')
    expect(outcome(shape(50_000))).toBe('LIMIT')
  })

  it('bounds the height of sub-queries that are short to write', () => {
    expect(outcome(`${'(SELECT '.repeat(40)}1${')'.repeat(40)}`)).toBe('ok')
    expect(outcome(`${'(SELECT '.repeat(55)}1${')'.repeat(55)}`)).toBe('LIMIT')
  })

  it('stops at the bound with every level of precedence on the stack', () => {
    const level = 'a OR b AND NOT c = d || e + f * - g('
    expect(outcome(level.repeat(50_000))).toBe('LIMIT')
    expect(outcome(`SELECT * FROM t WHERE ${level}SELECT * FROM (`.repeat(10_000))).toBe('LIMIT')
  })

  it.each(['AND', 'OR'])('balances long chains of %s and keeps their order', (operator) => {
    const terms = Array.from({ length: 10_000 }, (_, index) => `a${index}`)
    const { statement } = parseStatement(terms.join(` ${operator} `))
    const shown = show(statement)
    expect(shown.match(/a\d+/g)).toEqual(terms)
    expect(/\(+a0/.exec(shown)?.[0].length).toBeLessThan(20)
  })

  it('keeps short chains leaning to the left', () => {
    expect(expression('a AND b AND c AND d')).toBe('(((a AND b) AND c) AND d)')
  })

  it('takes long lists and long paths', () => {
    expect(outcome(`a IN (${Array(20_000).fill('?').join(',')})`)).toBe('ok')
    expect(outcome(`a${'.b'.repeat(20_000)}`)).toBe('ok')
  })
})
