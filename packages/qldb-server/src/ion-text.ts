/** Ion text of requests and answers: parameters, block addresses, blocks, proofs. */
import {
  encodeIon,
  fieldOf,
  formatIon,
  IonError,
  type IonValue,
  ionBlob,
  ionInt,
  ionList,
  ionRecord,
  ionString,
  parseIon,
} from '@cairn/ion'
import { type BlockAddress, defaultLimits } from '@cairn/ledger'
import { requestInvalid } from './errors.ts'

/**
 * Longest Ion text of a parameter, eight times what its binary form may have. Reading 8 MiB of digits as one number
 * would hold the thread for a second.
 */
const parameterTextLengthMax = 8 * defaultLimits.parameterBytesMax

/**
 * @param index Of the parameter, from 0.
 * @throws QldbServerError REQUEST_INVALID when `text` is not one Ion value.
 */
export function ionTextToBinary(text: string, index: number): Uint8Array {
  if (text.length > parameterTextLengthMax) {
    throw requestInvalid(
      'ExecuteStatement.Parameters',
      `IonText of parameter ${index + 1} is longer than ${parameterTextLengthMax} characters.`,
    )
  }
  try {
    return encodeIon(parseIon(text))
  } catch (error) {
    if (!(error instanceof IonError)) throw error
    throw requestInvalid(
      'ExecuteStatement.Parameters',
      `IonText of parameter ${index + 1} is not one Ion value: ${error.message}`,
      error,
    )
  }
}

/** `{strandId:"…",sequenceNo:3}` in any spelling; undefined when `text` is no block address. */
export function parseBlockAddress(text: string): BlockAddress | undefined {
  const value = tryParseIon(text)
  if (value?.type !== 'struct') return undefined
  const strandId = fieldOf(value, 'strandId')
  const sequenceNo = fieldOf(value, 'sequenceNo')
  if (strandId?.type !== 'string' || sequenceNo?.type !== 'int') return undefined
  // A bigint is beyond any block that there can be, a negative number before the first.
  if (typeof sequenceNo.value !== 'number' || sequenceNo.value < 0) return undefined
  return { strandId: strandId.value, sequenceNo: sequenceNo.value }
}

export function formatBlockAddress({ strandId, sequenceNo }: BlockAddress): string {
  return formatIon(ionRecord({ strandId: ionString(strandId), sequenceNo: ionInt(sequenceNo) }))
}

export function formatProof(hashes: readonly Uint8Array[]): string {
  return formatIon(ionList(hashes.map((hash) => ionBlob(hash))))
}

function tryParseIon(text: string): IonValue | undefined {
  try {
    return parseIon(text)
  } catch (error) {
    if (error instanceof IonError) return undefined
    throw error
  }
}
