/** What a checker found: something that must never be, whatever the world does to the engine. */

export type ViolationKind =
  /** A commit that was acknowledged is not there, or not with its content. */
  | 'lost'
  /** Something is there that nobody committed, or that was refused. */
  | 'invented'
  /** A committed transaction read or wrote what no serial order explains. */
  | 'not serializable'
  /** A reader saw some of a transaction's writes. */
  | 'half'
  /** A block, a link, a proof or a digest does not hold. */
  | 'proof'
  /** What queries show differs from the journal. */
  | 'projection'
  /** Data that was redacted is still in a file. */
  | 'redaction'
  /** The disk was damaged and nobody said so, or was said to be damaged and is not. */
  | 'damage'
  /** An answer that the interface does not allow. */
  | 'answer'
  /** Nothing moves any more. */
  | 'stuck'

export class SimulationViolation extends Error {
  override readonly name = 'SimulationViolation'
  readonly kind: ViolationKind

  constructor(kind: ViolationKind, message: string, cause?: unknown) {
    super(`${kind}: ${message}`, cause === undefined ? undefined : { cause })
    this.kind = kind
  }
}
