/** Ledgers of the control API: create, describe, update, delete, list. */
import { toEpochSeconds } from '@cairn/aws-protocol'
import type { LedgerDescription } from '@cairn/ledger'
import { kmsKeyArn, ledgerArn } from './arn.ts'
import type { ControlAnswer, ControlContext, ControlRequest } from './control-api.ts'
import {
  labelOf,
  nameMember,
  optionalBoolean,
  optionalKmsKey,
  requiredPermissionsMode,
  tagsOf,
} from './control-members.ts'
import { pageOf } from './paging.ts'

export async function createLedger(
  { host, arns }: ControlContext,
  { body }: ControlRequest,
): Promise<ControlAnswer> {
  const kmsKey = optionalKmsKey(body)
  const description = await host.createLedger({
    name: nameMember(body, 'Name'),
    permissionsMode: requiredPermissionsMode(body),
    isDeletionProtected: optionalBoolean(body, 'DeletionProtection') ?? true,
    isStrictQldb: optionalBoolean(body, 'StrictQldb') ?? false,
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
    ...strictBody(description),
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
  const isStrictQldb = optionalBoolean(request.body, 'StrictQldb')
  const kmsKey = optionalKmsKey(request.body)
  const description = await context.host.updateLedger(labelOf(request, 'Name'), {
    ...(isDeletionProtected === undefined ? {} : { isDeletionProtected }),
    ...(isStrictQldb === undefined ? {} : { isStrictQldb }),
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
  const { items, nextToken } = pageOf(request, host.listLedgers(), ({ name }) => name)
  return {
    Ledgers: items.map(({ name, state, createdMs }) => ({
      Name: name,
      State: state,
      CreationDateTime: toEpochSeconds(createdMs),
    })),
    ...nextToken,
  }
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
    ...strictBody(description),
    EncryptionDescription: {
      KmsKeyArn: kmsKeyArn(arns, description.kmsKey ?? 'AWS_OWNED_KMS_KEY'),
      EncryptionStatus: 'ENABLED',
    },
  }
}

/** Ours: refuse what QLDB refused. Clients of QLDB do not know the member, and pass over it. */
function strictBody({ isStrictQldb }: LedgerDescription): object {
  return isStrictQldb === true ? { StrictQldb: true } : {}
}
