import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { AwsProtocolError, parseJsonBody } from '@cairn/aws-protocol'
import { createSystemClock } from '@cairn/core'
import { createHttpServer } from '@cairn/http-server'
import {
  decodeIon,
  decodeIonAll,
  encodeIon,
  hashIonBytes,
  IonError,
  ionString,
  parseIon,
  parseIonAll,
} from '@cairn/ion'
import { compileStatement, PartiqlError, parseStatement } from '@cairn/partiql'
import { afterAll, describe, expect, it } from 'vitest'
import { createVehicleStore } from '../../packages/partiql/src/testing/vehicles.ts'
import { type ApiHost, openApiHost } from './api-host.ts'
import { heapBytesAfterCollection } from './heap.ts'

const bodyBytesMax = 8 * 1024 * 1024
/**
 * Of the processor, since the machine of a test may be busy; generous, as it may be slow. A bomb that goes off takes
 * minutes.
 */
const bombMsMax = 20_000

/** The code of the error that `work` throws, or `none`; other errors go through. Time is bounded. */
function codeOf(work: () => unknown): string {
  const start = process.cpuUsage()
  try {
    work()
    return 'none'
  } catch (error) {
    const isOurs =
      error instanceof IonError ||
      error instanceof PartiqlError ||
      error instanceof AwsProtocolError
    if (!isOurs) throw error
    return error.code
  } finally {
    const { user, system } = process.cpuUsage(start)
    expect((user + system) / 1000).toBeLessThan(bombMsMax)
  }
}

/** Lists in lists, in binary. */
function nestedLists(depth: number): Uint8Array {
  const reversed: number[] = []
  for (let level = 0; level < depth; level++) {
    const size = reversed.length
    reversed.push((size & 0x7f) | 0x80)
    for (let rest = size >> 7; rest > 0; rest >>= 7) reversed.push(rest & 0x7f)
    reversed.push(0xbe)
  }
  return Uint8Array.from([0xe0, 0x01, 0x00, 0xea, ...reversed.toReversed()])
}

describe('nesting bombs', () => {
  it('are refused in binary Ion, by reader and hash', () => {
    expect(codeOf(() => decodeIon(nestedLists(200)))).toBe('none')
    for (const depth of [201, 20_000]) {
      expect(codeOf(() => decodeIon(nestedLists(depth)))).toBe('LIMIT')
      expect(codeOf(() => hashIonBytes(nestedLists(depth)))).toBe('LIMIT')
    }
  })

  it.each(['[', '(', '{a:', '[{a:('])('are refused in Ion text: %s', (open) =>
    expect(codeOf(() => parseIonAll(open.repeat(500_000)))).toBe('LIMIT'),
  )

  it('cost no more than their length as annotations and comments', () => {
    expect(codeOf(() => parseIonAll(`${'a::'.repeat(300_000)}1`))).toBe('none')
    expect(codeOf(() => parseIonAll('/**/'.repeat(300_000)))).toBe('none')
  })

  it.each(['[', '{"a":', '[{"a":'])('are refused in JSON: %s', (open) => {
    const text = open.repeat(Math.floor(bodyBytesMax / open.length))
    expect(codeOf(() => parseJsonBody(Buffer.from(text)))).toBe('JSON_TOO_DEEP')
  })

  const towers: readonly [open: string, middle: string, close: string][] = [
    ['(', '1', ')'],
    ['[', '', ']'],
    ['<<', '', '>>'],
    ["{'a':", '1', '}'],
    ['(SELECT VALUE ', '1', ' FROM T)'],
    ['CASE WHEN a THEN ', '1', ' END'],
    ['CAST(', '1', ' AS INT)'],
    ['NOT ', 'a', ''],
    ['- ', '1', ''],
    ['f(', '', ')'],
    ['a[', '1', ']'],
    ['1 + ', '1', ''],
    ['a || ', 'a', ''],
    ['a IN (', '1', ')'],
    ['`[`,', '1', ''],
  ]
  it.each(towers)('are refused in PartiQL: %s%s%s', (open, middle, close) => {
    const count = Math.floor(99_000 / (open.length + close.length))
    const text = `SELECT VALUE ${open.repeat(count)}${middle}${close.repeat(count)} FROM T`
    expect(codeOf(() => parseStatement(text))).toMatch(/^(?:LIMIT|SYNTAX)$/)
  })

  it.each(['SELECT 1 FROM T UNION ', 'SELECT 1 FROM T AS a, T AS b JOIN T ON 1 = 1 UNION ALL '])(
    'are refused as chains of queries: %s',
    (part) => {
      const text = `${part.repeat(Math.floor(99_000 / part.length))}SELECT 1 FROM T`
      expect(codeOf(() => parseStatement(text))).toBe('LIMIT')
    },
  )
})

describe('huge symbol tables', () => {
  const imports = (count: number, maxId: string): string =>
    Array.from({ length: count }, (_, i) => `{name:"t${i}",version:1,max_id:${maxId}}`).join()

  it('cost nothing where they are only declared', () => {
    const before = heapBytesAfterCollection()
    const values = parseIonAll(
      `$ion_symbol_table::{imports:[${imports(1, '2147483648')}],symbols:["x"]} $2147483657 $10`,
    )
    expect(values).toHaveLength(2)
    expect(heapBytesAfterCollection() - before).toBeLessThan(1024 * 1024)
  })

  it('are refused beyond what numbers can count', () => {
    const text = `$ion_symbol_table::{imports:[${imports(2, '9007199254740000')}]} 1`
    expect(codeOf(() => parseIonAll(text))).toBe('SYMBOL_TABLE_INVALID')
    const huge = `$ion_symbol_table::{imports:[${imports(1, '99999999999999999999')}]} 1`
    expect(codeOf(() => parseIonAll(huge))).toBe('SYMBOL_TABLE_INVALID')
  })

  it('cost no more than their length with many imports and many symbols', () => {
    const table = `$ion_symbol_table::{imports:[${imports(50_000, '1000')}]} $50000000`
    expect(codeOf(() => parseIonAll(table))).toBe('none')
    const symbols = `$ion_symbol_table::{symbols:[${'"a",'.repeat(1_000_000)}]} $1000000`
    expect(codeOf(() => parseIonAll(symbols))).toBe('none')
  })

  it('cost no more than their length when each goes on with the one before', () => {
    const first = encodeIon(parseIon("{'a':1}"))
    // Appends one symbol to the table in force, then another.
    const append = [0xe8, 0x81, 0x83, 0xd5, 0x86, 0x71, 0x03, 0x87, 0xb0]
    const stream = Buffer.concat([first, Buffer.from(new Array(100_000).fill(append).flat())])
    expect(codeOf(() => decodeIonAll(stream))).toBe('none')
  })
})

describe('bodies of 8 MiB', () => {
  it.each([
    ['empty lists', '{"a":[', '[],', '0]}'],
    ['short names', '{', '"a":0,', '"b":0}'],
    ['one string', '{"a":"', '\\u0000', '"}'],
    ['numbers', '{"a":[', '1e3,', '0]}'],
    ['quotes and backslashes', '{"a":"', '\\"', '"}'],
  ])('are read in bounded time and memory: %s', (_name, start, part, end) => {
    const count = Math.floor((bodyBytesMax - start.length - end.length) / part.length)
    const body = Buffer.from(start + part.repeat(count) + end)
    const before = process.memoryUsage().rss
    expect(codeOf(() => parseJsonBody(body))).toBe('none')
    expect(process.memoryUsage().rss - before).toBeLessThan(512 * 1024 * 1024)
  })

  it.each([
    ['digits', '', '9', ''],
    ['a string', '"', 'é', '"'],
    ['a list', '[', '1,', ']'],
    ['a blob', '{{', 'AAAA', '}}'],
  ])('are read as Ion text: %s', (_name, start, part, end) => {
    const text = start + part.repeat(bodyBytesMax / Buffer.byteLength(part)) + end
    expect(codeOf(() => encodeIon(parseIon(text)))).toBe('none')
  })
})

describe('chains of conditions', () => {
  it.each(['AND', 'OR'])('are refused or run: %s', (operator) => {
    const store = createVehicleStore()
    const chain = `v.Year = 1 ${operator} `.repeat(5000)
    const text = `SELECT * FROM Vehicle AS v WHERE ${chain}v.Year = 2`
    const run = () => [...compileStatement(parseStatement(text), store).run([], store)]
    expect(codeOf(run)).toMatch(/^(?:none|LIMIT)$/)
  })
})

describe('joins and lists of a thousand', () => {
  const store = createVehicleStore()
  const compile = (text: string) => compileStatement(parseStatement(text), store)

  it('columns are compiled and run', () => {
    const columns = Array.from({ length: 1000 }, (_, i) => `v.c${i}`).join(', ')
    const rows = [...compile(`SELECT ${columns} FROM Vehicle AS v`).run([], store)]
    expect(rows).toHaveLength(3)
  })

  it('sources are refused', () => {
    const comma = Array.from({ length: 1000 }, (_, i) => `Vehicle AS v${i}`).join(', ')
    expect(codeOf(() => compile(`SELECT * FROM ${comma}`))).toBe('LIMIT')
    const on = ' JOIN Vehicle AS w ON w.VIN = v.VIN'.repeat(1000)
    expect(codeOf(() => compile(`SELECT * FROM Vehicle AS v${on}`))).toBe('LIMIT')
  })

  it('constants in IN, and rows in INSERT, cost no more than their length', () => {
    const list = '1,'.repeat(45_000)
    const inList = `SELECT * FROM Vehicle AS v WHERE v.Year IN (${list}1)`
    expect(codeOf(() => [...compile(inList).run([], store)])).toBe('none')
  })
})

describe('LIKE', () => {
  it('takes bounded time with many runs, and none at all with a pattern too long', () => {
    const store = createVehicleStore()
    const text = ionString('a'.repeat(100_000))
    const match = (pattern: string) => () => {
      const statement = parseStatement('SELECT * FROM << ? >> AS t WHERE t LIKE ?')
      const compiled = compileStatement(statement, store)
      return [...compiled.run([text, ionString(pattern)], store)]
    }
    expect(codeOf(match(`${'%a'.repeat(500)}b`))).toBe('none')
    expect(codeOf(match(`${'%_'.repeat(500)}b`))).toBe('none')
    expect(codeOf(match(`%${'a'.repeat(1000)}b`))).toBe('none')
    expect(codeOf(match('%a'.repeat(1000)))).toBe('LIMIT')
  })
})

// ---- statements without an end ----

/** Time enough for the others on a busy machine. */
const transactionMsMax = 1500
const list = `[${'1,'.repeat(20_000)}1]`
const texts = `[${'"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",'.repeat(1500)}]`
const endless: readonly [name: string, statement: string, parameters: readonly string[]][] = [
  [
    'a cross join without rows',
    'SELECT 1 FROM ? AS a, ? AS b, ? AS c WHERE a + b + c = 4',
    [list, list, list],
  ],
  [
    'an aggregate over a cross join',
    'SELECT COUNT(*) FROM ? AS a, ? AS b, ? AS c',
    [list, list, list],
  ],
  [
    'a pivot of a cross join',
    "PIVOT 1 AT '1' FROM ? AS a, ? AS b, ? AS c WHERE a + b + c = 4",
    [list, list, list],
  ],
  ['a long IN in each row', 'SELECT 1 FROM ? AS a, ? AS b WHERE 2 IN ?', [list, list, list]],
  [
    'a LIKE with many runs',
    `SELECT 1 FROM ? AS a, ? AS b WHERE (a || b) LIKE '${'%a_'.repeat(300)}b'`,
    [texts, texts],
  ],
  [
    'a sub-query in each row',
    'SELECT SUM((SELECT COUNT(*) FROM ? AS b WHERE b = a)) AS n FROM ? AS a, ? AS c',
    [list, list, list],
  ],
  [
    'a delete that never finds',
    'DELETE FROM T AS t WHERE t.a = (SELECT COUNT(*) FROM ? AS a, ? AS b) AND t.b = 1',
    [list, list],
  ],
]

const apis: ApiHost[] = []
afterAll(async () => {
  for (const api of apis) await api.close()
})

async function openApi(): Promise<ApiHost> {
  const api = await openApiHost({ transactionMsMax })
  apis.push(api)
  await api.host.createLedger({ name: 'L' })
  const setup = api.host.getLedger('L').startTransaction()
  await setup.execute('CREATE TABLE T', [])
  await setup.execute("INSERT INTO T << {'a': 1}, {'a': 2} >>", [])
  await setup.commit()
  return api
}

async function send(api: ApiHost, body: object): Promise<{ status: number; body: string }> {
  return await api.server.respond({
    method: 'POST',
    path: '/',
    query: '',
    headers: { 'x-amz-target': 'QLDBSession.SendCommand' },
    body: Buffer.from(JSON.stringify(body)),
  })
}

interface Conversation {
  end(): Promise<void>
  execute(statement: string, parameters?: readonly string[]): Promise<string>
}

async function begin(api: ApiHost): Promise<Conversation> {
  const started = await send(api, { StartSession: { LedgerName: 'L' } })
  const SessionToken: string = JSON.parse(started.body).StartSession.SessionToken
  const begun = await send(api, { SessionToken, StartTransaction: {} })
  const TransactionId: string = JSON.parse(begun.body).StartTransaction.TransactionId
  return {
    async end() {
      await send(api, { SessionToken, EndSession: {} })
    },
    async execute(Statement, parameters = []) {
      const Parameters = parameters.map((IonText) => ({ IonText }))
      const command = { TransactionId, Statement, Parameters }
      const { body } = await send(api, { SessionToken, ExecuteStatement: command })
      return body
    },
  }
}

describe('a statement without an end', () => {
  it.each(endless)(
    'is cancelled in time, others go on, memory comes back: %s',
    async (_, statement, parameters) => {
      const api = await openApi()
      const before = heapBytesAfterCollection()
      const conversation = await begin(api)
      const startMs = performance.now()
      let isOver = false
      const long = conversation.execute(statement, parameters).finally(() => {
        isOver = true
      })
      let answeredCount = 0
      while (!isOver) {
        const other = await begin(api)
        expect(await other.execute('SELECT * FROM T')).toContain('"FirstPage"')
        // Behind the end of the long one it would say nothing.
        if (!isOver) answeredCount++
        await other.end()
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      const body = await long
      await conversation.end()
      expect(body).toMatch(/Transaction \S+ has expired|touches more than/)
      expect(performance.now() - startMs).toBeLessThan(transactionMsMax + bombMsMax)
      // A sub-query within an expression gives no turns, and is bounded by the rows that it may touch.
      expect(answeredCount > 0 || body.includes('touches more than')).toBe(true)
      expect(heapBytesAfterCollection() - before).toBeLessThan(8 * 1024 * 1024)
    },
  )
})

// ---- sockets ----

/** Short, and still long enough for the quick ones on a busy machine. */
const shortTimes = {
  headMsMax: 1500,
  requestMsMax: 2000,
  idleMsMax: 1500,
  sweepMs: 20,
  lingerMsMax: 50,
}

async function openServer() {
  const api = await openApi()
  const server = createHttpServer({
    handler: api.server,
    clock: createSystemClock(),
    limits: { ...api.server.httpLimits, ...shortTimes },
  })
  const port = await server.listen('127.0.0.1', 0)
  return { server, port }
}

interface Client {
  readonly socket: Socket
  text(): string
  readonly closed: Promise<unknown>
}

function open(port: number): Client {
  const socket = connect({ host: '127.0.0.1', port })
  let received = ''
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    received += text
  })
  socket.on('error', () => undefined)
  return { socket, text: () => received, closed: once(socket, 'close') }
}

/** Writes the text in pieces, one every few milliseconds, until it is over or the other side ends. */
async function trickle({ socket }: Client, text: string): Promise<void> {
  for (const one of text) {
    if (socket.destroyed || !socket.writable) return
    socket.write(one)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('slow clients', () => {
  const head = 'POST / HTTP/1.1\r\nhost: a\r\nx-amz-target: QLDBSession.SendCommand\r\n'
  const command = '{"StartSession":{"LedgerName":"L"}}'

  it('lose their connection, whatever they are slow with, and others are answered', async () => {
    const { server, port } = await openServer()
    const slow = [
      `${head}${'x: y\r\n'.repeat(50)}`,
      `${head}content-length: 100000\r\n\r\n${'a'.repeat(200)}`,
      `${head}transfer-encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(40)}`,
      '\r\n'.repeat(100),
      'G',
    ].flatMap((text) => Array.from({ length: 20 }, () => text))
    const clients = slow.map((text) => {
      const client = open(port)
      void trickle(client, text)
      return client
    })
    for (let i = 0; i < 10; i++) {
      const quick = open(port)
      const length = `content-length: ${command.length}\r\nconnection: close\r\n\r\n`
      quick.socket.write(`${head}${length}${command}`)
      await quick.closed
      expect(quick.text()).toContain('SessionToken')
    }
    await Promise.all(clients.map(({ closed }) => closed))
    await expect.poll(() => server.connectionCount).toBe(0)
    await server.close()
  })

  it('get a fault for a body that is too large, and no memory', async () => {
    const { server, port } = await openServer()
    const client = open(port)
    const size = bodyBytesMax + 1
    client.socket.write(`${head}content-length: ${size}\r\n\r\n`)
    const before = process.memoryUsage().rss
    const piece = Buffer.alloc(1024 * 1024, 'a')
    for (let sent = 0; sent < size; sent += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, size - sent))
      if (!client.socket.write(part)) await once(client.socket, 'drain')
    }
    while (!client.text().includes('Exception')) await once(client.socket, 'data')
    expect(client.text()).toMatch(/^HTTP\/1\.1 413 [\s\S]*RequestEntityTooLargeException/)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
    client.socket.destroy()
    await client.closed
    await server.close()
  })
})
