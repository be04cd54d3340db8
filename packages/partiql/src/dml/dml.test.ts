import { describe, expect, it } from 'vitest'
import { compileStatement } from '../compile/statement.ts'
import { parseStatement } from '../parser/parse-statement.ts'
import { createMemoryStore, type MemoryStore } from '../testing/memory-store.ts'
import { run } from '../testing/run.ts'
import { createVehicleStore } from '../testing/vehicles.ts'

/** One table T with these documents. */
function storeWith(...documents: string[]): MemoryStore {
  const store = createMemoryStore()
  run(store, 'CREATE TABLE T')
  run(store, 'INSERT INTO T ?', `[${documents.join(',')}]`)
  return store
}

/** The documents after a statement. */
function after(document: string, statement: string, ...parameters: string[]): string[] {
  const store = storeWith(document)
  run(store, statement, ...parameters)
  return run(store, 'SELECT VALUE t FROM T AS t')
}

describe('INSERT', () => {
  const insert = (text: string, ...parameters: string[]): [string[], string[]] => {
    const store = createMemoryStore()
    run(store, 'CREATE TABLE T')
    return [run(store, text, ...parameters), run(store, 'SELECT VALUE t FROM T AS t')]
  }

  it('stores one document', () =>
    expect(insert("INSERT INTO T VALUE {'a': 1}")).toEqual([
      ['{documentId:"document2"}'],
      ['{a:1}'],
    ]))

  it('stores each of a bag', () =>
    expect(insert("INSERT INTO T << {'a': 1}, {'a': 2} >>")[1]).toEqual(['{a:1}', '{a:2}']))

  it('stores each of a list parameter in order', () => {
    const [rows, documents] = insert('INSERT INTO T ?', '[{a:1},{a:2}]')
    expect(rows).toEqual(['{documentId:"document2"}', '{documentId:"document3"}'])
    expect(documents).toEqual(['{a:1}', '{a:2}'])
  })

  it('stores a struct parameter', () =>
    expect(insert('INSERT INTO T ?', '{a:1}')[1]).toEqual(['{a:1}']))

  it('keeps every kind of value as it came', () => {
    const document = '{a:x::null.int,b:(1 [2]),c:{{aGk=}},d:2020T,e:-0.0,f:{{"c"}},g:s,h:nan}'
    expect(insert('INSERT INTO T ?', document)[1]).toEqual([document])
  })

  it('stores the rows of a query, read before the first write', () => {
    const store = storeWith('{a:1}', '{a:2}')
    run(store, 'INSERT INTO T (SELECT t.a + 10 AS a FROM T AS t)')
    expect(run(store, 'SELECT VALUE t.a FROM T AS t')).toEqual(['1', '2', '11', '12'])
  })

  it.each(['1', 'null', '[1]'])('refuses VALUE %s, and stores nothing', (value) => {
    const store = createMemoryStore()
    run(store, 'CREATE TABLE T')
    expect(() => run(store, 'INSERT INTO T VALUE ?', value)).toThrow('a document is a struct')
  })

  it('stores none when one of them is no struct', () => {
    const store = createMemoryStore()
    run(store, 'CREATE TABLE T')
    expect(() => run(store, 'INSERT INTO T ?', '[{a:1},2]')).toThrow('a document is a struct')
    expect(run(store, 'SELECT * FROM T')).toEqual([])
  })

  it('refuses system views', () => {
    expect(() => insert("INSERT INTO _ql_committed_T VALUE {'a': 1}")).toThrow('can only be read')
  })
})

describe('UPDATE … SET', () => {
  it('gives a row per assignment', () => {
    const store = createVehicleStore()
    expect(run(store, "UPDATE Vehicle SET Year = 1, Make = 'X' WHERE VIN = 'v1'")).toEqual([
      '{documentId:"document5"}',
      '{documentId:"document5"}',
    ])
  })

  it('gives no row when nothing matches', () =>
    expect(run(createVehicleStore(), "UPDATE Vehicle SET Year = 1 WHERE VIN = 'none'")).toEqual([]))

  it('writes each document once', () => {
    const store = storeWith('{a:1}')
    run(store, 'UPDATE T SET a = 2, b = 3')
    expect(run(store, 'SELECT h.metadata.version FROM history(T) AS h')).toEqual([
      '{version:0}',
      '{version:1}',
    ])
  })

  it.each([
    ['{a:1}', 'UPDATE T SET a = 2', '{a:2}'],
    ['{a:1}', 'UPDATE T AS t SET t.a = t.a + 1', '{a:2}'],
    ['{a:1,b:2}', 'UPDATE T AS t SET a = t.b, b = t.a', '{a:2,b:1}'],
    ['{A:1}', 'UPDATE T SET a = 2', '{A:2}'],
    ['{A:1}', 'UPDATE T SET "a" = 2', '{A:1,a:2}'],
    ['{a:1}', 'UPDATE T SET b.c.d = 2', '{a:1,b:{c:{d:2}}}'],
    ['{a:null}', 'UPDATE T SET a.b = 2', '{a:{b:2}}'],
    ['{a:[1,2]}', 'UPDATE T SET a[1] = 3', '{a:[1,3]}'],
    ['{a:[1,2]}', 'UPDATE T SET a[2] = 3', '{a:[1,2,3]}'],
    ['{a:[{b:1}]}', 'UPDATE T SET a[0].b = 2', '{a:[{b:2}]}'],
    ['{a:x::{b:1}}', 'UPDATE T SET a.b = 2', '{a:x::{b:2}}'],
    ['{a:1,b:2}', 'UPDATE T SET a = missing', '{b:2}'],
    ['{a:1}', "UPDATE T AS t SET t['b'] = 2", '{a:1,b:2}'],
    ['{a:1}', 'FROM T AS t WHERE t.a = 1 SET t.a = 5', '{a:5}'],
  ])('of %s with %s gives %s', (document, statement, result) =>
    expect(after(document, statement)).toEqual([result]),
  )

  it('replaces the whole document by the bare alias', () =>
    expect(after('{a:1}', 'UPDATE T AS d SET d = ?', '{z:1}')).toEqual(['{z:1}']))

  it.each([
    ['{a:1}', 'UPDATE T AS d SET d = 1', 'a document is a struct'],
    ['{a:1}', 'UPDATE T AS d SET d = missing', 'cannot be set to MISSING'],
    ['{a:1}', 'UPDATE T SET a.b = 1', 'an int has no field b'],
    ['{a:[1]}', 'UPDATE T SET a[5] = 1', 'the list has 1 element,'],
    ['{a:1}', 'UPDATE T SET b[0] = 1', 'there is no list'],
    ['{a:[1]}', 'UPDATE T SET a[*] = 1', 'a path to write to'],
  ])('of %s refuses %s', (document, statement, message) => {
    const store = storeWith(document)
    expect(() => run(store, statement)).toThrow(message)
    expect(run(store, 'SELECT VALUE t FROM T AS t')).toEqual([document])
  })

  it('updates elements found by unnesting', () =>
    expect(
      after('{l:[{k:1},{k:2},{k:1}]}', 'FROM T AS t, t.l AS x WHERE x.k = 1 SET x.v = true'),
    ).toEqual(['{l:[{k:1,v:true},{k:2},{k:1,v:true}]}']))

  it('updates elements found two levels deep', () =>
    expect(
      after('{l:[{m:[1,2]},{m:[2]}]}', 'FROM T AS t, t.l AS x, x.m AS y WHERE y = 2 SET y = 9'),
    ).toEqual(['{l:[{m:[1,9]},{m:[9]}]}']))
})

describe('INSERT INTO a path', () => {
  it.each([
    ['{l:[1]}', 'UPDATE T AS t INSERT INTO t.l VALUE 2', '{l:[1,2]}'],
    ['{l:[1]}', 'FROM T AS t INSERT INTO t.l VALUE 0 AT 0', '{l:[0,1]}'],
    ['{s:{a:1}}', "FROM T AS t INSERT INTO t.s VALUE 2 AT 'b'", '{s:{a:1,b:2}}'],
    ['{s:{a:1}}', "FROM T AS t INSERT INTO t.s VALUE 2 AT 'a'", '{s:{a:2}}'],
    ['{a:1}', 'FROM T AS t INSERT INTO t.l VALUE 1', '{a:1,l:[1]}'],
    ['{a:1}', "FROM T AS t INSERT INTO t VALUE 2 AT 'b'", '{a:1,b:2}'],
  ])('of %s with %s gives %s', (document, statement, result) =>
    expect(after(document, statement)).toEqual([result]),
  )

  it.each([
    ['{l:[1]}', "FROM T AS t INSERT INTO t.l VALUE 2 AT 'x'", 'a list takes a position'],
    ['{l:[1]}', 'FROM T AS t INSERT INTO t.l VALUE 2 AT 5', 'no place at 5'],
    ['{s:{a:1}}', 'FROM T AS t INSERT INTO t.s VALUE 2', 'a struct takes a name'],
    ['{s:1}', 'FROM T AS t INSERT INTO t.s VALUE 2', 'nothing can be inserted into an int'],
  ])('of %s refuses %s', (document, statement, message) =>
    expect(() => after(document, statement)).toThrow(message),
  )
})

describe('REMOVE and DELETE', () => {
  it.each([
    ['{a:1,b:2}', 'UPDATE T REMOVE a', ['{b:2}']],
    ['{a:{b:1,c:2}}', 'FROM T AS t REMOVE t.a.b', ['{a:{c:2}}']],
    ['{l:[1,2,3]}', 'FROM T AS t REMOVE t.l[1]', ['{l:[1,3]}']],
    ['{a:1}', 'UPDATE T REMOVE nope.deeper', ['{a:1}']],
    ['{l:[1,2,1,1]}', 'FROM T AS t, t.l AS x WHERE x = 1 REMOVE x', ['{l:[2]}']],
    ['{a:1}', 'FROM T AS t REMOVE t', []],
    ['{a:1}', 'DELETE FROM T WHERE a = 1', []],
    ['{a:1}', 'DELETE FROM T WHERE a = 2', ['{a:1}']],
  ])('of %s with %s gives %j', (document, statement, result) =>
    expect(after(document, statement)).toEqual(result),
  )

  it('gives a row per deleted document', () => {
    const store = storeWith('{a:1}', '{a:2}')
    expect(run(store, 'DELETE FROM T')).toEqual([
      '{documentId:"document2"}',
      '{documentId:"document3"}',
    ])
  })

  it('makes no revision when there is nothing to remove', () => {
    const store = storeWith('{a:1}')
    run(store, 'UPDATE T REMOVE b')
    expect(run(store, 'SELECT COUNT(*) FROM history(T)')).toEqual(['{_1:1}'])
  })

  it.each(['DELETE FROM _ql_committed_T', 'UPDATE _QL_COMMITTED_T SET a = 1'])(
    'refuses %s',
    (text) => expect(() => run(storeWith('{a:1}'), text)).toThrow('can only be read'),
  )
})

describe('DDL and EXEC', () => {
  it('answers the id of the table', () => {
    const store = createMemoryStore()
    expect(run(store, 'CREATE TABLE T')).toEqual(['{tableId:"table1"}'])
    expect(run(store, 'CREATE INDEX ON T (a)')).toEqual(['{tableId:"table1"}'])
    expect(run(store, 'DROP INDEX "index2" ON T WITH (purge = true)')).toEqual([
      '{tableId:"table1"}',
    ])
    expect(run(store, 'DROP TABLE T')).toEqual(['{tableId:"table1"}'])
    expect(run(store, 'UNDROP TABLE "table1"')).toEqual(['{tableId:"table1"}'])
  })

  it('hands tags of a table to the store', () => {
    const store = createMemoryStore()
    run(store, "CREATE TABLE T WITH (aws_tags = `{'k': 'v', two: \"w\", none: ''}`)")
    expect(store.calls).toEqual(['tags {"k":"v","two":"w","none":""}'])
  })

  it.each([
    ["aws_tags = 'k'", 22, 'must be a struct'],
    ['aws_tags = `{k: 1}`', 22, 'a tag value must be a string'],
    ['aws_tags = `{k: null.string}`', 22, 'a tag value must be a string'],
    ['aws_tags = `null.struct`', 22, 'must be a struct'],
    [`aws_tags = \`{k: ${'v'.repeat(257)}}\``, 22, 'at most 256 characters'],
    [`aws_tags = \`{${'k'.repeat(129)}: v}\``, 22, '1 to 128 characters'],
    ["aws_tags = `{'': v}`", 22, '1 to 128 characters'],
    ["aws_tags = `{'aws:k': v}`", 22, 'not begin with "aws:"'],
    ['aws_tags = `{k: v, k: w}`', 22, 'a tag key stands twice'],
    ['aws_tags = `{k: v}`, aws_tags = `{}`', 43, 'aws_tags stands twice'],
    [
      `aws_tags = \`{${Array.from({ length: 51 }, (_, i) => `k${i}: v`)}}\``,
      22,
      '51 of at most 50',
    ],
  ])('refuses the tags %s', (option, column, message) => {
    const store = createMemoryStore()
    const create = () => run(store, `CREATE TABLE T WITH (${option})`)
    expect(create).toThrow(`line 1, column ${column}: `)
    expect(create).toThrow(message)
    expect(run(store, 'SELECT * FROM information_schema.user_tables')).toEqual([])
  })

  it('refuses an index on several fields', () => {
    const store = storeWith('{a:1}')
    expect(() => run(store, 'CREATE INDEX ON T (a, b)')).toThrow('one top-level field')
  })

  it('hands procedures to the store', () => {
    const store = createMemoryStore()
    run(store, "EXEC REDACT_REVISION ?, 'table', 'document'", '{strandId:"s",sequenceNo:1}')
    expect(store.calls).toEqual(['exec redact_revision/3'])
  })
})

describe('permissions', () => {
  const store = createVehicleStore()
  const facts = (text: string): [boolean, string[]] => {
    const compiled = compileStatement(parseStatement(text), store)
    return [
      compiled.isReadOnly,
      compiled.actions.map(({ action, table }) => `${action} ${table?.name}`),
    ]
  }

  it.each<[string, boolean, string[]]>([
    ['SELECT * FROM Vehicle', true, ['PartiQLSelect Vehicle']],
    [
      'SELECT * FROM Vehicle AS v, history(VehicleRegistration) AS h',
      true,
      ['PartiQLSelect Vehicle', 'PartiQLHistoryFunction VehicleRegistration'],
    ],
    ["INSERT INTO Vehicle VALUE {'a': 1}", false, ['PartiQLInsert Vehicle']],
    ['UPDATE Vehicle SET a = 1', false, ['PartiQLUpdate Vehicle', 'PartiQLSelect Vehicle']],
    ['DELETE FROM Vehicle', false, ['PartiQLDelete Vehicle', 'PartiQLSelect Vehicle']],
    ['CREATE TABLE X', false, ['PartiQLCreateTable undefined']],
  ])('of %s', (text, isReadOnly, actions) => expect(facts(text)).toEqual([isReadOnly, actions]))
})
