/**
 * Spans of requests for whoever listens through OpenTelemetry's API: load its SDK before Cairn (`node --import`).
 * Without one there is no tracer, and requests cost nothing more. Not here: exporters, sampling, metrics of theirs.
 */
import type { Span, Tracer } from '@cairn/core'
import {
  defaultTextMapGetter,
  type Span as OtelSpan,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'

/** @returns undefined when no SDK is registered. */
export function openTracer(version: string): Tracer | undefined {
  const provider = trace.getTracerProvider()
  const delegate = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider
  // What a fresh proxy has is the provider that does nothing.
  if (delegate === new ProxyTracerProvider().getDelegate()) return undefined
  const tracer = trace.getTracer('cairn', version)
  return {
    startRequest(name, headers) {
      const parent = propagation.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
      return new RequestSpan(tracer.startSpan(name, { kind: SpanKind.SERVER }, parent))
    },
  }
}

class RequestSpan implements Span {
  readonly #span: OtelSpan

  constructor(span: OtelSpan) {
    this.#span = span
  }

  set(name: string, value: string | number): void {
    // By the operation spans are grouped and searched.
    if (name === 'cairn.operation') this.#span.updateName(String(value))
    this.#span.setAttribute(name, value)
  }

  end(error?: string): void {
    if (error !== undefined) this.#span.setStatus({ code: SpanStatusCode.ERROR, message: error })
    this.#span.end()
  }
}
