/** Bounds on Ion data that a small input could otherwise turn into a large cost. */
import { assert } from '@cairn/core'
import { limitError } from './errors.ts'

/**
 * Deepest nesting of containers. Codecs recurse, and the deepest of them takes about 300 bytes of stack per level, so
 * this is some 60 KB of the 984 KB that V8 gives: callers may themselves be deep. The public vectors reach 23,
 * protobuf stops at 100, serde_json at 128.
 */
export const nestingDepthMax = 200

/** Greatest magnitude of a decimal's exponent: 32 bits signed, as ion-java and ion-c have it. */
export const decimalExponentMax: number = 2 ** 31 - 1

/**
 * Most digits after the second. Three bytes of binary can claim millions of digits, all of which text would write out.
 */
export const fractionDigitsMax = 4096

/** Greatest symbol id. Larger ones would lose exactness as numbers. */
export const symbolIdMax: number = Number.MAX_SAFE_INTEGER

assert(decimalExponentMax > fractionDigitsMax)

/** @throws IonError LIMIT when `depth` containers around a value are too many. */
export function checkDepth(depth: number): void {
  if (depth > nestingDepthMax) {
    throw limitError('nestingDepthMax', depth, nestingDepthMax, 'The value is nested too deeply.')
  }
}
