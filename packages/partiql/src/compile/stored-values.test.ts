import { describe, expect, it } from 'vitest'
import { createMemoryStore, type MemoryStore } from '../testing/memory-store.ts'
import { run } from '../testing/run.ts'

/** One document per value, in the field that has an index or in one that has not. */
function storeOf(value: string, field: 'indexed' | 'plain'): MemoryStore {
  const store = createMemoryStore()
  run(store, 'CREATE TABLE T')
  run(store, 'CREATE INDEX ON T (indexed)')
  run(store, 'INSERT INTO T ?', `{${field}:${value}}`)
  return store
}

const values = [
  'true',
  '0',
  '-1',
  '123456789012345678901234567890',
  '1.50',
  '-0.',
  '1e+100',
  '-0e0',
  'nan',
  '+inf',
  '2020T',
  '2020-01-02T03:04:05.006-00:00',
  '2020-01-02T03:04:05.006+05:30',
  'symbol',
  "''",
  '"text"',
  '""',
  '{{aGVsbG8=}}',
  '{{}}',
  '{{"clob"}}',
  '[]',
  '[1,null.int,[2]]',
  '()',
  '(a b (1))',
  '{}',
  '{a:1,a:2,b:null}',
  'x::true',
  'x::1',
  'x::1.0',
  'x::1e0',
  'x::2020T',
  'x::symbol',
  'x::"text"',
  'x::{{aGVsbG8=}}',
  'x::{{"clob"}}',
  'x::[y::1]',
  'x::(1)',
  'x::{a:y::1}',
]

describe('stored values', () => {
  it.each(values)('%s equals itself, by scan and by index', (value) => {
    for (const field of ['plain', 'indexed'] as const) {
      const store = storeOf(value, field)
      const found = run(store, `SELECT VALUE t.${field} FROM T AS t WHERE t.${field} = ?`, value)
      expect(found).toEqual([value])
    }
  })

  it.each(['null', 'null.int', 'null.struct', 'x::null', 'x::null.string'])(
    '%s is found by IS NULL only',
    (value) => {
      const store = storeOf(value, 'plain')
      expect(run(store, 'SELECT VALUE t.plain FROM T AS t WHERE t.plain IS NULL')).toEqual([value])
      expect(run(store, 'SELECT * FROM T AS t WHERE t.plain = ?', value)).toEqual([])
    },
  )
})
