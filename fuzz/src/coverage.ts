/**
 * Which characters of the sources under test have run, from V8's precise block coverage. A look costs milliseconds, so
 * it is taken once per batch, and a batch that reached something new is run again in halves to find out by what.
 */
import { type Profiler, Session } from 'node:inspector'

export class Coverage {
  readonly #session = new Session()
  readonly #sources: RegExp
  /** Per script one byte for each character: 1 when it has run. */
  readonly #reached = new Map<string, Uint8Array>()

  constructor(sources: RegExp) {
    this.#sources = sources
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Characters that have run since the last look and never before; they count as reached from now on. */
  look(): number {
    let newCount = 0
    for (const script of this.#take()) {
      const now = paint(script)
      let reached = this.#reached.get(script.url)
      if (reached === undefined) {
        reached = new Uint8Array(now.length)
        this.#reached.set(script.url, reached)
      }
      for (let i = 0; i < now.length; i++) {
        if (now[i] === 1 && reached[i] !== 1) {
          reached[i] = 1
          newCount++
        }
      }
    }
    return newCount
  }

  /** Forgets what ran since the last look. */
  skip(): void {
    this.#take()
  }

  /** A copy of what has been reached, to go back to. */
  save(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#reached].map(([url, reached]) => [url, reached.slice()]))
  }

  restore(saved: ReadonlyMap<string, Uint8Array>): void {
    this.#reached.clear()
    for (const [url, reached] of saved) this.#reached.set(url, reached.slice())
  }

  /** Of the text of the modules that were loaded. */
  get percent(): number {
    let reachedCount = 0
    let count = 0
    for (const reached of this.#reached.values()) {
      count += reached.length
      for (const one of reached) reachedCount += one
    }
    return count === 0 ? 0 : (100 * reachedCount) / count
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage')
    this.#session.disconnect()
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let result: readonly Profiler.ScriptCoverage[] = []
    // On the session's own thread the answer comes before the call returns.
    this.#session.post('Profiler.takePreciseCoverage', (_error, taken) => {
      result = taken.result.filter(({ url }) => this.#sources.test(url))
    })
    return result
  }
}

/** Ranges of outer functions and blocks come first, so that inner ones paint over them. */
function paint({ functions }: Profiler.ScriptCoverage): Uint8Array {
  let length = 0
  for (const { ranges } of functions) length = Math.max(length, ranges[0]?.endOffset ?? 0)
  const out = new Uint8Array(length)
  for (const { ranges } of functions) {
    for (const { startOffset, endOffset, count } of ranges) {
      out.fill(count > 0 ? 1 : 0, startOffset, endOffset)
    }
  }
  return out
}
