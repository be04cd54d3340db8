/** Ledgers of the control API: create, describe, update, delete, list. */
import { toEpochSeconds } from '@cairn/aws-protocol'
import { fromUtf8, utf8 } from '@cairn/core'
import type { LedgerDescription } from '@cairn/ledger'
import { kmsKeyArn, ledgerArn } from './arn.ts'
import type { ControlAnswer, ControlContext, ControlRequest } from './control-api.ts'
import {
  labelOf,
  maxResults,
  newLedgerName,
  optionalBoolean,
  optionalKmsKey,
  requiredPermissionsMode,
  tagsOf,
} from './control-members.ts'
import { parameterInvalid } from './errors.ts'

export async function createLedger(
  { host, arns }: ControlContext,
  { body }: ControlRequest,
): Promise<ControlAnswer> {
  const kmsKey = optionalKmsKey(body)
  const description = await host.createLedger({
    name: newLedgerName(body),
    permissionsMode: requiredPermissionsMode(body),
    isDeletionProtected: optionalBoolean(body, 'DeletionProtection') ?? true,
    ...(kmsKey === undefined ? {} : { kmsKey }),
    tags: tagsOf(body),
  })
  return {
    Name: description.name,
    Arn: ledgerArn(arns, description.name),
    // The ledger is ready. QLDB answers CREATING, and clients then ask until it is ACTIVE, which it is at once
    // (qldb-compat 2).
    State: 'CREATING',
    CreationDateTime: toEpochSeconds(description.createdMs),
    PermissionsMode: description.permissionsMode,
    DeletionProtection: description.isDeletionProtected,
    ...(kmsKey === undefined ? {} : { KmsKeyArn: kmsKeyArn(arns, kmsKey) }),
  }
}

export function describeLedger(context: ControlContext, request: ControlRequest): ControlAnswer {
  const description = context.host.describeLedger(labelOf(request, 'Name'))
  return {
    ...descriptionBody(context, description),
    PermissionsMode: description.permissionsMode,
  }
}

export async function updateLedger(
  context: ControlContext,
  request: ControlRequest,
): Promise<ControlAnswer> {
  const isDeletionProtected = optionalBoolean(request.body, 'DeletionProtection')
  const kmsKey = optionalKmsKey(request.body)
  const description = await context.host.updateLedger(labelOf(request, 'Name'), {
    ...(isDeletionProtected === undefined ? {} : { isDeletionProtected }),
    ...(kmsKey === undefined ? {} : { kmsKey }),
  })
  return descriptionBody(context, description)
}

export async function updateLedgerPermissionsMode(
  { host, arns }: ControlContext,
  request: ControlRequest,
): Promise<ControlAnswer> {
  const permissionsMode = requiredPermissionsMode(request.body)
  const description = await host.updateLedger(labelOf(request, 'Name'), { permissionsMode })
  return {
    Name: description.name,
    Arn: ledgerArn(arns, description.name),
    PermissionsMode: description.permissionsMode,
  }
}

export async function deleteLedger(
  { host, sessions }: ControlContext,
  request: ControlRequest,
): Promise<ControlAnswer> {
  const name = labelOf(request, 'Name')
  const { strandId } = host.describeLedger(name)
  await host.deleteLedger(name)
  sessions.endOf(strandId)
  return undefined
}

export function listLedgers({ host }: ControlContext, request: ControlRequest): ControlAnswer {
  const countMax = maxResults(request)
  const token = request.query.get('next_token')?.[0]
  // The token is the last name of the page before: ledgers that come and go in between shift nothing.
  const lastName = token === undefined || token === '' ? '' : nameOfToken(token)
  const rest = host.listLedgers().filter(({ name }) => name > lastName)
  const page = rest.slice(0, countMax)
  const last = page.at(-1)
  return {
    Ledgers: page.map(({ name, state, createdMs }) => ({
      Name: name,
      State: state,
      CreationDateTime: toEpochSeconds(createdMs),
    })),
    ...(rest.length > page.length && last !== undefined
      ? { NextToken: Buffer.from(utf8(last.name)).toString('base64url') }
      : {}),
  }
}

function nameOfToken(token: string): string {
  const bytes = Buffer.from(token, 'base64url')
  try {
    if (bytes.toString('base64url') === token) return fromUtf8(bytes)
  } catch (cause) {
    throw parameterInvalid('NextToken', 'NextToken is not one that this service gave.', cause)
  }
  throw parameterInvalid('NextToken', 'NextToken is not one that this service gave.')
}

function descriptionBody(
  { arns }: ControlContext,
  description: LedgerDescription,
): Readonly<Record<string, unknown>> {
  return {
    Name: description.name,
    Arn: ledgerArn(arns, description.name),
    State: description.state,
    CreationDateTime: toEpochSeconds(description.createdMs),
    DeletionProtection: description.isDeletionProtected,
    EncryptionDescription: {
      KmsKeyArn: kmsKeyArn(arns, description.kmsKey ?? 'AWS_OWNED_KMS_KEY'),
      EncryptionStatus: 'ENABLED',
    },
  }
}
