/** Target `ethereum-keystore`: key files. Those that are taken open with their password or say why they do not. */
import { concatBytes, toHex } from '@cairn/core'
import {
  AddressError,
  decryptKey,
  encryptKey,
  formatKeyFile,
  KeyFileError,
  keccak256,
  keyFileAddress,
  parseKeyFile,
} from '@cairn/eth-codec'
import type { SeededRandom } from '@cairn/testing'
import { jsonTokens } from '../json-generator.ts'
import { wrongValues } from '../rpc-calls.ts'
import { allowing, inputOfText, mustHold, type Target } from '../target.ts'

const privateKey = keccak256(Uint8Array.of(9))
const password = 'secret'
/** Above this a key file takes longer than everything else together; how much it may ask for has tests of its own. */
const scryptWorkBytesMax = 64 * 1024
const pbkdf2RoundsMax = 64

export const ethereumKeystoreTarget: Target = {
  name: 'ethereum-keystore',
  oracle: 'KeyFileError and AddressError only; nobody gets another key than that of the file',
  sources: /\/packages\/eth-codec\/src\//,
  open: async () => {
    const seeds = await seedFiles()
    return {
      seeds: seeds.map(inputOfText),
      dictionary: [...jsonTokens, ...tokens, ...wrongValues.map(inputOfText)],
      generate: (random) => inputOfText(changed(seeds[random.below(seeds.length)] ?? '', random)),
      run: check,
    }
  },
}

const tokens =
  '"crypto": "Crypto": "kdfparams": "dklen": "salt": "scrypt" "pbkdf2" "mac": "n": 1 2 64 3'
    .split(' ')
    .map(inputOfText)

/** Costs so low that thousands can be opened in a second; the format is the same. */
async function seedFiles(): Promise<string[]> {
  const random = { bytes: (size: number) => new Uint8Array(size).fill(7) }
  const file = await encryptKey(privateKey, password, { random, cost: 'light' })
  const cheap = { n: 2, r: 1, p: 1, dklen: 32, salt: '07'.repeat(32) }
  const rounds = { c: 1, prf: 'hmac-sha256', dklen: 32, salt: '07'.repeat(32) }
  const files: string[] = []
  for (const [kdf, kdfparams] of [
    ['scrypt', cheap],
    ['pbkdf2', rounds],
  ] as const) {
    const { mac, ciphertext, iv } = await sealedWith(kdf)
    const crypto = { ...file.crypto, kdf, kdfparams, mac, ciphertext, cipherparams: { iv } }
    files.push(JSON.stringify({ ...file, crypto }))
    files.push(JSON.stringify({ version: '3', id: '', Crypto: crypto }))
  }
  return files
}

async function sealedWith(kdf: 'scrypt' | 'pbkdf2') {
  const { createCipheriv, pbkdf2Sync, scryptSync } = await import('node:crypto')
  const salt = new Uint8Array(32).fill(7)
  const derived =
    kdf === 'scrypt'
      ? scryptSync(password, salt, 32, { N: 2, r: 1, p: 1 })
      : pbkdf2Sync(password, salt, 1, 32, 'sha256')
  const iv = new Uint8Array(16).fill(7)
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const ciphertext = concatBytes(cipher.update(privateKey), cipher.final())
  const mac = keccak256(concatBytes(derived.subarray(16, 32), ciphertext))
  return { iv: toHex(iv), ciphertext: toHex(ciphertext), mac: toHex(mac) }
}

function changed(text: string, random: SeededRandom): string {
  const values = [...text.matchAll(/:("[^"]*"|\d+)/g)]
  const value = values[random.below(values.length)]
  const wrong = wrongValues[random.below(wrongValues.length)] ?? 'null'
  if (value === undefined) return text
  const start = value.index + 1
  return text.slice(0, start) + wrong + text.slice(start + (value[1]?.length ?? 0))
}

async function check(input: Uint8Array): Promise<void> {
  const file = allowing([KeyFileError], () => parseKeyFile(input))
  if (file === undefined) return
  allowing([AddressError, KeyFileError], () => keyFileAddress(file))
  const again = parseKeyFile(formatKeyFile(file))
  mustHold(JSON.stringify(again) === JSON.stringify(file), 'another file when read again')
  const { kdfparams } = file.crypto
  const isCheap =
    'c' in kdfparams
      ? kdfparams.c <= pbkdf2RoundsMax
      : 128 * kdfparams.n * kdfparams.r * kdfparams.p <= scryptWorkBytesMax
  if (!isCheap) return
  for (const [word, isRight] of [
    [password, true],
    ['wrong', false],
  ] as const) {
    try {
      const key = await decryptKey(file, word)
      // A changed counter opens to another key, as the format's check is over the ciphertext alone.
      mustHold(isRight && key.length === 32, 'a key for a wrong password')
    } catch (error) {
      if (!(error instanceof KeyFileError) && !(error instanceof AddressError)) throw error
    }
  }
}
