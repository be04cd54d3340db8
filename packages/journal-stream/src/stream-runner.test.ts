import {
  decodeIon,
  fieldOf,
  type IonStruct,
  type IonValue,
  ionBlob,
  ionInt,
  ionList,
  ionRecord,
  ionString,
  parseIon,
} from '@cairn/ion'
import { createSeededRandom, createVirtualClock } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { recordsOfBlock } from './stream-records.ts'
import { runStream, type StreamPosition, type StreamSource } from './stream-runner.ts'
import { type StreamTarget, StreamTargetError } from './stream-target.ts'

const strandId = 'JdxjkR9bSYB5jMHWcI464T'
const streamArn = 'arn:aws:qldb:us-east-1:000000000000:stream/L/91ryPwk7B4sM5ILZ1BPqHv'

function block(sequenceNo: number): IonStruct {
  const documentId = `document${sequenceNo}`
  return ionRecord({
    blockAddress: ionRecord({ strandId: ionString(strandId), sequenceNo: ionInt(sequenceNo) }),
    transactionInfo: ionRecord({
      documents: ionRecord({
        [documentId]: ionRecord({ tableName: ionString('T'), tableId: ionString('tid') }),
      }),
    }),
    revisions: ionList([
      ionRecord({
        hash: ionBlob(new Uint8Array(32)),
        data: ionRecord({ a: ionInt(1) }),
        metadata: ionRecord({ id: ionString(documentId), version: ionInt(0) }),
      }),
      ionRecord({ hash: ionBlob(new Uint8Array(32).fill(1)) }),
    ]),
  })
}

class GrowingSource implements StreamSource {
  readonly strandId = strandId
  blockCount = 0
  readonly #waiters: (() => void)[] = []

  grow(count: number): void {
    this.blockCount += count
    for (const wake of this.#waiters.splice(0)) wake()
  }

  *blocksFrom(sequenceNo: number) {
    for (let no = sequenceNo; no < this.blockCount; no++) {
      yield { sequenceNo: no, timestampMs: no * 1000, value: block(no) }
    }
  }

  untilBlock(sequenceNo: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (sequenceNo < this.blockCount) resolve()
      this.#waiters.push(resolve)
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  }
}

/** As `CONTROL CREATED`, `BLOCK_SUMMARY 3`, `REVISION_DETAILS document3`. */
function nameOf(record: IonValue): string {
  const at = (path: string): IonValue | undefined => {
    let value: IonValue | undefined = record
    for (const name of path.split('.')) {
      value = value?.type === 'struct' ? fieldOf(value, name) : undefined
    }
    return value
  }
  const text = (value: IonValue | undefined) =>
    value?.type === 'string' || value?.type === 'int' ? String(value.value) : '?'
  const what =
    at('payload.controlRecordType') ??
    at('payload.blockAddress.sequenceNo') ??
    at('payload.revision.metadata.id')
  return `${text(at('recordType'))} ${text(what)}`
}

class MemoryTarget implements StreamTarget {
  readonly names: string[] = []
  /** Called before a batch is taken, and again after. */
  onDeliver: (when: 'before' | 'after') => void | Promise<void> = () => undefined

  async deliver({ records }: { records: readonly { ion: Uint8Array }[] }): Promise<void> {
    await this.onDeliver('before')
    this.names.push(...records.map(({ ion }) => nameOf(decodeIon(ion))))
    await this.onDeliver('after')
  }

  close(): void {}
}

interface Run {
  readonly source: GrowingSource
  readonly target: MemoryTarget
  readonly signal: AbortSignal
  position?: StreamPosition
  readonly events?: string[]
  readonly clock?: ReturnType<typeof createVirtualClock>
  readonly exclusiveEndMs?: number
  readonly isImpaired?: boolean
}

function run(options: Run): Promise<void> {
  return runStream({
    streamArn,
    source: options.source,
    target: options.target,
    clock: options.clock ?? createVirtualClock(),
    position: options.position ?? { isCreatedSent: false, nextSequenceNo: 0 },
    exclusiveEndMs: options.exclusiveEndMs,
    signal: options.signal,
    isImpaired: options.isImpaired ?? false,
    async onPosition(position) {
      options.position = JSON.parse(JSON.stringify(position))
    },
    onImpaired: (_, cause) => options.events?.push(`impaired ${cause}`),
    onRecovered: () => options.events?.push('recovered'),
  })
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; !isTrue(); turn++) {
    if (turn > 10_000) throw new Error('it does not come')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function expected(count: number): string[] {
  const names = ['CONTROL CREATED']
  for (let no = 0; no < count; no++) {
    names.push(`BLOCK_SUMMARY ${no}`, `REVISION_DETAILS document${no}`)
  }
  return names
}

/** What a consumer sees that passes over what it has had: each record the first time. */
function firstTimes(names: readonly string[]): string[] {
  return [...new Set(names)]
}

describe('recordsOfBlock', () => {
  it('makes summary and details, an internal revision only in the summary', () => {
    const [summary, details, ...others] = recordsOfBlock(streamArn, block(3))
    expect(others).toEqual([])
    const zeros = 'A'.repeat(43)
    expect(summary?.value).toEqual(
      parseIon(`{qldbStreamArn:"${streamArn}",recordType:"BLOCK_SUMMARY",payload:{
        blockAddress:{strandId:"${strandId}",sequenceNo:3},
        transactionInfo:{documents:{document3:{tableName:"T",tableId:"tid"}}},
        revisionSummaries:[{hash:{{${zeros}=}},documentId:"document3"},
          {hash:{{${'AQEB'.repeat(10)}AQE=}}}]}}`),
    )
    expect(details?.value).toEqual(
      parseIon(`{qldbStreamArn:"${streamArn}",recordType:"REVISION_DETAILS",payload:{
        tableInfo:{tableId:"tid",tableName:"T"},
        revision:{hash:{{${zeros}=}},data:{a:1},metadata:{id:"document3",version:0}}}}`),
    )
  })
})

describe('runStream', () => {
  it('delivers what is there and what comes, in order', async () => {
    const controller = new AbortController()
    const stream: Run = {
      source: new GrowingSource(),
      target: new MemoryTarget(),
      signal: controller.signal,
    }
    stream.source.grow(3)
    const ended = run(stream)
    await until(() => stream.target.names.length === 7)
    stream.source.grow(1500)
    await until(() => stream.target.names.length === 1 + 2 * 1503)
    expect(stream.target.names).toEqual(expected(1503))
    controller.abort(new Error('enough'))
    await expect(ended).rejects.toThrow('enough')
    expect(stream.position).toEqual({ isCreatedSent: true, nextSequenceNo: 1503 })
  })

  it('ends at its time with a control record', async () => {
    const { signal } = new AbortController()
    const target = new MemoryTarget()
    const source = new GrowingSource()
    source.grow(10)
    await run({ source, target, signal, exclusiveEndMs: 4000 })
    expect(target.names).toEqual([...expected(4), 'CONTROL COMPLETED'])

    // Without a block at the end the clock says that it has come.
    const late = new MemoryTarget()
    const clock = createVirtualClock(20_000)
    const ended = run({ source, target: late, signal, exclusiveEndMs: 30_000, clock })
    await until(() => late.names.length === 21)
    await clock.advance(10_999)
    expect(late.names).not.toContain('CONTROL COMPLETED')
    await clock.advance(1)
    await ended
    expect(late.names.at(-1)).toBe('CONTROL COMPLETED')
  })

  it('is impaired while its target is away for a minute, and misses nothing', async () => {
    const controller = new AbortController()
    const clock = createVirtualClock()
    const stream: Run = {
      source: new GrowingSource(),
      target: new MemoryTarget(),
      signal: controller.signal,
      events: [],
      clock,
    }
    const ended = run(stream).catch(() => undefined)
    stream.source.grow(5)
    await until(() => stream.target.names.length === 11)
    stream.target.onDeliver = () => {
      throw new StreamTargetError('away', 'KINESIS_STREAM_NOT_FOUND')
    }
    for (let second = 0; second < 60; second++) {
      stream.source.grow(2)
      await clock.advance(1000)
    }
    expect(stream.events).toEqual(['impaired KINESIS_STREAM_NOT_FOUND'])
    stream.target.onDeliver = () => undefined
    await clock.advance(10_000)
    await until(() => stream.target.names.length === 1 + 2 * 125)
    expect(stream.target.names).toEqual(expected(125))
    expect(stream.events).toEqual(['impaired KINESIS_STREAM_NOT_FOUND', 'recovered'])
    controller.abort()
    await ended
  })

  it('has recovered from what was there before it ran', async () => {
    const controller = new AbortController()
    const [source, target] = [new GrowingSource(), new MemoryTarget()]
    const events: string[] = []
    const ended = run({ source, target, signal: controller.signal, events, isImpaired: true })
    await until(() => target.names.length === 1)
    source.grow(1)
    await until(() => target.names.length === 3)
    expect(events).toEqual(['recovered'])
    controller.abort(new Error('enough'))
    await expect(ended).rejects.toThrow('enough')
  })

  it.each([1, 2, 3, 4, 5])('misses nothing when it is killed at random (seed %i)', async (seed) => {
    const random = createSeededRandom(seed)
    const chance = () => (random.bytes(1)[0] as number) / 256
    const source = new GrowingSource()
    const target = new MemoryTarget()
    const clock = createVirtualClock()
    let position: StreamPosition | undefined
    for (let life = 0; life < 30; life++) {
      const controller = new AbortController()
      const stream: Run = {
        source,
        target,
        signal: controller.signal,
        clock,
        ...(position === undefined ? {} : { position }),
      }
      target.onDeliver = async (when) => {
        source.grow(Math.floor(chance() * 3))
        if (chance() < 0.2) throw new StreamTargetError(`lost ${when}`, undefined)
        await clock.advance(300)
        // Killed: what it kept last is what the next one begins with, whatever it does from now on.
        if (chance() < 0.1 && !controller.signal.aborted) {
          position = stream.position
          controller.abort(new Error('killed'))
        }
      }
      source.grow(1 + Math.floor(chance() * 20))
      const ended = run(stream).catch(() => undefined)
      for (let turn = 0; turn < 40 && !controller.signal.aborted; turn++) {
        source.grow(1)
        await clock.advance(500)
      }
      if (!controller.signal.aborted) {
        position = stream.position
        controller.abort(new Error('killed'))
      }
      await ended
    }
    const controller = new AbortController()
    target.onDeliver = () => undefined
    const last: Run = {
      source,
      target,
      signal: controller.signal,
      ...(position === undefined ? {} : { position }),
    }
    const ended = run(last).catch(() => undefined)
    const lastName = `REVISION_DETAILS document${source.blockCount - 1}`
    await until(() => target.names.includes(lastName))
    controller.abort()
    await ended
    expect(firstTimes(target.names)).toEqual(expected(source.blockCount))
    expect(target.names.length).toBeGreaterThan(expected(source.blockCount).length)
  })
})
