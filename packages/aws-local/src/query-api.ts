/**
 * The query APIs of STS (2011-06-15) and IAM (2010-05-08), as far as QLDB's users need them: a form with `Action`, an
 * answer in XML.
 */
import type { Identity } from '@cairn/aws-protocol'
import { fromUtf8 } from '@cairn/core'
import { localError } from './errors.ts'
import type { IamStore, Policy, Role } from './iam-store.ts'
import { type XmlElements, xmlDocument } from './xml.ts'

export type QueryService = 'sts' | 'iam'

const versions: Readonly<Record<string, QueryService>> = {
  '2011-06-15': 'sts',
  '2010-05-08': 'iam',
}
const namespaces: Readonly<Record<QueryService, string>> = {
  sts: 'https://sts.amazonaws.com/doc/2011-06-15/',
  iam: 'https://iam.amazonaws.com/doc/2010-05-08/',
}
/** Source: IAM API reference, CreateRole and CreatePolicy. */
const namePattern = /^[\w+=,.@-]{1,128}$/
const pathPattern = /^\/(?:[!-~]{1,510}\/)?$/
const documentLengthMax = 131_072
const descriptionLengthMax = 1000

export interface QueryOperation {
  readonly service: QueryService
  readonly action: string
  /** Of the form. */
  readonly members: ReadonlyMap<string, string>
}

export interface QueryContext {
  readonly iam: IamStore
  readonly accountId: string
  readonly nowMs: number
  readonly identity: Identity
  readonly requestId: string
}

/** The form of a request; undefined when it is of another service. */
export function queryOperationOf(body: Uint8Array): QueryOperation | undefined {
  let members: Map<string, string>
  try {
    members = new Map(new URLSearchParams(fromUtf8(body)))
  } catch {
    return undefined
  }
  const action = members.get('Action')
  const service = versions[members.get('Version') ?? '']
  return action === undefined || service === undefined ? undefined : { service, action, members }
}

/** @returns An XML document. @throws AwsLocalError */
export async function runQuery(operation: QueryOperation, context: QueryContext): Promise<string> {
  const { service, action } = operation
  const result = await resultOf(operation, context)
  return xmlDocument(
    `${action}Response`,
    {
      ...(result === undefined ? {} : { [`${action}Result`]: result }),
      ResponseMetadata: { RequestId: context.requestId },
    },
    namespaces[service],
  )
}

async function resultOf(
  { service, action, members }: QueryOperation,
  context: QueryContext,
): Promise<XmlElements | undefined> {
  switch (`${service}:${action}`) {
    case 'sts:GetCallerIdentity':
      return callerIdentity(context)
    case 'iam:GetRole':
      return { Role: roleElements(context.iam.role(required(members, 'RoleName')), context) }
    case 'iam:CreateRole':
      return { Role: roleElements(await createRole(members, context), context) }
    case 'iam:CreatePolicy':
      return { Policy: policyElements(await createPolicy(members, context), context) }
    case 'iam:AttachRolePolicy':
      await context.iam.attachPolicy(
        required(members, 'RoleName'),
        required(members, 'PolicyArn'),
        (policy) => policyArn(policy, context) === members.get('PolicyArn'),
      )
      return undefined
    default:
      throw localError(
        { code: 'OPERATION_UNKNOWN' },
        `The action ${action} is not valid for this endpoint.`,
      )
  }
}

function callerIdentity({ identity, accountId }: QueryContext): XmlElements {
  const user = identity.isAuthenticated ? `user/${identity.principal}` : 'root'
  return {
    Arn: `arn:aws:iam::${accountId}:${user}`,
    UserId: identity.isAuthenticated ? identity.principal : accountId,
    Account: accountId,
  }
}

function createRole(members: QueryOperation['members'], context: QueryContext): Promise<Role> {
  return context.iam.createRole({
    name: nameOf(members, 'RoleName', 64),
    path: pathOf(members),
    createdMs: context.nowMs,
    assumeRolePolicy: documentOf(members, 'AssumeRolePolicyDocument'),
    description: descriptionOf(members),
  })
}

function createPolicy(members: QueryOperation['members'], context: QueryContext): Promise<Policy> {
  return context.iam.createPolicy({
    name: nameOf(members, 'PolicyName', 128),
    path: pathOf(members),
    createdMs: context.nowMs,
    document: documentOf(members, 'PolicyDocument'),
    description: descriptionOf(members),
  })
}

function roleElements(role: Role, { accountId }: QueryContext): XmlElements {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: `arn:aws:iam::${accountId}:role${role.path}${role.name}`,
    CreateDate: dateText(role.createdMs),
    AssumeRolePolicyDocument: encodeURIComponent(role.assumeRolePolicy),
    Description: role.description,
  }
}

function policyElements(policy: Policy, context: QueryContext): XmlElements {
  const arn = policyArn(policy, context)
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: arn,
    Path: policy.path,
    DefaultVersionId: 'v1',
    AttachmentCount: context.iam.policyAttachmentCount(arn),
    IsAttachable: true,
    Description: policy.description,
    CreateDate: dateText(policy.createdMs),
    UpdateDate: dateText(policy.createdMs),
  }
}

function policyArn({ path, name }: Policy, { accountId }: QueryContext): string {
  return `arn:aws:iam::${accountId}:policy${path}${name}`
}

function dateText(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`
}

function required(members: QueryOperation['members'], member: string): string {
  const value = members.get(member)
  if (value !== undefined && value !== '') return value
  throw inputInvalid(member, `${member} is required.`)
}

function nameOf(members: QueryOperation['members'], member: string, lengthMax: number): string {
  const name = required(members, member)
  if (namePattern.test(name) && name.length <= lengthMax) return name
  throw inputInvalid(member, `${member} must have 1 to ${lengthMax} of: A-Z a-z 0-9 _ + = , . @ -`)
}

function pathOf(members: QueryOperation['members']): string {
  const path = members.get('Path') ?? '/'
  if (pathPattern.test(path)) return path
  throw inputInvalid('Path', 'Path must begin and end with a slash.')
}

function descriptionOf(members: QueryOperation['members']): string | undefined {
  const description = members.get('Description')
  if (description === undefined || description.length <= descriptionLengthMax) return description
  throw inputInvalid('Description', `Description may have ${descriptionLengthMax} characters.`)
}

function documentOf(members: QueryOperation['members'], member: string): string {
  const text = required(members, member)
  try {
    if (text.length <= documentLengthMax && typeof JSON.parse(text) === 'object') return text
  } catch {
    // Said below.
  }
  throw inputInvalid(member, `${member} must be a JSON object.`)
}

function inputInvalid(member: string, shortMessage: string) {
  return localError({ code: 'INPUT_INVALID', member }, shortMessage)
}
