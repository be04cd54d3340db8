/** Why a simulated message may not run, under the numbers that execution-apis gives eth_simulateV1. */
import { TransactionError, type TransactionErrorType } from '@cairn/eth-codec'
import { ExecutionError, type ExecutionErrorType } from '@cairn/eth-evm'
import { faults, type RpcFault, type SimulationFault } from '../faults.ts'
import { CallTimeout } from './call-runner.ts'

type Code = TransactionErrorType['code'] | ExecutionErrorType['code']

const kinds: Partial<Record<Code, SimulationFault>> = {
  NONCE_TOO_LOW: 'nonceTooLow',
  NONCE_TOO_HIGH: 'nonceTooHigh',
  FEE_CAP_TOO_LOW: 'feeCapTooLow',
  INTRINSIC_GAS_TOO_LOW: 'intrinsicGas',
  INSUFFICIENT_FUNDS: 'insufficientFunds',
  GAS_LIMIT_REACHED: 'blockGasLimit',
  INIT_CODE_TOO_LARGE: 'initCodeTooLarge',
}

/** @param timeout What is answered when the time is over. @returns the error itself when it is another. */
export function simulationFault(error: unknown, timeout: RpcFault): unknown {
  if (!(error instanceof ExecutionError || error instanceof TransactionError)) return error
  if (error.code === 'ABORTED') return new CallTimeout(timeout.code, timeout.message)
  const kind = kinds[error.code]
  if (kind === undefined) return error
  return faults.simulation(kind, `err: ${error.shortMessage}`)
}
