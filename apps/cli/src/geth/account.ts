/** `geth account new|list|update|import`: key files in the keystore of a data folder, with geth's words. */
import { readFile } from 'node:fs/promises'
import { systemRandom, toHex } from '@cairn/core'
import {
  addressFromText,
  addressToText,
  encryptKey,
  KeyFolder,
  looseDataFromHex,
} from '@cairn/eth-codec'
import { nodeFileSystem } from '@cairn/journal'
import { exitDone } from '../command.ts'
import { print, type Terminal } from '../terminal.ts'
import { keystoreOf } from './folders.ts'
import { type GethLine, GethUsageError } from './geth-flags.ts'
import { askNewPassword, readPasswordFile } from './passwords.ts'
import { readLine } from './read-line.ts'

const privateKeyBytesSize = 32

export async function runAccount(line: GethLine, terminal: Terminal): Promise<number> {
  const [, action, ...rest] = line.words
  const keys = new KeyFolder(nodeFileSystem, keystoreOf(line))
  switch (action) {
    case 'new':
      return newAccount(line, terminal, keys)
    case 'list':
      return listAccounts(terminal, keys)
    case 'update':
      return updateAccounts(line, terminal, keys, rest)
    case 'import':
      return importKey(line, terminal, keys, rest)
    default:
      throw new GethUsageError('account needs one of: new, list, update, import')
  }
}

async function newAccount(line: GethLine, terminal: Terminal, keys: KeyFolder): Promise<number> {
  if (!line.has('password')) {
    print(
      terminal,
      'Your new account is locked with a password. Please give a password. Do not forget this password.',
    )
  }
  const password = await newPassword(line, terminal)
  const { address, path } = await addKey(line, terminal, keys, freshKey(), password)
  print(
    terminal,
    [
      '',
      'Your new key was generated',
      '',
      `Public address of the key:   ${addressToText(address)}`,
      `Path of the secret key file: ${path}`,
      '',
      '- You can share your public address with anyone. Others need it to interact with you.',
      '- You must NEVER share the secret key with anyone! The key controls access to your funds!',
      '- You must BACKUP your key file! Without the key, it is impossible to access account funds!',
      '- You must REMEMBER your password! Without the password, it is impossible to decrypt the key!',
      '',
    ].join('\n'),
  )
  return exitDone
}

async function listAccounts(terminal: Terminal, keys: KeyFolder): Promise<number> {
  for (const [index, { address, path }] of (await keys.list()).entries()) {
    print(terminal, `Account #${index}: {${toHex(address)}} keystore://${path}`)
  }
  return exitDone
}

async function updateAccounts(
  line: GethLine,
  terminal: Terminal,
  keys: KeyFolder,
  addresses: readonly string[],
): Promise<number> {
  if (addresses.length === 0) throw new GethUsageError('No accounts specified to update')
  const passwords = line.has('password') ? await readPasswordFile(passwordFile(line)) : []
  for (const text of addresses) {
    const address = addressFromText(text)
    const old = passwords[0] ?? (await readLine(terminal, `Password of ${text}: `, true))
    const privateKey = await keys.open(address, old)
    print(terminal, 'Please give a new password. Do not forget this password.')
    const next = passwords[1] ?? (await askNewPassword(terminal))
    await keys.replace(await encrypted(line, privateKey, next))
    privateKey.fill(0)
  }
  return exitDone
}

async function importKey(
  line: GethLine,
  terminal: Terminal,
  keys: KeyFolder,
  [path]: readonly string[],
): Promise<number> {
  if (path === undefined) throw new GethUsageError('keyfile must be given as the only argument')
  const text = (await readFile(path, 'utf8')).trim()
  let privateKey: Uint8Array
  try {
    privateKey = looseDataFromHex(text, privateKeyBytesSize)
  } catch {
    // What the file holds may be a key with a typing mistake, and is not repeated.
    throw new GethUsageError(`Failed to load the private key: ${path} is not 64 hexadecimal digits`)
  }
  const { address } = await addKey(
    line,
    terminal,
    keys,
    privateKey,
    await newPassword(line, terminal),
  )
  print(terminal, `Address: {${toHex(address)}}`)
  return exitDone
}

function freshKey(): Uint8Array {
  // All but one in 2^128 of such numbers are keys; encryptKey refuses the others.
  return systemRandom.bytes(privateKeyBytesSize)
}

async function addKey(
  line: GethLine,
  terminal: Terminal,
  keys: KeyFolder,
  privateKey: Uint8Array,
  password: string,
) {
  const keyFile = await encrypted(line, privateKey, password)
  privateKey.fill(0)
  return keys.add(keyFile, terminal.clock.nowMs())
}

function encrypted(line: GethLine, privateKey: Uint8Array, password: string) {
  const cost = line.has('lightkdf') ? 'light' : 'standard'
  return encryptKey(privateKey, password, { random: systemRandom, cost })
}

async function newPassword(line: GethLine, terminal: Terminal): Promise<string> {
  if (!line.has('password')) return askNewPassword(terminal)
  return (await readPasswordFile(passwordFile(line)))[0] ?? ''
}

function passwordFile(line: GethLine): string {
  return line.text('password') ?? ''
}
