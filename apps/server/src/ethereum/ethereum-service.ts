/**
 * The development chain of a data folder as a part of the daemon: on a thread of its own when the program was built, so
 * that ledgers and chain do not wait for each other; in place when it runs from its source.
 */
import { Worker } from 'node:worker_threads'
import { createSystemClock, type Logger, type LogLevel, systemRandom } from '@cairn/core'
import { dataFromHex } from '@cairn/eth-codec'
import { nodeFileSystem } from '@cairn/journal'
import { ServerError } from '../errors.ts'
import { isLoopback, type ListenAddress } from '../listen-address.ts'
import { type DevelopmentAccount, openDevelopmentChain } from './development-chain.ts'
import { type EthereumEndpoints, type EthereumNode, openEthereumNode } from './ethereum-node.ts'

export interface EthereumServiceOptions {
  readonly http: ListenAddress
  readonly webSocket: ListenAddress
  /** Whether a taken port is replaced by a free one, as for ports that nobody asked for. */
  readonly mayMove: { readonly http: boolean; readonly webSocket: boolean }
  /** Seconds between blocks; 0 seals on demand. */
  readonly periodSeconds: number
}

export interface EthereumInfo extends EthereumEndpoints {
  readonly devAccount: DevelopmentAccount
}

export interface EthereumService {
  readonly info: EthereumInfo
  /** Why nothing is executed until a restart, in a sentence; undefined while all is well. */
  failure(): string | undefined
  close(): Promise<void>
}

/** What the thread gets when it is made. */
export interface EthereumThreadData {
  readonly options: EthereumServiceOptions
  /** The data folder. */
  readonly directory: string
}

export type FromEthereumThread =
  | { readonly kind: 'opened'; readonly info: EthereumInfo }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** It is open and executes nothing any more. */
  | { readonly kind: 'executionFailed'; readonly failure: string }
  | { readonly kind: 'closed' }
  | {
      readonly kind: 'log'
      readonly level: LogLevel
      readonly message: string
      readonly fields: Readonly<Record<string, unknown>> | undefined
    }

interface ServiceContext {
  readonly directory: string
  readonly logger: Logger
}

/** Web pages that may use the chain: those of wallets, and those that are developed on this machine. */
const developmentOrigins = [
  'chrome-extension://*',
  'moz-extension://*',
  'safari-web-extension://*',
  'http://localhost:*',
  'http://localhost',
  'http://127.0.0.1:*',
  'http://127.0.0.1',
]

const isBuilt = import.meta.url.endsWith('.js')

/** @throws What `openEthereumNode` throws. */
export function openEthereumService(
  options: EthereumServiceOptions,
  context: ServiceContext,
): Promise<EthereumService> {
  return isBuilt ? openOnThread(options, context) : openInPlace(options, context)
}

/** Opens the chain on the thread that calls. */
export async function openInPlace(
  options: EthereumServiceOptions,
  { directory, logger }: ServiceContext,
  onFailure?: (failure: string) => void,
): Promise<EthereumService> {
  const clock = createSystemClock()
  const ethereumDirectory = `${directory}/ethereum`
  const chain = await openDevelopmentChain({
    directory: ethereumDirectory,
    files: nodeFileSystem,
    clock,
    random: systemRandom,
    periodSeconds: BigInt(options.periodSeconds),
  })
  const open = (http: ListenAddress, webSocket: ListenAddress): Promise<EthereumNode> =>
    openEthereumNode({
      directory: ethereumDirectory,
      genesis: chain.genesis,
      http: { address: http, origins: developmentOrigins },
      webSocket: { address: webSocket, origins: developmentOrigins },
      ipcPath: ipcPathFor(ethereumDirectory, logger),
      sealing: { privateKey: chain.sealerKey },
      accounts: { unlocked: unlockedKeys(chain.account, [http, webSocket]) },
      clock,
      logger,
    })
  const node = await openWhereFree(options, logger, open)
  let failure: string | undefined
  void node.failed.then((error) => {
    failure = `The chain is only read until a restart: ${firstLine(error)}`
    onFailure?.(failure)
  })
  return {
    info: { ...node.endpoints, devAccount: chain.account },
    failure: () => failure,
    close: () => node.close(),
  }
}

function firstLine(error: Error): string {
  return error.message.split('\n', 1)[0] ?? ''
}

/**
 * Tools that sign nothing themselves (Hardhat, truffle, Remix) ask the node for an account. It stays locked where
 * other machines could ask, too.
 */
function unlockedKeys(
  { privateKey }: DevelopmentAccount,
  addresses: readonly ListenAddress[],
): Uint8Array[] {
  return addresses.every(({ host }) => isLoopback(host)) ? [dataFromHex(privateKey)] : []
}

/** A taken default port is no reason to stay down: another node may run on this machine. */
async function openWhereFree(
  { http, webSocket, mayMove }: EthereumServiceOptions,
  logger: Logger,
  open: (http: ListenAddress, webSocket: ListenAddress) => Promise<EthereumNode>,
): Promise<EthereumNode> {
  let [httpAddress, webSocketAddress] = [http, webSocket]
  for (;;) {
    try {
      return await open(httpAddress, webSocketAddress)
    } catch (error) {
      if (!(error instanceof ServerError) || error.data.code !== 'PORT_IN_USE') throw error
      const { port } = error.data
      if (mayMove.http && port === httpAddress.port && port !== 0) {
        httpAddress = { ...httpAddress, port: 0 }
      } else if (mayMove.webSocket && port === webSocketAddress.port && port !== 0) {
        webSocketAddress = { ...webSocketAddress, port: 0 }
      } else {
        throw error
      }
      logger.log('warn', `Port ${port} is taken; the Ethereum node takes a free one.`, { port })
    }
  }
}

/** Unix sockets have short paths; a folder far down the tree goes without one, and says so. */
const socketPathBytesMax = 90

function ipcPathFor(directory: string, logger: Logger): string {
  const path = `${directory}/geth.ipc`
  if (Buffer.byteLength(path) <= socketPathBytesMax) return path
  const shorter = `/tmp/cairn-${process.pid}-geth.ipc`
  logger.log('warn', 'The path of the IPC socket is too long for the system.', { path, shorter })
  return shorter
}

async function openOnThread(
  options: EthereumServiceOptions,
  { directory, logger }: ServiceContext,
): Promise<EthereumService> {
  const workerData: EthereumThreadData = { options, directory }
  const worker = new Worker(new URL('./ethereum-thread.js', import.meta.url), { workerData })
  let onClosed: (() => void) | undefined
  let failure: string | undefined
  const info = await new Promise<EthereumInfo>((resolve, reject) => {
    worker.on('message', (message: FromEthereumThread) => {
      switch (message.kind) {
        case 'opened':
          resolve(message.info)
          return
        case 'failed':
          reject(restoreError(message.error))
          return
        case 'executionFailed':
          failure = message.failure
          return
        case 'closed':
          onClosed?.()
          return
        case 'log':
          logger.log(message.level, message.message, message.fields)
      }
    })
    worker.on('error', (error) => {
      logger.log('error', 'The Ethereum node has failed.', { error })
      failure = `The Ethereum node has ended, and comes with a restart: ${firstLine(error as Error)}`
      reject(error)
    })
    worker.on('exit', (code) => {
      failure ??= `The Ethereum node has ended with code ${code}, and comes with a restart.`
      onClosed?.()
      reject(new Error('the thread of the Ethereum node has ended'))
    })
  }).catch(async (error: unknown) => {
    await worker.terminate()
    throw error
  })
  return {
    info,
    failure: () => failure,
    async close() {
      const closed = new Promise<void>((resolve) => {
        onClosed = resolve
      })
      worker.postMessage('close')
      await closed
      await worker.terminate()
    },
  }
}

/** An error loses its class on the way between threads, and keeps its message. */
function restoreError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const [shortMessage = '', ...metaMessages] = error.message.split('\n')
  return new ServerError({ code: 'ETHEREUM_FAILED' }, { shortMessage, metaMessages, cause: error })
}
