/** `eth_getProof` over HTTP, verified with `@ethereumjs/mpt` against the root of the block. */
import { keccak256 as hashOf } from '@cairn/eth-codec'
import { erc20InitCode } from '@cairn/testing'
import { verifyMerkleProof } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import { Account, createAccountFromRLP } from '@ethereumjs/util'
import {
  createPublicClient,
  createWalletClient,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  hexToBytes,
  http,
  keccak256,
  parseAbi,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRpcTestNode, type RpcTestNode } from '../testing/rpc-node.ts'

let node: RpcTestNode
let token: Hex
const abi = parseAbi(['function transfer(address to, uint256 value) returns (bool)'])
const holders = Array.from({ length: 20 }, (_, i) => `0x${String(i + 10).repeat(20)}` as Hex)
/** Of `mapping(address => uint256)` in slot 0. */
const slotOf = (holder: Hex): Hex =>
  keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [holder, 0n]))

beforeAll(async () => {
  node = await openRpcTestNode()
  const account = privateKeyToAccount(node.privateKeys[0] as Hex)
  const wallet = createWalletClient({ account, transport: http(node.httpUrl) })
  const reader = createPublicClient({ transport: http(node.httpUrl), pollingInterval: 10 })
  const send = async (request: { to?: Hex; data?: Hex }): Promise<Hex | null | undefined> => {
    const hash = await wallet.sendTransaction({ ...request, chain: null, gas: 3_000_000n })
    return (await reader.waitForTransactionReceipt({ hash })).contractAddress
  }
  token = (await send({ data: `0x${erc20InitCode}` })) as Hex
  for (const holder of holders) {
    const data = encodeFunctionData({ abi, functionName: 'transfer', args: [holder, 1000n] })
    await send({ to: token, data })
  }
})

afterAll(() => node.close())

async function proofOf(address: Hex, storageKeys: readonly Hex[]) {
  const reader = createPublicClient({ transport: http(node.httpUrl) })
  const { number, stateRoot } = await reader.getBlock()
  const proof = await reader.getProof({
    address,
    storageKeys: [...storageKeys],
    blockNumber: number,
  })
  const accountRlp = await verified(address, proof.accountProof, stateRoot)
  return { proof, account: accountRlp === null ? undefined : createAccountFromRLP(accountRlp) }
}

/** The value under a key, or null where the proof shows that there is none. */
function verified(key: Hex, proof: readonly Hex[], root: Hex): Promise<Uint8Array | null> {
  const nodes = proof.map((each) => hexToBytes(each))
  return verifyMerkleProof(hexToBytes(key), nodes, {
    root: hexToBytes(root),
    useKeyHashing: true,
    useKeyHashingFunction: hashOf,
  })
}

it('proves an account and its slots', async () => {
  const { proof, account } = await proofOf(token, holders.map(slotOf))
  expect(account?.serialize()).toEqual(
    new Account(
      BigInt(proof.nonce),
      proof.balance,
      hexToBytes(proof.storageHash),
      hexToBytes(proof.codeHash),
    ).serialize(),
  )
  for (const { key, value, proof: nodes } of proof.storageProof) {
    const rlp = await verified(key as Hex, nodes, proof.storageHash)
    expect(value).toBe(1000n)
    expect(rlp).toEqual(RLP.encode(value))
  }
})

it('proves that a slot and an account are not there', async () => {
  const { proof } = await proofOf(token, [slotOf(`0x${'99'.repeat(20)}`)])
  const [absent] = proof.storageProof
  expect(absent?.value).toBe(0n)
  expect(await verified(absent?.key as Hex, absent?.proof ?? [], proof.storageHash)).toBeNull()
  expect((await proofOf(`0x${'98'.repeat(20)}`, [])).account).toBeUndefined()
})

it('gives no proof that holds against another root', async () => {
  const { proof } = await proofOf(token, [])
  const other = `0x${'12'.repeat(32)}` as const
  await expect(verified(token, proof.accountProof, other)).rejects.toThrow('Invalid proof')
})
