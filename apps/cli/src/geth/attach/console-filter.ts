/** Filters of the console, as web3 0.20 has them: `eth.filter("latest")`, `eth.filter({…})`, events of contracts. */
import type { Polls } from './console-polls.ts'
import type { Call } from './rpc-client.ts'

export type Callback = (error: unknown, result?: unknown) => void

export interface FilterKind {
  /** `eth_newFilter` and its kin. */
  readonly method: string
  readonly params: readonly unknown[]
  /** What becomes of each result. */
  read(result: unknown): unknown
}

export interface ConsoleFilter {
  readonly filterId: string
  /** All that there is now; handed to the callback where there is one. */
  get(callback?: Callback): unknown
  /** Calls back with each that there is, and each that comes. */
  watch(callback: Callback): ConsoleFilter
  stopWatching(callback?: Callback): unknown
}

/** @param callback Watches from the beginning. */
export function consoleFilter(
  { method, params, read }: FilterKind,
  { call, polls }: { readonly call: Call; readonly polls: Polls },
  callback?: Callback,
): ConsoleFilter {
  const filterId = call(method, params) as string
  const isOfLogs = method === 'eth_newFilter'
  const allLogs = () => call('eth_getFilterLogs', [filterId]) as unknown[]
  let watchers: Watcher[] = []
  let endPolling: (() => void) | undefined
  const stop = () => {
    endPolling?.()
    endPolling = undefined
    watchers = []
  }
  const poll = () => {
    let results: readonly unknown[]
    try {
      results = call('eth_getFilterChanges', [filterId]) as unknown[]
    } catch (error) {
      // The node has dropped it, or is another one: it would be the same each time.
      const last = watchers
      stop()
      for (const { callback: each } of last) each(error)
      return
    }
    for (const result of results) {
      for (const watcher of watchers) {
        if (!watcher.told.has(keyOf(result))) watcher.callback(null, read(result))
      }
    }
  }
  const filter: ConsoleFilter = {
    filterId,
    get: (then) => answered(then, () => allLogs().map(read)),
    watch(then) {
      const logs = isOfLogs ? allLogs() : []
      for (const log of logs) then(null, read(log))
      watchers.push({ callback: then, told: new Set(logs.map(keyOf)) })
      endPolling ??= polls.add(poll)
      return filter
    },
    stopWatching(then) {
      stop()
      return answered(then, () => call('eth_uninstallFilter', [filterId]))
    },
  }
  if (callback !== undefined) filter.watch(callback)
  return filter
}

interface Watcher {
  readonly callback: Callback
  /** What was there when it began, and may come once more as a change. */
  readonly told: ReadonlySet<string>
}

function keyOf(result: unknown): string {
  const { blockHash, logIndex, removed } = Object(result) as Readonly<Record<string, unknown>>
  return blockHash === undefined ? '' : `${blockHash} ${logIndex} ${removed}`
}

/** As web3 0.20: a callback gets the error or the result; without one, it is returned or thrown. */
export function answered<T>(callback: Callback | undefined, ask: () => T): T | undefined {
  if (callback === undefined) return ask()
  let result: T
  try {
    result = ask()
  } catch (error) {
    callback(error)
    return undefined
  }
  callback(null, result)
  return undefined
}
