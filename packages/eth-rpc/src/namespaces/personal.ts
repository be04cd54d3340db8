/**
 * `personal`: key files and their passwords. Served where only the owner of the node can ask, which is IPC unless told
 * otherwise. Texts are geth's (1.13). Not here: hardware wallets.
 */
import {
  dataToHex,
  looseDataFromHex,
  recoverMessageSigner,
  type StoredKey,
  signMessage,
} from '@cairn/eth-codec'
import { checkComplete, formatSigned, type Sender } from '../accounts/sender.ts'
import { readTransactionArguments } from '../call-arguments.ts'
import { faults } from '../faults.ts'
import { type MethodTable, method, optional, required } from '../method.ts'
import { parameters } from '../parameters.ts'
import { signUnlocked } from './eth-signing.ts'

const transaction = required(readTransactionArguments)
const { address, data, text, count } = parameters
const zeroAddress = new Uint8Array(20)
/** geth: 300. */
const unlockSecondsDefault = 300
/** Of what fits into geth's durations: 2^63 nanoseconds. */
const unlockSecondsMax = 9_223_372_036
const keyBytesSize = 32
const signatureBytesSize = 65

/** @param mayUnlock Says false while other machines can reach the node and nobody has allowed it. */
export function personalMethods(sender: Sender, mayUnlock: () => boolean): MethodTable {
  const { accounts } = sender
  return {
    personal_listAccounts: method([], () => accounts.addresses()),
    personal_listWallets: method([], async () =>
      (await accounts.stored()).map((key) => formatWallet(key, accounts.isUnlocked(key.address))),
    ),
    personal_newAccount: method([text], async ([password]) =>
      dataToHex(await accounts.create(password)),
    ),
    personal_importRawKey: method([text, text], async ([key, password]) =>
      dataToHex(await accounts.importKey(readKey(key), password)),
    ),
    personal_unlockAccount: method(
      [address, optional(text), optional(count)],
      async ([of, password = '', seconds = unlockSecondsDefault]) => {
        if (!mayUnlock()) throw faults.server('account unlock with HTTP access is forbidden')
        if (seconds > unlockSecondsMax) throw faults.server('unlock duration too large')
        await accounts.unlock(of, password, seconds === 0 ? undefined : seconds * 1000)
        return true
      },
    ),
    personal_lockAccount: method([address], ([of]) => {
      accounts.lock(of)
      return true
    }),
    personal_sendTransaction: method([transaction, text], ([given, password]) =>
      accounts.withPassword(given.from ?? zeroAddress, password, async (key) =>
        sender.send(await sender.fill(given), key),
      ),
    ),
    personal_signTransaction: method([transaction, text], ([given, password]) => {
      checkComplete(given)
      const from = given.from ?? zeroAddress
      return accounts.withPassword(from, password, async (key) =>
        formatSigned(sender.sign(await sender.fill(given), key), from),
      )
    }),
    personal_sign: method([data, address, optional(text)], ([message, by, password = '']) =>
      password === '' && accounts.isUnlocked(by)
        ? signUnlocked(accounts, by, message)
        : accounts.withPassword(by, password, (key) => dataToHex(signMessage(message, key))),
    ),
    personal_ecRecover: method([data, data], ([message, signature]) =>
      recoverSigner(message, signature),
    ),
  }
}

function recoverSigner(message: Uint8Array, signature: Uint8Array): string {
  if (signature.length !== signatureBytesSize) {
    throw faults.server('signature must be 65 bytes long')
  }
  const v = signature[signatureBytesSize - 1]
  if (v !== 27 && v !== 28) throw faults.server('invalid Ethereum signature (V is not 27 or 28)')
  const signer = recoverMessageSigner(message, signature)
  if (signer === undefined) throw faults.server('recovery failed')
  return dataToHex(signer)
}

/** Hexadecimal with or without `0x`. The text given never comes back in an error. */
function readKey(key: string): Uint8Array {
  try {
    return looseDataFromHex(key, keyBytesSize)
  } catch {
    throw faults.server('invalid hex data for private key: 64 digits are wanted')
  }
}

function formatWallet({ address: of, path }: StoredKey, isUnlocked: boolean): unknown {
  const url = `keystore://${path}`
  return {
    url,
    status: isUnlocked ? 'Unlocked' : 'Locked',
    accounts: [{ address: dataToHex(of), url }],
  }
}
