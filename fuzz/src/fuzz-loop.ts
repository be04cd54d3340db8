/**
 * The loop: takes or makes inputs, runs them, keeps those that reach new code, and looks at time and memory. The same
 * seed gives the same inputs, as long as the code under test runs the same.
 */
import { createSeededRandom, type SeededRandom } from '@cairn/testing'
import { Coverage } from './coverage.ts'
import { heapBytesAfterCollection } from './heap.ts'
import { minimize } from './minimize.ts'
import { mutate } from './mutate.ts'
import type { OpenTarget, Target } from './target.ts'

export interface Finding {
  readonly kind: 'error' | 'slow' | 'memory' | 'leak' | 'hang' | 'crash'
  /** One line; findings of one line are one finding. */
  readonly signature: string
  /** A stack, or the figures. */
  readonly detail: string
  /** As small as it could be made. */
  readonly input: Uint8Array
  /** How often it came up. */
  count: number
}

export interface Summary {
  readonly target: string
  readonly inputCount: number
  readonly elapsedMs: number
  /** Of the text of the sources under test; undefined when nothing was measured. */
  readonly coveredPercent: number | undefined
  /** Inputs kept because they reached something new. */
  readonly keptCount: number
  readonly slowestMs: number
  readonly peakBytes: number
  readonly heapGrowthBytes: number
  readonly findings: readonly Finding[]
}

export interface LoopOptions {
  readonly seed: number
  readonly runs: number
  readonly msMax?: number
  readonly isGuided: boolean
  /** Called with each input before it runs: whoever watches the process learns what it died of. */
  onInput?(input: Uint8Array): void
  /** Called between batches. */
  onProgress?(inputCount: number, coveredPercent: number | undefined): void
}

const inputMsMaxDefault = 1000
const batchCountDefault = 512
const corpusCountMax = 4096
/** Kept inputs of one batch; more would make the first batches take minutes. */
const keptPerBatchMax = 16
/** Resident memory during one input. The bodies that servers take have 8 MiB. */
const residentBytesMax = 1536 * 1024 * 1024
/** Growth of the heap after collection over a whole run: room for caches that have bounds, not for a leak. */
const heapGrowthBytesMax = 96 * 1024 * 1024
const signatureCountMax = 50

export async function fuzz(target: Target, options: LoopOptions): Promise<Summary> {
  const open = await target.open(options.seed)
  try {
    return await new Loop(target, open, options).run()
  } finally {
    await open.close?.()
  }
}

class Loop {
  readonly #target: Target
  readonly #open: OpenTarget
  readonly #options: LoopOptions
  readonly #random: SeededRandom
  readonly #corpus: Uint8Array[]
  readonly #findings = new Map<string, Finding>()
  readonly #coverage: Coverage | undefined
  #inputCount = 0
  #keptCount = 0
  #slowestMs = 0
  #peakBytes = 0

  constructor(target: Target, open: OpenTarget, options: LoopOptions) {
    this.#target = target
    this.#open = open
    this.#options = options
    this.#random = createSeededRandom(options.seed)
    this.#corpus = [...open.seeds]
    this.#coverage = options.isGuided ? new Coverage(target.sources) : undefined
  }

  async run(): Promise<Summary> {
    const { runs, msMax = Number.POSITIVE_INFINITY } = this.#options
    const batchCount = this.#target.batchCount ?? batchCountDefault
    const startMs = performance.now()
    await this.#runBatch(this.#open.seeds.slice(0, runs))
    this.#coverage?.look()
    let warmHeapBytes: number | undefined
    while (this.#inputCount < runs && performance.now() - startMs < msMax) {
      const batch: Uint8Array[] = []
      while (batch.length < Math.min(batchCount, runs - this.#inputCount)) batch.push(this.#next())
      await this.#runGuided(batch)
      this.#options.onProgress?.(this.#inputCount, this.#coverage?.percent)
      // Messages to who watches, and what targets leave to timers.
      await new Promise((resolve) => setImmediate(resolve))
      // Caches have filled by now, and the corpus has most of what it will hold.
      if (this.#inputCount > runs / 4) warmHeapBytes ??= heapBytesAfterCollection()
    }
    const heapGrowthBytes = heapBytesAfterCollection() - (warmHeapBytes ?? Number.NaN)
    if (heapGrowthBytes > heapGrowthBytesMax) {
      const detail = `heap after collection grew by ${heapGrowthBytes} bytes`
      this.#add('leak', 'memory is not given back', detail, new Uint8Array(0))
    }
    const coveredPercent = this.#coverage?.percent
    this.#coverage?.close()
    return {
      target: this.#target.name,
      inputCount: this.#inputCount,
      elapsedMs: performance.now() - startMs,
      coveredPercent,
      keptCount: this.#keptCount,
      slowestMs: this.#slowestMs,
      peakBytes: this.#peakBytes,
      heapGrowthBytes: Number.isNaN(heapGrowthBytes) ? 0 : heapGrowthBytes,
      findings: [...this.#findings.values()],
    }
  }

  #next(): Uint8Array {
    const random = this.#random
    const { generate, dictionary } = this.#open
    const fresh = generate !== undefined && random.chance(0.3) ? generate(random) : undefined
    if (fresh !== undefined && random.chance(0.4)) return fresh
    // Half of the picks come from what was kept last: it is what has been tried least.
    const recent = random.chance(0.5) ? Math.min(64, this.#corpus.length) : this.#corpus.length
    const picked = this.#corpus[this.#corpus.length - 1 - random.below(Math.max(1, recent))]
    const base = fresh ?? picked ?? new Uint8Array(0)
    return mutate(base, random, { corpus: this.#corpus, dictionary })
  }

  async #runGuided(batch: readonly Uint8Array[]): Promise<void> {
    const coverage = this.#coverage
    if (coverage === undefined) {
      await this.#runBatch(batch)
      return
    }
    const saved = coverage.save()
    await this.#runBatch(batch)
    if (coverage.look() === 0) return
    coverage.restore(saved)
    await this.#keepReaching(batch, coverage, { left: keptPerBatchMax })
  }

  /** Runs halves again, down to the single inputs that reach something new; these join the corpus. */
  async #keepReaching(
    inputs: readonly Uint8Array[],
    coverage: Coverage,
    budget: { left: number },
  ): Promise<void> {
    const middle = inputs.length >> 1
    const halves = inputs.length === 1 ? [inputs] : [inputs.slice(0, middle), inputs.slice(middle)]
    for (const half of halves) {
      if (half.length === 0) continue
      const saved = coverage.save()
      for (const input of half) await attempt(this.#open, input)
      if (coverage.look() === 0) continue
      if (half.length === 1) {
        this.#keep(half[0] as Uint8Array)
        budget.left--
      } else if (budget.left > 0) {
        coverage.restore(saved)
        await this.#keepReaching(half, coverage, budget)
      }
    }
  }

  #keep(input: Uint8Array): void {
    this.#keptCount++
    if (this.#corpus.length < corpusCountMax) this.#corpus.push(input)
    else this.#corpus[this.#random.below(corpusCountMax)] = input
  }

  async #runBatch(batch: readonly Uint8Array[]): Promise<void> {
    for (const input of batch) await this.#runOne(input)
    this.#notePeak()
  }

  async #runOne(input: Uint8Array): Promise<void> {
    this.#options.onInput?.(input)
    this.#inputCount++
    const startMs = performance.now()
    let failure: unknown
    try {
      const done = this.#open.run(input)
      if (done !== undefined) await done
    } catch (error) {
      failure = error
    }
    const elapsedMs = performance.now() - startMs
    if (failure !== undefined) await this.#addError(input, failure)
    if (elapsedMs < 20) return
    await this.#judgeCost(input, elapsedMs)
  }

  async #judgeCost(input: Uint8Array, elapsedMs: number): Promise<void> {
    this.#notePeak()
    const inputMsMax = this.#target.inputMsMax ?? inputMsMaxDefault
    // Other processes may have held the machine: it counts when it is slow again.
    const ms = elapsedMs < inputMsMax ? elapsedMs : Math.min(elapsedMs, await this.#timeOf(input))
    this.#slowestMs = Math.max(this.#slowestMs, ms)
    if (ms >= inputMsMax)
      this.#add('slow', 'an input takes too long', `${Math.round(ms)} ms`, input)
    const { rss } = process.memoryUsage()
    if (rss > residentBytesMax) {
      this.#add('memory', 'an input takes too much memory', `${rss} bytes resident`, input)
    }
  }

  async #timeOf(input: Uint8Array): Promise<number> {
    const startMs = performance.now()
    await attempt(this.#open, input)
    return performance.now() - startMs
  }

  async #addError(input: Uint8Array, error: unknown): Promise<void> {
    const signature = signatureOf(error)
    const known = this.#findings.get(signature)
    if (known !== undefined) {
      known.count++
      return
    }
    const smallest = await minimize(input, async (candidate) => {
      const failure = await attempt(this.#open, candidate)
      return failure !== undefined && signatureOf(failure) === signature
    })
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#add('error', signature, detail, smallest)
  }

  #add(kind: Finding['kind'], signature: string, detail: string, input: Uint8Array): void {
    const known = this.#findings.get(signature)
    if (known !== undefined) known.count++
    else if (this.#findings.size < signatureCountMax) {
      this.#findings.set(signature, { kind, signature, detail, input: input.slice(), count: 1 })
    }
  }

  #notePeak(): void {
    this.#peakBytes = Math.max(this.#peakBytes, process.memoryUsage.rss())
  }
}

/** What running the input throws, or undefined. */
async function attempt(open: OpenTarget, input: Uint8Array): Promise<unknown> {
  try {
    await open.run(input)
    return undefined
  } catch (error) {
    return error ?? new TypeError('undefined was thrown')
  }
}

/** Name and message, numbers left out, and the place it comes from. */
function signatureOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`.slice(0, 120)
  const message = error.message.split('\n', 1)[0] ?? ''
  const frame = /\((?:.*\/)?((?:packages|fuzz)\/[^)]+|[^/)]+):\d+\)/.exec(error.stack ?? '')
  const what = `${error.name}: ${message.replace(/\d+/g, 'N')}`.slice(0, 160)
  return error.name === 'Violation' ? what : `${what} at ${frame?.[1] ?? 'an unknown place'}`
}
