/** Members of control requests, checked: what is wrong with one is told under its name. */
import { fromEpochSeconds, isRecord } from '@cairn/aws-protocol'
import type { PermissionsMode } from '@cairn/ledger'
import type { ControlRequest } from './control-api.ts'
import { parameterInvalid } from './errors.ts'

type Members = Readonly<Record<string, unknown>>

/** Source: SDK model, Arn. */
const arnLengthMax = 1600
/** The year 9999, the last that Ion timestamps know. */
const epochSecondsMax = 253_402_300_799
/** Source: QLDB API reference, `maxResults`. */
const resultCountMax = 100
/** Source: SDK model, KmsKey. */
const kmsKeyLengthMax = 1600
/** Source: AWS Tagging, "Tag naming limits and requirements", and qldb-compat 2. */
const tagCountMax = 50
const tagKeyLengthMax = 128
const tagValueLengthMax = 256

export function labelOf(request: ControlRequest, name: string): string {
  const value = request.labels[name]
  if (value === undefined) throw parameterInvalid(name, `${name} is required.`)
  return value
}

export function requiredString(members: Members, name: string): string {
  const value = members[name]
  if (typeof value === 'string' && value !== '') return value
  throw parameterInvalid(name, `${name} is required and must be a string that is not empty.`)
}

export function optionalBoolean(members: Members, name: string): boolean | undefined {
  const value = members[name] ?? undefined
  if (value === undefined || typeof value === 'boolean') return value
  throw parameterInvalid(name, `${name} must be true or false.`)
}

export function optionalChoice<T extends string>(
  members: Members,
  name: string,
  choices: readonly T[],
): T | undefined {
  const value = members[name] ?? undefined
  if (value === undefined) return undefined
  const choice = choices.find((each) => each === value)
  if (choice !== undefined) return choice
  throw parameterInvalid(name, `${name} must be one of ${choices.join(', ')}.`)
}

export function requiredChoice<T extends string>(
  members: Members,
  name: string,
  choices: readonly T[],
): T {
  const choice = optionalChoice(members, name, choices)
  if (choice !== undefined) return choice
  throw parameterInvalid(name, `${name} is required: one of ${choices.join(', ')}.`)
}

/** Milliseconds since the epoch, of a member in seconds. */
export function requiredTimeMs(members: Members, name: string): number {
  const value = optionalTimeMs(members, name)
  if (value !== undefined) return value
  throw parameterInvalid(name, `${name} is required.`)
}

export function optionalTimeMs(members: Members, name: string): number | undefined {
  const value = members[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value === 'number' && value >= 0 && value <= epochSecondsMax) {
    return fromEpochSeconds(value)
  }
  throw parameterInvalid(name, `${name} must be a number of seconds since 1970.`)
}

/** Kept and shown; what it allowed AWS to do is allowed here by the server's own settings. */
export function roleArnOf(members: Members): string {
  const arn = requiredString(members, 'RoleArn')
  if (/^arn:[^:\s]+:iam::[^:\s]*:role\/\S+$/.test(arn) && arn.length <= arnLengthMax) return arn
  throw parameterInvalid(
    'RoleArn',
    'RoleArn must be of the form arn:aws:iam::<account>:role/<name>.',
  )
}

/** Letters, digits and hyphens; no two hyphens in a row, none at an end, and not digits alone (qldb-compat 2). */
export function nameMember(members: Members, member: string): string {
  const name = requiredString(members, member)
  if (name.length <= 32 && /^(?!.*--)(?![0-9]+$)(?!-)(?!.*-$)[A-Za-z0-9-]+$/.test(name)) return name
  throw parameterInvalid(
    member,
    `${member} must have 1 to 32 letters, digits and hyphens, not digits alone, ` +
      'with no hyphen at either end and no two in a row.',
  )
}

export function requiredPermissionsMode(members: Members): PermissionsMode {
  const value = members['PermissionsMode']
  if (value === 'ALLOW_ALL' || value === 'STANDARD') return value
  throw parameterInvalid('PermissionsMode', 'PermissionsMode must be ALLOW_ALL or STANDARD.')
}

export function optionalKmsKey(members: Members): string | undefined {
  const value = members['KmsKey'] ?? undefined
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '' && value.length <= kmsKeyLengthMax) return value
  throw parameterInvalid(
    'KmsKey',
    `KmsKey must be AWS_OWNED_KMS_KEY, a key id, an alias or an ARN of at most ${kmsKeyLengthMax} characters.`,
  )
}

/** A set of tags; empty when the member is absent. */
export function tagsOf(members: Members): Readonly<Record<string, string>> {
  const value = members['Tags'] ?? {}
  if (!isRecord(value)) throw parameterInvalid('Tags', 'Tags must be an object of strings.')
  const tags: [string, string][] = []
  for (const [key, text] of Object.entries(value)) {
    if (key.length < 1 || key.length > tagKeyLengthMax || /^aws:/i.test(key)) {
      throw parameterInvalid(
        'Tags',
        `A tag key must have 1 to ${tagKeyLengthMax} characters and not begin with "aws:".`,
      )
    }
    // The SDK models the value as nullable; a tag without one has an empty one.
    const tag = text ?? ''
    if (typeof tag !== 'string' || tag.length > tagValueLengthMax) {
      throw parameterInvalid(
        'Tags',
        `A tag value must be a string of at most ${tagValueLengthMax} characters.`,
      )
    }
    tags.push([key, tag])
  }
  return boundTags(Object.fromEntries(tags))
}

/** @throws QldbServerError PARAMETER_INVALID for more tags than a resource may have. */
export function boundTags(
  tags: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (Object.keys(tags).length <= tagCountMax) return tags
  throw parameterInvalid('Tags', `A resource may have at most ${tagCountMax} tags.`)
}

/** `max_results` of a list operation; the most when it is absent. */
export function maxResults(request: ControlRequest): number {
  const text = request.query.get('max_results')?.[0]
  if (text === undefined) return resultCountMax
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= resultCountMax) return value
  throw parameterInvalid('MaxResults', `MaxResults must be an integer from 1 to ${resultCountMax}.`)
}
