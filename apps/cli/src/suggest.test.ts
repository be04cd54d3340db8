import { describe, expect, it } from 'vitest'
import { editDistance, nearestWord } from './suggest.ts'

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['ledger', 'ledegr', 1],
    ['sql', 'sqll', 1],
  ])('of %j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
    expect(editDistance(b, a)).toBe(distance)
  })
})

describe('nearestWord', () => {
  it('finds the word that was meant', () => {
    expect(nearestWord('verfiy', ['ledger', 'verify', 'up'])).toBe('verify')
  })

  it('stays silent when nothing is near', () => {
    expect(nearestWord('network', ['ledger', 'verify', 'up'])).toBeUndefined()
    expect(nearestWord('x', ['up'])).toBeUndefined()
  })
})
