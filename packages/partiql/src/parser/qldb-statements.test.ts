/** Statements as QLDB's users write them: those of qldb-compat and the shapes that its samples and drivers send. */
import { describe, expect, it } from 'vitest'
import { parseStatement } from './parse-statement.ts'

describe('statements of QLDB', () => {
  it.each([
    ['SELECT * FROM T WHERE a = ? AND d = ?', 2],
    ["SELECT name FROM information_schema.user_tables WHERE status = 'ACTIVE'", 0],
    [
      "SELECT VALUE name FROM INFORMATION_SCHEMA.USER_TABLES WHERE status = 'ACTIVE'AND name = 'a'",
      0,
    ],
    ['INSERT INTO T ?', 1],
    ["INSERT INTO T VALUE {'a': 1}", 0],
    ["INSERT INTO T << {'a': 1}, `{a: 2}` >>", 0],
    ["INSERT INTO T [ {'a': 1}, {'a': 2} ]", 0],
    ['UPDATE T AS t BY id SET t.a = ?, b.c = ? WHERE id = ?', 3],
    ['UPDATE T t BY id INSERT INTO t.a VALUE ? AT ? WHERE id = ?', 3],
    ["UPDATE T INSERT INTO a VALUE 1 AT 'key'", 0],
    ['UPDATE T REMOVE a.b WHERE c = ?', 1],
    ['DELETE FROM T AS t BY id WHERE id = ?', 1],
    ['FROM T AS t BY id, t.nested AS b WHERE b.x = ? SET b.y = 1', 1],
    [
      'FROM VehicleRegistration AS v WHERE v.VIN = ? INSERT INTO v.Owners.SecondaryOwners VALUE ?',
      2,
    ],
    ["FROM T t WHERE a = 1 INSERT INTO t VALUE ? AT 'key'", 1],
    ['FROM T AS t REMOVE t', 0],
    ["CREATE TABLE T WITH (aws_tags = `{'k':'v'}`)", 0],
    ['DROP TABLE T', 0],
    ['UNDROP TABLE "5PLf9SXwndd63lPaSIa0O6"', 0],
    ['CREATE INDEX on Vehicle (VIN)', 0],
    ['DROP INDEX "4tPW3fUhaVhDinRgKRLhGU" ON T WITH (purge = true)', 0],
    ["EXEC REDACT_REVISION ?, 'tableId', 'documentId'", 1],
    ["exec redact_revision `{strandId:\"JdxjkR9bSYB5jMHWcI464T\", sequenceNo:17}`, 'a', 'b'", 0],
    ['SELECT Owners.PrimaryOwner.PersonId FROM VehicleRegistration AS v', 0],
    ['SELECT blockAddress, metadata.id FROM _ql_committed_T WHERE data.VIN = ?', 1],
    [
      'SELECT Vehicle FROM Vehicle INNER JOIN VehicleRegistration AS r ON Vehicle.VIN = r.VIN WHERE r.Owners.PrimaryOwner.PersonId = ?',
      1,
    ],
    ['SELECT a.* FROM T AS a AT i BY id', 0],
    ['SELECT COUNT(*) FROM T', 0],
    ['SELECT * FROM T WHERE a IN (SELECT VALUE b FROM U) AND EXISTS(SELECT * FROM V)', 0],
    ['SELECT DATE_ADD(year, 5, `2010-01-01T`) FROM << 0 >>', 0],
    ['SELECT DATE_ADD(month, 1, `2010T`) FROM << 0 >>', 0],
    [
      'SELECT EXTRACT(timezone_hour FROM t.at), EXTRACT(TIMEZONE_MINUTE FROM t."at") FROM T AS t',
      0,
    ],
    ['SELECT x.name, x."name", x[0], x[\'name\'], x.*, x[*] FROM T AS t, t.list AS x', 0],
    ['SELECT v, k FROM T AS t, UNPIVOT t.struct AS v AT k', 0],
    ['SELECT * FROM T WHERE a IS NULL AND b IS NOT MISSING AND c IS STRING AND d != 1', 0],
    ["SELECT * FROM T WHERE a LIKE 'x%' ESCAPE '!' AND b NOT BETWEEN 1 AND 2 || 'c'", 0],
    ['SELECT SIZE(a), COALESCE(a, b), NULLIF(a, b), UTCNOW(), TXID() FROM T', 0],
    ["SELECT TO_TIMESTAMP('2024', 'y'), TO_STRING(a, 'yyyy') FROM T", 0],
    [
      "SELECT SUBSTRING(a, 1, 2), SUBSTRING(a FROM 1), TRIM(BOTH 'x' FROM a), CHAR_LENGTH(a) FROM T",
      0,
    ],
    ['SELECT CAST(a AS null), CAST(b AS any), CAST(c AS symbol), CAST(`1d3` AS INTEGER) FROM T', 0],
    [
      'SELECT * FROM history(VehicleRegistration, `2019-06-05T00:00:00Z`, ?) AS h WHERE h.metadata.id = ?',
      2,
    ],
    ["SELECT * FROM history( 'tableId' ) AS h", 0],
    ['SELECT data FROM history (T) AS h BY id', 0],
    ['SELECT * FROM Vehicle AS v, VehicleRegistration AS r WHERE v.VIN = r.VIN', 0],
    ['SELECT v.Year, v."Year" FROM Vehicle AS v WHERE v.Year > 2010 ORDER BY v.Year', 0],
    ['SELECT a FROM T GROUP BY a HAVING COUNT(*) > 1 ORDER BY a LIMIT 1 OFFSET 2', 0],
    ['SELECT DISTINCT a FROM T LEFT JOIN U ON T.a = U.a UNION SELECT a FROM V', 0],
    ["SELECT CASE WHEN a THEN 'x' ELSE 'y' END AS c FROM T", 0],
  ])('parses %s', (text, parameterCount) => {
    expect(parseStatement(text)).toMatchObject({ text, parameterCount })
    expect(parseStatement(`${text};`).parameterCount).toBe(parameterCount)
  })
})
