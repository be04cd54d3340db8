import { describe, expect, it } from 'vitest'
import { createPolicyAuthorizer, isAllowedBy, parsePolicy } from './policy.ts'

const ledger = 'arn:aws:qldb:us-east-1:000000000000:ledger/vehicles'
const variable = `$${'{aws:username}'}`
const reader = parsePolicy({
  Version: '2012-10-17',
  Statement: [
    { Sid: 'send', Effect: 'Allow', Action: 'qldb:SendCommand', Resource: ledger },
    { Effect: 'Allow', Action: ['qldb:PartiQLSelect'], Resource: [`${ledger}/table/*`] },
    { Effect: 'Deny', Action: 'qldb:*', Resource: `${ledger}/table/secret?` },
  ],
})

describe('policies', () => {
  it('allow what a statement allows, and nothing that one denies', () => {
    expect(isAllowedBy(reader, 'qldb:SendCommand', ledger)).toBe(true)
    expect(isAllowedBy(reader, 'QLDB:sendcommand', ledger)).toBe(true)
    expect(isAllowedBy(reader, 'qldb:SendCommand', `${ledger}-2`)).toBe(false)
    expect(isAllowedBy(reader, 'qldb:SendCommand', ledger.toUpperCase())).toBe(false)
    expect(isAllowedBy(reader, 'qldb:PartiQLSelect', `${ledger}/table/a/b`)).toBe(true)
    expect(isAllowedBy(reader, 'qldb:PartiQLInsert', `${ledger}/table/a`)).toBe(false)
    expect(isAllowedBy(reader, 'qldb:PartiQLSelect', `${ledger}/table/secret1`)).toBe(false)
    expect(isAllowedBy(reader, 'qldb:PartiQLSelect', `${ledger}/table/secret`)).toBe(true)
  })

  it('take what is not named, and characters as they are', () => {
    const policy = parsePolicy({
      Statement: { Effect: 'Allow', NotAction: 'qldb:Delete*', NotResource: 'a.c' },
    })
    expect(isAllowedBy(policy, 'qldb:DeleteLedger', 'x')).toBe(false)
    expect(isAllowedBy(policy, 'qldb:ListLedgers', 'abc')).toBe(true)
    expect(isAllowedBy(policy, 'qldb:ListLedgers', 'a.c')).toBe(false)
  })

  it('are asked for principals that have one', () => {
    const authorizer = createPolicyAuthorizer((name) => (name === 'reader' ? reader : undefined))
    const ask = (principal: string) =>
      authorizer.isAllowed({ principal, isAuthenticated: true }, 'qldb:DeleteLedger', ledger)
    expect([ask('reader'), ask('reader'), ask('root')]).toEqual([false, false, true])
  })

  it.each([
    [null, 'no object'],
    [{ Statement: [] }, 'statements'],
    [{ Version: '2020-01-01', Statement: {} }, 'Version'],
    [{ Statement: { Effect: 'Maybe', Action: '*', Resource: '*' } }, 'Effect'],
    [{ Statement: { Effect: 'Allow', Resource: '*' } }, 'either Action or NotAction'],
    [{ Statement: { Effect: 'Allow', Action: '*', NotAction: '*', Resource: '*' } }, 'either'],
    [{ Statement: { Effect: 'Allow', Action: [1], Resource: '*' } }, 'Action is no text'],
    [{ Statement: { Effect: 'Allow', Action: '*', Resource: variable } }, 'variables'],
    [{ Statement: { Effect: 'Allow', Action: '*', Resource: '*', Condition: {} } }, 'Condition'],
  ])('are refused when they say what is not understood: %j', (value, reason) => {
    expect(() => parsePolicy(value)).toThrow(reason)
  })
})
