/** `eth_subscribe`: heads, logs and pending transactions pushed over WebSocket and IPC (geth, eth/filters/api.go). */
import type { Random } from '@cairn/core'
import { type ChainStore, logsOfBlock } from '@cairn/eth-chain'
import { dataToHex } from '@cairn/eth-codec'
import type { ChainEvents } from '../chain-events.ts'
import { faults } from '../faults.ts'
import { formatHeader, formatLog, formatTransaction } from '../format.ts'
import { type LogCriteria, readLogCriteria } from '../log-filter.ts'
import { type MethodTable, method, optional, type Subscriber } from '../method.ts'
import { parameters } from '../parameters.ts'

const idBytesSize = 16
/** Of one connection. */
const subscriptionCountMax = 1024

type Push = (result: unknown) => void

export interface SubscriptionOptions {
  readonly store: ChainStore
  readonly events: ChainEvents
  readonly random: Random
}

export function ethSubscriptionMethods(options: SubscriptionOptions): MethodTable {
  const subscriptions = new Subscriptions(options)
  return {
    eth_subscribe: method(
      [parameters.text, optional(parameters.any)],
      ([name, option], { subscriber }) => {
        if (subscriber === undefined) throw faults.notificationsNotSupported()
        return subscriptions.add(subscriber, name, option)
      },
    ),
    eth_unsubscribe: method([parameters.text], ([id], { subscriber }) => {
      if (subscriber === undefined) throw faults.notificationsNotSupported()
      return subscriptions.remove(subscriber, id)
    }),
  }
}

class Subscriptions {
  readonly #store: ChainStore
  readonly #events: ChainEvents
  readonly #random: Random
  /** Of each connection: what ends its subscriptions, by id. */
  readonly #byConnection = new Map<Subscriber, Map<string, () => void>>()

  constructor({ store, events, random }: SubscriptionOptions) {
    this.#store = store
    this.#events = events
    this.#random = random
  }

  add(subscriber: Subscriber, name: string, option: unknown): string {
    const own = this.#ownOf(subscriber)
    if (own.size >= subscriptionCountMax) {
      throw faults.server(`too many subscriptions: at most ${subscriptionCountMax}`)
    }
    const id = dataToHex(this.#random.bytes(idBytesSize))
    own.set(
      id,
      this.#listen(name, option, (result) =>
        subscriber.notify('eth_subscription', { subscription: id, result }),
      ),
    )
    return id
  }

  #ownOf(subscriber: Subscriber): Map<string, () => void> {
    const known = this.#byConnection.get(subscriber)
    if (known !== undefined) return known
    const own = new Map<string, () => void>()
    this.#byConnection.set(subscriber, own)
    subscriber.onClose(() => {
      this.#byConnection.delete(subscriber)
      for (const end of own.values()) end()
    })
    return own
  }

  remove(subscriber: Subscriber, id: string): boolean {
    const own = this.#byConnection.get(subscriber)
    const end = own?.get(id)
    if (own === undefined || end === undefined) throw faults.subscriptionNotFound()
    own.delete(id)
    end()
    return true
  }

  #listen(name: string, option: unknown, push: Push): () => void {
    switch (name) {
      case 'newHeads':
        return this.#events.onBlocks((_, added) => {
          for (const { hash, header } of added)
            push(formatHeader(header, { hash, totalDifficulty: undefined }))
        })
      case 'logs':
        return this.#listenLogs(readCriteria(option), push)
      case 'newPendingTransactions':
        return this.#events.onTransaction(({ hash, transaction, sender }) =>
          push(option === true ? formatTransaction(transaction, sender, undefined) : hash),
        )
      // The node has all it knows of at once; there is never anything to tell.
      case 'syncing':
        return () => undefined
      default:
        throw faults.noSubscription(name, 'eth')
    }
  }

  #listenLogs(wanted: LogCriteria, push: Push): () => void {
    return this.#events.onBlocks((removed, added) => {
      for (const block of removed) {
        for (const log of logsOfBlock(this.#store, block.hash, wanted)) push(formatLog(log, true))
      }
      for (const block of added)
        for (const log of logsOfBlock(this.#store, block.hash, wanted)) push(formatLog(log))
    })
  }
}

function readCriteria(option: unknown): LogCriteria {
  try {
    return readLogCriteria(option ?? {})
  } catch (error) {
    throw faults.invalidParameter(1, error instanceof Error ? error.message : String(error))
  }
}
