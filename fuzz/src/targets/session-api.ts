/**
 * Target `session-api`: request bodies of SendCommand, in short conversations, over the real engine. An input is one
 * body per line; `@S`, `@T`, `@P` and `@D` stand for the session, the transaction, the page and the commit digest.
 */
import { encodeBase64 } from '@cairn/aws-protocol'
import { hashIonString } from '@cairn/ion'
import type { SeededRandom } from '@cairn/testing'
import { dot } from '../../../packages/merkle/src/hasher.ts'
import { type ApiHost, checkAnswer, openApiHost } from '../api-host.ts'
import { jsonTokens, randomJson } from '../json-generator.ts'
import { randomStatement } from '../partiql-generator.ts'
import { inputOfText, type Target } from '../target.ts'
import { statements } from './partiql-seeds.ts'

/** Conversations of one host; its data would grow without end. */
const conversationCountMax = 400
const bodyCountMax = 12

const start = '{"StartSession":{"LedgerName":"L"}}'
const begin = '{"SessionToken":"@S","StartTransaction":{}}'
const commit =
  '{"SessionToken":"@S","CommitTransaction":{"TransactionId":"@T","CommitDigest":"@D"}}'
const fetchPage = '{"SessionToken":"@S","FetchPage":{"TransactionId":"@T","NextPageToken":"@P"}}'
const abort = '{"SessionToken":"@S","AbortTransaction":{}}'
const end = '{"SessionToken":"@S","EndSession":{}}'

function execute(statement: string, parameters: readonly unknown[] = []): string {
  return JSON.stringify({
    SessionToken: '@S',
    ExecuteStatement: { TransactionId: '@T', Statement: statement, Parameters: parameters },
  })
}

export const sessionApiTarget: Target = {
  name: 'session-api',
  oracle:
    'every answer is a success or a fault with a name and a message; none is a failure inside',
  sources: /\/packages\/(?:qldb-server|ledger)\/src\//,
  batchCount: 64,
  async open() {
    let api = await openTables()
    let conversationCount = 0
    return {
      seeds: seedConversations(),
      dictionary: jsonTokens,
      generate,
      async run(input) {
        if (++conversationCount % conversationCountMax === 0) {
          await api.close()
          api = await openTables()
        }
        await converse(api, Buffer.from(input).toString('utf8').split('\n').slice(0, bodyCountMax))
      },
      close: () => api.close(),
    }
  },
}

async function openTables(): Promise<ApiHost> {
  const api = await openApiHost({ ledgerLimits: { ledgerCountMax: 50 } })
  await api.host.createLedger({ name: 'L' })
  const tables = ['Vehicle', 'VehicleRegistration']
  await converse(api, [
    start,
    begin,
    ...tables.map((table) => execute(`CREATE TABLE ${table}`)),
    ...tables.map((table) => execute(`CREATE INDEX ON ${table} (VIN)`)),
    commit,
    begin,
    execute('INSERT INTO Vehicle ?', [{ IonText: '[{VIN:"v1",Make:"Audi"},{VIN:"v2"}]' }]),
    commit,
  ])
  return api
}

function seedConversations(): Uint8Array[] {
  const single = statements.map((statement) => [start, begin, execute(statement), commit])
  const paged = [
    start,
    begin,
    execute('SELECT a FROM ? AS a, ? AS b', [
      { IonText: `[${'1,'.repeat(30)}1]` },
      { IonText: `[${'1,'.repeat(30)}1]` },
    ]),
    fetchPage,
    fetchPage,
    commit,
    commit,
    abort,
    end,
    begin,
  ]
  return [...single, paged].map((bodies) => inputOfText(bodies.join('\n')))
}

function generate(random: SeededRandom): Uint8Array {
  const bodies = [start, begin]
  const count = random.below(5)
  for (let i = 0; i < count; i++) {
    const parameters = Array.from({ length: random.below(3) }, () =>
      random.chance(0.7) ? { IonText: '{VIN:"v7",a:[1,2.5]}' } : randomJson(random, 2),
    )
    bodies.push(random.chance(0.8) ? execute(randomStatement(random), parameters) : fetchPage)
  }
  bodies.push([commit, abort, end][random.below(3)] ?? end)
  return inputOfText(bodies.join('\n'))
}

/** What the conversation has learnt. */
interface Known {
  session: string
  transaction: string
  page: string
  digest: Uint8Array
}

async function converse(api: ApiHost, bodies: readonly string[]): Promise<void> {
  const known: Known = { session: 's', transaction: 't', page: 'p', digest: new Uint8Array(32) }
  for (const template of bodies) {
    const body = template
      .replaceAll('@S', known.session)
      .replaceAll('@T', known.transaction)
      .replaceAll('@P', known.page)
      .replaceAll('@D', encodeBase64(known.digest))
    const answer = await api.server.respond({
      method: 'POST',
      path: '/',
      query: '',
      headers: { 'x-amz-target': 'QLDBSession.SendCommand' },
      body: Buffer.from(body, 'utf8'),
    })
    checkAnswer(answer, api)
    learn(known, body, answer.body)
  }
}

function learn(known: Known, request: string, answer: string): void {
  known.session = /"SessionToken":"([^"]+)"/.exec(answer)?.[1] ?? known.session
  known.page = /"NextPageToken":"([^"]+)"/.exec(answer)?.[1] ?? known.page
  const begun = /"StartTransaction":\{"TransactionId":"([^"]+)"/.exec(answer)?.[1]
  if (begun !== undefined) {
    known.transaction = begun
    known.digest = hashIonString(begun)
  }
  // The digest is right for statements without parameters; the others end in a mismatch.
  const statement = statementOf(request)
  if (statement !== undefined) known.digest = dot(known.digest, hashIonString(statement))
}

function statementOf(request: string): string | undefined {
  try {
    const text: unknown = JSON.parse(request)?.ExecuteStatement?.Statement
    return typeof text === 'string' && !/\p{Surrogate}/u.test(text) ? text : undefined
  } catch {
    return undefined
  }
}
