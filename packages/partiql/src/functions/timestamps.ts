/** Functions of timestamps. */
import type { FunctionDefinition } from './definition.ts'

export const timestampFunctions: readonly FunctionDefinition[] = []
