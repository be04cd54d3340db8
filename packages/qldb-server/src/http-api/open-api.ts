/**
 * The description of the HTTP API, OpenAPI 3.1. Tests send every example to the running handlers, compare the answers
 * with the schemas, and the paths with the routes.
 */
import { blockCountMax, waitMsMax } from './blocks.ts'
import { idempotencyKeyLengthMax } from './transaction-request.ts'

const transactionSchema = {
  type: 'object',
  required: ['statements'],
  additionalProperties: false,
  properties: {
    statements: {
      type: 'array',
      minItems: 1,
      maxItems: 100,
      description: 'Run in this order, in one transaction: all of them take effect, or none.',
      items: { $ref: '#/components/schemas/Statement' },
    },
    idempotencyKey: {
      type: ['string', 'null'],
      minLength: 1,
      maxLength: idempotencyKeyLengthMax,
      description:
        'Chosen by the client. A request that is repeated with the same key and the same body within 10 minutes gets ' +
        'the first answer, and nothing is done twice. Kept in memory: a restart of the server forgets.',
    },
    format: {
      type: 'string',
      enum: ['json', 'ion'],
      default: 'json',
      description: 'Of rows: JSON values, or strings of Ion text, which lose nothing.',
    },
  },
}

const statementSchema = {
  type: 'object',
  required: ['statement'],
  additionalProperties: false,
  properties: {
    statement: { type: 'string', description: 'PartiQL, with a ? for each parameter.' },
    parameters: {
      type: 'array',
      description:
        'JSON values. A number without fraction and exponent is an Ion int of any size, every other one an Ion ' +
        'decimal with the digits as written. {"$ion": "<Ion text>"} stands for any Ion value, at any depth.',
      items: {},
    },
  },
}

const answerSchema = {
  type: 'object',
  required: ['transactionId', 'blockAddress', 'commitDigest', 'results'],
  additionalProperties: false,
  properties: {
    transactionId: { type: 'string', pattern: '^[0-9A-Za-z]{22}$' },
    blockAddress: {
      anyOf: [{ $ref: '#/components/schemas/BlockAddress' }, { type: 'null' }],
      description: 'Of the block that was written; null when the transaction only read.',
    },
    commitDigest: {
      type: 'string',
      pattern: '^[0-9A-Za-z+/]{43}=$',
      description: 'Base64. The hash of the transaction, its statements and their parameters.',
    },
    results: {
      type: 'array',
      description: 'One per statement.',
      items: {
        type: 'object',
        required: ['rows'],
        additionalProperties: false,
        properties: { rows: { type: 'array', items: {} } },
      },
    },
  },
}

const blockAddressSchema = {
  type: 'object',
  required: ['strandId', 'sequenceNo'],
  additionalProperties: false,
  properties: {
    strandId: { type: 'string', pattern: '^[0-9A-Za-z]{22}$' },
    sequenceNo: { type: 'integer', minimum: 0 },
  },
}

const countSchema = { type: 'integer', minimum: 0 }

const statisticsSchema = {
  type: 'object',
  required: [
    'ledger',
    'blockCount',
    'journalBytes',
    'projectionBytes',
    'tables',
    'slowestStatements',
    'accesses',
  ],
  additionalProperties: false,
  properties: {
    ledger: { type: 'string' },
    blockCount: countSchema,
    journalBytes: { ...countSchema, description: 'All blocks, with every version.' },
    projectionBytes: { ...countSchema, description: 'Current documents and indexes, in LMDB.' },
    tables: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'tableId', 'isActive', 'documentCount', 'indexes'],
        additionalProperties: false,
        properties: {
          name: { type: 'string' },
          tableId: { type: 'string' },
          isActive: { type: 'boolean' },
          documentCount: { ...countSchema, description: 'Current ones.' },
          indexes: { type: 'array', items: { type: 'string' }, description: 'Indexed fields.' },
        },
      },
    },
    slowestStatements: {
      type: 'array',
      items: {
        type: 'object',
        required: ['statement', 'count', 'totalMs', 'maxMs'],
        additionalProperties: false,
        properties: {
          statement: { type: 'string', description: 'With its literals masked.' },
          count: countSchema,
          totalMs: countSchema,
          maxMs: countSchema,
        },
      },
    },
    accesses: {
      type: 'object',
      additionalProperties: countSchema,
      description: 'How often statements read a table in which way, such as "Vehicle: index VIN".',
    },
  },
}

const blocksSchema = {
  type: 'object',
  required: ['blocks', 'nextSequenceNo'],
  additionalProperties: false,
  properties: {
    blocks: {
      type: 'array',
      description:
        'Objects, down-converted from Ion, or strings of Ion text. As GetBlock shows them.',
      items: { type: ['object', 'string'] },
    },
    nextSequenceNo: {
      type: 'integer',
      minimum: 0,
      description: 'What to ask for next.',
    },
  },
}

const problemSchema = {
  type: 'object',
  description: 'RFC 9457.',
  required: ['type', 'title', 'status', 'detail', 'code', 'remedy', 'requestId'],
  additionalProperties: false,
  properties: {
    type: { type: 'string', pattern: '^urn:cairn:error:[A-Z_]+$' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What happened, with the values at hand.' },
    code: { type: 'string', description: 'Stable; for programs.' },
    remedy: { type: 'string', description: 'What to do.' },
    statementIndex: {
      type: 'integer',
      minimum: 0,
      description: 'Of the statement that failed, from 0.',
    },
    requestId: { type: 'string', description: 'Under which the log of the server has more.' },
  },
}

/** Each is sent in this order by a test, to a ledger of the name in the path. */
const transactionExamples = {
  createTable: {
    summary: 'A table and an index',
    value: {
      statements: [
        { statement: 'CREATE TABLE Vehicle' },
        { statement: 'CREATE INDEX ON Vehicle (Vin)' },
      ],
    },
  },
  insert: {
    summary: 'A document, once, however often the request is sent',
    value: {
      statements: [
        {
          statement: 'INSERT INTO Vehicle ?',
          parameters: [
            {
              Vin: 'CRN00000000000001',
              Make: 'Harrier',
              Mileage: 41250,
              TaxDue: 184.5,
              Registered: { $ion: '2024-03-01T09:30:00.000Z' },
            },
          ],
        },
      ],
      idempotencyKey: '7d0c0a3e-6f0e-4b51-9a3e-2f5d1c8b7a10',
    },
  },
  update: {
    summary: 'Two statements in one transaction, all or nothing',
    value: {
      statements: [
        {
          statement: 'UPDATE Vehicle SET Mileage = ? WHERE Vin = ?',
          parameters: [41987, 'CRN00000000000001'],
        },
        {
          statement: 'SELECT v.Mileage, v.TaxDue FROM Vehicle AS v WHERE v.Vin = ?',
          parameters: ['CRN00000000000001'],
        },
      ],
    },
  },
  select: {
    summary: 'Rows as Ion text',
    value: {
      statements: [
        {
          statement: 'SELECT * FROM Vehicle WHERE Vin = ?',
          parameters: [{ $ion: '"CRN00000000000001"' }],
        },
      ],
      format: 'ion',
    },
  },
}

const answerExample = {
  transactionId: '5PLf9SXwndd63lPaSIa0O6',
  blockAddress: { strandId: 'JdxjkR9bSYB5jMHWcI464T', sequenceNo: 4 },
  commitDigest: '6SQvQzH2qw8rK3aWy4b+M9XrQ+0L+3LJWnCH5sPs/6Y=',
  results: [
    { rows: [{ documentId: '3Qv67yjXEwB9SjmvkuG6Cp' }] },
    { rows: [{ Mileage: 41987, TaxDue: 184.5 }] },
  ],
}

const problemExample = {
  type: 'urn:cairn:error:SYNTAX',
  title: 'The text is no PartiQL statement',
  status: 400,
  detail: 'line 1, column 7: expected the end of the statement, found a number.',
  code: 'SYNTAX',
  remedy: 'Correct the statement at the place named.',
  statementIndex: 0,
  requestId: 'BPg1dzNqjMM1Vt8YGQ7cRr',
}

function problem(description: string) {
  return {
    description,
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        example: problemExample,
      },
    },
  }
}

/** Plain data for JSON.stringify. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly paths: Readonly<Record<string, object>>
  readonly [member: string]: unknown
}

export const openApiDocument: OpenApiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'Cairn HTTP API',
    version: '1',
    description:
      'Transactions of a verifiable ledger in one request each. The APIs of Amazon QLDB stand beside it, on the same port.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/' }],
  security: [{ signatureVersion4: [] }, {}],
  paths: {
    '/v1/ledgers/{name}/transactions': {
      post: {
        operationId: 'transact',
        summary: 'Run statements in one transaction',
        description:
          'The transaction is on the disk when the answer comes. One that meets another is run again by the server, ' +
          'five times in all.',
        parameters: [
          {
            name: 'name',
            in: 'path',
            required: true,
            description: 'Of the ledger.',
            schema: { type: 'string' },
            example: 'vehicles',
          },
        ],
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: { $ref: '#/components/schemas/Transaction' },
              examples: transactionExamples,
            },
          },
        },
        responses: {
          '200': {
            description: 'Committed.',
            content: {
              'application/json': {
                schema: { $ref: '#/components/schemas/Committed' },
                example: answerExample,
              },
            },
          },
          '400': problem('The request or a statement has to change. Nothing was committed.'),
          '401': problem('The server asks for a signature, and there is none.'),
          '403': problem('The signature does not hold, or the permission is missing.'),
          '404': problem('No such ledger.'),
          '409': problem('OCC_CONFLICT: the transaction met others each time. Send it again.'),
          '413': problem('The request body is larger than 8 MiB.'),
          '415': problem('The content type is not application/json.'),
          '422': problem(
            'RESULT_TOO_LARGE, TRANSACTION_EXPIRED, or IDEMPOTENCY_KEY_REUSED: the key came with another body before.',
          ),
          '500': problem('An internal error; the log has it under the requestId.'),
          '503': problem('Busy or being closed. Send it again after a while.'),
        },
      },
    },
    '/v1/ledgers/{name}/statistics': {
      get: {
        operationId: 'statistics',
        summary: 'Sizes, counts, index use and slowest statements of a ledger',
        description:
          'Use and statements are counted in memory since the server started. Counting the documents takes a second ' +
          'or two per million, in which other requests go on.',
        parameters: [
          {
            name: 'name',
            in: 'path',
            required: true,
            description: 'Of the ledger.',
            schema: { type: 'string' },
            example: 'vehicles',
          },
        ],
        responses: {
          '200': {
            description: 'The figures.',
            content: {
              'application/json': { schema: { $ref: '#/components/schemas/Statistics' } },
            },
          },
          '401': problem('The server asks for a signature, and there is none.'),
          '403': problem('The signature does not hold, or the permission is missing.'),
          '404': problem('No such ledger.'),
        },
      },
    },
    '/v1/ledgers/{name}/blocks': {
      get: {
        operationId: 'blocks',
        summary: 'Blocks of the journal in order, waiting for the next when there is none',
        parameters: [
          {
            name: 'name',
            in: 'path',
            required: true,
            description: 'Of the ledger.',
            schema: { type: 'string' },
            example: 'vehicles',
          },
          {
            name: 'from',
            in: 'query',
            description: 'Sequence number of the first block wanted.',
            schema: { type: 'integer', minimum: 0, default: 0 },
          },
          {
            name: 'limit',
            in: 'query',
            description: 'Blocks at most; an answer also ends at about 1 MiB.',
            schema: { type: 'integer', minimum: 0, maximum: blockCountMax, default: blockCountMax },
          },
          {
            name: 'waitMs',
            in: 'query',
            description: 'How long to wait for the first.',
            schema: { type: 'integer', minimum: 0, maximum: waitMsMax, default: 0 },
          },
          {
            name: 'format',
            in: 'query',
            schema: { type: 'string', enum: ['json', 'ion'], default: 'json' },
          },
        ],
        responses: {
          '200': {
            description: 'What there is; no block when none came in time.',
            content: {
              'application/json': {
                schema: { $ref: '#/components/schemas/Blocks' },
                example: { blocks: [], nextSequenceNo: 12 },
              },
            },
          },
          '400': problem('A parameter has to change.'),
          '401': problem('The server asks for a signature, and there is none.'),
          '403': problem('The signature does not hold, or the permission is missing.'),
          '404': problem('No such ledger.'),
          '503': problem('Busy or being closed. Send it again after a while.'),
        },
      },
    },
    '/v1/openapi.json': {
      get: {
        operationId: 'describe',
        summary: 'This document',
        security: [],
        responses: {
          '200': {
            description: 'OpenAPI 3.1.',
            content: { 'application/json': { schema: { type: 'object' } } },
          },
        },
      },
    },
  },
  components: {
    securitySchemes: {
      signatureVersion4: {
        type: 'apiKey',
        in: 'header',
        name: 'Authorization',
        description:
          'AWS Signature Version 4 for the service qldb, in any region. Not needed by a server on loopback with ' +
          '`--auth off`.',
      },
    },
    schemas: {
      Transaction: transactionSchema,
      Statement: statementSchema,
      Committed: answerSchema,
      BlockAddress: blockAddressSchema,
      Blocks: blocksSchema,
      Statistics: statisticsSchema,
      Problem: problemSchema,
    },
  },
}
