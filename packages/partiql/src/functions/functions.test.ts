import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../testing/memory-store.ts'
import { evaluate, run } from '../testing/run.ts'

describe('text functions', () => {
  it.each([
    ["CHAR_LENGTH('a😀')", '2'],
    ["CHARACTER_LENGTH('')", '0'],
    ["OCTET_LENGTH('é')", '2'],
    ["LOWER('ÄB')", '"äb"'],
    ['UPPER(`sym`)', '"SYM"'],
    ["SUBSTRING('abcd', 2)", '"bcd"'],
    ["SUBSTRING('abcd', 2, 2)", '"bc"'],
    ["SUBSTRING('abcd' FROM 2 FOR 2)", '"bc"'],
    ["SUBSTRING('abcd', 0, 2)", '"a"'],
    ["SUBSTRING('abcd', -1)", '"abcd"'],
    ["SUBSTRING('abcd', -1, 3)", '"a"'],
    ["SUBSTRING('abcd', 9)", '""'],
    ["SUBSTRING('abcd', 1, -1)", 'missing'],
    ["SUBSTRING('a😀b', 2, 1)", '"😀"'],
    ["TRIM('  a ')", '"a"'],
    ["TRIM(LEADING FROM '  a ')", '"a "'],
    ["TRIM(TRAILING 'x' FROM 'axx')", '"a"'],
    ["TRIM(BOTH 'xy' FROM 'xyaxy')", '"a"'],
    ["POSITION('c' IN 'abc')", '3'],
    ["POSITION('z' IN 'abc')", '0'],
    ['CHAR_LENGTH(null)', 'null'],
    ['CHAR_LENGTH(missing)', 'null'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))

  it('is MISSING for a value of another kind', () =>
    expect(evaluate('UPPER(?)', '1')).toBe('missing'))

  it('refuses a constant of another kind before it runs', () =>
    expect(() => evaluate('UPPER(1)')).toThrow('argument 1 of UPPER is an int, not a text.'))
})

describe('numbers, conditions, collections', () => {
  it.each([
    ['ABS(-1.50)', '1.50'],
    ['MOD(-7, 3)', '-1'],
    ['COALESCE(missing, null, 3)', '3'],
    ['COALESCE(null, missing)', 'null'],
    ['NULLIF(1, 1.0)', 'null'],
    ['NULLIF(1, 2)', '1'],
    ['SIZE([1, 2])', '2'],
    ["SIZE({'a': 1})", '1'],
    ['COLL_SUM([1, 2.5, null])', '3.5'],
    ['COLL_AVG([1, 2])', '1.5'],
    ['COLL_AVG([1, 1, 2])', '1.3333333333333333333333333333333333333'],
    ['COLL_SUM(DISTINCT [1, 1.0, 2])', '3'],
    ["COLL_MAX([1, 'a', null])", '"a"'],
    ['COLL_COUNT([1, null])', '1'],
    ['COLL_SUM([])', 'null'],
    ["COLL_SUM([1, 'a'])", 'missing'],
    ['COLL_EVERY([true, null])', 'true'],
    ['COLL_ANY([false])', 'false'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))
})

describe('time functions', () => {
  it.each([
    ['DATE_ADD(month, 1, `2010T`)', '2010-02T'],
    ['DATE_ADD(year, 5, `2010-01-01T`)', '2015-01-01T'],
    ['DATE_ADD(month, -1, `2010-03-31T`)', '2010-02-28T'],
    ['DATE_ADD(day, 1, `2012-02-28T`)', '2012-02-29T'],
    ['DATE_ADD(hour, 1, `2017T`)', '2017-01-01T01:00-00:00'],
    ['DATE_ADD(second, 1, `2017-01-02T03:04:05.006Z`)', '2017-01-02T03:04:06.006Z'],
    ['DATE_ADD(day, 1, `2017-12-31T23:30+05:00`)', '2018-01-01T23:30+05:00'],
    ['DATE_ADD(year, 9000, `2010T`)', 'missing'],
    ['DATE_ADD(month, null, `2010T`)', 'null'],
    ['DATE_DIFF(year, `2010-01-01T`, `2011-01-01T`)', '1'],
    ['DATE_DIFF(year, `2010-12T`, `2011T`)', '0'],
    ['DATE_DIFF(month, `2010T`, `2010-05T`)', '4'],
    ['DATE_DIFF(year, `2011T`, `2010T`)', '-1'],
    ['DATE_DIFF(month, `2010-01-31T`, `2010-02-28T`)', '0'],
    ['DATE_DIFF(day, `2010-01-01T23:00Z`, `2010-01-02T01:00Z`)', '0'],
    ['DATE_DIFF(hour, `2010-01-01T23:00Z`, `2010-01-02T01:00Z`)', '2'],
    ['EXTRACT(year FROM `2010-01-01T`)', '2010'],
    ['EXTRACT(day FROM `2010-01-01T00:30+01:00`)', '1'],
    ['EXTRACT(second FROM `2010-01-01T00:00:05.50Z`)', '5.50'],
    ['EXTRACT(timezone_hour FROM `2010-01-01T00:30-01:30`)', '-1'],
    ['EXTRACT(timezone_minute FROM `2010-01-01T00:30-01:30`)', '-30'],
    ["TO_STRING(`1969-07-20T20:18Z`, 'MMMM d, y')", '"July 20, 1969"'],
    ["TO_STRING(`1969-07-20T20:18Z`, 'MMM d, yyyy')", '"Jul 20, 1969"'],
    ["TO_STRING(`1969-07-20T20:18Z`, 'M-d-yy')", '"7-20-69"'],
    ["TO_STRING(`1969-07-20T20:18Z`, 'MM-d-y h:m a')", '"07-20-1969 8:18 PM"'],
    ["TO_STRING(`1969-07-20T20:18:13Z`, 'y-MM-dd''T''H:m:ssX')", '"1969-07-20T20:18:13Z"'],
    ["TO_STRING(`1969-07-20T20:18:13+08:00`, 'H:mm XXXXX')", '"20:18 +08:00"'],
    ["TO_STRING(`1969-07-20T20:18:13.456Z`, 'ss.SS x')", '"13.45 +00"'],
    ["TO_STRING(`1969T`, 'q')", 'missing'],
    ["TO_TIMESTAMP('2007T')", '2007T'],
    ["TO_TIMESTAMP('2007-02-23T12:14:33.079-08:00')", '2007-02-23T12:14:33.079-08:00'],
    ["TO_TIMESTAMP('2016', 'y')", '2016T'],
    ["TO_TIMESTAMP('February 2016', 'MMMM yyyy')", '2016-02T'],
    ["TO_TIMESTAMP('7/20/69', 'M/d/yy')", '2069-07-20T'],
    ["TO_TIMESTAMP('2016-01-02 8:05 PM', 'y-MM-dd h:mm a')", '2016-01-02T20:05-00:00'],
    ["TO_TIMESTAMP('20160102+0530', 'yyyyMMddxx')", '2016-01-02T'],
    ["TO_TIMESTAMP('2016-13', 'y-MM')", 'missing'],
    ["TO_TIMESTAMP('nonsense')", 'missing'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))
})

describe('functions of the transaction', () => {
  it('answers the transaction and its time', () => {
    const [row] = run(createMemoryStore(), 'SELECT TXID() AS id, UTCNOW() AS now FROM << 0 >>')
    expect(row).toBe('{id:"transaction0000000000t",now:2024-01-02T03:04:05.006Z}')
  })
})

describe('calls that cannot be', () => {
  it('names the nearest function', () =>
    expect(() => evaluate("CHARLENGTH('a')")).toThrow('Did you mean CHAR_LENGTH?'))

  it('counts arguments', () =>
    expect(() => evaluate("LOWER('a', 'b')")).toThrow('LOWER takes 1 argument, not 2.'))
})
