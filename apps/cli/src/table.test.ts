import { expect, it } from 'vitest'
import { formatTable, visible } from './table.ts'

it('formatTable aligns columns by what is seen', () => {
  const table = formatTable(
    [{ name: 'name' }, { name: 'count', align: 'right' }],
    [
      ['Ada', '3'],
      ['日本', '12000'],
      ['e\u0301', ''],
    ],
  )
  expect(table.split('\n')).toEqual([
    'name  count',
    '----  -----',
    'Ada       3',
    '日本  12000',
    'e\u0301',
  ])
})

it('visible shows what a terminal would act on', () => {
  expect(visible('a\u001b[2Jb\nc\td\u202ee\u009b')).toBe('a\\u001b[2Jb\\nc\\td\\u202ee\\u009b')
})
