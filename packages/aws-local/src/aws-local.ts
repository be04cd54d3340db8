/**
 * S3, STS and IAM as small as QLDB's users need them, beside the QLDB server on the same address. Which requests are
 * theirs is read from the form (`Action`, `Version`) and from the service that the signature names (control-plane 1).
 */
import {
  type AccessKey,
  type Authorizer,
  allowAll,
  anonymous,
  createSignatureVerifier,
  headerOf,
  type Identity,
  type SignatureVerifier,
  signedServiceOf,
} from '@cairn/aws-protocol'
import {
  type Clock,
  type FileSystem,
  type IdSource,
  type Logger,
  type Random,
  silentLogger,
} from '@cairn/core'
import type { HttpRequest, HttpResponse, Refusal } from '@cairn/http-server'
import type { BucketStore } from './bucket-store.ts'
import { localError } from './errors.ts'
import { internalFault, localFaultOf, queryFault, s3Fault } from './faults.ts'
import { IamStore } from './iam-store.ts'
import { type QueryOperation, queryOperationOf, runQuery } from './query-api.ts'
import { runS3, type S3Operation, s3OperationOf } from './s3-api.ts'
import { xmlContentType } from './xml.ts'

export interface AwsLocalOptions {
  /** The data folder; `iam.json` is made in it when it is needed. */
  readonly directory: string
  readonly buckets: BucketStore
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly random: Random
  readonly ids: IdSource
  readonly logger?: Logger
  readonly auth:
    | 'off'
    | { readonly mode: 'sigv4'; lookup(accessKeyId: string): AccessKey | undefined }
  /** Default: everyone who is let in may do everything. */
  readonly authorizer?: Authorizer
  /** 12 digits. */
  readonly accountId: string
}

export interface AwsLocal {
  readonly buckets: BucketStore
  /** Whether a request is for one of these services. */
  isFor(request: HttpRequest): boolean
  /** Never rejects. */
  respond(request: HttpRequest): Promise<HttpResponse>
  refuse(refusal: Refusal, request: HttpRequest): HttpResponse
}

const formContentType = 'application/x-www-form-urlencoded'

/** @throws SyntaxError when `iam.json` is no JSON. */
export async function openAwsLocal(options: AwsLocalOptions): Promise<AwsLocal> {
  const { directory, fileSystem, random } = options
  const iam = await IamStore.open(fileSystem, `${directory}/iam.json`, random)
  return new Services(options, iam)
}

class Services implements AwsLocal {
  readonly buckets: BucketStore
  readonly #options: AwsLocalOptions
  readonly #iam: IamStore
  readonly #authorizer: Authorizer
  readonly #verifier: SignatureVerifier | undefined

  constructor(options: AwsLocalOptions, iam: IamStore) {
    const { auth, clock } = options
    this.#options = options
    this.#iam = iam
    this.#authorizer = options.authorizer ?? allowAll
    this.buckets = options.buckets
    this.#verifier =
      auth === 'off'
        ? undefined
        : createSignatureVerifier({
            lookup: auth.lookup.bind(auth),
            clock,
            services: ['s3', 'sts', 'iam'],
          })
  }

  isFor(request: HttpRequest): boolean {
    if (headerOf(request.headers, 'x-amz-target') !== undefined) return false
    const service = signedServiceOf(request)
    if (service === 's3') return true
    // Signed also where signatures are not checked: a browser that a stranger's page makes send a form cannot do that.
    return (service === 'sts' || service === 'iam') && isForm(request)
  }

  async respond(request: HttpRequest): Promise<HttpResponse> {
    const requestId = this.#options.ids.random()
    const isQuery = isForm(request)
    try {
      const response = isQuery
        ? await this.#query(request, requestId)
        : await this.#s3(request, requestId)
      return response
    } catch (error) {
      let fault = localFaultOf(error)
      if (fault === undefined) {
        fault = internalFault
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
        const logger = this.#options.logger ?? silentLogger
        logger.log('error', 'request failed', { requestId, error: text })
      }
      return isQuery ? queryFault(fault, requestId) : s3Fault(fault, requestId)
    }
  }

  refuse(refusal: Refusal, request: HttpRequest): HttpResponse {
    const error =
      refusal === 'BODY_TOO_LARGE'
        ? localError({ code: 'BODY_TOO_LARGE' }, 'The body is larger than the server takes.')
        : localError({ code: 'OVERLOADED' }, 'Please reduce your request rate.')
    const fault = localFaultOf(error) ?? internalFault
    const requestId = this.#options.ids.random()
    return isForm(request) ? queryFault(fault, requestId) : s3Fault(fault, requestId)
  }

  async #s3(request: HttpRequest, requestId: string): Promise<HttpResponse> {
    const identity = this.#identify(request)
    const operation = s3OperationOf(request)
    this.#authorize(identity, operation.action, s3Arn(operation))
    const { status, headers, body } = await runS3(this.buckets, operation, request)
    return { status, headers: { ...headers, 'x-amz-request-id': requestId }, body }
  }

  async #query(request: HttpRequest, requestId: string): Promise<HttpResponse> {
    const identity = this.#identify(request)
    const operation = queryOperationOf(request.body)
    if (operation === undefined) {
      throw localError({ code: 'OPERATION_UNKNOWN' }, 'The form names no action that is known.')
    }
    const { accountId, clock } = this.#options
    // Who one is may always be asked, as in STS.
    if (operation.service !== 'sts') {
      this.#authorize(
        identity,
        `${operation.service}:${operation.action}`,
        iamArn(operation, accountId),
      )
    }
    const nowMs = clock.nowMs()
    const context = { iam: this.#iam, accountId, nowMs, identity, requestId }
    const body = await runQuery(operation, context)
    const headers = { 'content-type': xmlContentType, 'x-amzn-RequestId': requestId }
    return { status: 200, headers, body }
  }

  #identify(request: HttpRequest): Identity {
    if (this.#verifier === undefined) return anonymous
    const { accessKeyId } = this.#verifier.verify(request)
    return { principal: accessKeyId, isAuthenticated: true }
  }

  #authorize(identity: Identity, action: string, resource: string): void {
    if (this.#authorizer.isAllowed(identity, action, resource)) return
    throw localError(
      { code: 'ACCESS_DENIED', action, resource },
      `User ${identity.principal} is not authorized to perform ${action} on ${resource}`,
    )
  }
}

function isForm(request: HttpRequest): boolean {
  if (request.method !== 'POST' || request.path !== '/') return false
  return headerOf(request.headers, 'content-type')?.startsWith(formContentType) ?? false
}

function s3Arn({ bucket, key }: S3Operation): string {
  return key === '' ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${key}`
}

function iamArn({ members }: QueryOperation, accountId: string): string {
  const path = members.get('Path') ?? '/'
  const role = members.get('RoleName')
  if (role !== undefined) return `arn:aws:iam::${accountId}:role${path}${role}`
  return `arn:aws:iam::${accountId}:policy${path}${members.get('PolicyName') ?? ''}`
}
