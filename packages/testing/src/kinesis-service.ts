/**
 * A service in the place of Kinesis: PutRecords over HTTP/1.1 with JSON 1.1, one shard per stream, aggregated records
 * taken apart by a reader of its own. It can be away, refuse records, and forget nothing.
 * Source: Kinesis API reference; kinesis-aggregation, "KPL aggregated record format". Not here: signatures.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface KinesisRecord {
  readonly partitionKey: string
  readonly data: Uint8Array
  readonly isAggregated: boolean
  readonly arrivedMs: number
}

export interface KinesisService {
  readonly url: string
  /** Of all streams, aggregated ones taken apart, as they came. */
  readonly records: KinesisRecord[]
  /** What requests named. */
  readonly streamArns: Set<string>
  /** Resolves at the next request that was taken. */
  untilMore(): Promise<void>
  /** Called for each record of a request; true: it fails with ProvisionedThroughputExceededException. */
  isRefused: (index: number) => boolean
  /** Answers every request so; undefined: none. */
  fault: { readonly status: number; readonly name: string } | undefined
  /** Closes all connections and takes no new ones until `comeBack`. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
  close(): Promise<void>
}

const magic = Buffer.from('f3899ac2', 'hex')
const digestBytesSize = 16
const bodyBytesMax = 8 * 1024 * 1024

export async function startKinesisService(): Promise<KinesisService> {
  const service = new Service()
  await service.listen(0)
  return service
}

class Service implements KinesisService {
  readonly records: KinesisRecord[] = []
  readonly streamArns: Set<string> = new Set()
  isRefused: (index: number) => boolean = () => false
  fault: { readonly status: number; readonly name: string } | undefined
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0
  #waiters: (() => void)[] = []
  #sequenceNo = 0

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async listen(port: number): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response))
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  untilMore(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  async goAway(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    const closed = new Promise<void>((resolve) => {
      if (server === undefined) resolve()
      else server.close(() => resolve())
    })
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  comeBack(): Promise<void> {
    return this.listen(this.#port)
  }

  close(): Promise<void> {
    return this.goAway()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    let size = 0
    for await (const part of request) {
      size += (part as Buffer).length
      if (size > bodyBytesMax) request.destroy()
      parts.push(part as Buffer)
    }
    const target = request.headers['x-amz-target']
    if (this.fault !== undefined || target !== 'Kinesis_20131202.PutRecords') {
      const { status, name } = this.fault ?? { status: 400, name: 'UnknownOperationException' }
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify({ __type: name, message: name }))
      return
    }
    const body = JSON.parse(Buffer.concat(parts).toString()) as {
      StreamARN: string
      Records: { Data: string; PartitionKey: string }[]
    }
    this.streamArns.add(body.StreamARN)
    const answers = body.Records.map(({ Data, PartitionKey }, index) => {
      if (this.isRefused(index)) {
        return { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'slow down' }
      }
      this.#take(Buffer.from(Data, 'base64'), PartitionKey)
      return { SequenceNumber: String(this.#sequenceNo++), ShardId: 'shardId-000000000000' }
    })
    const FailedRecordCount = answers.filter((answer) => 'ErrorCode' in answer).length
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(JSON.stringify({ FailedRecordCount, Records: answers }))
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  #take(bytes: Buffer, partitionKey: string): void {
    const arrivedMs = Date.now()
    if (!bytes.subarray(0, magic.length).equals(magic)) {
      this.records.push({ partitionKey, data: bytes, isAggregated: false, arrivedMs })
      return
    }
    const body = bytes.subarray(magic.length, -digestBytesSize)
    const digest = createHash('md5').update(body).digest()
    if (!digest.equals(bytes.subarray(-digestBytesSize))) throw new Error('wrong digest')
    const fields = readProtobuf(body)
    const keys = fields.filter(({ number }) => number === 1).map(({ bytes: key }) => String(key))
    for (const { number, bytes: record } of fields) {
      if (number !== 3 || record === undefined) continue
      const inner = readProtobuf(record)
      const index = inner.find((field) => field.number === 1)?.value ?? -1
      const data = inner.find((field) => field.number === 3)?.bytes
      const key = keys[index]
      if (data === undefined || key === undefined) throw new Error('no user record')
      this.records.push({ partitionKey: key, data, isAggregated: true, arrivedMs })
    }
  }
}

interface ProtobufField {
  readonly number: number
  readonly value?: number
  readonly bytes?: Buffer
}

function readProtobuf(bytes: Buffer): ProtobufField[] {
  const fields: ProtobufField[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes.readUInt8(at++)
      value += (byte & 127) * shift
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const number = tag >> 3
    if ((tag & 7) === 0) fields.push({ number, value: varint() })
    else if ((tag & 7) === 2) {
      const length = varint()
      if (at + length > bytes.length) throw new RangeError('a field beyond its message')
      fields.push({ number, bytes: bytes.subarray(at, at + length) })
      at += length
    } else throw new RangeError('a wire type that aggregates do not have')
  }
  return fields
}
