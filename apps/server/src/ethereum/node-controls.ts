/** What `admin` of JSON-RPC steers in a node: its listeners, and its chain to and from files. */
import { randomBytes } from 'node:crypto'
import { access, open, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type ChainReader, type Execution, exportBlocks } from '@cairn/eth-chain'
import { faults, type NodeControls } from '@cairn/eth-rpc'
import { nodeFileSystem } from '@cairn/journal'
import type { RpcListeners } from './rpc-listeners.ts'

export function nodeControls(
  dataDirectory: string,
  execution: Execution,
  listeners: RpcListeners,
): NodeControls {
  return {
    dataDirectory,
    startHttp: (request) => listeners.start('http', request),
    stopHttp: () => listeners.stop('http'),
    startWebSocket: (request) => listeners.start('ws', request),
    stopWebSocket: () => listeners.stop('ws'),
    exportChain: (path, first, last) =>
      fileErrors(() => exportChain(execution.chain, path, first, last)),
    importChain: (path) =>
      fileErrors(async () => {
        await execution.importFile(path)
      }),
  }
}

async function exportChain(
  chain: ChainReader,
  path: string,
  first: bigint,
  last: bigint,
): Promise<void> {
  if (await exists(path)) throw faults.server('location would overwrite an existing file')
  // Whole or not at all under its name, and never in place of what somebody else has begun. The name is a new one each
  // time: what a killed node left of an export must not be in the way of the next.
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(temporary, 'wx', 0o600)
  const stages = path.endsWith('.gz') ? [createGzip()] : []
  try {
    const blocks = Readable.from(exportBlocks(chain, first, last))
    await pipeline([blocks, ...stages, file.createWriteStream()])
    await nodeFileSystem.rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

/** The system's own words name the path and what is wrong with it, for the owner of the node alone. */
async function fileErrors(use: () => Promise<void>): Promise<void> {
  try {
    await use()
  } catch (error) {
    const isSystem = error instanceof Error && 'syscall' in error
    throw isSystem ? faults.server(error.message) : error
  }
}
