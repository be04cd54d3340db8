/** What the report promises to keep: verdicts on the right side of the bar, other sections of the README untouched. */
import { describe, expect, it } from 'vitest'
import { barLine, figure, replaceSection } from './report.ts'

describe('bars', () => {
  const ratio = { text: 'update', bar: 2, stretch: 4, better: 'more', unit: 'x' } as const
  const time = { text: 'proof', bar: 1, stretch: 0.2, better: 'less', unit: 'ms' } as const

  it('is met at the bar itself and missed just below', () => {
    expect(barLine({ ...ratio, value: 2 })).toMatch(/≥ 2.00 x.*: met$/)
    expect(barLine({ ...ratio, value: 1.99 })).toMatch(/: MISSED$/)
    expect(barLine({ ...ratio, value: 4 })).toMatch(/: stretch met$/)
  })

  it('is missed just above where less is better', () => {
    expect(barLine({ ...time, value: 1 })).toMatch(/≤ 1.00 ms.*: met$/)
    expect(barLine({ ...time, value: 1.01 })).toMatch(/: MISSED$/)
    expect(barLine({ ...time, value: 0.2 })).toMatch(/: stretch met$/)
  })
})

describe('sections', () => {
  it('replaces its own section and nothing else', () => {
    const text = 'a\n<!-- one -->\nold\n<!-- /one -->\nb\n<!-- two -->\nkept\n<!-- /two -->\n'
    expect(replaceSection(text, 'one', 'new')).toBe(text.replace('old', 'new'))
  })

  it('refuses a text without the section', () => {
    expect(() => replaceSection('nothing here', 'one', 'new')).toThrow('no section one')
  })
})

describe('figures', () => {
  it('shows three significant digits', () => {
    expect([1.234, 12.34, 123.4, 12_345].map(figure)).toEqual(['1.23', '12.3', '123', '12,345'])
  })
})
