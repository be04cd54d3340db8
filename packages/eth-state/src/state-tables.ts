/**
 * The tables that a state lies in, the numbers of its commits, and what is written of its head. What is in each table:
 * state-store.ts.
 */
import { concatBytes, utf8 } from '@cairn/core'
import { bytesOfText, bytesToNumber, emptyTrieRoot, numberToFixedBytes } from '@cairn/eth-codec'
import type { Database, Table } from './database.ts'
import { StateError } from './errors.ts'

const formatVersion = 3

/** Keys of accounts as text; those of slots are longer. */
export const accountKeySize = 32
/** After every commit number. */
export const lastNo: Uint8Array = new Uint8Array(8).fill(0xff)

export interface Tables {
  readonly accounts: Table
  readonly slots: Table
  readonly codes: Table
  readonly accountNodes: Table
  readonly storageNodes: Table
  readonly commits: Table
  readonly commitOfRoot: Table
  readonly history: Table
  readonly meta: Table
}

/** @param suffix Tells the tables of several states in one database apart. */
export function openTables(database: Database, suffix: string): Tables {
  const open = (name: string): Table => database.table(`${name}${suffix}`)
  return {
    accounts: open('accounts'),
    slots: open('slots'),
    codes: open('codes'),
    accountNodes: open('accountNodes'),
    storageNodes: open('storageNodes'),
    commits: open('commits'),
    commitOfRoot: open('commitOfRoot'),
    history: open('history'),
    meta: open('stateMeta'),
  }
}

/** The table that has the row of that key, which is a text. */
export function tableOfRow({ accounts, slots }: Tables, key: string): Table {
  return key.length === accountKeySize ? accounts : slots
}

export interface Meta {
  readonly headNo: number
  readonly headRoot: Uint8Array
  readonly flushedNo: number
  readonly flushedRoot: Uint8Array
}

const formatKey = utf8('format')
const headKey = utf8('head')
const flushedKey = utf8('flushed')

/** @throws StateError STATE_FORMAT, STATE_DAMAGED */
export function readMeta(meta: Table): Meta {
  const head = meta.get(headKey)
  const flushed = meta.get(flushedKey)
  if (head !== undefined) {
    const version = meta.get(formatKey)?.[0] ?? 0
    if (version !== formatVersion) throw otherFormat(version)
  }
  return {
    headNo: head === undefined ? 0 : decodeNo(head),
    headRoot: head === undefined ? emptyTrieRoot : head.subarray(8),
    flushedNo: flushed === undefined ? 0 : decodeNo(flushed),
    flushedRoot: flushed === undefined ? emptyTrieRoot : flushed.subarray(8),
  }
}

/** Inside a write. */
export function writeHead(meta: Table, headNo: number, headRoot: Uint8Array): void {
  meta.put(formatKey, Uint8Array.of(formatVersion))
  meta.put(headKey, concatBytes(encodeNo(headNo), headRoot))
}

/** Inside a write: up to which commit rows and trie nodes are written. */
export function writeFlushed(meta: Table, headNo: number, headRoot: Uint8Array): void {
  meta.put(flushedKey, concatBytes(encodeNo(headNo), headRoot))
}

/** Accounts and slots apart, since a key of one is a prefix of keys of the other. */
export function historyPrefix(key: string): Uint8Array {
  return concatBytes(Uint8Array.of(key.length === accountKeySize ? 0 : 1), bytesOfText(key))
}

export function encodeNo(no: number): Uint8Array {
  return numberToFixedBytes(BigInt(no), 8)
}

export function decodeNo(bytes: Uint8Array): number {
  return Number(bytesToNumber(bytes.subarray(0, 8)))
}

function otherFormat(version: number): StateError {
  return new StateError(
    { code: 'STATE_FORMAT', version, versionExpected: formatVersion },
    {
      shortMessage: 'The state was written by another version of Cairn.',
      metaMessages: [
        `Format: ${version}; this version reads ${formatVersion}.`,
        'Export the chain with the version that wrote it, and import it with this one.',
      ],
    },
  )
}
