/**
 * Keys that a node signs with: those of a folder of key files, opened by their passwords, and those that were unlocked.
 * Texts of errors are geth's (accounts, 1.13). A key is overwritten when its account is locked.
 */
import { BaseError, type Clock, type Random } from '@cairn/core'
import {
  addressOfPrivateKey,
  dataFromHex,
  dataToHex,
  encryptKey,
  isPrivateKey,
  type KeyFileCost,
  type KeyFolder,
  type StoredKey,
} from '@cairn/eth-codec'

export type AccountErrorType =
  | { readonly code: 'ACCOUNT_UNKNOWN'; readonly address: string }
  | { readonly code: 'ACCOUNT_LOCKED'; readonly address: string }
  | { readonly code: 'KEY_INVALID' }
  | { readonly code: 'NO_KEY_FOLDER' }

export class AccountError extends BaseError<AccountErrorType> {
  override readonly name = 'AccountError'
}

export interface AccountManagerOptions {
  readonly clock: Clock
  readonly random: Random
  /** Absent: only keys that the caller unlocks. */
  readonly keys?: KeyFolder
  /** Of new key files. */
  readonly keyFileCost?: KeyFileCost
}

interface UnlockedKey {
  readonly privateKey: Uint8Array
  /** Ends the wait for its time; undefined when it stays unlocked until the node ends. */
  readonly timer: AbortController | undefined
}

/** The longest that a timer of the system waits at once. */
const sleepMsMax = 2 ** 31 - 1
const keyBytesSize = 32

export class AccountManager {
  readonly #clock: Clock
  readonly #random: Random
  readonly #keys: KeyFolder | undefined
  readonly #keyFileCost: KeyFileCost
  readonly #unlocked = new Map<string, UnlockedKey>()

  constructor({ clock, random, keys, keyFileCost = 'standard' }: AccountManagerOptions) {
    this.#clock = clock
    this.#random = random
    this.#keys = keys
    this.#keyFileCost = keyFileCost
  }

  /** Lower case: those of the folder, then those that were unlocked without it. */
  async addresses(): Promise<string[]> {
    const stored = (await this.stored()).map(({ address }) => dataToHex(address))
    return [...new Set([...stored, ...this.#unlocked.keys()])]
  }

  /** The key files. */
  async stored(): Promise<StoredKey[]> {
    return (await this.#keys?.list()) ?? []
  }

  /** @param address 20 bytes. */
  isUnlocked(address: Uint8Array): boolean {
    return this.#unlocked.has(dataToHex(address))
  }

  get hasUnlocked(): boolean {
    return this.#unlocked.size > 0
  }

  /** Takes a copy of the key, until the node ends. @returns its address. */
  addKey(privateKey: Uint8Array): Uint8Array {
    const address = addressOfPrivateKey(privateKey)
    this.#hold(address, privateKey.slice(), undefined)
    return address
  }

  /**
   * @param durationMs Undefined until the node ends. An account that is unlocked for good stays so.
   * @throws KeyFileError when there is no such key or the password is wrong.
   */
  async unlock(address: Uint8Array, password: string, durationMs?: number): Promise<void> {
    const privateKey = await this.#open(address, password)
    const held = this.#unlocked.get(dataToHex(address))
    if (held !== undefined && held.timer === undefined) {
      privateKey.fill(0)
      return
    }
    this.#hold(address, privateKey, durationMs)
  }

  lock(address: Uint8Array): void {
    const name = dataToHex(address)
    const held = this.#unlocked.get(name)
    held?.timer?.abort()
    held?.privateKey.fill(0)
    this.#unlocked.delete(name)
  }

  /** Locks all. */
  close(): void {
    for (const name of [...this.#unlocked.keys()]) this.lock(dataFromHex(name))
  }

  /** @throws AccountError when the account cannot sign. */
  async checkUnlocked(address: Uint8Array): Promise<void> {
    if (this.isUnlocked(address)) return
    const name = dataToHex(address)
    if (!(await this.addresses()).includes(name)) throw unknownAccount(name)
    throw lockedAccount(name)
  }

  /**
   * @param use Gets the key, and must not keep it.
   * @throws AccountError ACCOUNT_LOCKED.
   */
  withKey<T>(address: Uint8Array, use: (privateKey: Uint8Array) => T): T {
    const held = this.#unlocked.get(dataToHex(address))
    if (held === undefined) throw lockedAccount(dataToHex(address))
    return use(held.privateKey)
  }

  /** Opens the key for this once. @throws KeyFileError. */
  async withPassword<T>(
    address: Uint8Array,
    password: string,
    use: (privateKey: Uint8Array) => T | Promise<T>,
  ): Promise<T> {
    const privateKey = await this.#open(address, password)
    try {
      return await use(privateKey)
    } finally {
      privateKey.fill(0)
    }
  }

  /** Makes a key. @returns its address. */
  async create(password: string): Promise<Uint8Array> {
    for (;;) {
      const privateKey = this.#random.bytes(keyBytesSize)
      if (isPrivateKey(privateKey)) return await this.importKey(privateKey, password)
    }
  }

  /** Keeps a key in the folder, and overwrites the bytes given. @returns its address. @throws KeyFileError. */
  async importKey(privateKey: Uint8Array, password: string): Promise<Uint8Array> {
    try {
      if (!isPrivateKey(privateKey)) {
        throw new AccountError({ code: 'KEY_INVALID' }, { shortMessage: 'invalid private key' })
      }
      const options = { random: this.#random, cost: this.#keyFileCost }
      const keyFile = await encryptKey(privateKey, password, options)
      return (await this.#folder().add(keyFile, this.#clock.nowMs())).address
    } finally {
      privateKey.fill(0)
    }
  }

  async #open(address: Uint8Array, password: string): Promise<Uint8Array> {
    return this.#folder().open(address, password)
  }

  #folder(): KeyFolder {
    if (this.#keys === undefined) throw noFolder()
    return this.#keys
  }

  #hold(address: Uint8Array, privateKey: Uint8Array, durationMs: number | undefined): void {
    this.lock(address)
    const timer = durationMs === undefined ? undefined : new AbortController()
    this.#unlocked.set(dataToHex(address), { privateKey, timer })
    if (timer !== undefined && durationMs !== undefined) {
      void this.#lockLater(address, this.#clock.nowMs() + durationMs, timer.signal)
    }
  }

  async #lockLater(address: Uint8Array, timeMs: number, signal: AbortSignal): Promise<void> {
    try {
      for (let left = timeMs - this.#clock.nowMs(); left > 0; left = timeMs - this.#clock.nowMs()) {
        await this.#clock.sleep(Math.min(left, sleepMsMax), signal)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
    if (!signal.aborted) this.lock(address)
  }
}

function unknownAccount(address: string): AccountError {
  return new AccountError(
    { code: 'ACCOUNT_UNKNOWN', address },
    { shortMessage: 'unknown account', metaMessages: [`Address: ${address}`] },
  )
}

function lockedAccount(address: string): AccountError {
  return new AccountError(
    { code: 'ACCOUNT_LOCKED', address },
    {
      shortMessage: 'authentication needed: password or unlock',
      metaMessages: [`Address: ${address}`, 'Unlock it: --unlock, or personal_unlockAccount.'],
    },
  )
}

function noFolder(): AccountError {
  return new AccountError(
    { code: 'NO_KEY_FOLDER' },
    { shortMessage: 'this node keeps no key files' },
  )
}
