import { AwsProtocolError, type AwsProtocolErrorType } from '@cairn/aws-protocol'
import { LedgerError, type LedgerErrorType } from '@cairn/ledger'
import { PartiqlError, partiqlError } from '@cairn/partiql'
import { describe, expect, it } from 'vitest'
import { QldbServerError, type QldbServerErrorType } from './errors.ts'
import { controlFaultOf, internalFault, sessionFaultOf } from './faults.ts'

const said = { shortMessage: 'What happened.', metaMessages: ['What to do.'] }
const theirWords = 'What happened.\nWhat to do.'
const ledger = (data: LedgerErrorType) => new LedgerError(data, said)
const server = (data: QldbServerErrorType) => new QldbServerError(data, said)
const protocol = (data: AwsProtocolErrorType) => new AwsProtocolError(data, said)
const id = '2UMpTNe0bEIBCHPo7QOm0S'
const transactionId = id
const position = { offset: 0, line: 1, column: 17 }
const badRequest = (message: string) => ['BadRequestException', 400, message]
const invalidSession = (message: string) => ['InvalidSessionException', 400, message]

describe('sessionFaultOf', () => {
  it.each([
    [
      ledger({ code: 'LEDGER_NOT_FOUND', ledgerName: 'L' }),
      badRequest('The Ledger with name L is not found'),
    ],
    [
      ledger({ code: 'OCC_CONFLICT', transactionId, conflict: 'x' }),
      ['OccConflictException', 400, 'Optimistic concurrency control failure'],
    ],
    [
      ledger({ code: 'TRANSACTION_EXPIRED', transactionId, ageMs: 1, ageMsMax: 1 }),
      invalidSession(`Transaction ${id} has expired`),
    ],
    [
      server({ code: 'TRANSACTION_EXPIRED', transactionId }),
      invalidSession(`Transaction ${id} has expired`),
    ],
    [
      ledger({ code: 'TRANSACTION_CLOSED', transactionId }),
      badRequest(`Transaction ${id} is not open`),
    ],
    [
      ledger({ code: 'COMMIT_DIGEST_MISMATCH', transactionId }),
      badRequest(`The commit digest does not match the statements of transaction ${id}`),
    ],
    [ledger({ code: 'PARAMETER_INVALID', index: 0 }), badRequest(theirWords)],
    [ledger({ code: 'TABLE_NOT_FOUND', table: 'T' }), badRequest(theirWords)],
    [ledger({ code: 'TABLE_EXISTS', table: 'T' }), badRequest(theirWords)],
    [ledger({ code: 'DOCUMENT_INVALID', table: 'T' }), badRequest(theirWords)],
    [
      ledger({ code: 'LIMIT_EXCEEDED', limit: 'documentBytesMax', value: 2, valueMax: 1 }),
      ['LimitExceededException', 400, theirWords],
    ],
    [
      ledger({ code: 'LEDGER_CLOSED', ledgerName: 'L' }),
      ['CapacityExceededException', 503, 'Capacity exceeded'],
    ],
    [
      partiqlError('SYNTAX', position, 'expected FROM'),
      badRequest('line 1, column 17: expected FROM'),
    ],
    [
      new PartiqlError({ code: 'PARAMETER_COUNT', expected: 1, given: 0 }, said),
      badRequest(theirWords),
    ],
    [
      partiqlError('LIMIT', position, 'too deep'),
      ['LimitExceededException', 400, 'line 1, column 17: too deep'],
    ],
    [server({ code: 'REQUEST_INVALID', member: 'x' }), badRequest(theirWords)],
    [server({ code: 'SESSION_NOT_FOUND' }), invalidSession('No such session')],
    [
      server({ code: 'SESSION_EXPIRED', sessionId: id }),
      invalidSession(`Session ${id} has expired`),
    ],
    [
      server({ code: 'TRANSACTION_ALREADY_OPEN', transactionId }),
      badRequest('Transaction already open'),
    ],
    [server({ code: 'OVERLOADED' }), ['CapacityExceededException', 503, 'Capacity exceeded']],
    [server({ code: 'SERVER_CLOSING' }), ['CapacityExceededException', 503, 'Capacity exceeded']],
    [
      server({ code: 'BODY_TOO_LARGE', bytesMax: 8 }),
      ['RequestEntityTooLargeException', 413, 'The request body is larger than 8 bytes'],
    ],
    [
      server({
        code: 'ACCESS_DENIED',
        principal: 'AKID',
        action: 'qldb:SendCommand',
        resource: 'a',
      }),
      [
        'AccessDeniedException',
        403,
        'User: AKID is not authorized to perform: qldb:SendCommand on resource: a',
      ],
    ],
  ])('maps %s', (error, [name, status, message]) => {
    expect(sessionFaultOf(error)).toEqual({ name, status, message })
  })

  it('lets the driver know an expired transaction by its pattern', () => {
    const fault = sessionFaultOf(server({ code: 'TRANSACTION_EXPIRED', transactionId }))
    expect(fault?.message).toMatch(/Transaction .* has expired/)
  })

  it.each([
    [
      { code: 'SIGNATURE_MISSING' },
      'MissingAuthenticationTokenException',
      403,
      'Missing Authentication Token',
    ],
    [{ code: 'SIGNATURE_INCOMPLETE', part: 'x' }, 'IncompleteSignatureException', 400, theirWords],
    [
      { code: 'ACCESS_KEY_UNKNOWN' },
      'UnrecognizedClientException',
      403,
      'The security token included in the request is invalid.',
    ],
    [
      { code: 'SIGNATURE_MISMATCH' },
      'InvalidSignatureException',
      403,
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret ' +
        'Access Key and signing method. Consult the service documentation for details.',
    ],
    [
      { code: 'SIGNATURE_EXPIRED', signedMs: 0, nowMs: 301_000, skewMsMax: 300_000 },
      'InvalidSignatureException',
      403,
      'Signature expired: 19700101T000000Z is now earlier than 19700101T000001Z',
    ],
    [
      { code: 'SIGNATURE_EXPIRED', signedMs: 301_000, nowMs: 0, skewMsMax: 300_000 },
      'InvalidSignatureException',
      403,
      'Signature not yet current: 19700101T000501Z is still later than 19700101T000500Z',
    ],
    [
      { code: 'BODY_HASH_MISMATCH' },
      'InvalidSignatureException',
      403,
      'The request body does not match x-amz-content-sha256',
    ],
    [{ code: 'JSON_INVALID' }, 'SerializationException', 400, theirWords],
    [{ code: 'BASE64_INVALID' }, 'SerializationException', 400, theirWords],
  ] as [AwsProtocolErrorType, string, number, string][])(
    'maps %j in both APIs',
    (data, name, status, message) => {
      expect(sessionFaultOf(protocol(data))).toEqual({ name, status, message })
      expect(controlFaultOf(protocol(data))).toEqual({ name, status, message })
    },
  )
})

describe('controlFaultOf', () => {
  it.each([
    [
      ledger({ code: 'LEDGER_NOT_FOUND', ledgerName: 'L' }),
      ['ResourceNotFoundException', 404, 'The Ledger with name L is not found'],
      { ResourceType: 'Ledger', ResourceName: 'L' },
    ],
    [
      ledger({ code: 'LEDGER_EXISTS', ledgerName: 'L' }),
      ['ResourceAlreadyExistsException', 409, 'The Ledger with name L already exists'],
      { ResourceType: 'Ledger', ResourceName: 'L' },
    ],
    [
      ledger({ code: 'LEDGER_PROTECTED', ledgerName: 'L' }),
      [
        'ResourcePreconditionNotMetException',
        412,
        'The Ledger with name L is protected against deletion. Update it with DeletionProtection false first',
      ],
      { ResourceType: 'Ledger', ResourceName: 'L' },
    ],
    [
      ledger({ code: 'LIMIT_EXCEEDED', limit: 'ledgerCountMax', value: 6, valueMax: 5 }),
      ['LimitExceededException', 400, theirWords],
      { ResourceType: 'Ledger' },
    ],
    [
      ledger({ code: 'ADDRESS_INVALID', parameter: 'DigestTipAddress' }),
      ['InvalidParameterException', 400, theirWords],
      { ParameterName: 'DigestTipAddress' },
    ],
    [
      ledger({ code: 'DOCUMENT_NOT_FOUND', documentId: id }),
      ['InvalidParameterException', 400, theirWords],
      { ParameterName: 'DocumentId' },
    ],
    [
      server({ code: 'PARAMETER_INVALID', parameterName: 'Tags' }),
      ['InvalidParameterException', 400, theirWords],
      { ParameterName: 'Tags' },
    ],
    [
      server({ code: 'RESOURCE_NOT_FOUND', resourceType: 'Resource', resourceName: 'arn' }),
      ['ResourceNotFoundException', 404, 'The Resource with name arn is not found'],
      { ResourceType: 'Resource', ResourceName: 'arn' },
    ],
  ])('maps %s', (error, [name, status, message], details) => {
    expect(controlFaultOf(error)).toEqual({ name, status, message, details })
  })

  it('maps what is not there', () => {
    expect(
      controlFaultOf(server({ code: 'OPERATION_NOT_AVAILABLE', operation: 'ExportJournalToS3' })),
    ).toEqual({
      name: 'UnsupportedOperationException',
      status: 400,
      message: 'ExportJournalToS3 is not available in this version of Cairn',
    })
    expect(controlFaultOf(server({ code: 'OPERATION_UNKNOWN' }))).toEqual({
      name: 'UnknownOperationException',
      status: 404,
      message: theirWords,
    })
  })
})

describe('internal errors', () => {
  it('has no fault for what nobody should have to know', () => {
    for (const error of [
      new TypeError('x'),
      'text',
      undefined,
      ledger({ code: 'LEDGER_DAMAGED', directory: '/d' }),
      ledger({ code: 'LEDGER_STOPPED', ledgerName: 'L' }),
    ]) {
      expect(sessionFaultOf(error)).toBeUndefined()
      expect(controlFaultOf(error)).toBeUndefined()
    }
    expect(internalFault).toEqual({
      name: 'InternalFailure',
      status: 500,
      message: 'The request failed because of an internal error.',
    })
  })
})
