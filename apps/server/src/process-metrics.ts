/** What the process itself tells: memory, processor, its event loop. Read when the page of metrics is asked for. */
import { performance } from 'node:perf_hooks'
import type { MetricsRegistry } from './metrics-registry.ts'

const usPerSecond = 1_000_000

export function watchProcess(registry: MetricsRegistry, version: string): void {
  registry.gauge('cairn_build_info', 'Always 1; the labels say what runs.', () => 1, {
    version,
    node: process.version,
  })
  const startedSeconds = Date.now() / 1000 - process.uptime()
  registry.gauge(
    'process_start_time_seconds',
    'When the process began, since the Unix epoch.',
    () => startedSeconds,
  )
  registry.gauge('process_resident_memory_bytes', 'Memory of the process in RAM.', () =>
    process.memoryUsage.rss(),
  )
  registry.gauge('nodejs_heap_used_bytes', 'Of the main thread: objects of JavaScript.', () => {
    return process.memoryUsage().heapUsed
  })
  registry.sampledCounter('process_cpu_seconds_total', 'Processor time of all threads.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / usPerSecond
  })
  registry.sampledCounter(
    'cairn_event_loop_active_seconds_total',
    'How long the main thread was busy; at 1 per second it does not keep up.',
    () => performance.eventLoopUtilization().active / 1000,
  )
}
