/**
 * What a value weighs: about the bytes that it would take when it is written out. A statement can make values that hold
 * the same part many times, `[v, v]` of `[v, v]` and so on: small in memory, without end for whoever walks them.
 */
import { PartiqlError } from '../errors.ts'
import type { Value } from './value.ts'

/** Heaviest value that a statement may make. Ours: as many rows as may be held, of 80 bytes each. */
export const weightMax: number = 8 * 1024 * 1024

/** Longest text that a statement may put together. Ours: eight of the largest documents. */
export const textLengthMax: number = 1024 * 1024

/** Made containers as heavy as this remember what they weigh, so that weighing what holds them ends there. */
export const rememberedWeightMin = 1024

/** Of a scalar and of each container, besides what it holds. */
const baseWeight = 16
/** Numbers below it have their base weight. */
const smallNumberMax = 2n ** 128n

export function weightOf(value: Value): number {
  switch (value.type) {
    case 'string':
      return baseWeight + value.value.length
    case 'symbol':
      return baseWeight + (typeof value.text === 'string' ? value.text.length : 0)
    case 'clob':
    case 'blob':
      return baseWeight + value.value.length
    case 'int':
      return baseWeight + (typeof value.value === 'bigint' ? extraWeight(value.value) : 0)
    case 'decimal':
      return baseWeight + extraWeight(value.coefficient)
    case 'timestamp':
      return baseWeight + value.fractionDigits
    case 'list':
    case 'sexp':
    case 'bag':
      return value.weight ?? weightOfAll(value.values)
    case 'struct':
      return value.weight ?? weightOfFields(value.fields)
    default:
      return baseWeight
  }
}

export function weightOfAll(values: readonly Value[]): number {
  let weight = baseWeight
  for (const value of values) weight += weightOf(value)
  return weight
}

export function weightOfFields(fields: readonly { readonly value: Value }[]): number {
  let weight = baseWeight
  for (const field of fields) weight += baseWeight + weightOf(field.value)
  return weight
}

/** @throws PartiqlError LIMIT when a value of this weight is more than a statement may make. */
export function checkWeight(weight: number): void {
  if (weight > weightMax) throw tooLarge(`a value larger than ${weightMax} bytes`)
}

/** @throws PartiqlError LIMIT when a text of this length is more than a statement may make. */
export function checkTextLength(length: number): void {
  if (length > textLengthMax) throw tooLarge(`a text longer than ${textLengthMax} characters`)
}

function tooLarge(what: string): PartiqlError {
  // The place is not known here: operators make values without knowing where they stand.
  const position = { line: 1, column: 1 }
  return new PartiqlError(
    { code: 'LIMIT', position },
    {
      shortMessage: `line 1, column 1: the statement makes ${what}.`,
      metaMessages: ['Narrow what its sub-queries, lists and concatenations put together.'],
    },
  )
}

function extraWeight(number: bigint): number {
  if (number < smallNumberMax && number > -smallNumberMax) return 0
  return number.toString(16).length >> 1
}
