/** What the journal's tests share: a chain of records whose bodies and hashes follow from their numbers. */
import { concatBytes, type FileSystem, type Logger, sha256, silentLogger } from '@cairn/core'
import { createMemoryFileSystem, createSeededRandom, type MemoryFileSystem } from '@cairn/testing'
import { type Journal, type JournalRecord, openJournal } from '../journal.ts'

export const directory = '/data/ledger'

export interface OpenFixtureOptions {
  readonly segmentBytes?: number
  readonly seed?: number
  readonly logger?: Logger
}

export function openAt(
  fileSystem: FileSystem,
  { segmentBytes = 4096, seed = 1, logger = silentLogger }: OpenFixtureOptions = {},
): Promise<Journal> {
  const random = createSeededRandom(seed)
  return openJournal({ directory, fileSystem, random, segmentBytes, logger })
}

export async function freshDisk(): Promise<MemoryFileSystem> {
  const fileSystem = createMemoryFileSystem()
  await fileSystem.makeDirectory('/data')
  await fileSystem.syncDirectory('/')
  return fileSystem
}

export function bodyOf(sequenceNo: number, size: number): Uint8Array {
  return createSeededRandom(1_000 + sequenceNo).bytes(size)
}

export function hashOf(previousHash: Uint8Array, body: Uint8Array): Uint8Array {
  return sha256(concatBytes(previousHash, body))
}

/** Appends the next record of the chain; the sizes follow from the number unless one is given. */
export function appendNext(journal: Journal, size?: number): Promise<void> {
  const sequenceNo = journal.nextSequenceNo
  const body = bodyOf(sequenceNo, size ?? sizeOf(sequenceNo))
  return journal.append(hashOf(journal.tipHash, body), body)
}

/** 0 to 299, all of them sooner or later, so that every amount of padding occurs. */
export function sizeOf(sequenceNo: number): number {
  return (sequenceNo * 97) % 300
}

export async function appendMany(journal: Journal, count: number): Promise<void> {
  const appended: Promise<void>[] = []
  for (let i = 0; i < count; i++) appended.push(appendNext(journal))
  await Promise.all(appended)
}

/** Appends in groups of these sizes. */
export async function appendGroups(journal: Journal, counts: readonly number[]): Promise<void> {
  for (const count of counts) await appendMany(journal, count)
}

/** The records as (body, hash) pairs of the chain say they must be; throws on the first that is not. */
export function checkRecords(records: Iterable<JournalRecord>, firstSequenceNo = 0): number {
  let next = firstSequenceNo
  let previous: Uint8Array | undefined = next === 0 ? new Uint8Array(32) : undefined
  for (const record of records) {
    const isRight =
      record.sequenceNo === next &&
      equal(record.body, bodyOf(next, record.body.length)) &&
      equal(record.hash, hashOf(record.previousHash, record.body)) &&
      (previous === undefined || equal(record.previousHash, previous))
    if (!isRight) throw new Error(`record ${record.sequenceNo}, expected ${next}, is wrong`)
    previous = record.hash
    next++
  }
  return next - firstSequenceNo
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
