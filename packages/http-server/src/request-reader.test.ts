import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyBudget } from './body-budget.ts'
import { HttpError } from './errors.ts'
import { defaultHttpLimits, type HttpLimits } from './limits.ts'
import { type ReceivedRequest, RequestReader } from './request-reader.ts'

class Reading {
  readonly budget: BodyBudget
  readonly reader: RequestReader
  readonly requests: ReceivedRequest[] = []

  constructor(changes: Partial<HttpLimits> = {}) {
    const limits = { ...defaultHttpLimits, ...changes }
    this.budget = new BodyBudget(limits.bodyBytesInFlightMax)
    this.reader = new RequestReader(limits, this.budget)
  }

  push(piece: string | Uint8Array): this {
    this.reader.push(Buffer.from(piece as string, 'latin1'))
    for (let next = this.reader.next(); next !== undefined; next = this.reader.next()) {
      this.requests.push(next)
      this.budget.giveBack(next.budgetBytes)
    }
    return this
  }

  get bodies(): string[] {
    return this.requests.map(({ body }) => Buffer.from(body).toString('latin1'))
  }
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof HttpError) return error.code
    throw error
  }
  return 'none'
}

const counted = 'POST /a?b HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\nhello\r\n\r\nhi'
const chunked =
  'POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n' +
  '5;name="value"\r\nhello\r\nA \r\n0123456789\r\n000\r\nTrailer: 1\r\nOther:\r\n\r\n'
const empty = '\r\nGET /d HTTP/1.1\r\nhost: x\r\n\r\n'
const stream = counted + chunked + empty + counted
const streamBodies = ['hello\r\n\r\nhi', 'hello0123456789', '', 'hello\r\n\r\nhi']

describe('requests in pieces', () => {
  it('reads several in one piece', () => {
    const { requests, bodies } = new Reading().push(stream)
    expect(bodies).toEqual(streamBodies)
    expect(requests.map(({ path }) => path)).toEqual(['/a', '/c', '/d', '/a'])
    expect(requests[0]).toMatchObject({ method: 'POST', query: 'b', isLast: false })
  })

  it('reads them byte by byte', () => {
    const reading = new Reading()
    for (const byte of stream) reading.push(byte)
    expect(reading.bodies).toEqual(streamBodies)
    expect(reading.reader.isIdle).toBe(true)
    expect(reading.budget.bytesInUse).toBe(0)
  })

  it('reads them cut at any place', () => {
    for (let cut = 1; cut < stream.length; cut++) {
      const reading = new Reading().push(stream.slice(0, cut)).push(stream.slice(cut))
      expect(reading.bodies).toEqual(streamBodies)
    }
  })

  it('reads them in pieces of any sizes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (sizes) => {
        const reading = new Reading()
        for (let at = 0, no = 0; at < stream.length; no++) {
          const size = sizes[no % sizes.length] as number
          reading.push(stream.slice(at, at + size))
          at += size
        }
        expect(reading.bodies).toEqual(streamBodies)
      }),
    )
  })

  it('finds no request in any beginning of one', () => {
    for (const request of [counted, chunked]) {
      for (let size = 0; size < request.length; size++) {
        expect(new Reading().push(request.slice(0, size)).requests).toEqual([])
      }
    }
  })

  it('keeps apart what it gave and what comes', () => {
    const { requests } = new Reading().push(counted).push('x'.repeat(50))
    expect(Buffer.from(requests[0]?.body ?? []).toString()).toBe('hello\r\n\r\nhi')
  })

  it('ignores empty lines between requests', () => {
    expect(new Reading().push(`\r\n\r\n${empty}\r\n`).push(empty).requests).toHaveLength(2)
  })
})

describe('expectations', () => {
  const head = 'POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n'

  it('asks for the body once', () => {
    const reading = new Reading().push(`${head}content-length: 5\r\n\r\n`)
    expect(reading.reader.takeContinue()).toBe(true)
    expect(reading.reader.takeContinue()).toBe(false)
    expect(reading.push('hello').bodies).toEqual(['hello'])
  })

  it('does not ask for what is here', () => {
    const reading = new Reading().push(`${head}content-length: 5\r\n\r\nhello`)
    expect(reading.reader.takeContinue()).toBe(false)
  })

  it('refuses a body that would be too large before it comes, and ends the connection', () => {
    const reading = new Reading().push(`${head}content-length: 8388609\r\n\r\n`)
    expect(reading.reader.takeContinue()).toBe(false)
    expect(reading.requests).toMatchObject([{ refusal: 'BODY_TOO_LARGE', isLast: true }])
  })
})

describe('refused bodies', () => {
  const head = 'POST / HTTP/1.1\r\nhost: x\r\n'
  const inChunks = (chunkCount: number) =>
    `${head}transfer-encoding: chunked\r\n\r\n${'4\r\nabcd\r\n'.repeat(chunkCount)}0\r\n\r\n`

  it.each([
    ['in one piece', 1000],
    ['in pieces', 7],
  ])('reads a body that is too large %s, and then the next request', (_, size) => {
    const text = `${head}content-length: 30\r\n\r\n${'x'.repeat(30)}${inChunks(6)}${empty}`
    const reading = new Reading({ bodyBytesMax: 20 })
    for (let at = 0; at < text.length; at += size) reading.push(text.slice(at, at + size))
    expect(reading.requests.map(({ refusal }) => refusal)).toEqual([
      'BODY_TOO_LARGE',
      'BODY_TOO_LARGE',
      undefined,
    ])
    expect(reading.bodies).toEqual(['', '', ''])
    expect(reading.budget.bytesInUse).toBe(0)
  })

  it('takes a body of the largest size', () => {
    const reading = new Reading({ bodyBytesMax: 20 })
    reading.push(`${head}content-length: 20\r\n\r\n${'x'.repeat(20)}${inChunks(5)}`)
    expect(reading.bodies).toEqual(['x'.repeat(20), 'abcd'.repeat(5)])
  })

  it('refuses beyond the budget of all connections, and gives it back', () => {
    const reading = new Reading({ bodyBytesInFlightMax: 10 })
    expect(reading.budget.take(5)).toBe(true)
    reading.push(`${head}content-length: 6\r\n\r\nabc`).push('def')
    expect(reading.requests[0]?.refusal).toBe('OVERLOADED')
    reading.push(`${head}content-length: 6\r\n\r\nabcdef`)
    expect(reading.requests[1]?.refusal).toBe('OVERLOADED')
    reading.budget.giveBack(5)
    reading.push(`${head}content-length: 6\r\n\r\nabcdef`)
    expect(reading.requests[2]).toMatchObject({ refusal: undefined, budgetBytes: 6 })
  })

  it('gives back what an abandoned body took', () => {
    const reading = new Reading().push(`${head}content-length: 6\r\n\r\nabc`)
    expect(reading.budget.bytesInUse).toBe(3)
    expect(reading.reader.isInBody).toBe(true)
    reading.reader.abandon()
    expect(reading.budget.bytesInUse).toBe(0)
  })

  it('reads on no longer than it may', () => {
    const reading = new Reading({ bodyBytesMax: 10, discardedBytesMax: 20 })
    reading.push(`${head}content-length: 1000\r\n\r\n${'x'.repeat(20)}`)
    expect(codeOf(() => reading.push('x'))).toBe('BODY_ENDLESS')
    expect(codeOf(() => new Reading({ bodyBytesMax: 8 }).push(inChunks(3)))).toBe('none')
  })
})

describe('bounds and malformed streams', () => {
  const limits = { headBytesMax: 100 }
  const start = 'POST / HTTP/1.1\r\nhost: x\r\n'
  const chunkStart = `${start}transfer-encoding: chunked\r\n\r\n`

  it('bounds the head, complete or not', () => {
    const room = 100 - start.length - 'a: '.length
    const fitting = `${start}a: ${'x'.repeat(room)}\r\n\r\n`
    expect(new Reading(limits).push(fitting).requests).toHaveLength(1)
    for (const text of [`${start}a: ${'x'.repeat(room + 1)}\r\n\r\n`, 'x'.repeat(101)]) {
      expect(codeOf(() => new Reading(limits).push(text))).toBe('HEAD_TOO_LARGE')
    }
  })

  it('does not wait for the end of a head that has bare line ends', () => {
    for (const text of ['GET / HTTP/1.1\n', '\n', 'GET / HTTP/1.1\r\nhost: x\n\n', 'a\r\nb\n']) {
      expect(codeOf(() => new Reading().push(text))).toBe('HEAD_MALFORMED')
      const reading = new Reading()
      expect(
        codeOf(() => {
          for (const byte of text) reading.push(byte)
        }),
      ).toBe('HEAD_MALFORMED')
    }
  })

  it.each([
    'x\r\n',
    '-1\r\n',
    '0x5\r\nhello\r\n',
    '5 5\r\nhello\r\n',
    ' 5\r\nhello\r\n',
    '\r\n',
    '123456789\r\n',
    '5\r\nhelloX\r\n',
    '5\r\nhello\n0\r\n',
    '5\nhello\r\n',
    '5;a=\rb\r\nhello\r\n',
    '5;\0\r\nhello\r\n',
  ])('refuses the chunk %j', (chunk) => {
    expect(codeOf(() => new Reading().push(`${chunkStart}${chunk}0\r\n\r\n`))).toBe(
      'CHUNK_MALFORMED',
    )
  })

  it('refuses trailers that are no header lines', () => {
    for (const trailer of [' folded', 'a : b', 'nonsense']) {
      const text = `${chunkStart}0\r\n${trailer}\r\n\r\n`
      expect(codeOf(() => new Reading().push(text))).toBe('HEAD_MALFORMED')
    }
  })

  it('bounds extensions and trailers, of all chunks together', () => {
    const extended = `1;${'e'.repeat(60)}\r\nx\r\n`
    const reading = new Reading(limits).push(chunkStart).push(extended)
    expect(codeOf(() => reading.push(extended))).toBe('HEAD_TOO_LARGE')
    const trailed = new Reading(limits).push(`${chunkStart}0\r\n`).push(`a: ${'x'.repeat(90)}\r\n`)
    expect(codeOf(() => trailed.push('b: 0123456789\r\n'))).toBe('HEAD_TOO_LARGE')
    const endless = new Reading(limits).push(chunkStart)
    expect(codeOf(() => endless.push(`5;${'x'.repeat(100)}`))).toBe('HEAD_TOO_LARGE')
  })
})
