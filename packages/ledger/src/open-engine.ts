/**
 * Opens one ledger's files: the journal first, then the projections, which are brought up to it from their watermark or
 * rebuilt when they are lost. Nothing is read of what lies before the watermark.
 *
 *   <directory>/journal/      segments, the truth
 *   <directory>/projection/   LMDB
 *   <directory>/nodes         hash tree nodes
 */
import {
  type Clock,
  equalBytes,
  type FileSystem,
  type IdSource,
  type Logger,
  type Metrics,
  type Random,
} from '@cairn/core'
import { type Journal, JournalError, openJournal } from '@cairn/journal'
import { MerkleTree, qldbHasher, tlogHasher } from '@cairn/merkle'
import type { EraseCopies } from './api.ts'
import { buildBlock } from './block-builder.ts'
import { blockOf, encodeBlockBody } from './block-record.ts'
import { LedgerError } from './errors.ts'
import { LedgerEngine } from './ledger.ts'
import { LedgerMetrics } from './ledger-metrics.ts'
import type { LedgerLimits } from './limits.ts'
import { NodeFile, type NodeSource } from './node-file.ts'
import type { Projection, ProjectionDriver, Watermark } from './projection.ts'
import { ProjectionWriter, replayedBlockCountMax } from './projection-writer.ts'
import { ProofTrees } from './proof-trees.ts'
import { entryHashOf } from './replay.ts'
import { InlineSealer, SealingChain } from './sealer.ts'
import type { SealerThread } from './threaded-sealer.ts'

const progressIntervalMs = 2000

export interface EngineOptions {
  readonly name: string
  readonly strandId: string
  readonly directory: string
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly random: Random
  readonly ids: IdSource
  readonly logger: Logger
  readonly metrics: Metrics
  readonly limits: LedgerLimits
  readonly projections: ProjectionDriver
  /** Where blocks are sealed; absent: in place. */
  readonly sealerThread: SealerThread | undefined
  readonly segmentBytes: number
  readonly eraseCopies: EraseCopies | undefined
  /** Whether the ledger is being created: only then its journal may be empty. */
  readonly isNew: boolean
}

/** @throws JournalError DAMAGED; LedgerError LEDGER_DAMAGED */
export async function openEngine(options: EngineOptions): Promise<LedgerEngine> {
  const { directory, fileSystem, random, segmentBytes, logger } = options
  const metrics = new LedgerMetrics(options.metrics.scope({ ledger: options.name }))
  const journal = await openJournal({
    directory: `${directory}/journal`,
    fileSystem,
    random,
    segmentBytes,
    logger,
    onGroupWritten: metrics.groupWritten,
  })
  if (journal.nextSequenceNo === 0) {
    if (!options.isNew) {
      await journal.close()
      throw damaged(options, 'It has no blocks, and block 0 was there when the ledger was created.')
    }
    await appendGenesis(journal, options)
  }
  const { projection, nodeFile } = await openProjectionsOf(journal, options)
  const size = journal.nextSequenceNo
  const { name, strandId, clock, ids, limits } = options
  return LedgerEngine.start({
    name,
    strandId,
    clock,
    ids,
    logger,
    limits,
    fileSystem,
    journal,
    projection,
    trees: await ProofTrees.open(
      fileSystem,
      `${directory}/nodes`,
      size,
      nodeSource(journal, options),
    ),
    metrics,
    eraseCopies: options.eraseCopies,
    lastTimestampMs: projection.watermark?.timestampMs ?? 0,
    async openSealer(listener) {
      const { tipHash } = journal
      const { sealerThread } = options
      if (sealerThread !== undefined) {
        await nodeFile.close()
        return sealerThread.open({ strandId, directory, tipHash, size }, listener)
      }
      const chain = new SealingChain({ strandId, tipHash, size, projection, nodeFile })
      return new InlineSealer(chain, nodeFile, listener)
    },
  })
}

/** Damaged nodes of the hash trees while the ledger is open. */
function nodeSource(journal: Journal, { name, strandId, logger }: EngineOptions): NodeSource {
  return {
    leaf(index) {
      const block = blockOf(journal.read(index))
      return { blockHash: block.blockHash, entryHash: entryHashOf(strandId, block) }
    },
    onRepaired(position) {
      const what = 'a hash tree node was damaged on the disk and was made again from the journal'
      logger.log('warn', what, { ledger: name, position })
    },
    onNotWritten(error) {
      logger.log('warn', 'a hash tree node could not be written again', { ledger: name, error })
    },
  }
}

/** Block 0 has no statements; with it there is always a tip (qldb-compat 3.3). */
async function appendGenesis(journal: Journal, options: EngineOptions): Promise<void> {
  const { record } = buildBlock({
    strandId: options.strandId,
    sequenceNo: 0,
    previousBlockHash: new Uint8Array(0),
    transactionId: options.ids.random(),
    timestampMs: options.clock.nowMs(),
    statements: [],
    catalogInfo: undefined,
    revisions: [],
    redactions: [],
  })
  await journal.append(record.blockHash, encodeBlockBody(record))
}

export interface Projections {
  readonly projection: Projection
  readonly nodeFile: NodeFile
}

export type ProjectionOptions = Pick<
  EngineOptions,
  'name' | 'strandId' | 'directory' | 'fileSystem' | 'clock' | 'logger' | 'projections'
>

/**
 * The projections of a journal, with every block that it has.
 * @throws JournalError DAMAGED; LedgerError LEDGER_DAMAGED
 */
export async function openProjectionsOf(
  journal: Journal,
  options: ProjectionOptions,
): Promise<Projections> {
  const opened =
    (await openProjections(journal, options)) ?? (await rebuildProjections(journal, options))
  await catchUp(journal, opened, options)
  return opened
}

/** Undefined when there are none that can be used. */
async function openProjections(
  journal: Journal,
  options: ProjectionOptions,
): Promise<Projections | undefined> {
  const { directory, fileSystem, logger, name, projections } = options
  const projection = await projections.open(`${directory}/projection`, fileSystem)
  const { watermark } = projection
  if (watermark === undefined) {
    await projection.close()
    return undefined
  }
  if (watermark.sequenceNo >= journal.durableCount) {
    await projection.close()
    throw damaged(
      options,
      `Its journal ends at block ${journal.durableCount - 1}; ` +
        `block ${watermark.sequenceNo} was on the disk before.`,
    )
  }
  if (!equalBytes(journal.read(watermark.sequenceNo).hash, watermark.blockHash)) {
    await projection.close()
    throw damaged(
      options,
      `Block ${watermark.sequenceNo} in its journal is not the one that was projected.`,
    )
  }
  const size = watermark.sequenceNo + 1
  const nodeFile = await NodeFile.open(fileSystem, `${directory}/nodes`, size)
  if (isSound(nodeFile, size, watermark)) return { projection, nodeFile }
  logger.log('warn', 'hash tree nodes are lost or damaged; rebuilding from the journal', {
    ledger: name,
  })
  await projection.close()
  await nodeFile.close()
  return undefined
}

/** Whether the peaks of both trees are those of the watermark. Nodes below are looked at when they are read. */
function isSound(nodeFile: NodeFile, size: number, watermark: Watermark): boolean {
  if (!nodeFile.isLongEnough) return false
  try {
    const qldbRoot = new MerkleTree(qldbHasher, nodeFile.store(0), size).root()
    const tlogRoot = new MerkleTree(tlogHasher, nodeFile.store(1), size).root()
    return equalBytes(qldbRoot, watermark.qldbRoot) && equalBytes(tlogRoot, watermark.tlogRoot)
  } catch (error) {
    if (error instanceof JournalError && error.code === 'NODES_DAMAGED') return false
    throw error
  }
}

async function rebuildProjections(
  journal: Journal,
  { directory, fileSystem, logger, name, projections }: ProjectionOptions,
): Promise<Projections> {
  await projections.remove(`${directory}/projection`, fileSystem)
  if (await fileSystem.exists(`${directory}/nodes`)) await fileSystem.remove(`${directory}/nodes`)
  if (journal.nextSequenceNo > replayedBlockCountMax) {
    logger.log('info', 'building projections from the journal', {
      ledger: name,
      blocks: journal.nextSequenceNo,
    })
  }
  return {
    projection: await projections.open(`${directory}/projection`, fileSystem),
    nodeFile: await NodeFile.open(fileSystem, `${directory}/nodes`, 0),
  }
}

/** Replays what the journal has after the watermark. */
async function catchUp(
  journal: Journal,
  { projection, nodeFile }: Projections,
  options: ProjectionOptions,
): Promise<void> {
  const { logger, name, strandId, clock } = options
  const writer = new ProjectionWriter({ strandId, projection, nodeFile })
  let reportedMs = clock.nowMs()
  for (const record of journal.readFrom(writer.nextSequenceNo)) {
    const block = blockOf(record)
    await writer.add(block)
    if (clock.nowMs() - reportedMs >= progressIntervalMs) {
      reportedMs = clock.nowMs()
      const blocks = `${block.sequenceNo + 1} of ${journal.nextSequenceNo}`
      logger.log('info', 'replaying the journal', { ledger: name, blocks })
    }
  }
  await writer.apply()
}

function damaged({ name, directory }: ProjectionOptions, message: string): LedgerError {
  return new LedgerError(
    { code: 'LEDGER_DAMAGED', directory },
    {
      shortMessage: `The journal of ledger ${name} has lost blocks or was exchanged. ${message}`,
      metaMessages: [
        `Folder: ${directory}`,
        'Nothing was changed. Run `cairn verify ledger`, and restore the journal from a backup.',
        'If the journal is known to be right, remove the folder `projection`; it is rebuilt.',
      ],
    },
  )
}
