/**
 * Tags of ledgers, tables and streams. One that exists is overwritten whatever the SDK says: clients do it
 * (qldb-compat 2).
 */
import { isRecord } from '@cairn/aws-protocol'
import { ledgerNameOfArn, streamOfArn, tableOfArn } from './arn.ts'
import type { ControlAnswer, ControlContext, ControlRequest } from './control-api.ts'
import { boundTags, labelOf, tagsOf } from './control-members.ts'
import { parameterInvalid, serverError } from './errors.ts'

type Tags = Readonly<Record<string, string>>

export function listTagsForResource(
  context: ControlContext,
  request: ControlRequest,
): ControlAnswer {
  return { Tags: taggedOf(context, request).tags() }
}

export function tagResource(
  context: ControlContext,
  request: ControlRequest,
): Promise<ControlAnswer> {
  if (!isRecord(request.body['Tags'])) throw parameterInvalid('Tags', 'Tags is required.')
  const added = tagsOf(request.body)
  return changeTags(context, request, (tags) => boundTags({ ...tags, ...added }))
}

export function untagResource(
  context: ControlContext,
  request: ControlRequest,
): Promise<ControlAnswer> {
  const keys = new Set(request.query.get('tagKeys'))
  if (keys.size === 0) throw parameterInvalid('TagKeys', 'TagKeys is required.')
  return changeTags(context, request, (tags) =>
    Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.has(key))),
  )
}

/** A ledger, a table or a stream, as far as its tags go. */
interface Tagged {
  tags(): Tags
  setTags(tags: Tags): Promise<unknown>
}

async function changeTags(
  context: ControlContext,
  request: ControlRequest,
  change: (tags: Tags) => Tags,
): Promise<ControlAnswer> {
  const tagged = taggedOf(context, request)
  const turn = context.tagChanges.enter()
  if (turn !== undefined) await turn
  try {
    await tagged.setTags(change(tagged.tags()))
    return undefined
  } finally {
    context.tagChanges.leave()
  }
}

function taggedOf({ host, streams }: ControlContext, request: ControlRequest): Tagged {
  const arn = labelOf(request, 'ResourceArn')
  const stream = streamOfArn(arn)
  if (stream !== undefined && streams !== undefined) {
    const job = () => streams.get(stream.ledgerName, stream.streamId)
    return { tags: () => job().tags, setTags: (tags) => streams.setTags(job(), tags) }
  }
  const table = tableOfArn(arn)
  if (table !== undefined) {
    const { ledgerName, tableId } = table
    return {
      tags: () => {
        const tags = host.tableTags(ledgerName, tableId)
        if (tags === undefined) throw notFound('Table', tableId, 'Only active tables have tags.')
        return tags
      },
      setTags: (tags) => host.setTableTags(ledgerName, tableId, tags),
    }
  }
  const ledgerName = ledgerNameOf(arn)
  return {
    tags: () => host.describeLedger(ledgerName).tags,
    setTags: (tags) => host.updateLedger(ledgerName, { tags }),
  }
}

function ledgerNameOf(arn: string): string {
  const ledgerName = ledgerNameOfArn(arn)
  if (ledgerName !== undefined) return ledgerName
  if (/^arn:[^:]+:qldb:/.test(arn)) {
    throw notFound('Resource', arn, 'Only ledgers, tables and streams have tags.')
  }
  throw parameterInvalid(
    'ResourceArn',
    'ResourceArn must be of the form arn:aws:qldb:<region>:<account>:ledger/<name>.',
  )
}

function notFound(resourceType: string, resourceName: string, message: string): Error {
  return serverError({ code: 'RESOURCE_NOT_FOUND', resourceType, resourceName }, message)
}
