import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromUtf8, utf8 } from '@cairn/core'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type Database, endOfPrefix, lastKey, type RangeOptions, type Table } from './database.ts'
import { openLmdbDatabase, openLmdbReplica } from './lmdb-database.ts'
import { createMemoryDatabase } from './memory-database.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const kinds: readonly [string, () => Database][] = [
  ['memory', createMemoryDatabase],
  [
    'LMDB',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'cairn-database-'))
      folders.push(folder)
      return openLmdbDatabase(folder)
    },
  ],
]

function keysOf(table: Table, start: string, end: string, options?: RangeOptions): string[] {
  return Array.from(table.range(utf8(start), utf8(end), options), ({ key }) => fromUtf8(key))
}

describe.each(kinds)('database in %s', (_kind, open) => {
  it('has ranges closed below and open above, in both directions, with a bound', async () => {
    const database = open()
    const table = database.table('t')
    database.writeSync(() => {
      for (const key of ['b', 'd', 'a', 'c', 'ab']) table.put(utf8(key), utf8(key))
    })
    expect(keysOf(table, 'a', 'd')).toEqual(['a', 'ab', 'b', 'c'])
    expect(keysOf(table, 'ab', 'c')).toEqual(['ab', 'b'])
    expect(keysOf(table, 'a', 'd', { isReverse: true })).toEqual(['c', 'b', 'ab', 'a'])
    expect(keysOf(table, 'aa', 'cc', { isReverse: true, countMax: 2 })).toEqual(['c', 'b'])
    expect(keysOf(table, 'a', 'z', { countMax: 1 })).toEqual(['a'])
    expect(keysOf(table, 'e', 'z')).toEqual([])
    await database.close()
  })

  it('undoes all of a write that throws, and shows a write its own changes', async () => {
    const database = open()
    const table = database.table('t')
    const other = database.table('other')
    database.writeSync(() => table.put(utf8('kept'), utf8('1')))
    const broken = () =>
      database.writeSync(() => {
        table.put(utf8('kept'), utf8('2'))
        table.put(utf8('new'), utf8('3'))
        other.put(utf8('x'), utf8('4'))
        expect(table.get(utf8('new'))).toEqual(expect.objectContaining({ length: 1 }))
        expect(keysOf(table, 'a', 'z')).toEqual(['kept', 'new'])
        throw new Error('stop here')
      })
    expect(broken).toThrow('stop here')
    expect(keysOf(table, 'a', 'z')).toEqual(['kept'])
    expect(fromUtf8(table.get(utf8('kept')) ?? new Uint8Array(0))).toBe('1')
    expect(other.get(utf8('x'))).toBeUndefined()
    await database.close()
  })

  it('removes all rows of a table and none of another, and undoes that too', async () => {
    const database = open()
    const table = database.table('t')
    const other = database.table('other')
    database.writeSync(() => {
      for (const key of ['a', 'b']) table.put(utf8(key), utf8(key))
      other.put(utf8('x'), utf8('x'))
    })
    const broken = () =>
      database.writeSync(() => {
        table.removeAll()
        expect(keysOf(table, 'a', 'z')).toEqual([])
        throw new Error('stop here')
      })
    expect(broken).toThrow('stop here')
    expect(keysOf(table, 'a', 'z')).toEqual(['a', 'b'])
    database.writeSync(() => table.removeAll())
    expect(keysOf(table, 'a', 'z')).toEqual([])
    expect(keysOf(other, 'a', 'z')).toEqual(['x'])
    await database.close()
  })

  it('answers like a sorted list, whatever is put and removed', async () => {
    const database = open()
    const table = database.table('t')
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(bytes, fc.boolean()), { maxLength: 30 }),
        bytes,
        (steps, start) => {
          const model = new Map<string, Uint8Array>()
          database.writeSync(() => {
            for (const { key } of [...table.range(Uint8Array.of(0), lastKey)]) table.remove(key)
            for (const [key, isPut] of steps) {
              const text = Buffer.from(key).toString('hex')
              if (isPut) {
                table.put(key, key)
                model.set(text, key)
              } else {
                table.remove(key)
                model.delete(text)
              }
            }
          })
          const wanted = [...model.keys()]
            .sort()
            .filter((k) => k >= Buffer.from(start).toString('hex'))
          const found = Array.from(table.range(start, lastKey), ({ key, value }) => {
            expect(Buffer.from(value).equals(key)).toBe(true)
            return Buffer.from(key).toString('hex')
          })
          expect(found).toEqual(wanted)
          const down = Array.from(table.range(start, lastKey, { isReverse: true }), ({ key }) =>
            Buffer.from(key).toString('hex'),
          )
          expect(down).toEqual(wanted.reverse())
        },
      ),
      { numRuns: 60 },
    )
    await database.close()
  })
})

describe('a full disk', () => {
  const mebibyte = 1024 * 1024

  it('gets nothing written, loses nothing, and is written to again once there is room', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-full-'))
    folders.push(folder)
    let freeBytes = 17 * mebibyte
    const database = openLmdbDatabase(folder, { freeBytes: () => freeBytes })
    const table = database.table('t')
    const put = (key: string, size: number) =>
      database.writeSync(() => table.put(utf8(key), new Uint8Array(size)))
    const full = expect.objectContaining({ code: 'DISK_FULL' })
    put('a', 100)
    // Less than what is free, but LMDB may need twice as much and more.
    expect(() => put('b', mebibyte)).toThrow(full)
    freeBytes = 0
    expect(() => put('c', 1)).toThrow(/full[\s\S]*Free some room/)
    expect(() => database.table('u')).toThrow(full)
    expect(keysOf(table, 'a', 'z')).toEqual(['a'])
    expect(() => openLmdbDatabase(`${folder}/other`, { freeBytes: () => 0 })).toThrow(full)
    freeBytes = 30 * mebibyte
    put('b', mebibyte)
    expect(keysOf(table, 'a', 'z')).toEqual(['a', 'b'])
    await database.close()
  })
})

describe('a replica', () => {
  it('stays at one moment until it is renewed, and is not written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-replica-'))
    folders.push(folder)
    const database = openLmdbDatabase(folder)
    const table = database.table('t')
    const put = (key: string) => database.writeSync(() => table.put(utf8(key), utf8(key)))
    put('a')
    const replica = openLmdbReplica(folder)
    const copy = replica.table('t')
    put('b')
    // Turns of the event loop do not move it either.
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(keysOf(copy, 'a', 'z')).toEqual(['a'])
    expect([copy.get(utf8('b')), copy.getView(utf8('b'))]).toEqual([undefined, undefined])
    for (const key of ['c', 'd']) {
      put(key)
      replica.renew()
      expect(fromUtf8(copy.get(utf8(key)) ?? utf8(''))).toBe(key)
    }
    expect(keysOf(copy, 'a', 'z', { isReverse: true })).toEqual(['d', 'c', 'b', 'a'])
    expect(() => copy.put(utf8('e'), utf8('e'))).toThrow('not written')
    expect(() => replica.writeSync(() => undefined)).toThrow('not written')
    const later = database.table('later')
    database.writeSync(() => later.put(utf8('x'), utf8('x')))
    expect(keysOf(replica.table('later'), 'a', 'z')).toEqual(['x'])
    await replica.close()
    put('f')
    await database.close()
  })
})

describe('endOfPrefix', () => {
  it('is the first key behind a prefix, and none behind ff', () => {
    expect(endOfPrefix(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 3))
    expect(endOfPrefix(Uint8Array.of(1, 0xff))).toEqual(Uint8Array.of(2))
    expect(endOfPrefix(Uint8Array.of(0xff))).toBeUndefined()
  })
})
