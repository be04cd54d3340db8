/** What may go wrong with the stored state. */
import { BaseError, noRoom, toHex } from '@cairn/core'

export type StateErrorType =
  /** Older than the recorded changes reach back, or never known. */
  | { readonly code: 'STATE_NOT_AVAILABLE'; readonly root: string }
  /** A node, a code or a record that must be there is missing, or is not what its hash says. */
  | { readonly code: 'STATE_DAMAGED'; readonly what: string }
  /** Nothing was written. It may be tried again. */
  | { readonly code: 'DISK_FULL'; readonly freeBytes: number; readonly bytesNeeded: number }
  /** Written by another version of Cairn. */
  | { readonly code: 'STATE_FORMAT'; readonly version: number; readonly versionExpected: number }

export class StateError extends BaseError<StateErrorType> {
  override readonly name = 'StateError'
}

export function stateNotAvailable(root: Uint8Array): StateError {
  const text = `0x${toHex(root)}`
  return new StateError(
    { code: 'STATE_NOT_AVAILABLE', root: text },
    {
      shortMessage: 'The state of that block is not kept any more.',
      metaMessages: [
        `State root: ${text}`,
        'A node keeps the last 128 states; one that runs in archive mode keeps all of them.',
      ],
    },
  )
}

export function stateDamaged(what: string): StateError {
  return new StateError(
    { code: 'STATE_DAMAGED', what },
    {
      shortMessage: `The stored state is damaged: ${what}.`,
      metaMessages: ['Stop the node, remove its chain data and let it import the chain again.'],
    },
  )
}

export function diskFull(path: string, freeBytes: number, bytesNeeded: number): StateError {
  return new StateError(
    { code: 'DISK_FULL', freeBytes, bytesNeeded },
    {
      shortMessage: 'The disk is full: nothing was written to the chain data.',
      metaMessages: [
        `Folder: ${path}`,
        `Free: ${mebibytes(freeBytes)} MiB; needed: ${mebibytes(bytesNeeded)} MiB.`,
        'Free some room on that disk, or move the data folder to a larger one. A running node goes on by itself.',
      ],
      cause: noRoom(path, freeBytes, bytesNeeded),
    },
  )
}

/** Whether the write was refused for want of room, which somebody may make. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof StateError && error.code === 'DISK_FULL'
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1)
}
