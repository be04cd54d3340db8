/** From what a caller asks for to the tracer that does it. */
import type { Tracer } from '@cairn/eth-evm'
import { CallTracer } from './call-tracer.ts'
import { FlatCallTracer } from './flat-call-tracer.ts'
import { FourByteTracer } from './four-byte-tracer.ts'
import { PrestateTracer } from './prestate-tracer.ts'
import type { ResultTracer, TraceContext } from './result-tracer.ts'
import { StructLogger } from './struct-logger.ts'
import type { TracerConfig } from './trace-config.ts'

/** A new one for each transaction. */
export function makeTracer(config: TracerConfig, context: TraceContext): ResultTracer {
  switch (config.name) {
    case 'structLogger':
      return new StructLogger(config.options, context)
    case 'callTracer':
      return new CallTracer(config.options, context)
    case 'flatCallTracer':
      return new FlatCallTracer(config.options, context)
    case 'prestateTracer':
      return new PrestateTracer(config.options, context)
    case '4byteTracer':
      return new FourByteTracer(context)
    case 'noopTracer':
      return { resultText: () => '{}' }
    case 'muxTracer':
      return muxTracer(config.tracers, context)
    default: {
      const never: never = config
      throw new TypeError(`Unknown tracer ${JSON.stringify(never)}`)
    }
  }
}

/** Several at once; the answer has each under its name. Source: geth 1.13, eth/tracers/native/mux.go. */
function muxTracer(configs: readonly TracerConfig[], context: TraceContext): ResultTracer {
  const tracers = configs.map((config) => makeTracer(config, context))
  return {
    ...joined(tracers),
    resultText() {
      const results = configs.map(({ name }, index): [string, string] => [
        name,
        tracers[index]?.resultText() ?? 'null',
      ])
      results.sort(([a], [b]) => (a < b ? -1 : 1))
      return `{${results.map(([name, text]) => `"${name}":${text}`).join(',')}}`
    },
  }
}

/** Listens to steps only if one of them does: that takes the slow interpreter. */
function joined(tracers: readonly Tracer[]): Tracer {
  const all: Tracer = {
    onStart: (start) => {
      for (const tracer of tracers) tracer.onStart?.(start)
    },
    onEnd: (gasUsed) => {
      for (const tracer of tracers) tracer.onEnd?.(gasUsed)
    },
    onEnter: (call) => {
      for (const tracer of tracers) tracer.onEnter?.(call)
    },
    onExit: (result) => {
      for (const tracer of tracers) tracer.onExit?.(result)
    },
    onSelfDestruct: (account, heir, balance) => {
      for (const tracer of tracers) tracer.onSelfDestruct?.(account, heir, balance)
    },
    onLog: (log) => {
      for (const tracer of tracers) tracer.onLog?.(log)
    },
  }
  if (!tracers.some((tracer) => tracer.onStep)) return all
  return {
    ...all,
    onStep: (step) => {
      for (const tracer of tracers) tracer.onStep?.(step)
    },
    onStepEnd: (gasCost) => {
      for (const tracer of tracers) tracer.onStepEnd?.(gasCost)
    },
    onStepFault: (gasCost, fault) => {
      for (const tracer of tracers) tracer.onStepFault?.(gasCost, fault)
    },
  }
}
