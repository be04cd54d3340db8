/** Sealers that hear of each other's blocks, on one virtual clock: what Clique and fork choice make together. */
import { encodeTransaction } from '@cairn/eth-codec'
import { createVirtualClock, type VirtualClock } from '@cairn/testing'
import { describe, expect, it } from 'vitest'
import type { BlocksChange } from '../chain.ts'
import { balanceOf, ChainKit, ether, makeGenesis } from '../testing/chain-kit.ts'
import { keyOf } from '../testing/clique-chain.ts'
import { ChainNode } from './chain-node.ts'

interface Member {
  readonly name: string
  readonly kit: ChainKit
  readonly node: ChainNode
}

/** Members that can be cut off; blocks travel within one turn of the event loop, and in order. */
class Network {
  readonly members: Member[] = []
  readonly #cutOff = new Set<string>()
  readonly #clock: VirtualClock

  constructor(signers: string, clock: VirtualClock) {
    this.#clock = clock
    for (const name of signers) {
      const kit = new ChainKit(makeGenesis(signers), { clock })
      const node = new ChainNode({ execution: kit.execution(), clock })
      const member = { name, kit, node }
      kit.chain.onHead((change) => this.#tell(member, change))
      this.members.push(member)
    }
  }

  async start(): Promise<void> {
    for (const { name, node } of this.members) {
      await node.startSealing({ privateKey: keyOf(name) })
    }
  }

  cutOff(name: string): void {
    this.#cutOff.add(name)
  }

  /** Everybody hears everybody again, and what the others have. */
  heal(): void {
    this.#cutOff.clear()
    for (const from of this.members) {
      const blocks = Array.from({ length: Number(from.kit.chain.head.header.number) }, (_, i) =>
        from.kit.chain.blockByNumber(BigInt(i + 1)),
      ).flatMap((block) => block ?? [])
      for (const to of this.members) if (to !== from) to.kit.chain.importBlocks(blocks)
    }
  }

  async run(seconds: number): Promise<void> {
    for (let i = 0; i < 4 * seconds; i++) {
      await this.#clock.advance(250)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async stop(): Promise<void> {
    for (const { node } of this.members) await node.close()
  }

  heads(): Set<string> {
    return new Set(this.members.map(({ kit }) => kit.chain.head.hash))
  }

  #tell(from: Member, { added }: BlocksChange): void {
    const blocks = added.map(({ block }) => block)
    setImmediate(() => {
      for (const to of this.members) {
        const isHeard = !this.#cutOff.has(from.name) && !this.#cutOff.has(to.name)
        if (to === from || !isHeard) continue
        // A member that was away lacks the blocks in between until it asks for them.
        try {
          to.kit.chain.importBlocks(blocks)
        } catch (error) {
          if (!String(error).includes('unknown ancestor')) throw error
        }
      }
    })
  }
}

describe('a network of sealers', () => {
  it('takes turns, with one head', async () => {
    const network = new Network('ABC', createVirtualClock(1_700_000_000_000))
    await network.start()
    await network.run(30)
    await network.stop()
    await network.run(1)
    expect(network.heads().size).toBe(1)
    const { chain } = (network.members[0] as Member).kit
    const { number } = chain.head.header
    expect(Number(number)).toBeGreaterThan(20)
    const authors = Array.from({ length: Number(number) }, (_, i) => {
      const header = chain.headerByNumber(BigInt(i + 1))
      return header === undefined ? '' : chain.rules.signerOf(header)
    })
    expect(new Set(authors).size).toBe(3)
    expect(authors.every((author, i) => author !== authors[i + 1])).toBe(true)
  })

  it('goes on with two of three, and has one head and every transaction after the third is back', async () => {
    const network = new Network('ABC', createVirtualClock(1_700_000_000_000))
    await network.start()
    await network.run(5)
    network.cutOff('A')
    const [alone, other] = network.members as [Member, Member]
    // One to each side of the cut.
    alone.node.submit(encodeTransaction(alone.kit.transaction('D', { value: 5n })))
    other.node.submit(encodeTransaction(other.kit.transaction('B', { value: 7n })))
    await network.run(20)
    expect(balanceOf(other.kit.chain, 'E')).toBe(1000n * ether + 7n)
    expect(other.kit.chain.head.header.number).toBeGreaterThan(alone.kit.chain.head.header.number)
    network.heal()
    await network.run(20)
    await network.stop()
    await network.run(1)
    expect(network.heads().size).toBe(1)
    for (const { kit } of network.members) {
      expect(balanceOf(kit.chain, 'E')).toBe(1000n * ether + 12n)
    }
  })
})
