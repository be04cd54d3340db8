import { readFileSync } from 'node:fs'
import { createRouter } from '@cairn/aws-protocol'
import { describe, expect, it } from 'vitest'
import { defaultQldbServerLimits } from '../limits.ts'
import { schemaErrors } from '../testing/json-schema.ts'
import { ServerFixture } from '../testing/server-fixture.ts'
import { httpApiRoutes } from './http-api.ts'
import { openApiDocument } from './open-api.ts'

// biome-ignore lint/suspicious/noExplicitAny: a document of any shape is walked.
const document = openApiDocument as any
const transact = document.paths['/v1/ledgers/{name}/transactions'].post
const json = { 'content-type': 'application/json' }

const errorsOf = (schemaName: string, value: unknown) =>
  schemaErrors(document, { $ref: `#/components/schemas/${schemaName}` }, value)

describe('the OpenAPI document', () => {
  it('has the routes of the API, and no others', () => {
    const described = Object.entries(openApiDocument.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.sort()).toEqual(
      httpApiRoutes.map(({ method, pattern }) => `${method} ${pattern}`).sort(),
    )
  })

  it('refers to nothing that is not there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)]
    expect(references.length).toBeGreaterThan(5)
    for (const [, path = ''] of references) {
      let target = document
      for (const part of path.split('/')) target = target?.[part]
      expect(target, path).toBeDefined()
    }
  })

  it('gives the bounds that hold', () => {
    const { statements } = document.components.schemas.Transaction.properties
    expect(statements.maxItems).toBe(defaultQldbServerLimits.statementCountMax)
    expect(transact.description).toContain('five times')
    expect(defaultQldbServerLimits.attemptCountMax).toBe(5)
    expect(JSON.stringify(document)).toContain('within 10 minutes')
    expect(defaultQldbServerLimits.idempotencyMsMax).toBe(10 * 60_000)
    expect(transact.responses['413'].description).toContain('8 MiB')
    expect(defaultQldbServerLimits.bodyBytesMax).toBe(8 * 1024 * 1024)
  })

  it('has examples that fit its schemas', () => {
    const { examples } = transact.requestBody.content['application/json']
    expect(Object.keys(examples).length).toBeGreaterThan(2)
    for (const { value } of Object.values<{ value: unknown }>(examples)) {
      expect(errorsOf('Transaction', value)).toEqual([])
    }
    for (const [status, { content }] of Object.entries<{ content: object }>(transact.responses)) {
      const [[, { example }]] = Object.entries<{ example: unknown }>(content as never) as [
        [string, { example: unknown }],
      ]
      expect(errorsOf(status === '200' ? 'Committed' : 'Problem', example)).toEqual([])
    }
  })

  it('fits the examples of the reference page', () => {
    const page = new URL('../../../../docs/reference/http-api.md', import.meta.url)
    const blocks = [...readFileSync(page, 'utf8').matchAll(/^```json\n(.*?)^```$/gms)]
    const [request, answer, problem] = blocks.map(([, text = '']) => JSON.parse(text))
    expect(errorsOf('Transaction', request)).toEqual([])
    expect(errorsOf('Committed', answer)).toEqual([])
    expect(errorsOf('Problem', problem)).toEqual([])
  })

  it('has schemas that refuse', () => {
    expect(errorsOf('Transaction', {})).toEqual(['$: lacks statements'])
    expect(errorsOf('Transaction', { statements: [] })).not.toEqual([])
    expect(errorsOf('Transaction', { statements: [{ statement: 1 }] })).not.toEqual([])
    expect(errorsOf('Committed', { ...transactExample(), extra: 1 })).not.toEqual([])
    expect(errorsOf('BlockAddress', { strandId: 'x', sequenceNo: 1.5 })).toHaveLength(2)
  })
})

function transactExample() {
  return transact.responses['200'].content['application/json'].example
}

describe('the handlers', () => {
  it.each<[string, object | string]>([
    ['200', { statements: [{ statement: 'ROWS 2', parameters: [1] }] }],
    ['200', { statements: [{ statement: 'ROWS 2' }], format: 'ion', idempotencyKey: null }],
    ['400', { statements: [{ statement: 'FAIL Car' }] }],
    ['400', 'nonsense'],
    ['409', { statements: [{ statement: 'FAIL OCC_CONFLICT' }] }],
    ['422', { statements: [{ statement: 'FAIL TRANSACTION_EXPIRED' }] }],
    ['500', { statements: [{ statement: 'CRASH' }] }],
  ])('answer %s as described', async (status, body) => {
    const fixture = new ServerFixture()
    await fixture.host.createLedger({ name: 'L' })
    const answer = await fixture.request('POST', '/v1/ledgers/L/transactions', body, json)
    expect(String(answer.status)).toBe(status)
    const described = transact.responses[status].content[answer.headers['content-type'] ?? '']
    // Strands and transactions of the fake host have no real ids.
    const schema = JSON.parse(JSON.stringify(document).replaceAll('{22}$', '+$'))
    expect(schemaErrors(schema, described.schema, answer.body)).toEqual([])
  })

  it('take exactly the requests that the schema takes', async () => {
    const fixture = new ServerFixture()
    await fixture.host.createLedger({ name: 'L' })
    const statements = [{ statement: 'x' }]
    for (const body of [
      { statements },
      { statements, format: 'json' },
      { statements, format: 'text' },
      { statements, idempotencyKey: '' },
      { statements, idempotencyKey: 'x'.repeat(128) },
      { statements, idempotencyKey: 'x'.repeat(129) },
      { statements, more: 1 },
      { statements: [{ statement: 'x', parameters: [[], {}, null] }] },
      { statements: [{ statement: 'x', parameters: null }] },
      { statements: [{ parameters: [] }] },
      { statements: Array(100).fill({ statement: 'x' }) },
      { statements: Array(101).fill({ statement: 'x' }) },
    ]) {
      const answer = await fixture.request('POST', '/v1/ledgers/L/transactions', body, json)
      expect(answer.status === 200, JSON.stringify(body).slice(0, 100)).toBe(
        errorsOf('Transaction', body).length === 0,
      )
    }
  })

  it('find every path of the document', () => {
    const router = createRouter(httpApiRoutes)
    for (const path of Object.keys(openApiDocument.paths)) {
      const filled = path.replace('{name}', 'L')
      expect(['GET', 'POST'].some((method) => router.match(method, filled))).toBe(true)
    }
  })
})
