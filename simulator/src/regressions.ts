/**
 * Seeds that once failed, each with what it found. A seed stands for the same run only as long as the simulator draws
 * the same numbers, so it guards best against what came right after it; the tests named keep the rest.
 */

export interface Regression {
  readonly seed: number
  /** What was wrong, and the test that shows it by itself. */
  readonly found: string
}

export const regressions: readonly Regression[] = [
  {
    seed: 3,
    found:
      'names of the data folder not synced: an acknowledged ledger gone; ledger/src/ledger-host.test.ts',
  },
  {
    seed: 9,
    found: 'a short read taken for a torn tail or for damage; journal/src/short-read.test.ts',
  },
  {
    seed: 20,
    found: 'a short read of tree nodes: false digests and proofs; ledger/src/node-file.test.ts',
  },
  {
    seed: 486,
    found: 'a ledger that lost block 0 began again; ledger/src/ledger-host.test.ts',
  },
  {
    seed: 1047,
    found: 'a record not read whole twice called damaged; journal/src/short-read.test.ts',
  },
  {
    seed: 1375,
    found: 'history read before a redaction, committed after it; ledger/src/redaction.test.ts',
  },
]
