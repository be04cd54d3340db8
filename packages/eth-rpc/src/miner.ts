/** Who seals here and how: what `miner` steers. Sealing begins and ends any number of times while the node runs. */
import type { ChainNode } from '@cairn/eth-chain'
import { addressOfPrivateKey, dataToHex } from '@cairn/eth-codec'
import type { AccountManager } from './accounts/account-manager.ts'
import { faults } from './faults.ts'

export interface MinerOptions {
  readonly node: ChainNode
  readonly accounts: AccountManager
  /** The key to seal with unless another is chosen; copied. It need not be an account of the node. */
  readonly privateKey?: Uint8Array
  readonly vanity?: Uint8Array
  readonly gasLimitWanted?: bigint
}

/** EIP-225, EXTRA_VANITY. */
const vanityBytesMax = 32

export class Miner {
  readonly #options: MinerOptions
  readonly #ownKey: Uint8Array | undefined
  readonly #ownAddress: string | undefined
  #etherbase: string | undefined
  #vanity: Uint8Array | undefined
  #gasLimitWanted: bigint | undefined

  constructor(options: MinerOptions) {
    const { privateKey, vanity, gasLimitWanted } = options
    this.#options = options
    this.#ownKey = privateKey?.slice()
    this.#ownAddress = privateKey && dataToHex(addressOfPrivateKey(privateKey))
    this.#etherbase = this.#ownAddress
    this.#vanity = vanity
    this.#gasLimitWanted = gasLimitWanted
  }

  /** `0x` and 40 lower-case digits; undefined while nobody was chosen. */
  get etherbase(): string | undefined {
    return this.#etherbase
  }

  get isSealing(): boolean {
    return this.#options.node.execution.isSealing
  }

  /** Does nothing while it seals. @throws RpcFault or AccountError when there is no key. */
  async start(): Promise<void> {
    if (this.isSealing) return
    const { node } = this.#options
    const etherbase = this.#etherbase
    if (etherbase === undefined) {
      throw faults.server('etherbase missing: etherbase must be explicitly specified')
    }
    const privateKey = await this.#keyOf(etherbase)
    await node.startSealing({
      privateKey,
      ...(this.#vanity === undefined ? {} : { vanity: this.#vanity }),
      ...(this.#gasLimitWanted === undefined ? {} : { gasLimitWanted: this.#gasLimitWanted }),
    })
  }

  async stop(): Promise<void> {
    await this.#options.node.stopSealing()
  }

  /** Takes over at once when it seals; the old one goes on when the new one has no key here. */
  async setEtherbase(address: Uint8Array): Promise<void> {
    const name = dataToHex(address)
    if (this.isSealing && name !== this.#etherbase) {
      await this.#keyOf(name)
      await this.stop()
      this.#etherbase = name
      await this.start()
    }
    this.#etherbase = name
  }

  /** From the next block on. */
  setVanity(vanity: Uint8Array): void {
    if (vanity.length > vanityBytesMax) {
      throw faults.server(`extra exceeds max length. ${vanity.length} > ${vanityBytesMax}`)
    }
    this.#vanity = vanity
    this.#options.node.execution.setVanity(vanity)
  }

  /** From the next block on. */
  setGasLimit(gasLimit: bigint): void {
    this.#gasLimitWanted = gasLimit
    this.#options.node.execution.setGasLimit(gasLimit)
  }

  /** Ends sealing and overwrites the key. */
  async close(): Promise<void> {
    await this.stop()
    this.#ownKey?.fill(0)
  }

  /** A copy: sealing goes on when the account is locked, as it does in geth. */
  async #keyOf(address: string): Promise<Uint8Array> {
    if (address === this.#ownAddress && this.#ownKey !== undefined) return this.#ownKey
    const { accounts } = this.#options
    const bytes = Uint8Array.from(Buffer.from(address.slice(2), 'hex'))
    await accounts.checkUnlocked(bytes)
    return accounts.withKey(bytes, (key) => key.slice())
  }
}
