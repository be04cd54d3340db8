/** Whatever the text, parsing ends, with a tree or with a PartiqlError that points into the text. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PartiqlError } from '../errors.ts'
import { reservedWords } from '../reserved-words.ts'
import { parseStatement } from './parse-statement.ts'

const pieces = [
  ...reservedWords,
  ...['a', 'b', 'T', '"q"', "'s'", '1', '1.5', '1e3', '`{a: 1}`', '`', "'", '"', '/*', '*/', '--'],
  ...['(', ')', '[', ']', '{', '}', '<<', '>>', ',', '.', ':', ';', '?', '@', '*', '/', '%', '+'],
  ...['-', '=', '<', '>', '<=', '>=', '<>', '!=', '||', '!', '|', '\n', 'é', '🙂', '\\', '\0'],
  ...['LET', 'OFFSET', 'NULLS', 'history', 'COLL_SUM', 'f', 'PLACING', '{{', "'''", '//'],
]

const statements = [
  'SELECT a.*, b AS c FROM T AS t AT i, UNPIVOT t.x AS v AT k WHERE t.a = ? AND b IN (1, 2) ORDER BY c',
  "INSERT INTO T VALUE {'a': [1, << 2 >>], 'b': `{c: \"d\"}`}",
  'UPDATE T AS t BY id SET t.a = 1, b = CASE WHEN c THEN 1 ELSE 2 END WHERE id = ?',
  'FROM T AS t, t.b AS c WHERE c.d LIKE ? ESCAPE ? INSERT INTO c.e VALUE ? AT 0',
  "SELECT VALUE EXTRACT(year FROM h.a) FROM history(T, `2024T`) AS h LEFT JOIN U ON TRIM(BOTH 'x' FROM h.b) = U.c",
  'DROP INDEX "x" ON T WITH (purge = true)',
]

function check(text: string): void {
  try {
    parseStatement(text)
  } catch (error) {
    if (!(error instanceof PartiqlError) || !('position' in error.data)) throw error
    const { line, column } = error.data.position
    const lines = text.split('\n')
    expect(line).toBeGreaterThanOrEqual(1)
    expect(line).toBeLessThanOrEqual(lines.length)
    expect(column).toBeGreaterThanOrEqual(1)
    expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1)
    expect(error.message.startsWith(`line ${line}, column ${column}: `)).toBe(true)
  }
}

describe('any text', () => {
  it('parses or fails as PartiQL does, for pieces in any order', () => {
    const soup = fc.array(fc.constantFrom(...pieces), { maxLength: 40 })
    fc.assert(
      fc.property(soup, fc.constantFrom(' ', ''), (words, glue) => check(words.join(glue))),
      { numRuns: 5000 },
    )
  })

  it('parses or fails as PartiQL does, for statements with one piece changed', () => {
    const changed = fc.tuple(
      fc.constantFrom(...statements),
      fc.nat({ max: 120 }),
      fc.nat({ max: 6 }),
      fc.constantFrom('', ...pieces),
    )
    fc.assert(
      fc.property(changed, ([text, at, length, piece]) =>
        check(`${text.slice(0, at)} ${piece} ${text.slice(at + length)}`),
      ),
      { numRuns: 5000 },
    )
  })

  it('parses or fails as PartiQL does, for any string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => check(text)),
      { numRuns: 2000 },
    )
  })

  it('gives strings and names back as they were', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const quoted = `'${text.replaceAll("'", "''")}'."${text.replaceAll('"', '""')}"`
        expect(parseStatement(quoted).statement).toMatchObject({
          query: {
            expression: {
              root: { value: { type: 'string', value: text } },
              steps: [{ identifier: { name: text, isQuoted: true } }],
            },
          },
        })
      }),
    )
  })
})
