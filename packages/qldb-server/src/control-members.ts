/** Members of control requests, checked: what is wrong with one is told under its name. */
import { isRecord } from '@cairn/aws-protocol'
import type { PermissionsMode } from '@cairn/ledger'
import type { ControlRequest } from './control-api.ts'
import { parameterInvalid } from './errors.ts'

type Members = Readonly<Record<string, unknown>>

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

/** Letters, digits and hyphens; no two hyphens in a row, none at an end, and not digits alone (qldb-compat 2). */
export function newLedgerName(members: Members): string {
  const name = requiredString(members, 'Name')
  if (name.length <= 32 && /^(?!.*--)(?![0-9]+$)(?!-)(?!.*-$)[A-Za-z0-9-]+$/.test(name)) return name
  throw parameterInvalid(
    'Name',
    'Name must have 1 to 32 letters, digits and hyphens, not digits alone, ' +
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
