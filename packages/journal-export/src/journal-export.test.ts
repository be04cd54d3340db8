import {
  formatIonAsJson,
  type IonStruct,
  type IonValue,
  ionBlob,
  ionInt,
  ionList,
  ionRecord,
  ionString,
  ionStruct,
  parseIon,
} from '@cairn/ion'
import { createMemoryFileSystem } from '@cairn/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ExportFormat,
  type ExportRequest,
  encodeValue,
  exportFormats,
} from './export-format.ts'
import { openExport, readExportedBlocks } from './export-reader.ts'
import { type ExportSource, folderSource } from './export-source.ts'
import { type ExportProgress, writeExport } from './export-writer.ts'
import { createValueSplitter, isBinaryIon } from './value-splitter.ts'

const strandId = 'JdxjkR9bSYB5jMHWcI464T'
const request: ExportRequest = {
  exportId: '8UyXulxccYLAsbN1aon7e4',
  ledgerName: 'my-ledger',
  strandId,
  createdMs: Date.UTC(2019, 3, 15, 22, 5),
  inclusiveStartMs: Date.UTC(2019, 3, 15),
  exclusiveEndMs: Date.UTC(2019, 3, 15, 22),
  bucket: 'bucket',
  prefix: 'journal/',
  encryption: 'NO_ENCRYPTION',
  kmsKeyArn: undefined,
  format: undefined,
}
// What a reader of text may trip over: braces and quotes in strings, slashes in base64, escapes, long text, clobs.
const trickyText =
  "{a:\"}}{{\\\"\",b:{{//8A/w==}},c:{{\"}}\\\"\"}},d:'''a}'b''','e}':[{},{x:(1 / 2)}],f:\"žluť 𝄞 \\ud834\\udd1e\"}"
const tricky = parseIon(trickyText)

function block(sequenceNo: number): IonStruct {
  return ionRecord({
    blockAddress: ionRecord({ strandId: ionString(strandId), sequenceNo: ionInt(sequenceNo) }),
    blockHash: ionBlob(new Uint8Array(32).fill(sequenceNo)),
    revisions: ionList([tricky]),
  })
}

function* blocksFrom(sequenceNo: number) {
  for (let no = sequenceNo; ; no++) yield { sequenceNo: no, value: block(no) }
}

class MemoryStore implements ExportSource {
  readonly objects = new Map<string, Uint8Array>()
  readonly contentTypes = new Set<string>()
  pieceSize = 7

  async list(): Promise<string[]> {
    return [...this.objects.keys()].reverse()
  }

  async *read(key: string): AsyncGenerator<Uint8Array> {
    const bytes = this.objects.get(key) ?? new Uint8Array(0)
    for (let at = 0; at < bytes.length; at += this.pieceSize) {
      yield bytes.subarray(at, at + this.pieceSize)
    }
  }

  readonly put = async (key: string, bytes: Uint8Array, contentType: string): Promise<void> => {
    this.objects.set(key, bytes)
    this.contentTypes.add(contentType)
  }

  text(key: string): string {
    return Buffer.from(this.objects.get(key) ?? []).toString()
  }
}

async function written(format: ExportFormat | undefined, store = new MemoryStore()) {
  await writeExport({
    request: { ...request, format },
    blocksFrom,
    endSequenceNo: 10,
    progress: { keys: [], nextSequenceNo: 3 },
    put: store.put,
    objectBytesMax: 700,
  })
  return store
}

async function readAll(source: ExportSource, manifestKey?: string): Promise<IonValue[]> {
  const contents = await openExport(source, manifestKey)
  const values: IonValue[] = []
  for await (const { value } of readExportedBlocks(source, contents)) values.push(value)
  return values
}

const completed = `journal/${request.exportId}.${strandId}.completed.manifest`

describe('a journal export', () => {
  it('has the names and manifests of QLDB', async () => {
    const store = await written(undefined)
    const keys = [...store.objects.keys()]
    expect(keys[0]).toBe('journal/8UyXulxccYLAsbN1aon7e4.started.manifest')
    expect(store.text(keys[0] ?? '')).toBe(
      '{ledgerName:"my-ledger",exportId:"8UyXulxccYLAsbN1aon7e4",' +
        'inclusiveStartTime:2019-04-15T00:00:00.000Z,exclusiveEndTime:2019-04-15T22:00:00.000Z,' +
        'bucket:"bucket",prefix:"journal/",objectEncryptionType:"NO_ENCRYPTION"}\n',
    )
    const data = keys.slice(1, -1)
    expect(data[0]).toMatch(/^journal\/2019\/04\/15\/22\/JdxjkR9bSYB5jMHWcI464T\.3-\d+\.ion$/)
    expect(data.length).toBeGreaterThan(1)
    expect(keys.at(-1)).toBe(completed)
    expect(store.text(completed)).toBe(`{keys:[${data.map((key) => `"${key}"`).join(',')}]}\n`)
    // AWS's readers split the whole key at its dots.
    expect(data[0]?.split('.')[1]).toMatch(/^3-\d+$/)
  })

  it('puts a slash behind a prefix that has none, as the examples of QLDB show it', async () => {
    const store = new MemoryStore()
    const progress = { keys: [], nextSequenceNo: 0 }
    const options = { blocksFrom, endSequenceNo: 0, progress, put: store.put }
    await writeExport({ ...options, request: { ...request, prefix: 'exports' } })
    await writeExport({ ...options, request: { ...request, prefix: '' } })
    expect([...store.objects.keys()].filter((key) => key.includes('started'))).toEqual([
      `exports/${request.exportId}.started.manifest`,
      `${request.exportId}.started.manifest`,
    ])
  })

  it.each(['ION_TEXT', 'ION_BINARY'] as const)('reads back what it wrote in %s', async (format) => {
    const store = await written(format)
    for (const pieceSize of [1, 7, 100_000]) {
      store.pieceSize = pieceSize
      expect(await readAll(store)).toEqual([3, 4, 5, 6, 7, 8, 9].map(block))
    }
    const contents = await openExport(store)
    expect(contents).toMatchObject({
      strandId,
      ledgerName: 'my-ledger',
      firstSequenceNo: 3,
      lastSequenceNo: 9,
      completedManifestKey: completed,
    })
  })

  it('reads JSON as what it says: one object to a line', async () => {
    const store = await written('JSON')
    expect(store.contentTypes).toEqual(new Set(['application/json']))
    const [key = ''] = [...store.objects.keys()].filter((each) => each.endsWith('.json'))
    const lines = store.text(key).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line).blockAddress.sequenceNo)[0]).toBe(3)
    const values = await readAll(store)
    expect(values).toHaveLength(7)
    expect(values[0]).toEqual(
      ionStruct([
        { name: 'blockAddress', value: block(3).fields[0]?.value as IonValue },
        { name: 'blockHash', value: ionString(Buffer.alloc(32, 3).toString('base64')) },
        { name: 'revisions', value: ionList([parseIon(formatIonAsJson(tricky))]) },
      ]),
    )
  })

  it('is the same when it is broken off and goes on', async () => {
    const whole = await written('ION_BINARY')
    const store = new MemoryStore()
    let kept: ExportProgress = { keys: [], nextSequenceNo: 3 }
    const attempt = (failing: number) => {
      let count = 0
      return writeExport({
        request: { ...request, format: 'ION_BINARY' },
        blocksFrom,
        endSequenceNo: 10,
        progress: kept,
        async onProgress(progress) {
          kept = JSON.parse(JSON.stringify(progress))
        },
        async put(...object) {
          if (++count === failing) throw new Error('the disk is full')
          await store.put(...object)
        },
        objectBytesMax: 700,
      })
    }
    await expect(attempt(2)).rejects.toThrow('full')
    await expect(attempt(3)).rejects.toThrow('full')
    await attempt(0)
    expect(store.objects).toEqual(whole.objects)
  })

  it('reads folders: by manifest, by names alone, and with the prefix left behind', async () => {
    const store = await written(undefined)
    const fileSystem = createMemoryFileSystem()
    for (const [key, bytes] of store.objects) {
      const path = `/download/${key.slice('journal/'.length)}`
      await fileSystem.makeDirectory(path.slice(0, path.lastIndexOf('/')))
      await fileSystem.writeFileAtomic(path, bytes)
    }
    const source = folderSource(fileSystem, '/download')
    expect(await readAll(source)).toHaveLength(7)
    await fileSystem.remove(`/download/${completed.slice('journal/'.length)}`)
    expect(await readAll(source)).toHaveLength(7)
    await expect(readAll(source, '../../etc/passwd')).rejects.toMatchObject({
      code: 'OBJECT_MISSING',
    })
  })

  it('names the first bad block', async () => {
    const store = await written(undefined)
    const keys = [...store.objects.keys()].filter((key) => key.endsWith('.ion'))
    const [first = '', second = ''] = keys
    const text = store.text(second)

    store.objects.delete(completed)
    store.objects.delete(second)
    await expect(readAll(store)).rejects.toMatchObject({ code: 'BLOCKS_INCOMPLETE' })

    store.objects.set(second, Buffer.from(text.slice(0, -20)))
    const from = Number(/(\d+)-\d+\.ion/.exec(second)?.[1])
    const to = Number(/\d+-(\d+)\.ion/.exec(second)?.[1])
    await expect(readAll(store)).rejects.toMatchObject({
      data: { code: 'OBJECT_DAMAGED', key: second, index: to - from },
    })
    store.objects.set(second, Buffer.from(text.slice(0, text.lastIndexOf('{blockAddress'))))
    await expect(readAll(store)).rejects.toMatchObject({
      data: { code: 'BLOCKS_INCOMPLETE', key: second, expectedSequenceNo: to },
    })
    store.objects.set(second, Buffer.from(text.replace(`sequenceNo:${from}`, 'sequenceNo:77')))
    await expect(readAll(store)).rejects.toMatchObject({
      data: { code: 'BLOCKS_INCOMPLETE', expectedSequenceNo: from, sequenceNo: 77 },
    })
    store.objects.set(second, Buffer.from('{}'))
    await expect(readAll(store)).rejects.toMatchObject({ code: 'OBJECT_DAMAGED' })
    store.objects.set(first, Buffer.from([0x7b, 0xff]))
    await expect(readAll(store)).rejects.toMatchObject({ code: 'OBJECT_DAMAGED' })
  })

  it('refuses folders that hold no export, or several', async () => {
    await expect(readAll(new MemoryStore())).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' })
    const store = await written(undefined)
    const again = await written('ION_BINARY', store)
    await again.put(completed.replace('8Uy', '9Uy'), again.objects.get(completed) as never, '')
    await expect(readAll(again)).rejects.toThrow(/2 exports/)
    store.objects.set(completed, Buffer.from('{keys:[1]}'))
    await expect(readAll(again, completed)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
  })
})

describe('the splitter', () => {
  it.each(exportFormats)('cuts %s anywhere', (format) => {
    const values = [block(1), block(2), ionRecord({}), block(3)]
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (sizes) => {
        const bytes = Buffer.concat(values.map((value) => encodeValue(value, format)))
        const splitter = createValueSplitter(isBinaryIon(bytes))
        const read: IonValue[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] as number
          read.push(...splitter.push(bytes.subarray(at, at + size)))
          at += size
        }
        read.push(...splitter.end())
        expect(read).toHaveLength(values.length)
        if (format !== 'JSON') expect(read).toEqual(values)
      }),
      { numRuns: 50 },
    )
  })
})
