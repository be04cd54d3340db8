/** Tags of ledgers. A tag that exists is overwritten: clients rely on it, whatever the SDK says (qldb-compat 2). */
import { isRecord } from '@cairn/aws-protocol'
import { ledgerNameOfArn } from './arn.ts'
import type { ControlAnswer, ControlContext, ControlRequest } from './control-api.ts'
import { boundTags, labelOf, tagsOf } from './control-members.ts'
import { parameterInvalid, serverError } from './errors.ts'

type Tags = Readonly<Record<string, string>>

export function listTagsForResource(
  { host }: ControlContext,
  request: ControlRequest,
): ControlAnswer {
  return { Tags: host.describeLedger(ledgerNameOf(request)).tags }
}

export function tagResource(
  context: ControlContext,
  request: ControlRequest,
): Promise<ControlAnswer> {
  if (!isRecord(request.body['Tags'])) throw parameterInvalid('Tags', 'Tags is required.')
  const added = tagsOf(request.body)
  return changeTags(context, ledgerNameOf(request), (tags) => boundTags({ ...tags, ...added }))
}

export function untagResource(
  context: ControlContext,
  request: ControlRequest,
): Promise<ControlAnswer> {
  const keys = new Set(request.query.get('tagKeys'))
  if (keys.size === 0) throw parameterInvalid('TagKeys', 'TagKeys is required.')
  return changeTags(context, ledgerNameOf(request), (tags) =>
    Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.has(key))),
  )
}

async function changeTags(
  { host, tagChanges }: ControlContext,
  ledgerName: string,
  change: (tags: Tags) => Tags,
): Promise<ControlAnswer> {
  const turn = tagChanges.enter()
  if (turn !== undefined) await turn
  try {
    await host.updateLedger(ledgerName, { tags: change(host.describeLedger(ledgerName).tags) })
    return undefined
  } finally {
    tagChanges.leave()
  }
}

function ledgerNameOf(request: ControlRequest): string {
  const arn = labelOf(request, 'ResourceArn')
  const ledgerName = ledgerNameOfArn(arn)
  if (ledgerName !== undefined) return ledgerName
  if (/^arn:[^:]+:qldb:/.test(arn)) {
    throw serverError(
      { code: 'RESOURCE_NOT_FOUND', resourceType: 'Resource', resourceName: arn },
      'Only ledgers have tags.',
    )
  }
  throw parameterInvalid(
    'ResourceArn',
    'ResourceArn must be of the form arn:aws:qldb:<region>:<account>:ledger/<name>.',
  )
}
