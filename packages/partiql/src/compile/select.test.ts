import { parseIon } from '@cairn/ion'
import { describe, expect, it } from 'vitest'
import { pause } from '../compiled.ts'
import { parseStatement } from '../parser/parse-statement.ts'
import { createMemoryStore } from '../testing/memory-store.ts'
import { run, runRows } from '../testing/run.ts'
import { createVehicleStore } from '../testing/vehicles.ts'
import { heldRowCountMax } from './held-rows.ts'
import { compileStatement } from './statement.ts'

const query = (text: string, ...parameters: string[]): string[] =>
  run(createVehicleStore(), text, ...parameters)

describe('SELECT', () => {
  it('gives the stored object itself for *', () => {
    const store = createVehicleStore()
    const table = store.findTable('Vehicle', true)
    const [document] = table === undefined ? [] : [...store.scan(table)]
    const [star] = runRows(store, 'SELECT * FROM Vehicle')
    const [value] = runRows(store, 'SELECT VALUE t FROM Vehicle AS t')
    expect(star).toBe(document?.data)
    expect(value).toBe(document?.data)
  })

  it('names columns by alias, last step and position', () =>
    expect(query("SELECT v.VIN, v.Make AS m, 1 + 1 FROM Vehicle AS v WHERE v.VIN = 'v1'")).toEqual([
      '{VIN:"v1",m:"Audi",_3:2}',
    ]))

  it('leaves out MISSING columns', () =>
    expect(query("SELECT v.VIN, v.Nope FROM Vehicle AS v WHERE v.VIN = 'v1'")).toEqual([
      '{VIN:"v1"}',
    ]))

  it('gives no row for a MISSING value', () =>
    expect(query('SELECT VALUE v.Nope FROM Vehicle AS v')).toEqual([]))

  it('resolves bare names against the one row', () =>
    expect(
      query(
        'SELECT Owners.PrimaryOwner.PersonId FROM VehicleRegistration AS r WHERE City = ?',
        '"Graz"',
      ),
    ).toEqual(['{PersonId:"p2"}']))

  it('takes the name of a source for its row', () =>
    expect(
      query(
        `SELECT Vehicle FROM Vehicle INNER JOIN VehicleRegistration AS r ON Vehicle.VIN = r.VIN
         WHERE r.Owners.PrimaryOwner.PersonId = ?`,
        '"p2"',
      ),
    ).toEqual(['{Vehicle:{VIN:"v2",Make:"Tesla",Year:2015}}']))

  it('finds a bare name in the one source that has it', () =>
    expect(
      query('SELECT Make, City FROM Vehicle AS v, VehicleRegistration AS r WHERE v.VIN = r.VIN'),
    ).toEqual(['{Make:"Audi",City:"Bonn"}', '{Make:"Tesla",City:"Graz"}']))

  it('refuses a bare name that two sources have', () =>
    expect(() => query('SELECT VIN FROM Vehicle AS v, VehicleRegistration AS r')).toThrow(
      'the field VIN is in more than one source',
    ))

  it('merges rows for * and keeps repeated names', () =>
    expect(query("SELECT * FROM << {'a': 1} >> AS x, << {'a': 2, 'b': 3} >> AS y")).toEqual([
      '{a:1,a:2,b:3}',
    ]))

  it('binds the document id', () =>
    expect(query("SELECT id, v.VIN FROM Vehicle AS v BY id WHERE v.VIN = 'v2'")).toEqual([
      '{id:"document6",VIN:"v2"}',
    ]))

  it('unnests a list with its positions', () =>
    expect(
      query(
        'SELECT o.PersonId, i FROM VehicleRegistration AS r, r.Owners.SecondaryOwners AS o AT i',
      ),
    ).toEqual(['{PersonId:"p7",i:0}', '{PersonId:"p8",i:1}']))

  it('unpivots a struct', () =>
    expect(query("SELECT k, v FROM UNPIVOT {'a': 1, 'b': 2} AS v AT k")).toEqual([
      '{k:"a",v:1}',
      '{k:"b",v:2}',
    ]))

  it('finds tables without regard to case, quoted ones exactly', () => {
    expect(query('SELECT COUNT(*) FROM vehicle')).toEqual(['{_1:3}'])
    expect(() => query('SELECT * FROM "vehicle"')).toThrow('There is a table Vehicle')
  })

  it('refuses unknown tables', () =>
    expect(() => query('SELECT * FROM Nope')).toThrow('line 1, column 15: there is no table Nope.'))

  it('refuses a wrong number of parameters', () =>
    expect(() => query('SELECT * FROM Vehicle WHERE VIN = ?')).toThrow(
      'Parameters needed: 1, given: 0.',
    ))

  it('gives the elements of a bag as rows', () =>
    expect(query('<< 1, 2, missing >>')).toEqual(['1', '2']))

  it('lists the user tables under any case', () =>
    expect(
      query(
        "SELECT name FROM INFORMATION_SCHEMA.user_tables WHERE status = 'ACTIVE'AND name = 'Vehicle'",
      ),
    ).toEqual(['{name:"Vehicle"}']))
})

describe('counting reads', () => {
  it('counts each document that each operator of a nested loop reads', () => {
    const store = createVehicleStore()
    const sources = ['a', 'b', 'c', 'd', 'e', 'f'].map((alias) => `Vehicle AS ${alias}`)
    const rows = run(store, `SELECT a.VIN FROM ${sources.join(', ')}`)
    expect(rows).toHaveLength(729)
    expect(store.readCount).toBe(3 + 9 + 27 + 81 + 243 + 729)
  })

  it('reads no more than the pulled rows need', () => {
    const store = createVehicleStore()
    const rows = compileStatement(parseStatement('SELECT * FROM Vehicle'), store).run([], store)
    rows.next()
    expect(store.readCount).toBe(1)
  })
})

describe('pausing', () => {
  it('yields pause in long scans, also when no row matches', () => {
    const store = createMemoryStore()
    run(store, 'CREATE TABLE T')
    run(store, 'INSERT INTO T ?', `[${'{a:1},'.repeat(1000)}]`)
    const statement = compileStatement(parseStatement('SELECT * FROM T WHERE a = 2'), store)
    const yields = [...statement.run([], store)]
    expect(yields).toEqual([pause, pause, pause])
    expect(store.deadlineCheckCount).toBeGreaterThan(3)
  })

  it('yields pause more often where a row costs more', () => {
    const store = createMemoryStore()
    const pausesOf = (text: string): number => {
      const parameters = [
        parseIon(`[${'"aaaaaaaaaaaaaaaaaaaa",'.repeat(200)}]`),
        parseIon(`[${'"b",'.repeat(4000)}]`),
      ].slice(0, text.split('?').length - 1)
      const statement = compileStatement(parseStatement(text), store)
      return [...statement.run(parameters, store)].filter((row) => row === pause).length
    }
    expect(pausesOf("SELECT * FROM ? AS a WHERE a = 'b'")).toBe(0)
    expect(pausesOf('SELECT * FROM ? AS a WHERE a IN ?')).toBeGreaterThan(50)
    const count = '(SELECT COUNT(*) FROM ? AS b WHERE b = a)'
    expect(pausesOf(`SELECT ${count} AS n FROM ? AS a`)).toBeGreaterThan(1900)
    const pattern = '%a%_'.repeat(200)
    expect(pausesOf(`SELECT * FROM ? AS a WHERE a LIKE '${pattern}b'`)).toBeGreaterThan(20)
  })
})

describe('what statements put together', () => {
  const doubled = (expression: string, first = "'a'"): string => {
    let text = `SELECT VALUE ${first} FROM << 1 >> AS z`
    for (let level = 0; level < 60; level++) {
      text = `SELECT VALUE ${expression} FROM (${text}) AS v`
    }
    return text
  }

  it.each(['[v, v]', '<< v, v >>', "{'a': v, 'b': v}"])('has a bound: %s', (expression) =>
    expect(() => query(doubled(expression))).toThrow('the statement makes a value larger than'),
  )

  it.each(['v || v', 'OVERLAY(v PLACING v FROM 1 FOR 0)'])('has a bound: %s', (expression) =>
    expect(() => query(doubled(expression))).toThrow('the statement makes a text longer than'),
  )

  it.each([
    'SELECT VALUE a || b FROM ? AS a, ? AS b ORDER BY a || b',
    'SELECT k, g FROM ? AS a, ? AS b GROUP BY a || b AS k GROUP AS g',
    'PIVOT a || b AT b FROM ? AS a, ? AS b',
    'SELECT VALUE (SELECT VALUE a || b FROM ? AS a, ? AS b) FROM << 1 >> AS z',
    'SELECT * FROM << 1 >> AS z FULL OUTER JOIN (SELECT VALUE a || b FROM ? AS a, ? AS b) AS r ON z = 1',
  ])('has one for what is held: %s', (text) => {
    const numbers = Array.from({ length: 2000 }, (_, i) => `"${i}"`).join()
    expect(() => query(text, `["${'x'.repeat(100_000)}"]`, `[${numbers}]`)).toThrow(
      /keeps more than \d+ bytes of rows in memory/,
    )
  })

  it('has one also where only an order is asked for', () =>
    expect(() => query(`${doubled('<< v, v >>')} ORDER BY v`)).toThrow('larger than'))
})

describe('joins', () => {
  const left = "<< {'id': 1}, {'id': 2} >> AS a"
  const right = "<< {'id': 2, 'x': 'two'}, {'id': 3, 'x': 'three'} >> AS b"

  it('keeps left rows without a match', () =>
    expect(query(`SELECT a.id, b.x FROM ${left} LEFT JOIN ${right} ON a.id = b.id`)).toEqual([
      '{id:1}',
      '{id:2,x:"two"}',
    ]))

  it('keeps right rows without a match', () =>
    expect(query(`SELECT a.id AS i, b.x FROM ${left} RIGHT JOIN ${right} ON a.id = b.id`)).toEqual([
      '{i:2,x:"two"}',
      '{x:"three"}',
    ]))

  it('keeps both in a full join', () =>
    expect(query(`SELECT a.id AS i, b.x FROM ${left} FULL JOIN ${right} ON a.id = b.id`)).toEqual([
      '{i:1}',
      '{i:2,x:"two"}',
      '{x:"three"}',
    ]))

  it('tests WHERE after an outer join', () =>
    expect(
      query(`SELECT a.id FROM ${left} LEFT JOIN ${right} ON a.id = b.id WHERE b IS NULL`),
    ).toEqual(['{id:1}']))

  it('tests ON of an outer join on the left row without dropping it', () =>
    expect(
      query(`SELECT a.id, b.x FROM ${left} LEFT JOIN ${right} ON a.id = b.id AND a.id = 1`),
    ).toEqual(['{id:1}', '{id:2}']))
})

describe('GROUP BY and aggregates', () => {
  it('gives one row without GROUP BY, also of nothing', () =>
    expect(
      query("SELECT COUNT(*), SUM(v.Year) AS s FROM Vehicle AS v WHERE v.VIN = 'none'"),
    ).toEqual(['{_1:0,s:null}']))

  it('groups, filters groups and sorts them', () =>
    expect(
      query(
        `SELECT v.Make, COUNT(*) AS n, MAX(v.Year) AS y FROM Vehicle AS v
         GROUP BY v.Make HAVING COUNT(*) > 0 ORDER BY n DESC, v.Make`,
      ),
    ).toEqual(['{Make:"Audi",n:2,y:2019}', '{Make:"Tesla",n:1,y:2015}']))

  it('counts distinct values', () =>
    expect(query('SELECT COUNT(DISTINCT v.Make) AS n FROM Vehicle AS v')).toEqual(['{n:2}']))

  it('gives the rows of a group', () =>
    expect(
      query('SELECT m, SIZE(g) AS n FROM Vehicle AS v GROUP BY v.Make AS m GROUP AS g ORDER BY m'),
    ).toEqual(['{m:"Audi",n:2}', '{m:"Tesla",n:1}']))

  it('refuses a column that is neither grouped nor aggregated', () =>
    expect(() => query('SELECT v.VIN, COUNT(*) FROM Vehicle AS v')).toThrow(
      'v is neither in GROUP BY',
    ))

  it('refuses aggregates in WHERE', () =>
    expect(() => query('SELECT * FROM Vehicle AS v WHERE COUNT(*) > 1')).toThrow('COUNT'))

  it('refuses HAVING without GROUP BY', () =>
    expect(() => query('SELECT v.VIN FROM Vehicle AS v HAVING v.VIN = 1')).toThrow('HAVING'))
})

describe('ORDER BY, LIMIT, DISTINCT', () => {
  it('sorts NULL lowest', () =>
    expect(query('SELECT VALUE x FROM << 2, null, 1 >> AS x ORDER BY x')).toEqual([
      'null',
      '1',
      '2',
    ]))

  it('places NULL where it is told', () =>
    expect(query('SELECT VALUE x FROM << 2, null, 1 >> AS x ORDER BY x NULLS LAST')).toEqual([
      '1',
      '2',
      'null',
    ]))

  it('sorts by a column of the SELECT list', () =>
    expect(query('SELECT v.VIN, -v.Year AS y FROM Vehicle AS v ORDER BY y LIMIT 1')).toEqual([
      '{VIN:"v3",y:-2019}',
    ]))

  it('skips and limits', () =>
    expect(query('SELECT VALUE x FROM << 1, 2, 3, 4 >> AS x LIMIT 2 OFFSET 1')).toEqual(['2', '3']))

  it('refuses a negative limit', () =>
    expect(() => query('SELECT VALUE x FROM << 1 >> AS x LIMIT -1')).toThrow('LIMIT'))

  it('stops reading at the limit', () => {
    const store = createVehicleStore()
    run(store, 'SELECT * FROM Vehicle LIMIT 1')
    expect(store.readCount).toBe(1)
  })

  it('drops equal rows', () =>
    expect(query('SELECT DISTINCT v.Make FROM Vehicle AS v')).toEqual([
      '{Make:"Audi"}',
      '{Make:"Tesla"}',
    ]))

  it('holds no more rows than it may', () => {
    const ten = '<< 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 >>'
    const sources = ['a', 'b', 'c', 'd', 'e', 'f'].map((alias) => `${ten} AS ${alias}`)
    expect(10 ** sources.length).toBeGreaterThan(heldRowCountMax)
    expect(() => query(`SELECT VALUE a FROM ${sources.join(', ')} ORDER BY b`)).toThrow(
      `keeps more than ${heldRowCountMax} rows`,
    )
  })
})

describe('set operators, LET, PIVOT', () => {
  const a = "SELECT x.v FROM << {'v': 1}, {'v': 2}, {'v': 2} >> AS x"
  const b = "SELECT y.w FROM << {'w': 2}, {'w': 3} >> AS y"

  it.each([
    ['UNION', ['{v:1}', '{v:2}', '{v:3}']],
    ['UNION ALL', ['{v:1}', '{v:2}', '{v:2}', '{v:2}', '{v:3}']],
    ['INTERSECT', ['{v:2}']],
    ['INTERSECT ALL', ['{v:2}']],
    ['EXCEPT', ['{v:1}']],
    ['EXCEPT ALL', ['{v:1}', '{v:2}']],
  ])('%s gives columns the names of the left', (operator, rows) =>
    expect(query(`${a} ${operator} ${b}`)).toEqual(rows),
  )

  it('refuses sides of different width', () =>
    expect(() => query(`${a} UNION SELECT y.w, 1 FROM << 1 >> AS y`)).toThrow('1 and 2 columns'))

  it('names values with LET', () =>
    expect(query('SELECT n FROM Vehicle AS v LET v.Year + 1 AS n WHERE n = 2012')).toEqual([
      '{n:2012}',
    ]))

  it('pivots rows into a struct', () =>
    expect(query("PIVOT v.Year AT v.VIN FROM Vehicle AS v WHERE v.Make = 'Audi'")).toEqual([
      '{v1:2011,v3:2019}',
    ]))
})

describe('sub-queries', () => {
  it('see the rows around them', () =>
    expect(
      query(
        `SELECT v.VIN FROM Vehicle AS v
         WHERE NOT EXISTS (SELECT * FROM VehicleRegistration AS r WHERE r.VIN = v.VIN)`,
      ),
    ).toEqual(['{VIN:"v3"}']))

  it('run once when they do not depend on a row', () => {
    const store = createVehicleStore()
    run(
      store,
      'SELECT v.VIN FROM Vehicle AS v WHERE v.Make IN (SELECT VALUE r.City FROM VehicleRegistration AS r)',
    )
    expect(store.calls).toEqual(['scan Vehicle', 'scan VehicleRegistration'])
  })

  it('have a bound of work in an expression, where they cannot give way', () => {
    const cross = 'SELECT COUNT(*) FROM ? AS a, ? AS b, ? AS c'
    const list = `[${'1,'.repeat(150)}]`
    const lists = [list, list, list]
    expect(() => query(`SELECT VALUE (${cross}) FROM << 1 >> AS z`, ...lists)).toThrow(
      'line 1, column 15: a sub-query within an expression touches more than',
    )
    expect(query(cross, ...lists)).toEqual(['{_1:3375000}'])
  })

  it('stand in FROM', () =>
    expect(
      query('SELECT s.m FROM (SELECT v.Make AS m FROM Vehicle AS v) AS s WHERE s.m = ?', '"Tesla"'),
    ).toEqual(['{m:"Tesla"}']))
})

describe('committed view and history', () => {
  it('shows revisions of the committed view', () =>
    expect(
      query(
        'SELECT metadata.version, r.data.VIN FROM _QL_Committed_Vehicle AS r WHERE data.VIN = ?',
        '"v1"',
      ),
    ).toEqual(['{version:0,VIN:"v1"}']))

  it('shows the history of a document', () => {
    const store = createVehicleStore()
    run(store, "UPDATE Vehicle SET Year = 1 WHERE VIN = 'v1'")
    expect(
      run(store, "SELECT h.data.Year FROM history(Vehicle) AS h WHERE h.metadata.id = 'document5'"),
    ).toEqual(['{Year:2011}', '{Year:1}'])
  })

  it('bounds history by time', () =>
    expect(query('SELECT * FROM history (Vehicle, `2019T`, `2020T`)')).toEqual([]))

  it('refuses bounds that are no timestamps', () =>
    expect(() => query("SELECT * FROM history(Vehicle, 'x')")).toThrow('not a timestamp'))

  it('shows the history of a dropped table by its id', () => {
    const store = createVehicleStore()
    run(store, 'DROP TABLE Vehicle')
    expect(run(store, "SELECT COUNT(*) FROM history('table1')")).toEqual(['{_1:3}'])
    expect(() => run(store, 'SELECT * FROM history(Vehicle)')).toThrow('there is no table')
  })
})
