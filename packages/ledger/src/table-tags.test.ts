import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ionList, ionRecord, ionString } from '@cairn/ion'
import { expect, it, onTestFinished } from 'vitest'
import type { LedgerHost } from './api.ts'
import { Catalog, operationsFromIon, operationsToIon } from './catalog.ts'
import { openLedgerHost } from './ledger-host.ts'
import { temporaryDirectory } from './testing/temporary-ledger.ts'

const tags = { k: 'v', constructor: '', 'a b': 'ä' }
const operations = [
  { kind: 'createTable', tableId: 't1', name: 'A', tags },
  { kind: 'createTable', tableId: 't2', name: 'B' },
] as const

it('are carried by the operation of a block, and by the catalog', () => {
  expect(operationsFromIon(operationsToIon(operations))).toEqual(operations)
  let catalog = Catalog.empty
  for (const operation of operations) catalog = catalog.apply(operation, 1)
  const read = Catalog.fromIon(catalog.toIon())
  expect([...read.tables()]).toEqual([...catalog.tables()])
  expect(read.findById('t1')?.tags).toEqual(tags)
  expect(read.findById('t2')).not.toHaveProperty('tags')
})

it('are none in a block from before there were any', () => {
  const row = { kind: 'createTable', tableId: 't', name: 'A' } as const
  const members = Object.entries(row).map(([name, text]) => [name, ionString(text)])
  const info = ionRecord({ operations: ionList([ionRecord(Object.fromEntries(members))]) })
  expect(operationsFromIon(info)).toEqual([row])
  expect(operationsToIon([row])).toEqual(info)
})

async function openIn(directory: string): Promise<LedgerHost> {
  const host = await openLedgerHost({ directory })
  onTestFinished(() => host.close())
  return host
}

it('of CREATE TABLE are back after a replay of the journal', async () => {
  const directory = await temporaryDirectory()
  const first = await openIn(directory)
  const { strandId } = await first.createLedger({ name: 'L' })
  const transaction = first.getLedger('L').startTransaction()
  await transaction.execute("CREATE TABLE A WITH (aws_tags = `{'k':'v'}`)", [])
  await transaction.commit()
  const statistics = await first.getLedger('L').statistics()
  const tableId = statistics.tables[0]?.tableId ?? ''
  expect(first.tableTags('L', tableId)).toEqual({ k: 'v' })
  await first.close()

  const folder = join(directory, 'ledgers', strandId)
  const projections = (await readdir(folder)).filter((name) => name.startsWith('projection'))
  expect(projections).not.toEqual([])
  for (const name of projections) await rm(join(folder, name), { recursive: true })
  const second = await openIn(directory)
  expect(second.tableTags('L', tableId)).toEqual({ k: 'v' })

  await second.setTableTags('L', tableId, {})
  await second.close()
  const third = await openIn(directory)
  expect(third.tableTags('L', tableId)).toEqual({})
})

it('are refused where there are too many, or there is no such table', async () => {
  const host = await openIn(await temporaryDirectory())
  await host.createLedger({ name: 'L' })
  const transaction = host.getLedger('L').startTransaction()
  await transaction.execute('CREATE TABLE A', [])
  await transaction.commit()
  const tableId = (await host.getLedger('L').statistics()).tables[0]?.tableId ?? ''
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, '']))
  await expect(host.setTableTags('L', tableId, many)).rejects.toMatchObject({
    code: 'TAGS_INVALID',
  })
  expect(host.tableTags('L', tableId)).toEqual({})
  expect(host.tableTags('L', 'none')).toBeUndefined()
  await expect(host.setTableTags('L', 'none', {})).rejects.toMatchObject({
    code: 'TABLE_NOT_FOUND',
  })
  expect(() => host.tableTags('M', tableId)).toThrow('There is no ledger "M"')
})
