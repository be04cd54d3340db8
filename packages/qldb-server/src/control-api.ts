/**
 * The control API: REST paths to operations (qldb-compat 2).
 * No operation waits for sessions: clients ask for digests while their transactions are open.
 */

import type { Authorizer, Identity } from '@cairn/aws-protocol'
import {
  createRouter,
  type HttpRequest,
  parseJsonBody,
  parseQuery,
  type Route,
  type Router,
} from '@cairn/aws-protocol'
import type { LedgerHost } from '@cairn/ledger'
import { type ArnSettings, ledgerArn, ledgerNameOfArn, tableArn, tableOfArn } from './arn.ts'
import { CommandQueue } from './command-queue.ts'
import {
  describeJournalS3Export,
  exportJournalToS3,
  listJournalS3Exports,
  listJournalS3ExportsForLedger,
} from './control-exports.ts'
import {
  createLedger,
  deleteLedger,
  describeLedger,
  listLedgers,
  updateLedger,
  updateLedgerPermissionsMode,
} from './control-ledgers.ts'
import { getBlock, getDigest, getRevision } from './control-proofs.ts'
import {
  cancelJournalKinesisStream,
  describeJournalKinesisStream,
  listJournalKinesisStreamsForLedger,
  streamJournalToKinesis,
} from './control-streams.ts'
import { listTagsForResource, tagResource, untagResource } from './control-tags.ts'
import { serverError } from './errors.ts'
import type { ExportJobs } from './exports/export-jobs.ts'
import type { RequestContext } from './request-context.ts'
import type { SessionTable } from './session-table.ts'
import type { StreamJobs } from './streams/stream-jobs.ts'

export interface ControlContext {
  readonly host: LedgerHost
  readonly arns: ArnSettings
  readonly sessions: SessionTable
  /** Changes of tags read the old set first; one at a time. */
  readonly tagChanges: CommandQueue
  /** Undefined: no place for exports. */
  readonly exports: ExportJobs | undefined
  /** Undefined: no streams. */
  readonly streams: StreamJobs | undefined
}

export interface ControlRequest {
  /** From the path, percent-decoded. */
  readonly labels: Readonly<Record<string, string>>
  readonly query: ReadonlyMap<string, readonly string[]>
  readonly body: Readonly<Record<string, unknown>>
}

/** What JSON.stringify makes the body of; undefined for an empty one. */
export type ControlAnswer = Readonly<Record<string, unknown>> | undefined

export type ControlOperation = (
  context: ControlContext,
  request: ControlRequest,
) => ControlAnswer | Promise<ControlAnswer>

interface NamedOperation {
  /** As in the API and in policies: `qldb:<name>`. */
  readonly name: string
  /** Undefined: not in this version. */
  readonly run: ControlOperation | undefined
  /** What the server must have been given for it. */
  readonly needs: 'exports' | 'streams' | undefined
}

function route(
  method: string,
  pattern: string,
  name: string,
  run?: ControlOperation,
  needs?: 'exports' | 'streams',
): Route<NamedOperation> {
  return { method, pattern, operation: { name, run, needs } }
}

function exportRoute(
  method: string,
  pattern: string,
  name: string,
  run: ControlOperation,
): Route<NamedOperation> {
  return route(method, pattern, name, run, 'exports')
}

function streamRoute(
  method: string,
  pattern: string,
  name: string,
  run: ControlOperation,
): Route<NamedOperation> {
  return route(method, pattern, name, run, 'streams')
}

const exportsPath = '/ledgers/{Name}/journal-s3-exports'
const streamsPath = '/ledgers/{LedgerName}/journal-kinesis-streams'

const router: Router<NamedOperation> = createRouter([
  route('POST', '/ledgers', 'CreateLedger', createLedger),
  route('GET', '/ledgers', 'ListLedgers', listLedgers),
  route('GET', '/ledgers/{Name}', 'DescribeLedger', describeLedger),
  route('PATCH', '/ledgers/{Name}', 'UpdateLedger', updateLedger),
  route('DELETE', '/ledgers/{Name}', 'DeleteLedger', deleteLedger),
  route(
    'PATCH',
    '/ledgers/{Name}/permissions-mode',
    'UpdateLedgerPermissionsMode',
    updateLedgerPermissionsMode,
  ),
  route('POST', '/ledgers/{Name}/digest', 'GetDigest', getDigest),
  route('POST', '/ledgers/{Name}/block', 'GetBlock', getBlock),
  route('POST', '/ledgers/{Name}/revision', 'GetRevision', getRevision),
  route('GET', '/tags/{ResourceArn+}', 'ListTagsForResource', listTagsForResource),
  route('POST', '/tags/{ResourceArn+}', 'TagResource', tagResource),
  route('DELETE', '/tags/{ResourceArn+}', 'UntagResource', untagResource),
  exportRoute('POST', exportsPath, 'ExportJournalToS3', exportJournalToS3),
  exportRoute('GET', exportsPath, 'ListJournalS3ExportsForLedger', listJournalS3ExportsForLedger),
  exportRoute(
    'GET',
    `${exportsPath}/{ExportId}`,
    'DescribeJournalS3Export',
    describeJournalS3Export,
  ),
  exportRoute('GET', '/journal-s3-exports', 'ListJournalS3Exports', listJournalS3Exports),
  streamRoute('POST', streamsPath, 'StreamJournalToKinesis', streamJournalToKinesis),
  streamRoute(
    'GET',
    streamsPath,
    'ListJournalKinesisStreamsForLedger',
    listJournalKinesisStreamsForLedger,
  ),
  streamRoute(
    'GET',
    `${streamsPath}/{StreamId}`,
    'DescribeJournalKinesisStream',
    describeJournalKinesisStream,
  ),
  streamRoute(
    'DELETE',
    `${streamsPath}/{StreamId}`,
    'CancelJournalKinesisStream',
    cancelJournalKinesisStream,
  ),
])

export class ControlApi {
  readonly #context: ControlContext
  readonly #authorizer: Authorizer

  constructor(context: Omit<ControlContext, 'tagChanges'>, authorizer: Authorizer) {
    this.#context = { ...context, tagChanges: new CommandQueue() }
    this.#authorizer = authorizer
  }

  /**
   * @returns The JSON body of the answer, or an empty text.
   * @throws QldbServerError, LedgerError, AwsProtocolError
   */
  async respond(
    identity: Identity,
    request: HttpRequest,
    context: RequestContext,
  ): Promise<string> {
    const match = router.match(request.method, request.path)
    if (match === undefined) {
      throw serverError(
        { code: 'OPERATION_UNKNOWN' },
        'The method and path of the request name no operation of this service.',
      )
    }
    const { operation, labels } = match
    context.operation = operation.name
    context.ledgerName = labels['Name']
    const query = parseQuery(request.query)
    const body = parseJsonBody(request.body)
    this.#authorize(identity, operation.name, this.#resourceOf(operation.name, labels, body))
    const { run, needs } = operation
    if (run === undefined || (needs !== undefined && this.#context[needs] === undefined)) {
      throw serverError(
        { code: 'OPERATION_NOT_AVAILABLE', operation: operation.name },
        'This server was started without what the operation needs.',
      )
    }
    const answer = await run(this.#context, { labels, query, body })
    return answer === undefined ? '' : JSON.stringify(answer)
  }

  #resourceOf(
    operationName: string,
    labels: ControlRequest['labels'],
    body: ControlRequest['body'],
  ): string {
    const arn = labels['ResourceArn']
    const named = labels['Name'] ?? labels['LedgerName']
    const ledgerName = arn === undefined ? named : ledgerNameOfArn(arn)
    if (ledgerName !== undefined) return ledgerArn(this.#context.arns, ledgerName)
    if (arn !== undefined) {
      const table = tableOfArn(arn)
      if (table === undefined) return arn
      return tableArn(this.#context.arns, table.ledgerName, table.tableId)
    }
    const created = operationName === 'CreateLedger' ? body['Name'] : undefined
    return typeof created === 'string' ? ledgerArn(this.#context.arns, created) : '*'
  }

  #authorize(identity: Identity, operationName: string, resource: string): void {
    const action = `qldb:${operationName}`
    if (this.#authorizer.isAllowed(identity, action, resource)) return
    throw serverError(
      { code: 'ACCESS_DENIED', principal: identity.principal, action, resource },
      'The identity may not do this.',
    )
  }
}
