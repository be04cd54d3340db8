import { describe, expect, it } from 'vitest'
import { findAnomaly, type ListOperation, type ListTransaction } from './list-append.ts'

/** `x:1` appends 1 to x; `x=1,2` read 1 and 2 in x. */
function transaction(
  id: string,
  text: string,
  fields: Partial<ListTransaction> = {},
): ListTransaction {
  const operations = text.split(' ').map((part): ListOperation => {
    const [, list = '', sign, rest = ''] = /^(\w)([:=])(.*)$/.exec(part) ?? []
    return sign === ':'
      ? { kind: 'append', list, element: rest }
      : { kind: 'read', list, elements: rest === '' ? [] : rest.split(',') }
  })
  const endedAt = Number.POSITIVE_INFINITY
  return { id, operations, isCommitted: true, begunAt: 0, endedAt, ...fields }
}

const nameOf = (...transactions: ListTransaction[]) => findAnomaly(transactions)?.split(':')[0]

describe('findAnomaly', () => {
  it('is content with what one order explains', () => {
    expect(
      nameOf(
        transaction('a', 'x:1 y=', { begunAt: 1, endedAt: 2 }),
        transaction('b', 'x=1 x:2 x=1,2', { begunAt: 3, endedAt: 4 }),
        transaction('c', 'y:3 x=1,2', { begunAt: 3, endedAt: 6 }),
        transaction('d', 'x=1,2 y=3', { begunAt: 7, endedAt: 8 }),
      ),
    ).toBeUndefined()
  })

  it.each<[string, ListTransaction[]]>([
    ['G1a', [transaction('a', 'x:1', { isCommitted: false }), transaction('b', 'x=1')]],
    ['internal', [transaction('a', 'x:1 x=')]],
    ['incompatible order', [transaction('a', 'x=1,2'), transaction('b', 'x=2,1')]],
    ['G1b', [transaction('a', 'x:1 x:2'), transaction('b', 'x=1')]],
    [
      'G0',
      [
        transaction('a', 'x:1 y:1b'),
        transaction('b', 'x:2 y:2b'),
        transaction('c', 'x=1,2 y=2b,1b'),
      ],
    ],
    ['G1c', [transaction('a', 'x:1 y=2'), transaction('b', 'y:2 x=1')]],
    [
      'G-single',
      [transaction('a', 'x= y=2'), transaction('b', 'x:1 y:2'), transaction('c', 'x=1')],
    ],
    ['G2', [transaction('a', 'x= y:2'), transaction('b', 'y= x:1'), transaction('c', 'x=1 y=2')]],
    [
      'not in real order',
      [
        transaction('a', 'x:1', { begunAt: 1, endedAt: 2 }),
        transaction('b', 'x=', { begunAt: 3, endedAt: 4 }),
        transaction('c', 'x=1', { begunAt: 5, endedAt: 6 }),
      ],
    ],
  ])('finds %s', (name, transactions) => {
    expect(nameOf(...transactions)).toBe(name)
  })
})
