/** A random whole number, for choices on which nothing but fairness hangs. */
import type { Random } from '@cairn/core'

/** From 0 to `bound` less 1; the bias of the remainder is below one in a million for bounds that occur here. */
export function randomBelow(random: Random, bound: number): number {
  const bytes = random.bytes(6)
  let number = 0
  for (const byte of bytes) number = number * 256 + byte
  return number % bound
}
