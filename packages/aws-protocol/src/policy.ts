/**
 * IAM policies as far as a key file needs them: Effect, Action or NotAction, Resource or NotResource, `*` and `?`.
 * An explicit Deny beats every Allow; what no statement allows is denied. Not here: conditions and variables, which
 * are refused when a policy is read rather than passed over.
 */
import type { Authorizer } from './authorizer.ts'
import { AwsProtocolError } from './errors.ts'
import { isRecord } from './json-body.ts'

export interface Policy {
  readonly statements: readonly PolicyStatement[]
}

interface PolicyStatement {
  readonly isAllow: boolean
  readonly actions: Patterns
  readonly resources: Patterns
}

/** `isNegated`: everything but these. */
interface Patterns {
  readonly isNegated: boolean
  readonly patterns: readonly RegExp[]
}

const statementCountMax = 100
const patternCountMax = 100
const patternLengthMax = 2048
const statementMembers = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource']
/** Decisions kept per principal: an application does the same few things all the time. */
const decisionCountMax = 10_000

/** @throws AwsProtocolError POLICY_INVALID */
export function parsePolicy(value: unknown): Policy {
  if (!isRecord(value)) throw invalid('it is no object')
  const version = value['Version'] ?? '2012-10-17'
  if (version !== '2012-10-17' && version !== '2008-10-17') throw invalid('Version is not known')
  const given = value['Statement']
  const list = Array.isArray(given) ? given : [given]
  if (list.length === 0 || list.length > statementCountMax) {
    throw invalid(`it has 1 to ${statementCountMax} statements`)
  }
  return { statements: list.map(parseStatement) }
}

/** Action names have no case, resources have one. */
export function isAllowedBy({ statements }: Policy, action: string, resource: string): boolean {
  let isAllowed = false
  for (const { isAllow, actions, resources } of statements) {
    if (!matches(actions, action) || !matches(resources, resource)) continue
    if (!isAllow) return false
    isAllowed = true
  }
  return isAllowed
}

/** @param policyOf Of a principal; undefined: it may do everything. */
export function createPolicyAuthorizer(
  policyOf: (principal: string) => Policy | undefined,
): Authorizer {
  const decisions = new Map<string, boolean>()
  return {
    isAllowed({ principal }, action, resource) {
      const policy = policyOf(principal)
      if (policy === undefined) return true
      const key = `${principal}\n${action}\n${resource}`
      const known = decisions.get(key)
      if (known !== undefined) return known
      const isAllowed = isAllowedBy(policy, action, resource)
      if (decisions.size >= decisionCountMax) decisions.clear()
      decisions.set(key, isAllowed)
      return isAllowed
    },
  }
}

function parseStatement(value: unknown): PolicyStatement {
  if (!isRecord(value)) throw invalid('a statement is no object')
  const unknown = Object.keys(value).find((name) => !statementMembers.includes(name))
  if (unknown !== undefined) throw invalid(`"${unknown}" of a statement is not supported`)
  const effect = value['Effect']
  if (effect !== 'Allow' && effect !== 'Deny') throw invalid('Effect is neither Allow nor Deny')
  return {
    isAllow: effect === 'Allow',
    actions: parsePatterns(value, 'Action', 'i'),
    resources: parsePatterns(value, 'Resource', ''),
  }
}

function parsePatterns(
  statement: Readonly<Record<string, unknown>>,
  name: 'Action' | 'Resource',
  flags: string,
): Patterns {
  const positive = statement[name]
  const negative = statement[`Not${name}`]
  if ((positive === undefined) === (negative === undefined)) {
    throw invalid(`a statement has either ${name} or Not${name}`)
  }
  const given = positive ?? negative
  const texts: unknown[] = Array.isArray(given) ? given : [given]
  if (texts.length === 0 || texts.length > patternCountMax) {
    throw invalid(`${name} has 1 to ${patternCountMax} entries`)
  }
  const patterns = texts.map((text) => {
    if (typeof text !== 'string' || text === '' || text.length > patternLengthMax) {
      throw invalid(`an entry of ${name} is no text`)
    }
    if (text.includes('${')) throw invalid(`variables in ${name} are not supported`)
    return patternOf(text, flags)
  })
  return { isNegated: positive === undefined, patterns }
}

/** Runs of `*` are one, so that matching does not try their lengths against each other. */
function patternOf(text: string, flags: string): RegExp {
  const source = text
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.')
  return new RegExp(`^${source}$`, `s${flags}`)
}

function matches({ isNegated, patterns }: Patterns, text: string): boolean {
  return patterns.some((pattern) => pattern.test(text)) !== isNegated
}

function invalid(reason: string): AwsProtocolError {
  return new AwsProtocolError(
    { code: 'POLICY_INVALID', reason },
    { shortMessage: `The policy cannot be used: ${reason}.` },
  )
}
