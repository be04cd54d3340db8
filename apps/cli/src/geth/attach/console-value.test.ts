import { expect, it } from 'vitest'
import { formatConsoleValue } from './console-value.ts'

it.each([
  ['0xab', '"0xab"'],
  [12, '12'],
  [10n ** 20n, '100000000000000000000'],
  [undefined, 'undefined'],
  [null, 'null'],
  [[], '[]'],
  [{}, '{}'],
  [['0x1', 2, true], '["0x1", 2, true]'],
  [[[[[[1]]]]], '[[[[[...]]]]]'],
  [
    { b: { c: 1 }, run: () => 0, a: 'x' },
    '{\n  a: "x",\n  b: {\n    c: 1\n  },\n  run: function()\n}',
  ],
  // As geth shows admin.peers.
  [
    [{ id: 'x', network: { inbound: false } }],
    '[{\n    id: "x",\n    network: {\n      inbound: false\n    }\n}]',
  ],
])('shows value %# as geth does', (value, text) => {
  expect(formatConsoleValue(value)).toBe(text)
})
