/**
 * A journal export in a folder, as what an import reads and a whole ledger is written to. Beside what QLDB's exports
 * have, Cairn's have the catalog information of blocks, which QLDB's do not tell:
 *
 *   {exportId}.{strandId}.catalog.ion   {sequenceNo: 3, catalogInfo: {…}}, one for each block that has some
 */
import { basename, dirname } from 'node:path'
import { type FileSystem, fromUtf8, utf8 } from '@cairn/core'
import { fieldOf, formatIon, type IonStruct, ionInt, ionRecord, parseIonAll } from '@cairn/ion'
import {
  type ExportContents,
  type ExportProgress,
  type ExportRequest,
  type ExportSource,
  folderSource,
  openExport,
  readExportedBlocks,
  writeExport,
} from '@cairn/journal-export'
import {
  type FolderBlock,
  type ImportSource,
  type LedgerFiles,
  readFolderBlocks,
} from '@cairn/ledger'
import { CliError } from './errors.ts'

const manifestEnding = '.completed.manifest'
const catalogEnding = '.catalog.ion'

export interface OpenedExport {
  readonly contents: ExportContents
  readonly source: ImportSource
}

/**
 * @param path The folder that an export was downloaded to, or the completed manifest in it.
 * @throws ExportError
 */
export async function openExportFolder(
  path: string,
  fileSystem: FileSystem,
): Promise<OpenedExport> {
  const isManifest = path.endsWith(manifestEnding)
  const objects = folderSource(fileSystem, isManifest ? dirname(path) : path)
  const contents = await openExport(objects, isManifest ? basename(path) : undefined)
  const catalogInfos = await readCatalogInfos(objects, contents)
  return {
    contents,
    source: {
      strandId: contents.strandId,
      firstSequenceNo: contents.firstSequenceNo,
      lastSequenceNo: contents.lastSequenceNo,
      bringsCatalog: catalogInfos !== undefined,
      async *blocksFrom(fromSequenceNo) {
        for await (const block of readExportedBlocks(objects, contents, { fromSequenceNo })) {
          yield {
            value: block.value,
            source: `${block.key}, block ${block.index + 1} of the file`,
            isFromJson: block.format === 'JSON',
            catalogInfo: catalogInfos?.get(block.sequenceNo),
          }
        }
      },
    },
  }
}

/** More is no catalog: a ledger has some dozens of tables. */
const catalogBytesMax = 64 * 1024 * 1024

async function readCatalogInfos(
  objects: ExportSource,
  { completedManifestKey }: ExportContents,
): Promise<ReadonlyMap<number, IonStruct> | undefined> {
  const key = completedManifestKey?.replace(manifestEnding, catalogEnding)
  if (key === undefined || !(await objects.list()).includes(key)) return undefined
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of objects.read(key)) {
    size += piece.length
    if (size > catalogBytesMax) throw catalogInvalid(key)
    pieces.push(piece)
  }
  const infos = new Map<number, IonStruct>()
  for (const value of parseIonAll(fromUtf8(Buffer.concat(pieces)))) {
    const number = value.type === 'struct' ? fieldOf(value, 'sequenceNo') : undefined
    const info = value.type === 'struct' ? fieldOf(value, 'catalogInfo') : undefined
    if (number?.type !== 'int' || info?.type !== 'struct') throw catalogInvalid(key)
    infos.set(Number(number.value), info)
  }
  return infos
}

function catalogInvalid(path: string): CliError {
  return new CliError(
    { code: 'FILE_INVALID', path },
    {
      shortMessage: 'The file of catalog information in the export cannot be used.',
      metaMessages: [`File: ${path}`, 'Without it the import reads tables from the statements.'],
    },
  )
}

export interface WriteExportFolderOptions {
  readonly files: LedgerFiles
  readonly request: ExportRequest
  readonly blockCount: number
  /** Exists. */
  readonly folder: string
  readonly fileSystem: FileSystem
  readonly progress: ExportProgress
  readonly onObject: (progress: ExportProgress) => Promise<void>
  readonly onBlock: (blockCount: number) => void
  readonly objectBytesMax?: number
}

/** Writes all objects; catalog information is gathered over the whole ledger, also when it goes on in the middle. */
export async function writeExportFolder(options: WriteExportFolderOptions): Promise<void> {
  const { files, request, blockCount, folder, fileSystem, onBlock } = options
  const { strandId } = files.description
  const catalog: string[] = []
  const cursor = new BlockCursor(
    readFolderBlocks(files.directory, strandId, fileSystem),
    (block) => {
      const { sequenceNo, catalogInfo } = block
      onBlock(sequenceNo + 1)
      if (catalogInfo === undefined || sequenceNo >= blockCount) return
      catalog.push(`${formatIon(ionRecord({ sequenceNo: ionInt(sequenceNo), catalogInfo }))}\n`)
    },
  )
  const folders = new DurableFolders(folder, fileSystem)
  const put = async (key: string, bytes: Uint8Array) => {
    const path = `${folder}/${key}`
    await folders.make(dirname(path))
    // The catalog is no part of what QLDB's readers look at, and must be there when the last manifest is.
    if (key.endsWith(manifestEnding)) {
      // Where all blocks were written before, they have yet to be read.
      await cursor.skipTo(blockCount)
      const text = utf8(catalog.join(''))
      await fileSystem.writeFileAtomic(path.replace(manifestEnding, catalogEnding), text)
    }
    await fileSystem.writeFileAtomic(path, bytes)
  }
  await writeExport({
    request,
    endSequenceNo: blockCount,
    progress: options.progress,
    blocksFrom: (sequenceNo) => cursor.from(sequenceNo),
    onProgress: options.onObject,
    put,
    ...(options.objectBytesMax === undefined ? {} : { objectBytesMax: options.objectBytesMax }),
  })
  cursor.close()
}

/** Folders below one that is durable: what is noted as written must not be lost with a folder above it. */
class DurableFolders {
  readonly #durable: Set<string>
  readonly #fileSystem: FileSystem

  constructor(root: string, fileSystem: FileSystem) {
    this.#durable = new Set([root])
    this.#fileSystem = fileSystem
  }

  async make(path: string): Promise<void> {
    if (this.#durable.has(path)) return
    const parent = dirname(path)
    await this.make(parent)
    if (!(await this.#fileSystem.exists(path))) await this.#fileSystem.makeDirectory(path)
    // Also when it exists: the process that made it may have ended before it got here.
    await this.#fileSystem.syncDirectory(parent)
    this.#durable.add(path)
  }
}

/** One pass over the blocks for a reader that stops after each object and begins again with the block it stopped at. */
class BlockCursor {
  readonly #blocks: AsyncGenerator<FolderBlock>
  readonly #onBlock: (block: FolderBlock) => void
  #last: FolderBlock | undefined

  constructor(blocks: AsyncGenerator<FolderBlock>, onBlock: (block: FolderBlock) => void) {
    this.#blocks = blocks
    this.#onBlock = onBlock
  }

  async #next(): Promise<FolderBlock | undefined> {
    const { value, done } = await this.#blocks.next()
    this.#last = done === true ? undefined : value
    if (this.#last !== undefined) this.#onBlock(this.#last)
    return this.#last
  }

  /** Blocks only go forward. Leaving the loop leaves the cursor where it is. */
  from(sequenceNo: number): AsyncIterable<FolderBlock> {
    let isFirst = true
    const next = async (): Promise<IteratorResult<FolderBlock>> => {
      let block = isFirst ? this.#last : await this.#next()
      isFirst = false
      if (block === undefined) block = await this.#next()
      while (block !== undefined && block.sequenceNo < sequenceNo) block = await this.#next()
      return block === undefined ? { value: undefined, done: true } : { value: block, done: false }
    }
    return { [Symbol.asyncIterator]: () => ({ next }) }
  }

  async skipTo(sequenceNo: number): Promise<void> {
    await this.from(sequenceNo)[Symbol.asyncIterator]().next()
  }

  close(): void {
    void this.#blocks.return(undefined)
  }
}
