/** Tags of tables: from CREATE TABLE of a driver, read and changed by `@aws-sdk/client-qldb`, kept over a restart. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ListTagsForResourceCommand,
  ResourceNotFoundException,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-qldb'
import { expect, it, onTestFinished } from 'vitest'
import { LiveServer } from './live-server.ts'

async function startIn(directory: string): Promise<LiveServer> {
  const live = await LiveServer.start({ directory })
  onTestFinished(() => live.close())
  return live
}

/** The id that a statement about a table answers. */
async function tableIdOf(live: LiveServer, statement: string): Promise<string> {
  const driver = live.driver('L')
  const [row] = (await driver.executeLambda((tx) => tx.execute(statement))).getResultList()
  return row?.get('tableId')?.stringValue() ?? ''
}

const arnOf = (tableId: string) => `arn:aws:qldb:us-east-1:000000000000:ledger/L/table/${tableId}`

async function tagsOf(live: LiveServer, tableId: string): Promise<unknown> {
  const command = new ListTagsForResourceCommand({ ResourceArn: arnOf(tableId) })
  return (await live.controlClient().send(command)).Tags
}

it('keeps tags of CREATE TABLE and those set since over a restart', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-tags-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const first = await startIn(directory)
  await first.createLedger('L')
  const made = await tableIdOf(first, "CREATE TABLE A WITH (aws_tags = `{'k':'v', 'env':'test'}`)")
  const changed = await tableIdOf(first, "CREATE TABLE B WITH (aws_tags = `{'k':'v'}`)")
  const bare = await tableIdOf(first, 'CREATE TABLE C')
  expect(await tagsOf(first, made)).toEqual({ k: 'v', env: 'test' })
  const control = first.controlClient()
  const ResourceArn = arnOf(changed)
  await control.send(new TagResourceCommand({ ResourceArn, Tags: { l: 'w' } }))
  await control.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['k'] }))
  await first.close()

  const second = await startIn(directory)
  expect(await tagsOf(second, made)).toEqual({ k: 'v', env: 'test' })
  expect(await tagsOf(second, changed)).toEqual({ l: 'w' })
  expect(await tagsOf(second, bare)).toEqual({})
  await tableIdOf(second, 'DROP TABLE A')
  await expect(tagsOf(second, made)).rejects.toThrow(ResourceNotFoundException)
  await tableIdOf(second, `UNDROP TABLE "${made}"`)
  expect(await tagsOf(second, made)).toEqual({ k: 'v', env: 'test' })
})

it('refuses malformed tags, and makes no table', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-tags-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const live = await startIn(directory)
  await live.createLedger('L')
  await expect(tableIdOf(live, 'CREATE TABLE A WITH (aws_tags = 7)')).rejects.toMatchObject({
    name: 'BadRequestException',
    message: expect.stringContaining('line 1, column 22: '),
  })
  expect(await live.driver('L').getTableNames()).toEqual([])
})
