import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSystemClock } from '@cairn/core'
import { decodeIon, decodeIonAll, encodeIon, ionInt, ionRecord, ionString } from '@cairn/ion'
import { type KinesisService, startKinesisService } from '@cairn/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKinesisTarget } from './kinesis-target.ts'
import type { StreamRecord } from './stream-records.ts'
import { createWebhookTarget } from './webhook-target.ts'

const kinesisStreamArn = 'arn:aws:kinesis:us-east-1:000000000000:stream/journal'
const streamArn = 'arn:aws:qldb:us-east-1:000000000000:stream/L/91ryPwk7B4sM5ILZ1BPqHv'
const strandId = 'JdxjkR9bSYB5jMHWcI464T'
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const { signal } = new AbortController()

function records(count: number, size = 10): StreamRecord[] {
  return Array.from({ length: count }, (_, no) => {
    const value = ionRecord({ no: ionInt(no), text: ionString('x'.repeat(size)) })
    return { recordType: 'BLOCK_SUMMARY', value, ion: encodeIon(value) }
  })
}

describe('the Kinesis target', () => {
  let kinesis: KinesisService
  beforeEach(async () => {
    kinesis = await startKinesisService()
  })
  afterEach(() => kinesis.close())

  const open = (isAggregated: boolean) =>
    createKinesisTarget({
      endpoint: kinesis.url,
      region: 'us-east-1',
      credentials,
      authorityPem: undefined,
      kinesisStreamArn,
      isAggregated,
    })

  it.each([true, false])('delivers batches of any size in order (aggregated: %s)', async (mode) => {
    const target = open(mode)
    const batch = [...records(1200), ...records(3, 400_000), ...records(1, 900_000), ...records(2)]
    await target.deliver({ streamArn, strandId, records: batch }, signal)
    expect(kinesis.records.map(({ data }) => decodeIon(data))).toEqual(
      batch.map(({ value }) => value),
    )
    expect(new Set(kinesis.records.map(({ isAggregated }) => isAggregated))).toEqual(
      new Set([mode]),
    )
    expect(new Set(kinesis.records.map(({ partitionKey }) => partitionKey))).toEqual(
      new Set([strandId]),
    )
    expect(kinesis.streamArns).toEqual(new Set([kinesisStreamArn]))
    target.close()
  })

  it('sends again from the first record that was not taken', async () => {
    const target = open(false)
    let requestCount = 0
    kinesis.isRefused = (index) => {
      if (index === 0) requestCount++
      return requestCount === 1 && index === 3
    }
    await target.deliver({ streamArn, strandId, records: records(6) }, signal)
    const numbers = kinesis.records.map(({ data }) => decodeIon(data))
    const all = records(6).map(({ value }) => value)
    // 4 and 5 came before 3: whoever takes 3 only after 2 sees them in order the second time.
    expect(numbers).toEqual([...all.slice(0, 3), ...all.slice(4), ...all.slice(3)])
    kinesis.isRefused = () => true
    await expect(
      target.deliver({ streamArn, strandId, records: records(1) }, signal),
    ).rejects.toThrow(/ProvisionedThroughputExceeded/)
    target.close()
  })

  it('names why a stream is impaired', async () => {
    const target = open(true)
    const deliver = () => target.deliver({ streamArn, strandId, records: records(1) }, signal)
    kinesis.fault = { status: 400, name: 'ResourceNotFoundException' }
    await expect(deliver()).rejects.toMatchObject({ errorCause: 'KINESIS_STREAM_NOT_FOUND' })
    kinesis.fault = { status: 400, name: 'AccessDeniedException' }
    await expect(deliver()).rejects.toMatchObject({ errorCause: 'IAM_PERMISSION_REVOKED' })
    await kinesis.goAway()
    await expect(deliver()).rejects.toMatchObject({ errorCause: undefined })
    target.close()
  })
})

describe('the webhook target', () => {
  const secret = 'a secret of at least thirty-two characters'
  let status = 200
  const bodies: Buffer[] = []
  const server = createServer(async (request, response) => {
    const body = Buffer.concat((await request.toArray()) as Buffer[])
    const { headers } = request
    // As a receiver does it, by the documentation.
    const signed = Buffer.concat([Buffer.from(`${headers['x-cairn-timestamp']}.`), body])
    const expected = `v1=${createHmac('sha256', secret).update(signed).digest('hex')}`
    const isGenuine = headers['x-cairn-signature'] === expected
    const ageSeconds = Math.abs(Date.now() / 1000 - Number(headers['x-cairn-timestamp']))
    bodies.push(body)
    response.writeHead(isGenuine && ageSeconds < 60 ? status : 401, {
      location: '/elsewhere',
    })
    response.end()
  })
  beforeEach(async () => {
    status = 200
    bodies.length = 0
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  const open = (format: 'json' | 'ion', key = secret) =>
    createWebhookTarget({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
      secret: key,
      format,
      authorityPem: undefined,
      clock: createSystemClock(),
    })

  it('signs what it sends, as JSON or Ion', async () => {
    const batch = { streamArn, strandId, records: records(3) }
    const json = open('json')
    await json.deliver(batch, signal)
    expect(JSON.parse(String(bodies[0])).records[2]).toEqual({ no: 2, text: 'x'.repeat(10) })
    json.close()
    const ion = open('ion')
    await ion.deliver(batch, signal)
    expect(decodeIonAll(bodies[1] ?? Buffer.alloc(0))).toEqual(
      batch.records.map(({ value }) => value),
    )
    ion.close()
  })

  it.each([
    [404, 'KINESIS_STREAM_NOT_FOUND'],
    [403, 'IAM_PERMISSION_REVOKED'],
    [500, undefined],
    [302, undefined],
  ])('takes %i for no delivery', async (code, errorCause) => {
    status = code
    const target = open('json')
    const delivery = target.deliver({ streamArn, strandId, records: records(1) }, signal)
    await expect(delivery).rejects.toMatchObject({ name: 'StreamTargetError', errorCause })
    target.close()
    expect(bodies).toHaveLength(1)
  })

  it('is refused with another secret', async () => {
    const target = open('json', 'another secret of thirty-two characters or more')
    const delivery = target.deliver({ streamArn, strandId, records: records(1) }, signal)
    await expect(delivery).rejects.toMatchObject({ errorCause: 'IAM_PERMISSION_REVOKED' })
    target.close()
  })
})
