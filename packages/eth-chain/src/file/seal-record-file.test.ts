import { utf8 } from '@cairn/core'
import { createMemoryFileSystem } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import { SealRecordFile } from './seal-record-file.ts'

const path = 'geth/sealed-0x00'
const [one, two, three] = ['one', 'two of more bytes', 'three'].map(utf8) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
const secondSlot = 16 * 1024 * 1024

async function emptyDisk() {
  const fileSystem = createMemoryFileSystem()
  await fileSystem.makeDirectory('geth')
  await fileSystem.syncDirectory('.')
  return fileSystem
}

describe('file of a seal record', () => {
  it('gives back what was written last, opened anew or not', async () => {
    const fileSystem = await emptyDisk()
    const file = new SealRecordFile(path, fileSystem)
    expect(await file.read()).toBeUndefined()
    for (const record of [one, two, three, one]) {
      await file.write(record)
      expect(await file.read()).toEqual(record)
      const again = new SealRecordFile(path, fileSystem)
      expect(await again.read()).toEqual(record)
    }
    await file.close()
    await file.write(two)
    expect(await new SealRecordFile(path, fileSystem).read()).toEqual(two)
    await file.close()
  })

  it('has in a crash the record that was written, or while one is being written that before', async () => {
    for (let seed = 0; seed < 8; seed++) {
      let fileSystem = await emptyDisk()
      const file = new SealRecordFile(path, fileSystem)
      await file.write(one)
      await file.write(two)
      void file.write(three).catch(() => undefined)
      fileSystem = fileSystem.crash({ seed })
      const after = new SealRecordFile(path, fileSystem)
      expect([two, three]).toContainEqual(await after.read())
      await after.write(one)
      await after.close()
      fileSystem = fileSystem.crash({ seed })
      expect(await new SealRecordFile(path, fileSystem).read()).toEqual(one)
    }
  })

  it('falls back to the other slot where one is torn, and does not start without any', async () => {
    const fileSystem = await emptyDisk()
    const file = new SealRecordFile(path, fileSystem)
    await file.write(one)
    await file.write(two)
    await file.close()
    const wholeSize = fileSystem.contentOf(path).length
    for (const offset of [0, 5, 15, 17, 20, 22]) {
      fileSystem.flip(path, secondSlot + offset)
      expect(await new SealRecordFile(path, fileSystem).read()).toEqual(one)
      fileSystem.flip(path, offset)
      await expect(new SealRecordFile(path, fileSystem).read()).rejects.toThrow('is damaged')
      fileSystem.flip(path, secondSlot + offset)
      expect(await new SealRecordFile(path, fileSystem).read()).toEqual(two)
      fileSystem.flip(path, offset)
    }
    const cut = await fileSystem.open(path, 'readWrite')
    await cut.truncate(wholeSize - 1)
    await cut.close()
    expect(await new SealRecordFile(path, fileSystem).read()).toEqual(one)
  })

  it('takes the place of a record without slots only when it is written', async () => {
    const fileSystem = await emptyDisk()
    const json = utf8('{"version":1,"sealed":[]}')
    await fileSystem.writeFileAtomic(path, json)
    const file = new SealRecordFile(path, fileSystem)
    expect(await file.read()).toEqual(json)
    expect(fileSystem.contentOf(path)).toEqual(json)
    await file.write(one)
    await file.write(two)
    await file.close()
    expect(await new SealRecordFile(path, fileSystem).read()).toEqual(two)
  })

  it('keeps what was there when a write fails', async () => {
    const fileSystem = await emptyDisk()
    const file = new SealRecordFile(path, fileSystem)
    await file.write(one)
    fileSystem.addFault({ operation: 'write', nth: 1, code: 'ENOSPC' })
    await expect(file.write(two)).rejects.toThrow('ENOSPC')
    expect(await new SealRecordFile(path, fileSystem).read()).toEqual(one)
    await file.write(three)
    expect(await new SealRecordFile(path, fileSystem).read()).toEqual(three)
    await file.close()
  })
})
