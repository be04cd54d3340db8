/** One life of the process under test: from a start to its crash, kill or end. What outlives it hangs for ever. */
import type { Clock, IdSource } from '@cairn/core'
import type { Ledger, LedgerHost } from '@cairn/ledger'
import type { QldbServer } from '@cairn/qldb-server'
import type { MemoryFileSystem } from '@cairn/testing'

export interface Life {
  readonly no: number
  /** The disk as this process sees it, for its end and for faults. */
  readonly memory: MemoryFileSystem
  /** Time, which does not wake what is dead. */
  readonly clock: Clock
  isOver: boolean
  /** Clients begin nothing new. */
  isEnding: boolean
  /** A client was told that the ledger stopped. */
  hasStopped: boolean
  /** Something of the disk was made to fail. */
  hasFaults: boolean
  /** Reads were made to fail: statements may be refused without a reason of their own. */
  hasReadFaults: boolean
}

/** What is open in a life. */
export interface OpenLedgerParts {
  readonly host: LedgerHost
  readonly ledger: Ledger
  readonly server: QldbServer
  readonly ids: IdSource
}

/** For the dead: neither resolves nor rejects. */
const never: Promise<never> = new Promise(() => undefined)

/** What a process waits for comes only while it lives. */
export async function whileAlive<T>(life: Life, task: Promise<T>): Promise<T> {
  try {
    const value = await task
    if (life.isOver) await never
    return value
  } catch (error) {
    if (life.isOver) await never
    throw error
  }
}

export function lifeClock(clock: Clock, isOver: () => boolean): Clock {
  return {
    nowMs: () => clock.nowMs(),
    async sleep(delayMs, signal) {
      if (isOver()) await never
      try {
        await clock.sleep(delayMs, signal)
      } finally {
        if (isOver()) await never
      }
    },
  }
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
