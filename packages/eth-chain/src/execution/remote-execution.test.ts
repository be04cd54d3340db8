import { contractAddress, encodeBlock, encodeTransaction, transactionHash } from '@cairn/eth-codec'
import { createVirtualClock } from '@cairn/testing'
import { afterEach, describe, expect, it } from 'vitest'
import type { HeadChange } from '../chain-reader.ts'
import { ChainError } from '../errors.ts'
import { HeaderError } from '../header-error.ts'
import type { ChainNode } from '../node/chain-node.ts'
import { ether, makeGenesis } from '../testing/chain-kit.ts'
import { addressOf, keyOf } from '../testing/clique-chain.ts'
import { openRemoteKit, type RemoteKit } from '../testing/remote-kit.ts'

let open: RemoteKit | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

function start(...parameters: Parameters<typeof openRemoteKit>): RemoteKit {
  open = openRemoteKit(...parameters)
  return open
}

function balanceAtHead({ chain }: ChainNode): bigint {
  const balance = chain.stateAt(chain.head.header.stateRoot)?.readAccount(addressOf('E'))?.balance
  return (balance ?? 0n) - 1000n * ether
}

function whenHead(node: ChainNode, isIt: (change: HeadChange) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const end = node.chain.onHead((change) => {
      if (!isIt(change)) return
      end()
      resolve()
    })
  })
}

describe('execution at the other end of a port', () => {
  it('seals what is submitted in any order of nonces, and all reads agree at each head', async () => {
    const { kit, node } = start(makeGenesis('A', 0))
    await node.startSealing({ privateKey: keyOf('A') })
    expect(node.execution.isSealing).toBe(true)
    let sealedCount = 0
    const disagreements: string[] = []
    node.chain.onHead(({ head, added }) => {
      for (const { hash } of added) {
        const executed = node.chain.executedBlock(hash)
        sealedCount += executed?.receipts.length ?? 0
      }
      const { pending, queued } = node.pool.status()
      if (balanceAtHead(node) !== BigInt(sealedCount)) disagreements.push('balance')
      if (pending + queued > 120 - sealedCount) disagreements.push('pool')
      if (node.chain.store.canonicalHash(head.header.number) !== head.hash) {
        disagreements.push('canonical')
      }
    })
    const done = whenHead(node, () => sealedCount === 120)
    const transactions = [...'BCD'].flatMap((name) =>
      Array.from({ length: 40 }, () => kit.transaction(name)),
    )
    for (const transaction of transactions.reverse()) node.submit(encodeTransaction(transaction))
    await done
    expect(disagreements).toEqual([])
    expect(node.pool.status()).toEqual({ pending: 0, queued: 0 })
    for (const transaction of transactions) {
      expect(node.chain.store.placeOf(transactionHash(transaction))).toBeDefined()
    }
    await node.stopSealing()
    expect(node.execution.isSealing).toBe(false)
  })

  it('takes what waited before sealing began, and goes on after it was interrupted', async () => {
    const { kit, node } = start(makeGenesis('A', 0))
    for (let i = 0; i < 5; i++) node.submit(encodeTransaction(kit.transaction('B')))
    const first = whenHead(node, () => balanceAtHead(node) === 5n)
    await node.startSealing({ privateKey: keyOf('A') })
    await first
    await node.stopSealing()
    for (let i = 0; i < 5; i++) node.submit(encodeTransaction(kit.transaction('C')))
    const second = whenHead(node, () => balanceAtHead(node) === 10n)
    await node.startSealing({ privateKey: keyOf('A') })
    await second
  })

  it('shows the block in the making: its transactions, balances, nonces and new code', async () => {
    const { kit, node, local } = start(
      makeGenesis('A', 3600),
      createVirtualClock(1_700_003_600_000),
    )
    kit.extend('A')
    expect(await node.pendingBlock()).toBeUndefined()
    await node.startSealing({ privateKey: keyOf('A') })
    node.submit(encodeTransaction(kit.transaction('B', { value: 5n })))
    // PUSH 9 PUSH 1 SSTORE, then one byte, STOP, as the code.
    const initCode = Uint8Array.of(0x60, 9, 0x60, 1, 0x55, 0x60, 1, 0x60, 0, 0xf3)
    node.submit(
      encodeTransaction(kit.transaction('B', { to: undefined, value: 0n, data: initCode })),
    )
    const pending = await node.pendingBlock()
    expect(pending?.block.transactions).toHaveLength(2)
    expect(pending?.senders).toEqual([addressOf('B'), addressOf('B')])
    expect(pending?.state.readAccount(addressOf('E'))?.balance).toBe(1000n * ether + 5n)
    expect(pending?.state.readAccount(addressOf('B'))?.nonce).toBe(2n)
    expect(pending?.state.readAccount(addressOf('C'))?.balance).toBe(1000n * ether)
    expect(pending?.context.number).toBe(2n)
    expect(pending?.context.coinbase).toEqual(addressOf('A'))
    expect(pending?.context.blockHash(0n)).toBeDefined()
    const inPlace = await local.pendingBlock()
    expect(pending?.receipts).toEqual(inPlace?.receipts)
    const contract = contractAddress(addressOf('B'), 1n)
    const codeHash = pending?.state.readAccount(contract)?.codeHash ?? new Uint8Array(32)
    expect(pending?.state.readCode(codeHash)).toEqual(Uint8Array.of(0))
    const slot = (number: number) =>
      Uint8Array.from({ length: 32 }, (_, i) => (i < 31 ? 0 : number))
    expect(pending?.state.readStorage(contract, slot(1))).toEqual(slot(9))
    expect(pending?.state.readStorage(contract, slot(2))).toEqual(slot(0))
    // Nothing was added: it is the same.
    expect(await node.pendingBlock()).toBe(pending)
    node.submit(encodeTransaction(kit.transaction('C')))
    expect((await node.pendingBlock())?.block.transactions).toHaveLength(3)
    expect(pending?.block.transactions).toHaveLength(2)
  })

  it('takes transactions of a branch that lost back into the pool, and seals them again', async () => {
    const { kit, node } = start(makeGenesis('ABC'))
    const [weak, strong, sealing] = [...'ABC'].sort((a, b) =>
      Buffer.compare(addressOf(a), addressOf(b)),
    ) as [string, string, string]
    const genesis = kit.chain.genesisHash
    const lost = kit.transaction('D')
    const blocks = [kit.makeBlock(genesis, weak, [lost]), kit.makeBlock(genesis, strong)]
    const removed: string[] = []
    node.chain.onHead((change) => removed.push(...change.removed.map(({ hash }) => hash)))
    const [weakBlock, strongBlock] = blocks.map((block) => encodeBlock(block)) as [
      Uint8Array,
      Uint8Array,
    ]
    expect(await node.execution.importBlocks([weakBlock])).toEqual({ newCount: 1 })
    const weakHash = node.chain.head.hash
    expect(node.chain.head.header.number).toBe(1n)
    expect(balanceAtHead(node)).toBe(1n)
    await node.execution.importBlocks([strongBlock])
    expect(removed).toEqual([weakHash])
    expect(node.pool.status()).toEqual({ pending: 1, queued: 0 })
    const again = whenHead(node, () => balanceAtHead(node) === 1n)
    await node.startSealing({ privateKey: keyOf(sealing) })
    await again
    expect(node.pool.status()).toEqual({ pending: 0, queued: 0 })
  })

  it('proves accounts as the chain itself does', async () => {
    const { kit, node, local } = start(makeGenesis('A'))
    kit.extend('A', [kit.transaction('B')])
    const root = kit.chain.head.header.stateRoot
    const slots = [new Uint8Array(32)]
    expect(await node.execution.proof(root, addressOf('E'), slots)).toEqual(
      await local.proof(root, addressOf('E'), slots),
    )
    await expect(node.execution.proof(new Uint8Array(32), addressOf('E'), [])).rejects.toThrow(
      'The state of that block is not kept any more.',
    )
  })

  it('refuses blocks with the errors of the chain', async () => {
    const { kit, node } = start(makeGenesis('A'))
    const block = kit.makeBlock(kit.chain.genesisHash, 'A')
    const wrongRoot = kit.reseal(
      { ...block, header: { ...block.header, stateRoot: new Uint8Array(32) } },
      'A',
    )
    const refused = (bytes: Uint8Array) =>
      node.execution.importBlocks([bytes]).catch((error: unknown) => error)
    const invalid = await refused(encodeBlock(wrongRoot))
    expect(invalid).toBeInstanceOf(ChainError)
    expect(invalid).toMatchObject({ code: 'BLOCK_INVALID' })
    expect((invalid as ChainError).shortMessage).toContain('invalid merkle root')
    const foreign = await refused(encodeBlock(kit.reseal(block, 'B')))
    expect(foreign).toBeInstanceOf(HeaderError)
    expect(foreign).toMatchObject({ code: 'UNAUTHORIZED_SIGNER' })
    expect(await refused(Uint8Array.of(1, 2, 3))).toMatchObject({ name: 'RlpError' })
    // What execution found invalid is kept to be looked at.
    expect(await node.execution.badBlocks()).toEqual([encodeBlock(wrongRoot)])
    expect(await node.execution.importBlocks([encodeBlock(block)])).toEqual({ newCount: 1 })
  })

  it('answers everybody who waits when it has failed, and takes no more transactions', async () => {
    const { kit, node, remote } = start(makeGenesis('A'))
    const proof = remote.proof(kit.chain.head.header.stateRoot, addressOf('E'), [])
    const pending = remote.pendingBlock()
    remote.fail(new Error('out of memory'))
    await expect(proof).rejects.toThrow('The execution of the node has failed.')
    await expect(pending).rejects.toThrow('The execution of the node has failed.')
    await expect(remote.importFile('/x')).rejects.toThrow('has failed')
    expect(() => node.submit(encodeTransaction(kit.transaction('B')))).toThrow('has failed')
    // What is there can still be read.
    expect(node.chain.head.header.number).toBe(0n)
    expect(balanceAtHead(node)).toBe(0n)
  })

  it('votes as it is told to', async () => {
    const { kit, node, local } = start(makeGenesis('A', 0))
    const name = `0x${Buffer.from(addressOf('B')).toString('hex')}`
    expect(node.execution.proposals.propose(name, true)).toBe(true)
    const voted = whenHead(node, ({ head }) => head.header.number === 1n)
    await node.startSealing({ privateKey: keyOf('A') })
    node.submit(encodeTransaction(kit.transaction('C')))
    await voted
    expect(node.chain.clique?.snapshotAt(node.chain.head.hash).signers).toContain(name)
    node.execution.proposals.discard(name)
    await node.pendingBlock()
    expect(local.proposals.list()).toEqual([])
    expect(node.execution.proposals.list()).toEqual([])
  })
})
