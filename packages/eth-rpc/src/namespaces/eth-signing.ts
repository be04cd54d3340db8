/** Methods of `eth` that sign with keys of this node, as far as they are unlocked. Texts are geth's (1.13). */
import { concatBytes } from '@cairn/core'
import {
  dataToHex,
  signHash,
  signingHash,
  signMessage,
  type TypedData,
  typedDataHash,
} from '@cairn/eth-codec'
import type { AccountManager } from '../accounts/account-manager.ts'
import { checkComplete, formatSigned, type Sender } from '../accounts/sender.ts'
import { readTransactionArguments, type TransactionArguments } from '../call-arguments.ts'
import { faults } from '../faults.ts'
import { formatTransaction } from '../format.ts'
import { type MethodTable, method, optional, required } from '../method.ts'
import { parameters, readObject } from '../parameters.ts'

const transaction = required(readTransactionArguments)
const { address, data, quantity, uint64 } = parameters
const zeroAddress = new Uint8Array(20)

export function ethSigningMethods(sender: Sender): MethodTable {
  const { accounts } = sender
  return {
    eth_sendTransaction: method([transaction], async ([given]) => {
      const from = given.from ?? zeroAddress
      await accounts.checkUnlocked(from)
      const filled = await sender.fill(given)
      return accounts.withKey(from, (key) => sender.send(filled, key))
    }),
    eth_signTransaction: method([transaction], async ([given]) => {
      checkComplete(given)
      const from = given.from ?? zeroAddress
      await accounts.checkUnlocked(from)
      const filled = await sender.fill(given)
      return formatSigned(
        accounts.withKey(from, (key) => sender.sign(filled, key)),
        from,
      )
    }),
    eth_fillTransaction: method([transaction], ([given]) => sender.fillUnsigned(given)),
    eth_sign: method([address, data], ([by, message]) => signUnlocked(accounts, by, message)),
    // ethers, viem and Hardhat ask for it where a wallet would sign. Without a password it does no more than eth_sign,
    // so it is served where `personal`, whose method replaces this one, is not.
    personal_sign: method([data, address, optional(noPassword)], ([message, by]) =>
      signUnlocked(accounts, by, message),
    ),
    eth_signTypedData_v4: method([address, typedData], async ([by, value]) => {
      await accounts.checkUnlocked(by)
      const { r, s, yParity } = accounts.withKey(by, (key) => signHash(typedDataHash(value), key))
      return dataToHex(concatBytes(r, s, Uint8Array.of(27 + yParity)))
    }),
    eth_pendingTransactions: method([], async () => {
      const addresses = new Set(await accounts.addresses())
      return [...sender.node.pool.content().values()]
        .flatMap(({ pending }) => pending)
        .filter(({ from }) => addresses.has(from))
        .map((pooled) => formatTransaction(pooled.transaction, pooled.sender, undefined))
    }),
    eth_resend: method(
      [transaction, optional(quantity), optional(uint64)],
      async ([given, gasPrice, gas]) => resend(sender, given, gasPrice, gas),
    ),
  }
}

/** EIP-191, version 0x45. @throws AccountError when the account is not unlocked. */
export async function signUnlocked(
  accounts: AccountManager,
  by: Uint8Array,
  message: Uint8Array,
): Promise<string> {
  await accounts.checkUnlocked(by)
  return dataToHex(accounts.withKey(by, (key) => signMessage(message, key)))
}

/** Sends a waiting transaction again at another price, or with other gas. */
async function resend(
  sender: Sender,
  given: TransactionArguments,
  gasPrice: bigint | undefined,
  gas: bigint | undefined,
): Promise<string> {
  if (given.nonce === undefined) {
    throw faults.server('missing transaction nonce in transaction spec')
  }
  const from = given.from ?? zeroAddress
  await sender.accounts.checkUnlocked(from)
  const filled = await sender.fill(given)
  const wanted = dataToHex(signingHash({ ...filled, nonce: given.nonce }))
  const { pending, queued } = sender.node.pool.contentFrom(from)
  const waiting = [...pending, ...queued].find(
    (pooled) => dataToHex(signingHash(pooled.transaction)) === wanted,
  )
  if (waiting === undefined) throw faults.server(`transaction ${wanted} not found`)
  const price =
    gasPrice === undefined || gasPrice === 0n
      ? {}
      : { maxFeePerGas: gasPrice, maxPriorityFeePerGas: gasPrice }
  const again = { ...filled, ...price, gasLimit: gas || filled.gasLimit }
  return sender.accounts.withKey(from, (key) => sender.send(again, key))
}

/** Passwords are not for guessing where everybody may ask. Remix sends an empty one. */
const noPassword = required((value) => {
  if (value !== '') throw new Error('passwords are taken where the namespace personal is served')
})

/** An object, or the text of one: wallets' libraries send either. */
const typedData = required((value): TypedData => {
  const object = readObject(typeof value === 'string' ? parsed(value) : value, 'apitypes.TypedData')
  const { types, primaryType, domain, message } = object
  if (typeof primaryType !== 'string') throw new Error('primaryType is not text')
  return {
    types: readTypes(types),
    primaryType,
    domain: readObject(domain, 'apitypes.TypedDataDomain'),
    message: readObject(message, 'apitypes.TypedDataMessage'),
  }
})

function readTypes(value: unknown): TypedData['types'] {
  const types = readObject(value, 'apitypes.Types')
  for (const fields of Object.values(types)) {
    const isFine =
      Array.isArray(fields) &&
      fields.every((field: unknown) => {
        const { name, type } = readObject(field, 'apitypes.Type')
        return typeof name === 'string' && typeof type === 'string'
      })
    if (!isFine) throw new Error('types are not lists of name and type')
  }
  return types as TypedData['types']
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('typed data is no JSON')
  }
}
