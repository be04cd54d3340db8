/** `@cairn/server`: the daemon as a library. */

// ---- what it leaves in the data folder ----
export { type AccessKeyFile, createAccessKey, openAccessKeyFile } from './access-keys.ts'
export {
  type CertificateAndKey,
  createAuthority,
  createServerCertificate,
  type ServerCertificateOptions,
} from './certificates.ts'
export { ServerError, type ServerErrorType } from './errors.ts'
export { type DevelopmentChain, openDevelopmentChain } from './ethereum/development-chain.ts'
export {
  type EthereumEndpoints,
  type EthereumNode,
  type EthereumNodeOptions,
  openEthereumNode,
} from './ethereum/ethereum-node.ts'
export type { EthereumInfo, EthereumServiceOptions } from './ethereum/ethereum-service.ts'
export type { RpcListenerOptions } from './ethereum/rpc-listeners.ts'
// ---- what it is given ----
export { readLimitsFile, type ServerLimits } from './limits-file.ts'
export {
  formatUrl,
  isLoopback,
  type ListenAddress,
  parseListenAddress,
} from './listen-address.ts'
export { createLogger, type LogFormat, type LoggerOptions } from './loggers.ts'
export { type ReadyInfo, readReadyFile } from './ready-file.ts'
// ---- the server ----
export {
  type AuthMode,
  defaultListen,
  defaultTlsListen,
  ownReadyFile,
  type RunningServer,
  type StartServerOptions,
  startServer,
} from './start-server.ts'
export { version } from './version.ts'
