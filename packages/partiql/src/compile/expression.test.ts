import { describe, expect, it } from 'vitest'
import { evaluate } from '../testing/run.ts'

describe('comparison', () => {
  it.each([
    ['1 = 1.0', 'true'],
    ["1 = 'a'", 'false'],
    ["1 <> 'a'", 'true'],
    ['null = null', 'null'],
    ['missing = 1', 'missing'],
    ['missing = null', 'null'],
    ['1 < 2', 'true'],
    ["1 < 'a'", 'missing'],
    ["'a' < 'b'", 'true'],
    ['`2020T` < `2021T`', 'true'],
    ['[1] < [2]', 'missing'],
    ['2 BETWEEN 1 AND 2', 'true'],
    ['2 NOT BETWEEN 1 AND 2', 'false'],
    ['2 BETWEEN null AND 1', 'false'],
    ['2 BETWEEN null AND 3', 'null'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))
})

describe('logic', () => {
  it.each([
    ['true AND false', 'false'],
    ['null AND false', 'false'],
    ['null AND true', 'null'],
    ['missing AND true', 'null'],
    ['1 AND true', 'missing'],
    ['1 AND false', 'false'],
    ['null OR true', 'true'],
    ['null OR false', 'null'],
    ['NOT null', 'null'],
    ['NOT 1', 'missing'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))
})

describe('IN', () => {
  it.each([
    ['1 IN (1, 2)', 'true'],
    ['1 IN (2, 3)', 'false'],
    ['1 NOT IN (2, 3)', 'true'],
    ['1 IN (2, null)', 'null'],
    ['1 IN (1, null)', 'true'],
    ['null IN (1)', 'null'],
    ['1 IN [1.0]', 'true'],
    ['1 IN << >>', 'false'],
    ['1 IN 1', 'missing'],
    ["2 IN (SELECT x.a FROM << {'a': 1}, {'a': 2} >> AS x)", 'true'],
    ['3 IN (SELECT VALUE x FROM << 1, 2 >> AS x)', 'false'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))

  it('searches a list parameter', () => expect(evaluate('1 IN ?', '[3, 1]')).toBe('true'))
})

describe('IS', () => {
  it.each([
    ['`null.int` IS NULL', 'true'],
    ['`a::null` IS NULL', 'true'],
    ['missing IS NULL', 'true'],
    ['null IS MISSING', 'false'],
    ['1 IS NOT NULL', 'true'],
    ['1 IS INTEGER', 'true'],
    ['1.0 IS INTEGER', 'false'],
    ['`a` IS SYMBOL', 'true'],
    ["'a' IS STRING", 'true'],
    ['`(1)` IS SEXP', 'true'],
    ['<<1>> IS BAG', 'true'],
    ['1.25 IS DECIMAL(3, 2)', 'true'],
    ['1.25 IS DECIMAL(2, 1)', 'false'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))

  it('refuses types that do not exist', () =>
    expect(() => evaluate('1 IS WHATEVER')).toThrow(/WHATEVER/))
})

describe('CASE', () => {
  it.each([
    ['CASE 1 WHEN 1 THEN 10 ELSE 20 END', '10'],
    ['CASE WHEN null THEN 10 ELSE 20 END', '20'],
    ['CASE WHEN false THEN 10 END', 'null'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))
})

describe('paths', () => {
  it.each([
    ["{'a': {'b': 1}}.a.b", '1'],
    ["{'a': 1}['a']", '1'],
    ["{'A': 1}.a", '1'],
    ['{\'A\': 1}."a"', 'missing'],
    ["{'Ab': 1, 'AB': 2}.ab", 'missing'],
    ["{'a': 1, 'A': 2}.a", '1'],
    ['[10, 20][1]', '20'],
    ['[10, 20][2]', 'missing'],
    ['[10, 20][-1]', 'missing'],
    ['[10, 20][1.0]', 'missing'],
    ['null.a', 'missing'],
    ['1 .a', 'missing'],
    ["[{'a': 1}, {'a': 2}, {}][*].a", '[1,2]'],
    ["{'x': 1, 'y': 2}.*", '[1,2]'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))
})

describe('constructors', () => {
  it.each([
    ["{'a': 1, 'b': missing}", '{a:1}'],
    ["{'a': 1, 2: 3}", '{a:1}'],
    ['[1, missing, 2]', '[1,2]'],
    ['<< 1, << 2 >> >>', '[1,[2]]'],
    ["'a' || 'b'", '"ab"'],
    ["'a' || null", 'null'],
    ["'a' || 1", 'missing'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))
})

describe('CAST', () => {
  it.each([
    ["CAST('12' AS INTEGER)", '12'],
    ["CAST('-0012' AS INT)", '-12'],
    ["CAST('a' AS INT)", 'missing'],
    ['CAST(true AS INTEGER)', '1'],
    ['CAST(`1d3` AS INTEGER)', '1000'],
    ['CAST(1.9 AS INT)', '1'],
    ['CAST(`1d1000000` AS INT)', 'missing'],
    ['CAST(300 AS TINYINT)', 'missing'],
    ['CAST(0 AS BOOLEAN)', 'false'],
    ['CAST(2 AS BOOLEAN)', 'true'],
    ["CAST('TRUE' AS BOOL)", 'true'],
    ["CAST('yes' AS BOOL)", 'false'],
    ["CAST('1.50' AS DECIMAL)", '1.50'],
    ['CAST(1.255 AS DECIMAL(3, 2))', '1.26'],
    ['CAST(1000 AS DECIMAL(3, 2))', 'missing'],
    ["CAST('2020-01-02T' AS TIMESTAMP)", '2020-01-02T'],
    ['CAST(`2020-01-02T` AS STRING)', '"2020-01-02T"'],
    ['CAST(1.50 AS STRING)', '"1.50"'],
    ["CAST('abc' AS SYMBOL)", 'abc'],
    ["CAST('abcdef' AS VARCHAR(3))", '"abc"'],
    ['CAST(<<1>> AS LIST)', '[1]'],
    ['CAST(null AS INT)', 'null'],
    ['CAST(missing AS INT)', 'missing'],
    ['CAST(missing AS NULL)', 'null'],
    ["CAN_CAST('12' AS INT)", 'true'],
    ["CAN_CAST('x' AS INT)", 'false'],
    ['CAN_LOSSLESS_CAST(1.5 AS INT)', 'false'],
    ['CAN_LOSSLESS_CAST(2.0 AS INT)', 'true'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))

  it('refuses to make NULL of a value', () =>
    expect(() => evaluate('CAST(1 AS NULL)')).toThrow('line 1, column 14: an int cannot be cast'))

  it('leaves a branch that is not taken alone', () =>
    expect(evaluate('CASE WHEN true THEN 1 ELSE CAST(1 AS NULL) END')).toBe('1'))
})

describe('sub-queries as values', () => {
  it.each([
    ["(SELECT x.a FROM << {'a': 1} >> AS x)", '1'],
    ["(SELECT x.a FROM << {'a': 1}, {'a': 2} >> AS x)", 'missing'],
    ['(SELECT x.a FROM << >> AS x)', 'null'],
    ['EXISTS (SELECT * FROM << 1 >> AS x)', 'true'],
    ['EXISTS (SELECT * FROM << 1 >> AS x WHERE x = 2)', 'false'],
    ['EXISTS([])', 'false'],
    ['EXISTS(null)', 'false'],
    ['SIZE((SELECT VALUE x FROM << 1, 2 >> AS x))', '2'],
  ])('%s is %s', (expression, result) => expect(evaluate(expression)).toBe(result))
})
