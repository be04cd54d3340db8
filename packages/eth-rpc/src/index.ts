/** `@cairn/eth-rpc`: JSON-RPC of an Ethereum node over HTTP, WebSocket and IPC. */

export {
  AccountError,
  type AccountErrorType,
  AccountManager,
  type AccountManagerOptions,
} from './accounts/account-manager.ts'
export { type CallLimits, defaultCallLimits } from './calls/call-runner.ts'
export { type ChainEvents, chainEvents, type PendingTransactionEvent } from './chain-events.ts'
export {
  type CallReport,
  Dispatcher,
  type DispatcherLimits,
  type DispatcherOptions,
  defaultDispatcherLimits,
} from './dispatcher.ts'
export { faults, RpcFault } from './faults.ts'
export { HttpTransport, type HttpTransportOptions } from './http-transport.ts'
export { IpcError, type IpcErrorType, type IpcServer, openIpcServer } from './ipc-server.ts'
export {
  type CallContext,
  type MethodTable,
  method,
  optional,
  type RpcMethod,
  type Subscriber,
} from './method.ts'
export { Miner, type MinerOptions } from './miner.ts'
export type { ListenerRequest, NodeControls } from './namespaces/admin.ts'
export type { SenderRecovery } from './namespaces/eth-sending.ts'
export type { NodeFacts } from './namespaces/web3-net.ts'
export {
  NodeRpc,
  type NodeRpcOptions,
  publicNamespaces,
  sendingRulesDefault,
} from './node-rpc.ts'
export { type MaybeLater, NodeView, whenThere } from './node-view.ts'
export { type BlockReference, type BlockTag, parameters } from './parameters.ts'
export { type ReadNamespaceOptions, readNamespaces } from './read-namespaces.ts'
export {
  openRpcWebSocketServer,
  type RpcWebSocketOptions,
  type RpcWebSocketServer,
} from './websocket-server.ts'
