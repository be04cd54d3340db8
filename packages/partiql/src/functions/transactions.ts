/** Functions of the running transaction: TXID() and UTCNOW(). */
import { ionString, ionTimestampFromMs } from '@cairn/ion'
import type { FunctionDefinition } from './definition.ts'

const common = {
  argumentCountMin: 0,
  argumentCountMax: 0,
  kinds: [],
  isStrict: false,
  isVolatile: true,
} as const

export const transactionFunctions: readonly FunctionDefinition[] = [
  { ...common, name: 'TXID', evaluate: (_, env) => ionString(env.store.transactionId) },
  /** The same instant in all of a statement. */
  { ...common, name: 'UTCNOW', evaluate: (_, env) => ionTimestampFromMs(env.store.nowMs()) },
]
