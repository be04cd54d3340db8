/**
 * A folder of key files, geth's `keystore`: one file a key, found by the address in it. Files that are no key files are
 * left alone and listed apart. Unlocked keys are their holder's business.
 */
import { equalBytes, type FileSystem } from '@cairn/core'
import { AddressError, KeyFileError } from './errors.ts'
import { dataToHex } from './hex.ts'
import {
  decryptKey,
  formatKeyFile,
  type KeyFile,
  keyFileAddress,
  keyFileBytesMax,
  keyFileName,
  parseKeyFile,
} from './keystore.ts'

export interface StoredKey {
  /** 20 bytes. */
  readonly address: Uint8Array
  readonly path: string
}

/** For the owner alone: the file is worth what its password is. */
const keyFileMode = 0o600

export class KeyFolder {
  readonly #fileSystem: FileSystem
  readonly #folder: string

  constructor(fileSystem: FileSystem, folder: string) {
    this.#fileSystem = fileSystem
    this.#folder = folder
  }

  /** In the order of file names, which is that of creation. An empty or missing folder has none. */
  async list(): Promise<StoredKey[]> {
    if (!(await this.#fileSystem.exists(this.#folder))) return []
    const names = (await this.#fileSystem.list(this.#folder)).sort()
    const keys: StoredKey[] = []
    for (const name of names) {
      // As geth does: hidden files and an editor's backups are no keys.
      if (name.startsWith('.') || name.endsWith('~') || name.endsWith('.tmp')) continue
      const path = `${this.#folder}/${name}`
      const address = await this.#addressIn(path)
      if (address !== undefined) keys.push({ address, path })
    }
    return keys
  }

  async #addressIn(path: string): Promise<Uint8Array | undefined> {
    try {
      return keyFileAddress(await this.#read(path))
    } catch (error) {
      // Something else that lies in the folder, or has just left it, is no reason to hide the keys beside it.
      if (error instanceof KeyFileError || error instanceof AddressError) return undefined
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'EISDIR' || code === 'ENOENT') return undefined
      throw error
    }
  }

  async #read(path: string): Promise<KeyFile> {
    const bytes = await this.#fileSystem.readFile(path)
    return parseKeyFile(bytes.subarray(0, keyFileBytesMax + 1))
  }

  /**
   * The key of an address.
   * @throws KeyFileError when there is none, more than one, or the password is wrong.
   */
  async open(address: Uint8Array, password: string): Promise<Uint8Array> {
    return decryptKey(await this.#read((await this.find(address)).path), password)
  }

  /** @throws KeyFileError when no file, or more than one, names the address. */
  async find(address: Uint8Array): Promise<StoredKey> {
    const found = (await this.list()).filter((key) => equalBytes(key.address, address))
    const [key] = found
    if (key === undefined) {
      throw new KeyFileError(
        { code: 'KEY_NOT_FOUND', address: dataToHex(address) },
        {
          shortMessage: 'no key for given address or file',
          metaMessages: [`Address: ${dataToHex(address)}`, `Folder: ${this.#folder}`],
        },
      )
    }
    if (found.length > 1) {
      throw new KeyFileError(
        { code: 'KEY_AMBIGUOUS', address: dataToHex(address) },
        {
          shortMessage: 'multiple keys match address',
          metaMessages: found.map(({ path }) => path),
        },
      )
    }
    return key
  }

  /**
   * Adds a key file, whole and durable before this resolves.
   * @throws KeyFileError when the folder has a key of that address, or the file names none.
   */
  async add(keyFile: KeyFile, nowMs: number): Promise<StoredKey> {
    const address = keyFileAddress(keyFile)
    if (address === undefined) {
      throw new KeyFileError(
        { code: 'KEY_FILE_MALFORMED', reason: 'no address' },
        { shortMessage: 'The key file names no address.' },
      )
    }
    const known = (await this.list()).find((key) => equalBytes(key.address, address))
    if (known !== undefined) {
      throw new KeyFileError(
        { code: 'KEY_EXISTS', address: dataToHex(address) },
        { shortMessage: 'account already exists', metaMessages: [`File: ${known.path}`] },
      )
    }
    const path = `${this.#folder}/${keyFileName(address, nowMs)}`
    await this.#fileSystem.makeDirectory(this.#folder)
    await this.#fileSystem.writeFileAtomic(path, formatKeyFile(keyFile), keyFileMode)
    return { address, path }
  }

  /** Puts a key under another password in place of the file that has it. @throws KeyFileError as {@link find}. */
  async replace(keyFile: KeyFile): Promise<StoredKey> {
    const address = keyFileAddress(keyFile) ?? new Uint8Array(20)
    const key = await this.find(address)
    await this.#fileSystem.writeFileAtomic(key.path, formatKeyFile(keyFile), keyFileMode)
    return key
  }
}
