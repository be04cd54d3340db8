/** Methods that sign with keys of the node: eth_sendTransaction and its kin, and `personal`. */
import { utf8 } from '@cairn/core'
import {
  addressOfPrivateKey,
  dataFromHex,
  dataToHex,
  decodeTransaction,
  KeyFolder,
  keccak256,
  recoverSender,
} from '@cairn/eth-codec'
import { createMemoryFileSystem, createVirtualClock } from '@cairn/testing'
import { recoverTypedDataAddress } from 'viem'
import { afterEach, describe, expect, it } from 'vitest'
import type { Dispatcher } from '../dispatcher.ts'
import { openRpcTestNode, type RpcTestNode, type RpcTestNodeOptions } from '../testing/rpc-node.ts'

let open: RpcTestNode | undefined
afterEach(async () => {
  await open?.close()
  open = undefined
})

/** @throws Error with the text of the node. */
async function ask(dispatcher: Dispatcher, method: string, params: unknown[]): Promise<unknown> {
  const request = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const text = await dispatcher.dispatch(request, { transport: 'ipc', subscriber: undefined })
  const { result, error } = JSON.parse(String(text)) as Record<string, unknown>
  if (error !== undefined) throw new Error((error as { message: string }).message)
  return result
}

/** Nothing is sealed within the hour. */
async function start(options: RpcTestNodeOptions = {}) {
  const node = await openRpcTestNode(3600n, ['eth'], options)
  open = node
  const call = (method: string, ...params: unknown[]) => ask(node.dispatcher, method, params)
  const key = dataFromHex(node.privateKeys[0] ?? '')
  return { node, call, key, from: dataToHex(addressOfPrivateKey(key)) }
}

const to = `0x${'11'.repeat(20)}`

describe('an unlocked account', () => {
  it('sends, with what was left out filled in, and two at once with two nonces', async () => {
    const { node, call, key, from } = await start()
    expect(await call('eth_accounts')).toEqual([])
    node.accounts.addKey(key)
    expect(await call('eth_accounts')).toEqual([from])
    const sent = [{ value: '0x1' }, { value: '0x2' }].map((more) =>
      call('eth_sendTransaction', { from, to, ...more }),
    )
    const hashes = await Promise.all(sent)
    const first = await call('eth_getTransactionByHash', hashes[0])
    expect(first).toMatchObject({
      from,
      to,
      gas: '0x5208',
      type: '0x2',
      value: '0x1',
      nonce: '0x0',
    })
    const waiting = (await call('eth_pendingTransactions')) as { hash: string; nonce: string }[]
    expect(waiting.map(({ hash }) => hash).sort()).toEqual([...hashes].sort())
    expect(waiting.map(({ nonce }) => nonce).sort()).toEqual(['0x0', '0x1'])
  })

  it('sends again at another price', async () => {
    const { node, call, key, from } = await start()
    node.accounts.addKey(key)
    const gasPrice = 10n ** 10n
    const given = { from, to, nonce: '0x0', gas: '0x5208', gasPrice: `0x${gasPrice.toString(16)}` }
    const hash = await call('eth_sendTransaction', given)
    const doubled = `0x${(2n * gasPrice).toString(16)}`
    const again = await call('eth_resend', given, doubled, '0x5300')
    expect(await call('eth_getTransactionByHash', hash)).toBeNull()
    expect(await call('eth_getTransactionByHash', again)).toMatchObject({
      gasPrice: doubled,
      gas: '0x5300',
      type: '0x0',
    })
    await expect(call('eth_resend', { from, to })).rejects.toThrow('missing transaction nonce')
    await expect(call('eth_resend', given, doubled)).rejects.toThrow('not found')
  })

  it('signs transactions, messages and typed data', async () => {
    const { node, call, key, from } = await start()
    node.accounts.addKey(key)
    const given = { from, to, gas: '0x5208', gasPrice: '0x3b9aca00', nonce: '0x7' }
    const { raw, tx } = (await call('eth_signTransaction', given)) as { raw: string; tx: object }
    const transaction = decodeTransaction(dataFromHex(raw))
    expect(dataToHex(recoverSender(transaction))).toBe(from)
    expect(tx).toMatchObject({ from, nonce: '0x7', chainId: '0x1092' })
    const filled = (await call('eth_fillTransaction', { from, to, value: '0x5' })) as { tx: object }
    expect(filled.tx).toMatchObject({ value: '0x5', gas: '0x5208', nonce: '0x0', r: '0x0' })

    const signature = await call('eth_sign', from, '0x1234')
    expect(await call('personal_ecRecover', '0x1234', signature)).toBe(from)
    const typedData = {
      domain: { name: 'Cairn' },
      primaryType: 'Stone',
      types: {
        EIP712Domain: [{ name: 'name', type: 'string' }],
        Stone: [{ name: 'weight', type: 'uint256' }],
      },
      message: { weight: '7' },
    } as const
    for (const value of [typedData, JSON.stringify(typedData)]) {
      const signed = (await call('eth_signTypedData_v4', from, value)) as `0x${string}`
      const message = { weight: 7n }
      const signer = await recoverTypedDataAddress({ ...typedData, message, signature: signed })
      expect(signer.toLowerCase()).toBe(from)
    }
    await expect(call('eth_signTypedData_v4', from, '{')).rejects.toThrow('no JSON')
    await expect(call('eth_signTypedData_v4', from, { primaryType: 'A' })).rejects.toThrow(
      'cannot unmarshal null into',
    )
  })

  it('signs messages by the name that wallets give it, where `personal` is not served too', async () => {
    const { node, call, key, from } = await start()
    const publicly = (method: string, ...params: unknown[]) =>
      ask(node.publicDispatcher, method, params)
    await expect(publicly('personal_sign', '0x1234', from)).rejects.toThrow('unknown account')
    node.accounts.addKey(key)
    const signature = await call('eth_sign', from, '0x1234')
    expect(await publicly('personal_sign', '0x1234', from)).toBe(signature)
    expect(await call('personal_sign', '0x1234', from)).toBe(signature)
    // Remix sends an empty password.
    expect(await publicly('personal_sign', '0x1234', from, '')).toBe(signature)
    expect(await call('personal_sign', '0x1234', from, '')).toBe(signature)
    expect(await publicly('rpc_modules')).not.toHaveProperty('personal')
    await expect(publicly('personal_sign', '0x1234', from, 'secret')).rejects.toThrow(
      'invalid argument 2: passwords are taken where the namespace personal is served',
    )
  })

  it('refuses what geth refuses, in its words', async () => {
    const { node, call, key, from } = await start()
    const send = (more: object) => call('eth_sendTransaction', { from, to, ...more })
    await expect(send({})).rejects.toThrow(/^unknown account$/)
    node.accounts.addKey(key)
    await expect(send({ to: null })).rejects.toThrow('contract creation without any data provided')
    await expect(send({ chainId: '0x1' })).rejects.toThrow(
      "chainId does not match node's (have=1, want=4242)",
    )
    await expect(send({ maxFeePerGas: '0x1', maxPriorityFeePerGas: '0x2' })).rejects.toThrow(
      'maxFeePerGas (1) < maxPriorityFeePerGas (2)',
    )
    await expect(send({ gas: '0x1c9c380', gasPrice: '0x174876e800' })).rejects.toThrow(
      'tx fee (3.00 ether) exceeds the configured cap (1.00 ether)',
    )
    await expect(call('eth_signTransaction', { from, to })).rejects.toThrow('gas not specified')
    node.accounts.lock(addressOfPrivateKey(key))
    await expect(send({})).rejects.toThrow('unknown account')
  })
})

describe('personal', () => {
  async function startWithKeys() {
    const clock = createVirtualClock()
    const files = createMemoryFileSystem()
    return { clock, files, ...(await start({ clock, keys: new KeyFolder(files, '/keystore') })) }
  }

  it('makes, imports and lists key files', async () => {
    const { call, key, from, files } = await startWithKeys()
    const made = await call('personal_newAccount', 'secret')
    expect(await call('personal_importRawKey', dataToHex(key).slice(2), 'secret')).toBe(from)
    expect(((await call('personal_listAccounts')) as string[]).sort()).toEqual([made, from].sort())
    expect(await call('personal_listWallets')).toContainEqual({
      url: expect.stringMatching(/^keystore:\/\/\/keystore\/UTC--/),
      status: 'Locked',
      accounts: [{ address: from, url: expect.stringContaining(from.slice(2)) }],
    })
    expect(await files.list('/keystore')).toHaveLength(2)
    await expect(call('personal_importRawKey', 'zz', 'secret')).rejects.toThrow('private key')
    await expect(call('personal_importRawKey', dataToHex(key), 'secret')).rejects.toThrow(
      'account already exists',
    )
  })

  it('unlocks for a time, and locks', async () => {
    const { call, key, from, clock } = await startWithKeys()
    await call('personal_importRawKey', dataToHex(key), 'secret')
    const sign = () => call('eth_sign', from, '0x12')
    await expect(sign()).rejects.toThrow('authentication needed: password or unlock')
    await expect(call('personal_unlockAccount', from, 'wrong')).rejects.toThrow(
      'could not decrypt key with given password',
    )
    await expect(call('personal_unlockAccount', to, 'secret')).rejects.toThrow(
      'no key for given address or file',
    )
    await expect(call('personal_unlockAccount', from, 'secret', 1e10)).rejects.toThrow(
      'unlock duration too large',
    )
    expect(await call('personal_unlockAccount', from, 'secret', 10)).toBe(true)
    await clock.advance(9_000)
    expect(await sign()).toMatch(/^0x/)
    await clock.advance(2_000)
    await expect(sign()).rejects.toThrow('authentication needed')
    await call('personal_unlockAccount', from, 'secret', 0)
    await call('personal_unlockAccount', from, 'secret', 1)
    await clock.advance(10_000)
    expect(await sign()).toMatch(/^0x/)
    expect(await call('personal_lockAccount', from)).toBe(true)
    await expect(sign()).rejects.toThrow('authentication needed')
  })

  it('signs and sends with the password of the moment', async () => {
    const { call, key, from } = await startWithKeys()
    await call('personal_importRawKey', dataToHex(key), 'secret')
    const hash = await call('personal_sendTransaction', { from, to, value: '0x1' }, 'secret')
    expect(await call('eth_getTransactionByHash', hash)).toMatchObject({ from, value: '0x1' })
    const given = { from, to, gas: '0x5208', gasPrice: '0x3b9aca00', nonce: '0x1' }
    expect(await call('personal_signTransaction', given, 'secret')).toMatchObject({
      tx: { from, nonce: '0x1' },
    })
    const signature = (await call('personal_sign', '0x12', from, 'secret')) as string
    expect(await call('personal_ecRecover', '0x12', signature)).toBe(from)
    await expect(call('personal_ecRecover', '0x12', '0x12')).rejects.toThrow('65 bytes')
    await expect(call('personal_ecRecover', '0x12', `${signature.slice(0, -2)}05`)).rejects.toThrow(
      'invalid Ethereum signature (V is not 27 or 28)',
    )
    await expect(call('eth_sign', from, '0x12')).rejects.toThrow('authentication needed')
  })
})

describe('the account manager', () => {
  it('overwrites keys when it locks, and leaves the bytes of its caller alone', async () => {
    const { node } = await start()
    const key = keccak256(utf8('another'))
    const address = node.accounts.addKey(key)
    const held = node.accounts.withKey(address, (it) => it)
    expect(held).toEqual(key)
    node.accounts.close()
    expect(held).toEqual(new Uint8Array(32))
    expect(key).toEqual(keccak256(utf8('another')))
  })
})
