/**
 * Chain files: the RLP of blocks one behind the other, as `geth export` and `geth import` have them. Compression is the
 * caller's.
 */
import { concatBytes } from '@cairn/core'
import {
  type Block,
  decodeBlock,
  encodeBlock,
  peekRlpHeader,
  rlpHeaderBytesMax,
} from '@cairn/eth-codec'
import type { Chain } from '../chain.ts'
import { ChainError } from '../errors.ts'

/** More than a block of 30 million gas can hold, whatever is in it. */
const blockBytesMax = 64 * 1024 * 1024
/** Handed to the chain at once, which keeps the thread for that long: some 0.2 ms for each of them. */
const blockCountPerImport = 256
const transactionCountPerImport = 2000

/** Canonical blocks `first` to `last`, both included, as they stand in a file. */
export function* exportBlocks(
  chain: Pick<Chain, 'blockByNumber'>,
  first: bigint,
  last: bigint,
): Generator<Uint8Array> {
  for (let number = first; number <= last; number++) {
    const block = chain.blockByNumber(number)
    if (block === undefined) return
    yield encodeBlock(block)
  }
}

export interface ImportProgress {
  readonly blockCount: number
  readonly number: bigint
}

/**
 * Imports the blocks of a file. The genesis block and blocks that are known are passed over.
 * @returns how many were new.
 * @throws ChainError CHAIN_FILE_INVALID, or what the chain says of a block; the blocks before it stay.
 */
export async function importChainFile(
  chain: Chain,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onProgress: (progress: ImportProgress) => void = () => undefined,
): Promise<number> {
  let waiting: Block[] = []
  let newCount = 0
  let blockCount = 0
  let transactionCount = 0
  const flush = () => {
    const blocks = waiting
    waiting = []
    newCount += chain.importBlocks(blocks).newCount
    blockCount += blocks.length
    const last = blocks.at(-1)
    if (last !== undefined) onProgress({ blockCount, number: last.header.number })
  }
  for await (const block of readChainFile(pieces)) {
    if (block.header.number === 0n) continue
    waiting.push(block)
    transactionCount += block.transactions.length
    const isEnough =
      waiting.length >= blockCountPerImport || transactionCount >= transactionCountPerImport
    if (!isEnough) continue
    flush()
    transactionCount = 0
    // Whoever else waits for the thread gets it between two portions.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  flush()
  return newCount
}

/** The blocks of a file, cut out of its pieces wherever those end. @throws ChainError CHAIN_FILE_INVALID */
export async function* readChainFile(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Block> {
  // Joined when a block is whole: joining with every piece would copy a large block as often as it has pieces.
  let waiting: Uint8Array[] = []
  let size = 0
  let sizeWanted = 0
  let offset = 0
  for await (const piece of pieces) {
    waiting.push(piece)
    size += piece.length
    if (size < sizeWanted) continue
    const bytes = waiting.length === 1 ? piece : concatBytes(...waiting)
    let at = 0
    let end = itemEnd(bytes, at, offset)
    for (; end <= bytes.length; end = itemEnd(bytes, at, offset)) {
      yield readBlock(bytes.subarray(at, end), offset + at)
      at = end
    }
    waiting = at === bytes.length ? [] : [bytes.subarray(at)]
    size = bytes.length - at
    sizeWanted = Number.isFinite(end) ? end - at : 0
    offset += at
  }
  if (size > 0) throw chainFileInvalid(offset, 'the file ends inside a block')
}

/** Where the item at `at` ends; beyond the bytes when they do not say. */
function itemEnd(bytes: Uint8Array, at: number, offset: number): number {
  if (bytes.length - at < rlpHeaderBytesMax) {
    // A block is longer than any header of an item, so more must come.
    return Number.POSITIVE_INFINITY
  }
  let header: ReturnType<typeof peekRlpHeader>
  try {
    header = peekRlpHeader(bytes, at)
  } catch (cause) {
    throw chainFileInvalid(offset + at, 'not RLP', cause)
  }
  if (!header.isList || header.end - at > blockBytesMax) {
    throw chainFileInvalid(offset + at, 'no block begins here')
  }
  return header.end
}

function readBlock(bytes: Uint8Array, offset: number): Block {
  try {
    // Fields of a block are views: they must not hold on to the whole piece of the file.
    return decodeBlock(bytes.slice())
  } catch (cause) {
    throw chainFileInvalid(offset, 'not a block', cause)
  }
}

export function chainFileInvalid(offset: number, reason: string, cause?: unknown): ChainError {
  return new ChainError(
    { code: 'CHAIN_FILE_INVALID', offset },
    {
      shortMessage: 'The chain file cannot be read any further.',
      metaMessages: [
        `At byte ${offset}: ${reason}.`,
        'Expected is the RLP of blocks one behind the other, as `cairn geth export` writes it.',
      ],
      cause,
    },
  )
}
