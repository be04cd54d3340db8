import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callIdText, isCallId, NumberText, restoreIds } from './call-ids.ts'

/** Numbers as JSON writes them, few of them safe. */
const numberText = fc.stringMatching(
  /^-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/,
)
const space = fc.stringMatching(/^[ \n\r\t]{0,2}$/)
const key = fc.oneof(
  fc.constantFrom('"id"', '"\\u0069d"', '"method"', '"Id"', '""'),
  fc.string().map((name) => JSON.stringify(name)),
)
const json = fc.oneof(
  numberText,
  fc.json(),
  fc.constantFrom(
    '"id"',
    '"\\\\"',
    '"{\\"id\\":1}"',
    '{"id":12345678901234567890}',
    '[[{"id":1.5}],2]',
  ),
)
const member = fc.tuple(space, key, space, space, json, space)
const callText = fc.tuple(fc.array(member, { maxLength: 6 }), space).map(([members, last]) => {
  const texts = members.map(([a, name, b, c, value, d]) => `${a}${name}${b}:${c}${value}${d}`)
  return `{${texts.join(',')}${last}}`
})

interface Expected {
  readonly id?: unknown
}

/** The id by a second way: the numbers are made strings before they are parsed. */
function idsByStrings(text: string): unknown[] {
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token.startsWith('"') ? token : `"number ${token}"`,
  )
  const parsed = JSON.parse(quoted) as Expected | Expected[]
  return (Array.isArray(parsed) ? parsed : [parsed]).map((call) => call?.id)
}

function check(text: string): void {
  const message = JSON.parse(text) as Expected | Expected[]
  const before = JSON.parse(text) as Expected | Expected[]
  restoreIds(message, text)
  const [calls, callsBefore] = [message, before].map((it) => (Array.isArray(it) ? it : [it]))
  const expected = idsByStrings(text)
  for (const [index, call] of (calls as Expected[]).entries()) {
    const id = call?.id
    const parsed = callsBefore?.[index]?.id
    if (typeof parsed === 'number' && !Number.isSafeInteger(parsed)) {
      expect(isCallId(id)).toBe(true)
      expect(`number ${callIdText(id as NumberText)}`).toBe(expected[index])
    } else {
      expect(id).toEqual(parsed)
    }
  }
}

describe('ids of calls', () => {
  it('are the numbers that were sent, in calls and batches of any shape', () => {
    fc.assert(fc.property(callText, check))
    fc.assert(
      fc.property(fc.array(fc.oneof(callText, json), { minLength: 1, maxLength: 5 }), (texts) =>
        check(`[${texts.join(',')}]`),
      ),
    )
  })

  it('stay what JSON.parse makes of safe integers, texts and null', () => {
    for (const id of [0, -7, Number.MAX_SAFE_INTEGER, 'a', '9007199254740993', null]) {
      const message = { id }
      restoreIds(message, JSON.stringify(message))
      expect(message.id).toBe(id)
      expect(callIdText(id)).toBe(JSON.stringify(id))
    }
    const message: Expected = JSON.parse('{"id":9007199254740993}')
    restoreIds(message, '{"id":9007199254740993}')
    expect(message.id).toEqual(new NumberText('9007199254740993'))
  })
})
