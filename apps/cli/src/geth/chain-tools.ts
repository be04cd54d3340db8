/** `geth init|export|import|dumpgenesis|removedb`: work on the chain of a data folder that no node runs on. */
import { open, readFile, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import {
  Chain,
  exportBlocks,
  importChainFile,
  openChainFolder,
  readChainFilePieces,
} from '@cairn/eth-chain'
import { type Genesis, genesisToJson, gethIncompatibility, parseGenesis } from '@cairn/eth-codec'
import { Evm } from '@cairn/eth-evm'
import { nodeFileSystem } from '@cairn/journal'
import { exitDone } from '../command.ts'
import { CliError } from '../errors.ts'
import { createProgress } from '../progress.ts'
import { print, printError, type Terminal } from '../terminal.ts'
import { dataDirectoryOf } from './folders.ts'
import { type GethLine, GethUsageError } from './geth-flags.ts'
import { readLine } from './read-line.ts'

/** Largest genesis file: one with ten thousand contracts. */
const genesisBytesMax = 256 * 1024 * 1024
const genesisFileName = 'genesis.json'

/** @throws CliError FILE_INVALID, GenesisError */
export async function readGenesisFile(path: string, terminal: Terminal): Promise<Genesis> {
  let json: unknown
  try {
    const { size } = await stat(path)
    if (size > genesisBytesMax) throw new Error(`it has more than ${genesisBytesMax} bytes`)
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new CliError(
      { code: 'FILE_INVALID', path },
      {
        shortMessage: 'The genesis file cannot be read.',
        metaMessages: [`File: ${path}`, cause instanceof Error ? cause.message : String(cause)],
        cause,
      },
    )
  }
  const { genesis, warnings } = parseGenesis(json)
  for (const warning of warnings) printError(terminal, `warning: ${warning}`)
  const incompatibility = gethIncompatibility(genesis.config)
  if (incompatibility !== undefined) printError(terminal, `note: ${incompatibility}.`)
  return genesis
}

export interface OpenedChain {
  readonly chain: Chain
  close(): Promise<void>
}

/** @throws JournalError when a node runs on the folder; ChainError when it has no chain, or another. */
export async function openChain(
  line: GethLine,
  terminal: Terminal,
  genesis?: Genesis,
): Promise<OpenedChain> {
  const folder = await openChainFolder(dataDirectoryOf(line), nodeFileSystem)
  try {
    const chain = new Chain({
      database: folder.database,
      evm: new Evm(),
      clock: terminal.clock,
      isArchive: line.text('gcmode') === 'archive',
      ...(genesis === undefined ? {} : { genesis }),
    })
    return {
      chain,
      async close() {
        chain.states.flush()
        await folder.close()
      },
    }
  } catch (error) {
    await folder.close()
    throw error
  }
}

export async function runInit(line: GethLine, terminal: Terminal): Promise<number> {
  const [, path] = line.words
  if (path === undefined) throw new GethUsageError('need genesis.json file as the only argument')
  const genesis = await readGenesisFile(path, terminal)
  const { chain, close } = await openChain(line, terminal, genesis)
  await close()
  // For `dumpgenesis`: the chain itself keeps the state that came of it, not the file.
  const text = `${JSON.stringify(genesisToJson(genesis), undefined, 2)}\n`
  const copy = `${dataDirectoryOf(line)}/geth/${genesisFileName}`
  await nodeFileSystem.writeFileAtomic(copy, new TextEncoder().encode(text))
  print(terminal, `Successfully wrote genesis state: hash ${chain.genesisHash}`)
  return exitDone
}

export async function runDumpGenesis(line: GethLine, terminal: Terminal): Promise<number> {
  const path = `${dataDirectoryOf(line)}/geth/${genesisFileName}`
  const bytes = await nodeFileSystem.readFile(path).catch(() => undefined)
  if (bytes === undefined) {
    throw new CliError(
      { code: 'FILE_INVALID', path },
      {
        shortMessage: 'The data folder has no genesis yet.',
        metaMessages: [
          `Folder: ${dataDirectoryOf(line)}`,
          'Make one: cairn geth init genesis.json',
        ],
      },
    )
  }
  print(terminal, new TextDecoder().decode(bytes).trimEnd())
  return exitDone
}

export async function runExport(line: GethLine, terminal: Terminal): Promise<number> {
  const [, path, firstText, lastText] = line.words
  if (path === undefined) throw new GethUsageError('This command requires an argument.')
  const { chain, close } = await openChain(line, terminal)
  const progress = createProgress(terminal)
  try {
    const head = chain.head.header.number
    const first = blockNumber(firstText, 0n)
    const last = blockNumber(lastText, head)
    if (last > head) throw new GethUsageError(`block number ${last} larger than head block ${head}`)
    let count = 0
    const counted = function* () {
      for (const bytes of exportBlocks(chain, first, last)) {
        progress.update(`exporting block ${first + BigInt(count)} of ${last}`)
        count++
        yield bytes
      }
    }
    // A file that is there already is not replaced by half of another one.
    const temporary = `${path}.tmp`
    const file = await open(temporary, 'w', 0o600)
    const stages = path.endsWith('.gz') ? [createGzip()] : []
    await pipeline([Readable.from(counted()), ...stages, file.createWriteStream()])
    await nodeFileSystem.rename(temporary, path)
    progress.end()
    print(terminal, `Exported ${count} blocks to ${path}`)
  } finally {
    await close()
  }
  return exitDone
}

function blockNumber(text: string | undefined, standard: bigint): bigint {
  if (text === undefined) return standard
  if (/^\d{1,15}$/.test(text)) return BigInt(text)
  throw new GethUsageError(
    `Export error in parsing parameters: block number not an integer: ${text}`,
  )
}

export async function runImport(line: GethLine, terminal: Terminal): Promise<number> {
  const [, ...paths] = line.words
  if (paths.length === 0) throw new GethUsageError('This command requires an argument.')
  const { chain, close } = await openChain(line, terminal)
  try {
    for (const path of paths) {
      const progress = createProgress(terminal)
      const pieces = readPieces(path)
      const newCount = await importChainFile(chain, pieces, ({ number }) =>
        progress.update(`imported block ${number}`),
      ).finally(() => progress.end())
      const { number, hash } = { number: chain.head.header.number, hash: chain.head.hash }
      print(terminal, `Imported ${newCount} new blocks of ${path}: head ${number} ${hash}`)
    }
  } finally {
    await close()
  }
  return exitDone
}

/** @throws CliError FILE_INVALID when the system does not let it be read. */
async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* readChainFilePieces(path)
  } catch (cause) {
    if (!(cause instanceof Error) || !('syscall' in cause)) throw cause
    throw new CliError(
      { code: 'FILE_INVALID', path },
      {
        shortMessage: 'The chain file cannot be read.',
        metaMessages: [`File: ${path}`, cause.message],
        cause,
      },
    )
  }
}

export async function runRemoveDb(line: GethLine, terminal: Terminal): Promise<number> {
  const path = `${dataDirectoryOf(line)}/geth/chaindata`
  const answer = await readLine(terminal, `Remove the chain in ${path}? Keys stay. [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim())) {
    print(terminal, 'Nothing was removed.')
    return exitDone
  }
  // Whoever holds the folder has the chain open.
  const folder = await openChainFolder(dataDirectoryOf(line), nodeFileSystem)
  await folder.close()
  await rm(path, { recursive: true, force: true })
  print(terminal, `Removed ${path}`)
  return exitDone
}
