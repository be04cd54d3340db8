import { utf8 } from '@cairn/core'
import { addressOfPrivateKey, dataToHex, keccak256 } from '@cairn/eth-codec'
import { createTestClient, createWalletClient, defineChain, http, publicActions } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRpcTestNode, type RpcTestNode, testChainId } from '../testing/rpc-node.ts'

const signer = dataToHex(addressOfPrivateKey(keccak256(utf8('sealer'))))
const other = dataToHex(addressOfPrivateKey(keccak256(utf8('other'))))
const namespaces = ['eth', 'net', 'web3', 'clique', 'txpool']

/** A client of viem whose `request` takes any method. */
function clientOf(node: RpcTestNode) {
  const chain = defineChain({
    id: testChainId,
    name: 'Cairn',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [node.httpUrl] } },
  })
  const options = { chain, transport: http(), pollingInterval: 20 }
  const client = createTestClient({ ...options, mode: 'anvil' }).extend(publicActions)
  const account = privateKeyToAccount(node.privateKeys[0] as `0x${string}`)
  const wallet = createWalletClient({ ...options, account })
  const call = (method: string, ...params: readonly unknown[]): Promise<unknown> => {
    return client.request({ method, params } as unknown as Parameters<typeof client.request>[0])
  }
  return { client, wallet, account, call }
}

describe('clique', () => {
  let node: RpcTestNode
  beforeAll(async () => {
    node = await openRpcTestNode(0n, namespaces)
  })
  afterAll(() => node.close())

  it('tells the signers and makes a proposal a signer', async () => {
    const { client, wallet, account, call } = clientOf(node)
    const send = async () => {
      const hash = await wallet.sendTransaction({ to: account.address, value: 0n })
      return client.waitForTransactionReceipt({ hash })
    }
    expect(await call('clique_getSigners')).toEqual([signer])
    expect(await call('clique_propose', other, true)).toBeNull()
    expect(await call('clique_proposals')).toEqual({ [other]: true })
    await call('clique_discard', signer)
    const { blockNumber, blockHash } = await send()
    const block = await client.getBlock({ blockNumber })
    expect(block.miner).toBe(other)
    expect(block.nonce).toBe('0xffffffffffffffff')
    // One of one signers voted: the other is a signer from this block on.
    const both = [signer, other].sort()
    expect(await call('clique_getSigners')).toEqual(both)
    expect(await call('clique_getSignersAtHash', blockHash)).toEqual(both)
    expect(await call('clique_getSigners', '0x0')).toEqual([signer])
    expect(await call('clique_getSigner', 'latest')).toBe(signer)
    expect(await call('clique_getSnapshot', 'latest')).toEqual({
      number: Number(blockNumber),
      hash: blockHash,
      signers: { [signer]: {}, [other]: {} },
      recents: { [Number(blockNumber)]: signer },
      votes: [],
      tally: {},
    })
    expect(await call('clique_status')).toMatchObject({ sealerActivity: { [other]: 0 } })
    await expect(call('clique_getSnapshot', '0x99')).rejects.toThrow('unknown block')
    await expect(call('clique_getSigner', `0x${'00'.repeat(40)}`)).rejects.toThrow()
  })
})

describe('txpool', () => {
  let node: RpcTestNode
  beforeAll(async () => {
    // Nothing is sealed within the hour.
    node = await openRpcTestNode(3600n, namespaces)
  })
  afterAll(() => node.close())

  it('shows what waits, by sender and nonce, to viem too', async () => {
    const { client, wallet, account, call } = clientOf(node)
    await node.node.stopSealing()
    const to = account.address
    const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n, gas: 21_000n, value: 7n }
    const [first, gapped] = await Promise.all(
      [0, 5].map((nonce) => wallet.sendTransaction({ ...fees, to, nonce })),
    )
    expect(await client.getTxpoolStatus()).toEqual({ pending: 1, queued: 1 })
    const content = await client.getTxpoolContent()
    expect(content.pending[to]?.['0']).toMatchObject({ hash: first, from: to.toLowerCase() })
    expect(content.queued[to]?.['5']).toMatchObject({ hash: gapped, blockHash: null })
    expect(await call('txpool_contentFrom', to)).toMatchObject({ pending: { 0: { hash: first } } })
    expect(await call('txpool_inspect')).toEqual({
      pending: { [to]: { 0: `${to}: 7 wei + 21000 gas × 10000000000 wei` } },
      queued: { [to]: { 5: `${to}: 7 wei + 21000 gas × 10000000000 wei` } },
    })
    expect(await client.getTransactionCount({ address: to, blockTag: 'pending' })).toBe(1)
  })
})
