/**
 * What a caller of debug_trace… asks for: the tracer, its options, the time. Names are found whatever their case, as
 * geth does (eth/tracers/api.go, 1.13). Plain records: they go from thread to thread.
 */
import type { StateOverride } from '@cairn/eth-evm'
import { type BlockOverrides, readBlockOverrides, readStateOverrides } from '../call-arguments.ts'
import { readObject, readUint64 } from '../parameters.ts'
import type { CallTracerOptions } from './call-tracer.ts'
import type { FlatCallTracerOptions } from './flat-call-tracer.ts'
import type { PrestateTracerOptions } from './prestate-tracer.ts'
import type { StructLoggerOptions } from './struct-logger.ts'

export type TracerConfig =
  | { readonly name: 'structLogger'; readonly options: StructLoggerOptions }
  | { readonly name: 'callTracer'; readonly options: CallTracerOptions }
  | { readonly name: 'flatCallTracer'; readonly options: FlatCallTracerOptions }
  | { readonly name: 'prestateTracer'; readonly options: PrestateTracerOptions }
  | { readonly name: '4byteTracer' }
  | { readonly name: 'noopTracer' }
  | { readonly name: 'muxTracer'; readonly tracers: readonly TracerConfig[] }

export interface TraceConfig {
  readonly tracer: TracerConfig
  /** Of one transaction. */
  readonly timeoutMs: number
  /** Blocks that geth would execute again to find a state; named in the error when there is none. */
  readonly reexec: bigint
}

export interface TraceCallConfig extends TraceConfig {
  readonly overrides: readonly StateOverride[] | undefined
  readonly blockOverrides: BlockOverrides | undefined
  /** Runs after the transactions of the block that come before this one. */
  readonly transactionIndex: number | undefined
}

/** geth, defaultTraceTimeout and defaultTraceReexec. */
const timeoutMsDefault = 5000
export const reexecDefault = 128n
/** Longer ones count as this: the thread that traces serves one call after the other. */
export const traceTimeoutMsMax: number = 300_000
/** Tracers in a muxTracer, and how deep those may lie in each other. */
const muxCountMax = 16
const muxDepthMax = 4

const tracerNames = [
  'callTracer',
  'flatCallTracer',
  'prestateTracer',
  '4byteTracer',
  'noopTracer',
  'muxTracer',
]

export const traceConfigDefault: TraceConfig = readTraceConfig({})
export const traceCallConfigDefault: TraceCallConfig = readTraceCallConfig({})

/** @throws Error whose message is the reason. */
export function readTraceConfig(value: unknown): TraceConfig {
  const fields = readFields(value, 'TraceConfig')
  if (fields.get('overrides') !== undefined) {
    throw new Error('overrides of the chain configuration are not supported')
  }
  const tracer = fields.get('tracer')
  const reexec = fields.get('reexec')
  return {
    tracer:
      tracer === undefined
        ? structLoggerConfig(fields)
        : tracerConfig(text(tracer, 'Tracer'), fields.get('tracerconfig'), 0),
    timeoutMs: readTimeout(fields.get('timeout')),
    reexec: reexec === undefined ? reexecDefault : BigInt(count(reexec, 'Reexec')),
  }
}

/** @throws Error whose message is the reason. */
export function readTraceCallConfig(value: unknown): TraceCallConfig {
  const fields = readFields(value, 'TraceCallConfig')
  const overrides = fields.get('stateoverrides')
  const blockOverrides = fields.get('blockoverrides')
  const index = fields.get('txindex')
  return {
    ...readTraceConfig(value),
    overrides: overrides === undefined ? undefined : readStateOverrides(overrides),
    blockOverrides: blockOverrides === undefined ? undefined : readBlockOverrides(blockOverrides),
    transactionIndex: index === undefined ? undefined : Number(readUint64(index)),
  }
}

function structLoggerConfig(fields: ReadonlyMap<string, unknown>): TracerConfig {
  return {
    name: 'structLogger',
    options: {
      enableMemory: flag(fields, 'enableMemory'),
      disableStack: flag(fields, 'disableStack'),
      disableStorage: flag(fields, 'disableStorage'),
      enableReturnData: flag(fields, 'enableReturnData'),
      limit: count(fields.get('limit') ?? 0, 'limit'),
    },
  }
}

function tracerConfig(name: string, given: unknown, depth: number): TracerConfig {
  switch (name) {
    case 'callTracer': {
      const fields = readFields(given ?? {}, 'native.callTracerConfig')
      const options = {
        onlyTopCall: flag(fields, 'onlyTopCall'),
        withLog: flag(fields, 'withLog'),
      }
      return { name, options }
    }
    case 'flatCallTracer': {
      const fields = readFields(given ?? {}, 'native.flatCallTracerConfig')
      const options = {
        convertParityErrors: flag(fields, 'convertParityErrors'),
        includePrecompiles: flag(fields, 'includePrecompiles'),
      }
      return { name, options }
    }
    case 'prestateTracer': {
      const fields = readFields(given ?? {}, 'native.prestateTracerConfig')
      return { name, options: { diffMode: flag(fields, 'diffMode') } }
    }
    case '4byteTracer':
    case 'noopTracer':
      return { name }
    case 'muxTracer':
      return { name, tracers: muxedConfigs(given, depth) }
    default:
      throw unknownTracer(name)
  }
}

function muxedConfigs(given: unknown, depth: number): TracerConfig[] {
  const entries = Object.entries(readObject(given ?? {}, 'map[string]json.RawMessage'))
  if (entries.length > muxCountMax || depth >= muxDepthMax) {
    throw new Error('too many tracers in a muxTracer')
  }
  return entries.map(([name, config]) => tracerConfig(name, config ?? undefined, depth + 1))
}

function unknownTracer(name: string): Error {
  const isCode = /[^A-Za-z0-9_]/.test(name)
  const what = isCode ? 'tracers in JavaScript are not supported' : `tracer ${name} not found`
  return new Error(
    `${what}; there are ${tracerNames.join(', ')}, and the struct logger without tracer`,
  )
}

/** By name in lower case; null counts as absent. */
function readFields(value: unknown, typeName: string): ReadonlyMap<string, unknown> {
  const entries = Object.entries(readObject(value, `tracers.${typeName}`))
  const given = entries.filter(([, field]) => field !== undefined && field !== null)
  return new Map(given.map(([name, field]) => [name.toLowerCase(), field]))
}

function flag(fields: ReadonlyMap<string, unknown>, name: string): boolean {
  const value = fields.get(name.toLowerCase())
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw new Error(`json: cannot unmarshal field ${name} into Go value of type bool`)
}

function count(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`json: cannot unmarshal field ${name} into Go value of type uint64`)
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  throw new Error(`json: cannot unmarshal field ${name} into Go value of type string`)
}

const millisecondsOf: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** A duration as Go writes it: `5s`, `1m30s`, `250ms`. */
function readTimeout(value: unknown): number {
  if (value === undefined) return timeoutMsDefault
  const duration = text(value, 'Timeout')
  if (/^\d+$/.test(duration) && duration !== '0') {
    throw new Error(`time: missing unit in duration "${duration}"`)
  }
  if (!/^(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(duration) && duration !== '0') {
    throw new Error(`time: invalid duration "${duration}"`)
  }
  let sum = 0
  for (const [, amount, unit] of duration.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    sum += Number(amount) * (millisecondsOf[unit ?? ''] ?? 0)
  }
  return Math.min(sum, traceTimeoutMsMax)
}
