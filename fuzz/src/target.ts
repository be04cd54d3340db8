/** What a fuzz target is: a way to run one input, and the oracle that says what may come of it. */
import type { SeededRandom } from '@cairn/testing'

export interface Target {
  readonly name: string
  /** What may be thrown and what must hold, in one sentence. */
  readonly oracle: string
  /** Sources whose coverage guides the choice of inputs. */
  readonly sources: RegExp
  /** Longest time for one input, 1000 ms unless told. Longer is a finding. */
  readonly inputMsMax?: number
  /** Inputs between two looks at the coverage, 512 unless told; fewer where inputs are dear. */
  readonly batchCount?: number
  open(seed: number): OpenTarget | Promise<OpenTarget>
}

export interface OpenTarget {
  /** Valid inputs to start from. */
  readonly seeds: readonly Uint8Array[]
  /** Tokens that mutations put in. */
  readonly dictionary: readonly Uint8Array[]
  /** A fresh input that is valid, or nearly so. */
  generate?(random: SeededRandom): Uint8Array
  /** Returns when the oracle is content; throws a {@link Violation}, or what the code under test must not throw. */
  run(input: Uint8Array): void | Promise<void>
  close?(): Promise<void>
}

/** The oracle's objection: what must hold does not. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** Throws a {@link Violation} unless `condition`. */
export function mustHold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what)
}

/** Runs `work`; undefined when it throws one of `families`. Anything else it throws is a finding. */
export function allowing<T>(
  families: readonly (abstract new (...args: never[]) => Error)[],
  work: () => T,
): T | undefined {
  try {
    return work()
  } catch (error) {
    if (families.some((family) => error instanceof family)) return undefined
    throw error
  }
}

/**
 * The text of an input. UTF-8 as clients send it, wrong bytes replaced; behind a byte of 0xFF UTF-16, which reaches
 * halves of surrogate pairs.
 */
export function textOfInput(input: Uint8Array): string {
  const buffer = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  return input[0] === 0xff ? buffer.toString('utf16le', 1) : buffer.toString('utf8')
}

export function inputOfText(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf8'))
}
