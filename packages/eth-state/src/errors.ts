/** What may go wrong with the stored state. */
import { BaseError, toHex } from '@cairn/core'

export type StateErrorType =
  /** Older than the recorded changes reach back, or never known. */
  | { readonly code: 'STATE_NOT_AVAILABLE'; readonly root: string }
  /** A node, a code or a record that must be there is missing, or is not what its hash says. */
  | { readonly code: 'STATE_DAMAGED'; readonly what: string }
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
