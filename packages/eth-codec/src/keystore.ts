/**
 * Key files, "Web3 Secret Storage" version 3: a private key under a password. Reads and writes scrypt and PBKDF2.
 * Node only: ciphers and key derivation are node:crypto's, off the main thread. Not here: version 1, folders of files
 * (key-folder.ts).
 */
import {
  createCipheriv,
  createDecipheriv,
  pbkdf2,
  type ScryptOptions,
  scrypt,
  timingSafeEqual,
} from 'node:crypto'
import { promisify } from 'node:util'
import { concatBytes, equalBytes, fromUtf8, type Random, toHex, utf8 } from '@cairn/core'
import { scrypt as wasmScrypt } from 'hash-wasm'
import { addressFromText, addressOfPrivateKey } from './address.ts'
import { KeyFileError } from './errors.ts'
import { dataToHex, looseDataFromHex } from './hex.ts'
import { keccak256 } from './keccak256.ts'
import { isPrivateKey } from './secp256k1.ts'

/** The file as JSON; member names are the format's. */
export interface KeyFile {
  /** 40 hexadecimal digits without `0x`; some programs leave it out. */
  readonly address?: string
  readonly crypto: {
    readonly cipher: 'aes-128-ctr'
    readonly cipherparams: { readonly iv: string }
    readonly ciphertext: string
    readonly kdf: 'scrypt' | 'pbkdf2'
    readonly kdfparams: ScryptParameters | Pbkdf2Parameters
    readonly mac: string
  }
  readonly id: string
  readonly version: 3
}

interface ScryptParameters {
  readonly dklen: number
  readonly n: number
  readonly p: number
  readonly r: number
  readonly salt: string
}

interface Pbkdf2Parameters {
  readonly c: number
  readonly dklen: number
  readonly prf: 'hmac-sha256'
  readonly salt: string
}

/** Cost of guessing a password: `standard` takes about a second and 256 MiB, `light` 4 MiB and a tenth (geth's two). */
export type KeyFileCost = 'standard' | 'light'

const scryptCosts = {
  standard: { n: 262_144, r: 8, p: 1 },
  light: { n: 4096, r: 8, p: 6 },
} as const

const derivedKeyBytesSize = 32
/** A file asks for its own cost. Four times geth's standard is more than any program writes. */
const scryptMemoryBytesMax = 1024 * 1024 * 1024
const scryptParallelMax = 64
/** Memory written in all its rounds, some seconds of work: sixteen times geth's standard. */
const scryptWorkBytesMax = 4 * 1024 * 1024 * 1024
const pbkdf2RoundsMax = 10_000_000
/** A key file has some 500 bytes. */
export const keyFileBytesMax: number = 64 * 1024

const deriveScrypt = promisify<string | Uint8Array, Uint8Array, number, ScryptOptions, Buffer>(
  scrypt,
)
const derivePbkdf2 = promisify(pbkdf2)

/** @throws Secp256k1Error when the private key is none. */
export async function encryptKey(
  privateKey: Uint8Array,
  password: string,
  options: { readonly random: Random; readonly cost?: KeyFileCost },
): Promise<KeyFile> {
  const { random, cost = 'standard' } = options
  const address = addressOfPrivateKey(privateKey)
  const salt = random.bytes(32)
  const iv = random.bytes(16)
  const kdfparams = { dklen: derivedKeyBytesSize, ...scryptCosts[cost], salt: toHex(salt) }
  const derived = await runScrypt(password, salt, kdfparams)
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const ciphertext = concatBytes(cipher.update(privateKey), cipher.final())
  return {
    address: toHex(address),
    crypto: {
      cipher: 'aes-128-ctr',
      ciphertext: toHex(ciphertext),
      cipherparams: { iv: toHex(iv) },
      kdf: 'scrypt',
      kdfparams,
      mac: toHex(macOf(derived, ciphertext)),
    },
    id: uuidOf(random.bytes(16)),
    version: 3,
  }
}

/**
 * @returns the private key, 32 bytes.
 * @throws KeyFileError when the password is wrong or the file is none.
 */
export async function decryptKey(keyFile: KeyFile, password: string): Promise<Uint8Array> {
  const { crypto } = keyFile
  const ciphertext = fileHex(crypto.ciphertext, 'ciphertext', 32)
  const derived = await derive(crypto, password)
  if (!timingSafeEqual(macOf(derived, ciphertext), fileHex(crypto.mac, 'mac', 32))) {
    throw new KeyFileError(
      { code: 'PASSWORD_WRONG' },
      { shortMessage: 'could not decrypt key with given password' },
    )
  }
  const iv = fileHex(crypto.cipherparams.iv, 'iv', 16)
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const privateKey = concatBytes(decipher.update(ciphertext), decipher.final())
  if (!isPrivateKey(privateKey)) throw malformed('the decrypted bytes are no private key')
  const address = addressOfPrivateKey(privateKey)
  const named = keyFileAddress(keyFile)
  if (named !== undefined && !equalBytes(named, address)) {
    throw new KeyFileError(
      { code: 'ADDRESS_MISMATCH', named: dataToHex(named), address: dataToHex(address) },
      {
        shortMessage: 'The key file holds the key of another address than it names.',
        metaMessages: [`It names ${dataToHex(named)}, its key is that of ${dataToHex(address)}.`],
      },
    )
  }
  return privateKey
}

/** The address that a key file names, without opening it; undefined when it names none. */
export function keyFileAddress({ address }: KeyFile): Uint8Array | undefined {
  return address === undefined || address === '' ? undefined : addressFromText(address)
}

/** `UTC--2026-01-02T03-04-05.678000000Z--<address>`, as geth names its files. @param nowMs Since the Unix epoch. */
export function keyFileName(address: Uint8Array, nowMs: number): string {
  const time = new Date(nowMs).toISOString().replace('Z', '000000Z').replaceAll(':', '-')
  return `UTC--${time}--${toHex(address)}`
}

/**
 * Reads the bytes of a key file, with `crypto` also spelled `Crypto`.
 * @throws KeyFileError.
 */
export function parseKeyFile(bytes: Uint8Array): KeyFile {
  if (bytes.length > keyFileBytesMax) throw malformed(`it has ${bytes.length} bytes`)
  let json: unknown
  try {
    json = JSON.parse(fromUtf8(bytes))
  } catch (cause) {
    throw malformed('it is not JSON', cause)
  }
  const file = objectOf(json, 'the file')
  const { version } = file
  if (version !== 3 && version !== '3') throw malformed('its version is not 3')
  const crypto = objectOf(file['crypto'] ?? file['Crypto'], 'crypto')
  const { cipher, kdf } = crypto
  if (cipher !== 'aes-128-ctr') throw malformed('its cipher is not aes-128-ctr')
  if (kdf !== 'scrypt' && kdf !== 'pbkdf2') throw malformed('its kdf is neither scrypt nor pbkdf2')
  const parameters = objectOf(crypto['kdfparams'], 'kdfparams')
  const address = file['address']
  return {
    ...(address === undefined ? {} : { address: textOf(address, 'address') }),
    crypto: {
      cipher,
      cipherparams: { iv: textOf(objectOf(crypto['cipherparams'], 'cipherparams')['iv'], 'iv') },
      ciphertext: textOf(crypto['ciphertext'], 'ciphertext'),
      kdf,
      kdfparams: kdf === 'scrypt' ? scryptOf(parameters) : pbkdf2Of(parameters),
      mac: textOf(crypto['mac'], 'mac'),
    },
    id: file['id'] === undefined ? '' : textOf(file['id'], 'id'),
    version: 3,
  }
}

export function formatKeyFile(keyFile: KeyFile): Uint8Array {
  return utf8(JSON.stringify(keyFile))
}

function scryptOf(parameters: Record<string, unknown>): ScryptParameters {
  const { n, r, p } = {
    n: countOf(parameters['n'], 'n', 2 ** 31),
    r: countOf(parameters['r'], 'r', 1024),
    p: countOf(parameters['p'], 'p', scryptParallelMax),
  }
  if (n < 2 || (n & (n - 1)) !== 0) throw malformed('its n is not a power of two above 1')
  if (128 * n * r > scryptMemoryBytesMax) {
    throw malformed(
      `it asks for ${128 * n * r} bytes of memory, ${scryptMemoryBytesMax} are allowed`,
    )
  }
  if (128 * n * r * p > scryptWorkBytesMax) {
    throw malformed(
      `it asks for ${128 * n * r * p} bytes of work, ${scryptWorkBytesMax} are allowed`,
    )
  }
  return { dklen: keyLengthOf(parameters), n, r, p, salt: textOf(parameters['salt'], 'salt') }
}

function pbkdf2Of(parameters: Record<string, unknown>): Pbkdf2Parameters {
  if (parameters['prf'] !== 'hmac-sha256') throw malformed('its prf is not hmac-sha256')
  return {
    c: countOf(parameters['c'], 'c', pbkdf2RoundsMax),
    dklen: keyLengthOf(parameters),
    prf: 'hmac-sha256',
    salt: textOf(parameters['salt'], 'salt'),
  }
}

function keyLengthOf(parameters: Record<string, unknown>): number {
  const dklen = countOf(parameters['dklen'], 'dklen', 64)
  if (dklen < derivedKeyBytesSize) throw malformed(`its dklen is ${dklen}, 32 are needed`)
  return dklen
}

async function derive(crypto: KeyFile['crypto'], password: string): Promise<Uint8Array> {
  const salt = fileHex(crypto.kdfparams.salt, 'salt')
  const parameters = crypto.kdfparams
  if ('c' in parameters) {
    return derivePbkdf2(utf8(password), salt, parameters.c, parameters.dklen, 'sha256')
  }
  return runScrypt(password, salt, parameters)
}

async function runScrypt(
  password: string,
  salt: Uint8Array,
  { n, r, p, dklen }: Omit<ScryptParameters, 'salt'>,
): Promise<Uint8Array> {
  if (n >= 2 ** (16 * r)) return runUnboundedScrypt(password, salt, { n, r, p, dklen })
  // Node refuses more than 32 MiB unless told. OpenSSL counts some blocks of its own beside those of the algorithm.
  const maxmem = 128 * r * (n + p) + 1024 * 1024
  return deriveScrypt(utf8(password), salt, dklen, { N: n, r, p, maxmem })
}

/** RFC 7914 wants n below 2^(16 r), and OpenSSL holds to it; some wallets, and ethereum/tests, have r = 1, n = 2^18. */
function runUnboundedScrypt(
  password: string,
  salt: Uint8Array,
  { n, r, p, dklen }: Omit<ScryptParameters, 'salt'>,
): Promise<Uint8Array> {
  return wasmScrypt({
    password: utf8(password),
    salt,
    costFactor: n,
    blockSize: r,
    parallelism: p,
    hashLength: dklen,
    outputType: 'binary',
  })
}

function macOf(derived: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return keccak256(concatBytes(derived.subarray(16, 32), ciphertext))
}

function fileHex(text: string, member: string, bytesSize?: number): Uint8Array {
  try {
    return looseDataFromHex(text, bytesSize)
  } catch (cause) {
    throw malformed(`its ${member} is not hexadecimal of the right length`, cause)
  }
}

function objectOf(value: unknown, member: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw malformed(`${member} is not a JSON object`)
}

function textOf(value: unknown, member: string): string {
  if (typeof value === 'string') return value
  throw malformed(`its ${member} is not text`)
}

function countOf(value: unknown, member: string, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max) {
    return value
  }
  throw malformed(`its ${member} is not a whole number from 1 to ${max}`)
}

/** Version 4 (RFC 9562): random, with the bits that say so. */
function uuidOf(bytes: Uint8Array): string {
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function malformed(reason: string, cause?: unknown): KeyFileError {
  return new KeyFileError(
    { code: 'KEY_FILE_MALFORMED', reason },
    { shortMessage: `The key file cannot be read: ${reason}.`, cause },
  )
}
