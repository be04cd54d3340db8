import { propagation, SpanKind, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterEach, describe, expect, it } from 'vitest'
import { openTracer } from './open-tracer.ts'

afterEach(() => {
  trace.disable()
  propagation.disable()
})

describe('openTracer', () => {
  it('is nothing without an SDK', () => {
    expect(openTracer('1')).toBeUndefined()
  })

  it("gives OpenTelemetry's SDK one span per request, in the trace of the client", () => {
    const exporter = new InMemorySpanExporter()
    const spanProcessors = [new SimpleSpanProcessor(exporter)]
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }))
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
    const tracer = openTracer('1.2.3')
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` }
    const first = tracer?.startRequest('session', headers)
    first?.set('cairn.operation', 'CommitTransaction')
    first?.set('http.response.status_code', 200)
    first?.end()
    tracer?.startRequest('session', {}).end('the request failed')
    const [commit, failed] = exporter.getFinishedSpans()
    expect(commit).toMatchObject({
      name: 'CommitTransaction',
      kind: SpanKind.SERVER,
      parentSpanContext: { traceId, spanId: 'b7ad6b7169203331' },
      attributes: { 'cairn.operation': 'CommitTransaction', 'http.response.status_code': 200 },
      instrumentationScope: { name: 'cairn', version: '1.2.3' },
    })
    expect(commit?.spanContext().traceId).toBe(traceId)
    expect(failed?.status).toEqual({ code: 2, message: 'the request failed' })
  })
})
