/**
 * What a JSON-RPC client sees when something fails: numbers and texts are geth's (rpc/errors.go, 1.13), since wallets
 * and libraries look for them word for word. The one place where they are decided.
 */
import { BaseError } from '@cairn/core'
import { dataToHex } from '@cairn/eth-codec'

export interface RpcErrorObject {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** An error with its number on the wire. */
export class RpcFault extends Error {
  override readonly name = 'RpcFault'
  readonly code: number
  readonly data: unknown

  constructor(code: number, message: string, data?: unknown) {
    super(message)
    this.code = code
    this.data = data
  }

  toObject(): RpcErrorObject {
    const { code, message, data } = this
    return data === undefined ? { code, message } : { code, message, data }
  }
}

const codes = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParameters: -32602,
  internal: -32603,
  server: -32000,
  timeout: -32002,
  responseTooLarge: -32003,
  reverted: 3,
} as const

/** Source: execution-apis, eth_simulateV1. */
const simulationCodes = {
  nonceTooLow: -38010,
  nonceTooHigh: -38011,
  feeCapTooLow: -38012,
  intrinsicGas: -38013,
  insufficientFunds: -38014,
  blockGasLimit: -38015,
  blockNumber: -38020,
  blockTimestamp: -38021,
  initCodeTooLarge: -38025,
  clientLimit: -38026,
  vm: -32015,
} as const

export type SimulationFault = keyof typeof simulationCodes

export const faults = {
  parse: (): RpcFault => new RpcFault(codes.parse, 'parse error'),
  invalidRequest: (): RpcFault => new RpcFault(codes.invalidRequest, 'invalid request'),
  emptyBatch: (): RpcFault => new RpcFault(codes.invalidRequest, 'empty batch'),
  batchTooLarge: (): RpcFault => new RpcFault(codes.invalidRequest, 'batch too large'),
  responseTooLarge: (): RpcFault => new RpcFault(codes.responseTooLarge, 'response too large'),
  methodNotFound: (method: string): RpcFault =>
    new RpcFault(codes.methodNotFound, `the method ${method} does not exist/is not available`),
  notificationsNotSupported: (): RpcFault =>
    new RpcFault(codes.methodNotFound, 'notifications not supported'),
  subscriptionNotFound: (): RpcFault => new RpcFault(codes.server, 'subscription not found'),
  noSubscription: (name: string, namespace: string): RpcFault =>
    new RpcFault(codes.methodNotFound, `no "${name}" subscription in ${namespace} namespace`),
  nonArrayParameters: (): RpcFault => new RpcFault(codes.invalidParameters, 'non-array args'),
  missingParameter: (index: number): RpcFault =>
    new RpcFault(codes.invalidParameters, `missing value for required argument ${index}`),
  tooManyParameters: (countMax: number): RpcFault =>
    new RpcFault(codes.invalidParameters, `too many arguments, want at most ${countMax}`),
  invalidParameter: (index: number, reason: string): RpcFault =>
    new RpcFault(codes.invalidParameters, `invalid argument ${index}: ${reason}`),
  invalidParameters: (message: string): RpcFault => new RpcFault(codes.invalidParameters, message),
  timeout: (): RpcFault => new RpcFault(codes.timeout, 'request timed out'),
  server: (message: string, data?: unknown): RpcFault => new RpcFault(codes.server, message, data),
  simulation: (kind: SimulationFault, message: string): RpcFault =>
    new RpcFault(simulationCodes[kind], message),
  /** `data` are the bytes that the contract reverted with. */
  reverted: (reason: string | undefined, data: Uint8Array): RpcFault =>
    new RpcFault(
      codes.reverted,
      reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`,
      dataToHex(data),
    ),
}

/**
 * What becomes of an error that a method threw. Errors of ours say their short message; whatever else there is was not
 * foreseen, and its text may hold anything.
 */
export function faultOf(error: unknown): RpcFault {
  if (error instanceof RpcFault) return error
  if (error instanceof BaseError) return new RpcFault(codes.server, error.shortMessage)
  return new RpcFault(codes.internal, 'internal error')
}
