/** The messages of syntax errors, word for word: the text is what users meet. */
import { describe, expect, it } from 'vitest'
import { PartiqlError } from '../errors.ts'
import { parseStatement } from './parse-statement.ts'

function messageOf(text: string): string {
  try {
    parseStatement(text)
  } catch (error) {
    if (!(error instanceof PartiqlError)) throw error
    expect(error.code).toBe('SYNTAX')
    return error.message
  }
  return 'no error'
}

describe('syntax errors', () => {
  it.each([
    ['', 'line 1, column 1: expected a statement, found the end of the statement'],
    ['-- nothing', 'line 1, column 11: expected a statement, found the end of the statement'],
    ['ALTER TABLE T', "line 1, column 1: expected a statement, found 'ALTER'"],
    ['SELECT * FORM T', "line 1, column 10: expected FROM, found 'FORM'"],
    ['SELECT v.VIN\nFORM T', "line 2, column 6: expected FROM, found 'T'"],
    ['SELECT *', 'line 1, column 9: expected FROM, found the end of the statement'],
    ['SELECT FROM T', "line 1, column 8: expected an expression, found 'FROM'"],
    [
      'SELECT * FROM T WHERE',
      'line 1, column 22: expected an expression, found the end of the statement',
    ],
    [
      'SELECT * FROM T WHERE a = = 1',
      "line 1, column 27: expected an expression, found '='\nEquality is written with one =.",
    ],
    [
      'SELECT * FROM T WHERE a NOT 1',
      'line 1, column 29: expected IN, LIKE or BETWEEN, found a number',
    ],
    ['SELECT * FROM T WHERE a BETWEEN 1 10', 'line 1, column 35: expected AND, found a number'],
    ['SELECT * FROM T GROUP a', "line 1, column 23: expected BY, found 'a'"],
    [
      'SELECT * FROM T ORDER BY a NULLS',
      'line 1, column 33: expected FIRST or LAST, found the end of the statement',
    ],
    [
      'SELECT * FROM T LIMIT 1 ORDER BY a',
      "line 1, column 25: expected the end of the statement, found 'ORDER'",
    ],
    [
      "SELECT * FROM T 'secret'",
      'line 1, column 17: expected the end of the statement, found a string',
    ],
    ['SELECT a AS true FROM T', "line 1, column 13: expected a name after AS, found 'true'"],
    [
      'SELECT * FROM T JOIN U',
      'line 1, column 23: expected ON, found the end of the statement\nWithout a condition the join is written CROSS JOIN.',
    ],
    [
      'SELECT * FROM T NATURAL JOIN U',
      "line 1, column 17: expected a join, found 'NATURAL'\nNATURAL JOIN is not supported; write JOIN … ON.",
    ],
    [
      'SELECT * FROM T AT i AS t',
      "line 1, column 22: expected the end of the source, found 'AS'\nAS stands before AT and BY, and once.",
    ],
    [
      'SELECT * FROM T; SELECT * FROM U',
      "line 1, column 18: expected the end of the statement, found 'SELECT'\nOne statement is run at a time.",
    ],
    ['CASE END', "line 1, column 6: expected an expression, found 'END'"],
    ['x...a', "line 1, column 3: expected a name or '*' after '.', found '.'"],
    [
      'a[1',
      "line 1, column 4: expected ']', found the end of the statement\n'[' opens at line 1, column 2.",
    ],
    ['@(a)', "line 1, column 2: expected a name after '@', found '('"],
    ['a IS 1', 'line 1, column 6: expected the name of a type, found a number'],
    ['DELETE T', "line 1, column 8: expected FROM, found 'T'"],
    ['UPDATE T a = 1', "line 1, column 12: expected SET, INSERT INTO or REMOVE, found '='"],
    ['UPDATE T SET 1 = 1', 'line 1, column 14: expected a name or a path to write to'],
    ['UPDATE T SET a.* = 1', 'line 1, column 14: expected a name or a path to write to'],
    [
      'FROM T SELECT *',
      "line 1, column 8: expected SET, INSERT INTO or REMOVE, found 'SELECT'\nA query begins with SELECT.",
    ],
    [
      'FROM T DELETE',
      "line 1, column 8: expected SET, INSERT INTO or REMOVE, found 'DELETE'\nDocuments are deleted with DELETE FROM.",
    ],
    [
      'INSERT INTO T ? ON CONFLICT DO NOTHING',
      "line 1, column 17: expected the end of the statement, found 'ON'\nINSERT has no ON CONFLICT.",
    ],
    ['CREATE VIEW v', "line 1, column 8: expected TABLE or INDEX, found 'VIEW'"],
    [
      'CREATE INDEX i ON T (a)',
      "line 1, column 14: expected ON, found 'i'\nAn index has no name of its own: CREATE INDEX ON t (field).",
    ],
    [
      'EXTRACT(century FROM t)',
      "line 1, column 9: expected a part of a date, found 'century'\nThe parts are YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, TIMEZONE_HOUR, TIMEZONE_MINUTE, bare.",
    ],
    [
      "TIME '12:00:00'",
      "line 1, column 1: expected an expression, found 'TIME'\nIon has no type for TIME; a timestamp such as `2024-02-29T13:05Z` may do.",
    ],
  ])('says of %s', (text, message) => {
    expect(messageOf(text)).toBe(message)
  })
})

describe('hints', () => {
  it.each([
    [
      'SELECT user FROM T',
      'line 1, column 8: expected an expression, found \'user\'\nUSER is a reserved word; as a name it is written "user".',
    ],
    [
      'SELECT * FROM Order',
      'line 1, column 15: expected an expression, found \'Order\'\nORDER is a reserved word; as a name it is written "Order".',
    ],
    [
      'CREATE TABLE Order',
      'line 1, column 14: expected a name of a table, found \'Order\'\nORDER is a reserved word; as a name it is written "Order".',
    ],
    [
      'SELECT * FROM Full AS f',
      'line 1, column 15: expected an expression, found \'Full\'\nFULL is a reserved word; as a name it is written "Full".',
    ],
    [
      'FROM Set SET a = 1',
      'line 1, column 6: expected a name of a table, found \'Set\'\nSET is a reserved word; as a name it is written "Set".',
    ],
    ['SELECT * FROM WHERE a = 1', "line 1, column 15: expected an expression, found 'WHERE'"],
    [
      'SELECT * FROM LEFT JOIN T ON true',
      "line 1, column 15: expected an expression, found 'LEFT'",
    ],
    [
      'SELECT * FROM Values',
      'line 1, column 21: expected \'(\', found the end of the statement\nVALUES is a reserved word; as a name it is written "Values".',
    ],
    [
      "INSERT INTO T VALUES {'a': 1}",
      "line 1, column 15: expected VALUE, found 'VALUES'\nOne document is inserted with VALUE {…}, several with << {…}, {…} >>.",
    ],
    [
      "INSERT INTO 'T' ?",
      'line 1, column 13: expected a name of a table, found a string\nNames are written in double quotes, strings in single ones.',
    ],
    [
      'DATE "2024-02-29"',
      'line 1, column 6: expected a string such as \'2024-02-29\', found "2024-02-29"\nStrings are written in single quotes, names in double ones.',
    ],
    [
      "INSERT INTO T {'a': 1}",
      "line 1, column 15: expected VALUE, found '{'\nOne document is inserted with VALUE {…}, several with << {…}, {…} >>.",
    ],
    [
      'INSERT INTO T (a) VALUES (1)',
      "line 1, column 19: expected the end of the statement, found 'VALUES'\nDocuments have no columns: write INSERT INTO t VALUE {'name': value, …}.",
    ],
    [
      'UPDATE T INSERT INTO a 1',
      'line 1, column 24: expected VALUE, found a number\nA value is put into a list or a struct with INSERT INTO path VALUE value [AT place].',
    ],
    [
      'SELECT COUNT(* FROM T',
      "line 1, column 16: expected ')', found 'FROM'\n'(' opens at line 1, column 13.",
    ],
    [
      'SELECT * FROM T WHERE (a = 1',
      "line 1, column 29: expected ')', found the end of the statement\n'(' opens at line 1, column 23.",
    ],
    [
      'SELECT * FROM T WHERE a = 1)',
      "line 1, column 28: expected the end of the statement, found ')'\nNothing is open that ')' could close.",
    ],
    [
      'SELECT a, FROM T',
      "line 1, column 11: expected an expression, found 'FROM'\nRemove the comma before it.",
    ],
    ['[1, 2,]', "line 1, column 7: expected an expression, found ']'\nRemove the comma before it."],
    [
      'SELECT *, a FROM T',
      "line 1, column 9: expected FROM, found ','\n'*' stands alone after SELECT.",
    ],
    [
      'SELECT a, * FROM T',
      "line 1, column 11: expected an expression, found '*'\n'*' stands alone after SELECT; one source is a.*.",
    ],
  ])('helps with %s', (text, message) => {
    expect(messageOf(text)).toBe(message)
  })
})

describe('lexical errors', () => {
  it.each([
    [
      "SELECT 'abc",
      "line 1, column 8: expected ', found the end of the text\nThe string that begins here is not closed.",
    ],
    [
      'SELECT "abc',
      'line 1, column 8: expected ", found the end of the text\nThe quoted name that begins here is not closed.',
    ],
    [
      'a /* b',
      "line 1, column 3: expected '*/', found the end of the text\nThe comment that begins here is not closed.",
    ],
    [
      'a = `1',
      'line 1, column 5: expected `, found the end of the text\nThe Ion literal that begins here is not closed.\nA backtick within an Ion string, symbol or comment does not close it.',
    ],
    ['a && b', "line 1, column 3: unexpected character '&'\nThe logical operator is written AND."],
    [
      'a | b',
      "line 1, column 3: unexpected character '|'\nText is joined by ||; the logical operator is written OR.",
    ],
    [
      '!a',
      "line 1, column 1: unexpected character '!'\nNegation is written NOT, inequality <> or !=.",
    ],
    [
      'SELECT größe FROM T',
      "line 1, column 10: unexpected character 'ö'\nNames with letters outside ASCII are written in double quotes.",
    ],
    [
      '🙂',
      "line 1, column 1: unexpected character '🙂'\nNames with letters outside ASCII are written in double quotes.",
    ],
    [
      'DROP TABLE 8F0TPCmdNQ6JTRpiLj2TmW',
      'line 1, column 12: expected a number or a name, found \'8F0TPCmdNQ6JTRpiLj2TmW\'\nA name that begins with a digit is written in double quotes: "8F0TPCmdNQ6JTRpiLj2TmW".',
    ],
    ['1e9999999999', 'line 1, column 1: expected an exponent of at most 1000000000'],
    ["DATE '2024-2-29'", "line 1, column 6: expected a date such as '2024-02-29'"],
  ])('says of %s', (text, message) => {
    expect(messageOf(text)).toBe(message)
  })

  it.each([
    ["DATE '2023-02-29'", 'line 1, column 6: expected a date of the calendar\n'],
    ['a =\n `1 2`', 'line 2, column 2: expected one Ion value between backticks\n'],
    ['``', 'line 1, column 1: expected one Ion value between backticks\n'],
    ['a = `{a: }`', 'line 1, column 10: expected one Ion value between backticks\n'],
    ['a = `\n{a: }`', 'line 2, column 5: expected one Ion value between backticks\n'],
  ])('shows where the Ion reader stopped in %s', (text, start) => {
    expect(messageOf(text).slice(0, start.length)).toBe(start)
  })

  it('keeps the error of the Ion reader as the cause', () => {
    expect(() => parseStatement('`{`')).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ name: 'IonError' }) }),
    )
  })
})
