import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLimitsFile, serverLimitsOf } from './limits-file.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-limits-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function read(text: string) {
  const path = join(folder, 'limits.json')
  await writeFile(path, text)
  return readLimitsFile(path)
}

describe('a file of limits', () => {
  it('names those that differ from QLDB', async () => {
    const limits = await read('{"ledgerCountMax": 50, "documentBytesMax": 1048576}')
    expect(limits).toEqual({ ledgerCountMax: 50, documentBytesMax: 1_048_576 })
    expect(serverLimitsOf(limits)).toMatchObject({ commandCountMax: 2048 })
  })

  it('leaves room for a command on every session', async () => {
    const limits = await read('{"activeSessionCountMax": 4000}')
    expect(serverLimitsOf(limits)).toMatchObject({
      activeSessionCountMax: 4000,
      commandCountMax: 4548,
    })
    const own = await read('{"activeSessionCountMax": 4000, "commandCountMax": 64}')
    expect(serverLimitsOf(own)).toMatchObject({ commandCountMax: 64 })
  })

  it.each([
    ['{', 'it is no JSON.'],
    ['[]', 'it is no JSON object.'],
    ['null', 'it is no JSON object.'],
    ['{"ledgers": 5}', 'there is no limit ledgers. There are: documentBytesMax,'],
    ['{"toString": 5}', 'there is no limit toString.'],
    ['{"ledgerCountMax": "5"}', 'ledgerCountMax must be a whole number from 1 to 500.'],
    ['{"ledgerCountMax": 0}', 'ledgerCountMax must be a whole number from 1 to 500.'],
    ['{"ledgerCountMax": 1.5}', 'ledgerCountMax must be a whole number from 1 to 500.'],
    ['{"tableCountMax": 10}', 'activeTableCountMax (20) must not be above tableCountMax (10)'],
    [
      '{"transactionBytesMax": 16384}',
      'documentBytesMax (131072) must not be above transactionBytesMax (16384)',
    ],
  ])('refuses %s', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'LIMITS_INVALID',
      message: expect.stringContaining(message),
    })
  })

  it('refuses a file that is not there', async () => {
    await expect(readLimitsFile(join(folder, 'none'))).rejects.toThrow('there is no such file.')
  })
})
