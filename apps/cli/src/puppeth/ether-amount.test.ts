import { expect, it } from 'vitest'
import { etherAmount } from './ether-amount.ts'

it.each([
  ['1000ether', 10n ** 21n],
  ['1.5ether', 15n * 10n ** 17n],
  ['5gwei', 5_000_000_000n],
  ['7wei', 7n],
  ['7', 7n],
  ['', undefined],
  ['1.5', undefined],
  ['1.0000000001gwei', undefined],
  ['-1ether', undefined],
  ['1 ether', undefined],
])('%s is %s wei', (text, wei) => {
  expect(etherAmount(text)).toBe(wei)
})
