import type { BlockHeader } from '@cairn/eth-codec'
import { describe, expect, it } from 'vitest'
import { CliqueTestChain, hashOf, londonConfig, namesOf } from '../testing/clique-chain.ts'

interface Scenario {
  readonly what: string
  readonly epoch?: bigint
  /** The first signers, one letter each. */
  readonly signers: string
  /** One word a block: who seals it, and whom it votes on: `A+B` adds B, `A-B` drops it. `|` starts a new batch. */
  readonly blocks: string
  /** The signers after the last block, or the error that it is refused with. */
  readonly result: string
}

/** The scenarios of EIP-225 and of geth 1.13 (consensus/clique/snapshot_test.go), in their order. */
const scenarios: readonly Scenario[] = [
  { what: 'no votes', signers: 'A', blocks: 'A', result: 'A' },
  {
    what: 'one signer adds two; the second needs two votes',
    signers: 'A',
    blocks: 'A+B B A+C',
    result: 'AB',
  },
  {
    what: 'two signers add three; the third needs three votes',
    signers: 'AB',
    blocks: 'A+C B+C A+D B+D C A+E B+E',
    result: 'ABCD',
  },
  { what: 'the only signer drops itself', signers: 'A', blocks: 'A-A', result: '' },
  { what: 'one of two cannot drop the other', signers: 'AB', blocks: 'A-B', result: 'AB' },
  { what: 'two of two can drop one of them', signers: 'AB', blocks: 'A-B B-B', result: 'A' },
  { what: 'two of three drop the third', signers: 'ABC', blocks: 'A-C B-C', result: 'AB' },
  { what: 'two of four drop nobody', signers: 'ABCD', blocks: 'A-C B-C', result: 'ABCD' },
  { what: 'three of four drop the fourth', signers: 'ABCD', blocks: 'A-D B-D C-D', result: 'ABC' },
  {
    what: 'votes to add count once per signer',
    signers: 'AB',
    blocks: 'A+C B A+C B A+C',
    result: 'AB',
  },
  {
    what: 'several accounts may be added at the same time',
    signers: 'AB',
    blocks: 'A+C B A+D B A B+D A B+C',
    result: 'ABCD',
  },
  {
    what: 'votes to drop count once per signer',
    signers: 'AB',
    blocks: 'A-B B A-B B A-B',
    result: 'AB',
  },
  {
    what: 'several accounts may be dropped at the same time',
    signers: 'ABCD',
    blocks: 'A-C B C A-D B C A B-D C-D A B-C',
    result: 'AB',
  },
  {
    what: 'votes to drop by a dropped signer are void',
    signers: 'ABC',
    blocks: 'C-B A-C B-C A-B',
    result: 'AB',
  },
  {
    what: 'votes to add by a dropped signer are void',
    signers: 'ABC',
    blocks: 'C+D A-C B-C A+D',
    result: 'AB',
  },
  {
    what: 'a change carries no other with it',
    signers: 'ABCD',
    blocks: 'A-C B C A-D B-C C A B-D C-D',
    result: 'ABC',
  },
  {
    what: 'a majority made by another change takes effect when it is touched',
    signers: 'ABCD',
    blocks: 'A-C B C A-D B-C C A B-D C-D A C+C',
    result: 'AB',
  },
  {
    what: 'a majority made by another change may be lost when it is touched',
    signers: 'ABCD',
    blocks: 'A-C B C A-D B-C C A B-D C-D A B+C',
    result: 'ABC',
  },
  {
    what: 'votes do not outlive a change of the account that they are about',
    signers: 'ABCDE',
    blocks: 'A+F B+F C+F D-F E-F B-F C-F D+F E+F B-A C-A D-A B+F',
    result: 'BCDEF',
  },
  {
    what: 'a checkpoint forgets all votes',
    epoch: 3n,
    signers: 'AB',
    blocks: 'A+C B A B+C',
    result: 'AB',
  },
  { what: 'a stranger seals', signers: 'A', blocks: 'B', result: 'unauthorized signer' },
  {
    what: 'a signer seals twice in a row',
    signers: 'AB',
    blocks: 'A A',
    result: 'recently signed',
  },
  {
    what: 'a checkpoint in the batch does not forget who sealed',
    epoch: 3n,
    signers: 'ABC',
    blocks: 'A B A A',
    result: 'recently signed',
  },
  {
    what: 'nor does one in the batch before',
    epoch: 3n,
    signers: 'ABC',
    blocks: 'A B A | A',
    result: 'recently signed',
  },
]

/** Builds the whole chain with one engine, which knows each header as soon as it is made. */
function buildBatches({ signers, blocks, epoch }: Scenario): BlockHeader[][] {
  const config = { ...londonConfig, clique: { periodSeconds: 1n, epoch: epoch ?? 30_000n } }
  const chain = new CliqueTestChain(signers, { config })
  const batches: BlockHeader[][] = [[]]
  let parent = chain.genesis
  for (const word of blocks.split(' ')) {
    if (word === '|') {
      batches.push([])
      continue
    }
    const vote = word.length > 1 ? word.slice(1) : undefined
    parent = chain.add(chain.seal(parent, word.charAt(0), vote))
    batches.at(-1)?.push(parent)
  }
  return batches
}

describe('vote scenarios', () => {
  it.each(scenarios)('$what: $blocks', (scenario) => {
    const { signers, epoch, result } = scenario
    const config = { ...londonConfig, clique: { periodSeconds: 1n, epoch: epoch ?? 30_000n } }
    const chain = new CliqueTestChain(signers, { config })
    const batches = buildBatches(scenario)
    const last = batches.pop() ?? []
    for (const batch of batches) {
      chain.engine.verifyHeaders(batch)
      for (const header of batch) chain.add(header)
    }
    if (result.includes(' ')) {
      expect(() => chain.engine.verifyHeaders(last)).toThrow(result)
      // Only the last header is at fault.
      expect(chain.engine.verifyHeaders(last.slice(0, -1))).toHaveLength(last.length - 1)
      return
    }
    const hashes = chain.engine.verifyHeaders(last)
    for (const header of last) chain.add(header)
    expect(namesOf(chain.engine.snapshotAt(hashes.at(-1) ?? '').signers)).toBe(result)
    expect(hashes.at(-1)).toBe(hashOf(last.at(-1) as BlockHeader))
  })

  it('number as many as geth has', () => expect(scenarios).toHaveLength(24))
})
