/** The listeners of a node's JSON-RPC: opened at its start, and by `admin` while it runs. */
import { type Clock, type Logger, silentLogger } from '@cairn/core'
import {
  type Dispatcher,
  faults,
  HttpTransport,
  type ListenerRequest,
  openIpcServer,
  openRpcWebSocketServer,
  publicNamespaces,
} from '@cairn/eth-rpc'
import { type Closers, closeAll } from '../closers.ts'
import { type HttpListener, openHttpListener } from '../http-listener.ts'
import { formatUrl, isLoopback, type ListenAddress } from '../listen-address.ts'
import { listenError } from '../listen-error.ts'

export interface RpcListenerOptions {
  readonly address: ListenAddress
  readonly namespaces?: readonly string[]
  /** Origins of web pages: with `*` for any run of characters. */
  readonly origins?: readonly string[]
  readonly virtualHosts?: readonly string[]
}

export interface RpcListenersOptions {
  readonly http?: RpcListenerOptions
  readonly webSocket?: RpcListenerOptions
  /** Absent: no socket. It serves everything. */
  readonly ipcPath?: string
  readonly accounts?: {
    readonly allowsInsecureUnlock?: boolean
    readonly allowsPersonal?: boolean
  }
  readonly clock: Clock
  readonly logger?: Logger
  /** @param names Undefined for all. */
  dispatcherFor(names?: readonly string[]): Dispatcher
  hasUnlockedAccounts(): boolean
}

interface OpenListener {
  readonly url: string
  readonly host: string
  close(): Promise<void>
}

type Kind = 'http' | 'ws'

/** A request of JSON-RPC; geth's bound. */
const requestBytesMax = 5 * 1024 * 1024
const virtualHostsDefault = ['localhost']
/** geth: what admin.startHTTP and admin.startWS take without arguments. */
const addressDefaults: Readonly<Record<Kind, ListenAddress>> = {
  http: { host: '127.0.0.1', port: 8545 },
  ws: { host: '127.0.0.1', port: 8546 },
}
const names: Readonly<Record<Kind, string>> = { http: 'HTTP', ws: 'WebSocket' }

export class RpcListeners {
  readonly #options: RpcListenersOptions
  readonly #open = new Map<Kind, OpenListener>()
  readonly #closers: Closers = []
  /** One change at a time: two starts at once must not open two. */
  #changing: Promise<unknown> = Promise.resolve()

  constructor(options: RpcListenersOptions) {
    this.#options = options
  }

  /** Opens what the options name. @throws ServerError, IpcError; the caller closes then. */
  async open(): Promise<{ http?: string; ws?: string; ipc?: string }> {
    const { http, webSocket, ipcPath, dispatcherFor } = this.#options
    const endpoints: { http?: string; ws?: string; ipc?: string } = {}
    if (http !== undefined) endpoints.http = (await this.#start('http', http)).url
    if (webSocket !== undefined) endpoints.ws = (await this.#start('ws', webSocket)).url
    if (ipcPath !== undefined) {
      const server = await openIpcServer(ipcPath, dispatcherFor())
      this.#closers.push(() => server.close())
      endpoints.ipc = server.path
    }
    return endpoints
  }

  /** As for --unlock: where other machines could use an account it stays locked, unless somebody insists. */
  get mayUnlock(): boolean {
    if (this.#options.accounts?.allowsInsecureUnlock === true) return true
    return [...this.#open.values()].every(({ host }) => isLoopback(host))
  }

  /** @throws RpcFault when it is open already, or would lay unlocked accounts open. */
  start(kind: Kind, request: ListenerRequest): Promise<void> {
    return this.#change(async () => {
      const running = this.#open.get(kind)
      if (running !== undefined) {
        throw faults.server(`${names[kind]} server already running on ${running.url}`)
      }
      const { http, webSocket, accounts, hasUnlockedAccounts } = this.#options
      const own = kind === 'http' ? http : webSocket
      const address = own?.address ?? addressDefaults[kind]
      const { host = address.host, port = address.port, ...rest } = request
      const isOpen = !isLoopback(host) && accounts?.allowsInsecureUnlock !== true
      if (isOpen && hasUnlockedAccounts()) {
        throw faults.server('Account unlock with HTTP access is forbidden: lock the accounts first')
      }
      await this.#start(kind, { ...own, ...rest, address: { host, port } })
    })
  }

  /** Nothing when it is not open. The answers under way are still given, later than this resolves. */
  stop(kind: Kind): Promise<void> {
    return this.#change(async () => {
      const listener = this.#open.get(kind)
      this.#open.delete(kind)
      // The call that asks for this may have come over that listener, which waits for its answer.
      const closing = listener?.close().catch((error: unknown) => {
        const { logger = silentLogger } = this.#options
        logger.log('warn', 'A listener did not close.', { error })
      })
      if (closing !== undefined) this.#closers.push(() => closing)
    })
  }

  async close(): Promise<void> {
    await this.#changing.catch(() => undefined)
    await Promise.all([...this.#open.values()].map((listener) => listener.close()))
    this.#open.clear()
    await closeAll(this.#closers)
  }

  #change<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(change, change)
    this.#changing = changed.catch(() => undefined)
    return changed
  }

  async #start(kind: Kind, options: RpcListenerOptions): Promise<OpenListener> {
    const listener = kind === 'http' ? await this.#openHttp(options) : await this.#openWs(options)
    const open = {
      url: listener.url,
      host: options.address.host,
      close: () => listener.close(),
    }
    this.#open.set(kind, open)
    return open
  }

  #openHttp(http: RpcListenerOptions): Promise<HttpListener> {
    const { clock, logger = silentLogger } = this.#options
    return openHttpListener({
      address: http.address,
      handler: new HttpTransport({
        dispatcher: this.#dispatcherOf(http),
        corsOrigins: http.origins ?? [],
        virtualHosts: http.virtualHosts ?? virtualHostsDefault,
      }),
      clock,
      limits: { bodyBytesMax: requestBytesMax },
      onError: (error) => logger.log('error', 'A connection could not be accepted.', { error }),
    })
  }

  async #openWs(ws: RpcListenerOptions): Promise<Pick<OpenListener, 'url' | 'close'>> {
    const { address } = ws
    const server = await openRpcWebSocketServer({
      dispatcher: this.#dispatcherOf(ws),
      ...address,
      origins: ws.origins ?? [],
      virtualHosts: ws.virtualHosts ?? virtualHostsDefault,
    }).catch((error: unknown) => {
      throw listenError(error as NodeJS.ErrnoException, address)
    })
    const url = formatUrl('ws', { host: address.host, port: server.port })
    return { url, close: () => server.close() }
  }

  /** `personal` only where it is allowed, whoever names it. */
  #dispatcherOf({ namespaces = publicNamespaces }: RpcListenerOptions): Dispatcher {
    const { accounts, dispatcherFor } = this.#options
    const mayServe = (name: string) => name !== 'personal' || accounts?.allowsPersonal === true
    return dispatcherFor(namespaces.filter(mayServe))
  }
}
