/**
 * Filters that are polled: eth_newFilter and its family, and eth_getLogs. A filter that nobody asks for five minutes is
 * forgotten (geth, eth/filters/api.go).
 */
import type { Clock, Random } from '@cairn/core'
import { type ChainStore, logsOfBlock } from '@cairn/eth-chain'
import { dataToHex } from '@cairn/eth-codec'
import type { ChainEvents } from '../chain-events.ts'
import { faults } from '../faults.ts'
import { formatLog, formatTransaction } from '../format.ts'
import { type LogCriteria, readLogCriteria, searchLogs } from '../log-filter.ts'
import { type MethodTable, method, optional, required } from '../method.ts'
import type { NodeView } from '../node-view.ts'
import { parameters } from '../parameters.ts'
import type { Turns } from '../turns.ts'

const idleMsMax = 5 * 60_000
const filterCountMax = 4096
/** Answers kept for a filter; more are too many for a client that polls. The oldest are lost then. */
const changeCountMax = 100_000
const idBytesSize = 16

const criteria = required(readLogCriteria)

interface Filter {
  readonly criteria: LogCriteria | undefined
  changes: unknown[]
  usedMs: number
  readonly end: () => void
}

export interface FilterOptions {
  readonly view: NodeView
  readonly events: ChainEvents
  readonly clock: Clock
  readonly random: Random
  readonly turns: Turns
}

export function ethFilterMethods(options: FilterOptions): MethodTable {
  const filters = new Filters(options)
  const { view, turns } = options
  return {
    eth_getLogs: method([criteria], ([wanted]) => turns.run(searchLogs(view, wanted))),
    eth_newFilter: method([criteria], ([wanted]) => filters.addLogs(wanted)),
    eth_newBlockFilter: method([], () => filters.addBlocks()),
    eth_newPendingTransactionFilter: method([optional(parameters.boolean)], ([isFull]) =>
      filters.addTransactions(isFull ?? false),
    ),
    eth_getFilterChanges: method([parameters.text], ([id]) => filters.takeChanges(id)),
    eth_getFilterLogs: method([parameters.text], ([id]) =>
      turns.run(searchLogs(view, filters.criteriaOf(id))),
    ),
    eth_uninstallFilter: method([parameters.text], ([id]) => filters.remove(id)),
  }
}

class Filters {
  readonly #options: FilterOptions
  readonly #store: ChainStore
  readonly #filters = new Map<string, Filter>()

  constructor(options: FilterOptions) {
    this.#options = options
    this.#store = options.view.chain.store
  }

  addLogs(wanted: LogCriteria): string {
    return this.#add(wanted, (push) =>
      this.#options.events.onBlocks((removed, added) => {
        for (const block of removed) {
          for (const log of logsOfBlock(this.#store, block.hash, wanted)) push(formatLog(log, true))
        }
        for (const block of added)
          for (const log of logsOfBlock(this.#store, block.hash, wanted)) push(formatLog(log))
      }),
    )
  }

  addBlocks(): string {
    return this.#add(undefined, (push) =>
      this.#options.events.onBlocks((_, added) => {
        for (const { hash } of added) push(hash)
      }),
    )
  }

  addTransactions(isFull: boolean): string {
    return this.#add(undefined, (push) =>
      this.#options.events.onTransaction(({ hash, transaction, sender }) =>
        push(isFull ? formatTransaction(transaction, sender, undefined) : hash),
      ),
    )
  }

  #add(
    wanted: LogCriteria | undefined,
    listen: (push: (change: unknown) => void) => () => void,
  ): string {
    this.#forgetIdle()
    if (this.#filters.size >= filterCountMax) {
      throw faults.server(`too many filters: at most ${filterCountMax}, remove some`)
    }
    const { random, clock } = this.#options
    const id = dataToHex(random.bytes(idBytesSize))
    const filter: Filter = {
      criteria: wanted,
      changes: [],
      usedMs: clock.nowMs(),
      end: listen((change) => {
        filter.changes.push(change)
        if (filter.changes.length > changeCountMax) filter.changes.shift()
      }),
    }
    this.#filters.set(id, filter)
    return id
  }

  takeChanges(id: string): unknown[] {
    const filter = this.#find(id)
    const { changes } = filter
    filter.changes = []
    return changes
  }

  criteriaOf(id: string): LogCriteria {
    const { criteria: wanted } = this.#find(id)
    if (wanted === undefined) throw filterNotFound()
    return wanted
  }

  remove(id: string): boolean {
    this.#filters.get(id)?.end()
    return this.#filters.delete(id)
  }

  #find(id: string): Filter {
    this.#forgetIdle()
    const filter = this.#filters.get(id)
    if (filter === undefined) throw filterNotFound()
    filter.usedMs = this.#options.clock.nowMs()
    return filter
  }

  #forgetIdle(): void {
    const nowMs = this.#options.clock.nowMs()
    for (const [id, { usedMs }] of this.#filters) if (nowMs - usedMs > idleMsMax) this.remove(id)
  }
}

function filterNotFound(): Error {
  return faults.server('filter not found')
}
