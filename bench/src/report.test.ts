/** What the report promises to keep: verdicts on the right side of the bar, other sections of the README untouched. */
import { describe, expect, it } from 'vitest'
import { barLine, figure, replaceSection } from './report.ts'

describe('bars', () => {
  it('is met at the bar itself and missed just below', () => {
    expect(barLine({ text: 'hash', value: 20, valueMin: 20 })).toContain(': met')
    expect(barLine({ text: 'hash', value: 19.99, valueMin: 20 })).toContain(': MISSED')
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
