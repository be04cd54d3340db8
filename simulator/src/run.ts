/**
 * One run from one seed: several lives of the real engine on a virtual clock and a disk that forgets, fails and rots,
 * with clients at work; after each life the checkers. The same seed gives the same run, step by step.
 */
import { createIdSource } from '@cairn/core'
import { JournalError } from '@cairn/journal'
import {
  createMemoryProjections,
  LedgerError,
  type LedgerHost,
  openLedgerHost,
  verifyLedgerDirectory,
} from '@cairn/ledger'
import { createQldbServer } from '@cairn/qldb-server'
import {
  createMemoryFileSystem,
  createSeededRandom,
  createVirtualClock,
  FileSystemError,
  type MemoryFileSystem,
  type SeededRandom,
} from '@cairn/testing'
import { audit } from './audit.ts'
import { type ClientWorld, type KeptDigest, runClient, runTransaction } from './clients.ts'
import { type Connection, DirectConnection } from './connection.ts'
import { checkDamage } from './damage.ts'
import { createDisk } from './disk.ts'
import { History } from './history.ts'
import { JournalChecker } from './journal-checker.ts'
import { type Life, lifeClock, type OpenLedgerParts, turn, whileAlive } from './life.ts'
import { findAnomaly } from './list-append.ts'
import { listTransactions } from './list-transactions.ts'
import type { Mutant } from './mutants.ts'
import { Network, WireConnection } from './network.ts'
import { choosePlan, type Plan } from './plan.ts'
import { createTrace, type Trace } from './trace.ts'
import { SimulationViolation } from './violation.ts'
import { programChooser, setUp } from './workload.ts'

export interface RunOptions {
  readonly seed: number
  /** Breaks the engine on purpose. */
  readonly mutant?: Mutant
  readonly print?: (line: string) => void
}

export interface RunResult {
  readonly seed: number
  readonly stepCount: number
  readonly transactionCount: number
  readonly committedCount: number
  readonly blockCount: number
  readonly lifeCount: number
  readonly traceHash: string
  readonly violation: SimulationViolation | undefined
  readonly lastLines: readonly string[]
}

export const ledgerName = 'simulated'
export const dataDirectory = '/data'
/** A phase that takes more steps than this will not end. */
const stepCountMax = 200_000
const openAttemptCountMax = 20

export async function simulate(options: RunOptions): Promise<RunResult> {
  const undo = options.mutant?.patch?.()
  const run = new Run(options)
  let violation: SimulationViolation | undefined
  try {
    await run.start()
  } catch (error) {
    violation =
      error instanceof SimulationViolation
        ? error
        : new SimulationViolation('answer', `unexpected ${String(error)}`, error)
  } finally {
    undo?.()
  }
  return run.result(violation)
}

class Run {
  readonly #options: RunOptions
  readonly #plan: Plan
  readonly #random: SeededRandom
  readonly #diskRandom: SeededRandom
  readonly #engineRandom: SeededRandom
  readonly #clientRandom: SeededRandom
  readonly #clock = createVirtualClock()
  readonly #trace: Trace
  readonly #projections = createMemoryProjections()
  readonly #history = new History()
  readonly #keptDigests: KeptDigest[] = []
  readonly #checker: JournalChecker
  readonly #world: ClientWorld
  #files: MemoryFileSystem = createMemoryFileSystem()
  #life: Life
  #lifeCount = 0
  #stepNo = 0
  #uniqueCount = 0
  #isCreated = false
  /** Clocks jump only where nobody has to be quick. */
  #mayJump = false
  /** File-system operations until the machine stops in the middle of one. */
  #operationsLeft = Number.POSITIVE_INFINITY
  #violation: SimulationViolation | undefined

  constructor(options: RunOptions) {
    this.#options = options
    const { seed, print } = options
    this.#random = createSeededRandom(seed)
    this.#diskRandom = createSeededRandom(seed + 0x1_0000_0000)
    this.#engineRandom = createSeededRandom(seed + 0x2_0000_0000)
    this.#clientRandom = createSeededRandom(seed + 0x3_0000_0000)
    const startMs = this.#clock.nowMs()
    const prefix = () => `${this.#stepNo} ${this.#clock.nowMs() - startMs}ms`
    this.#trace = createTrace(prefix, print)
    this.#plan = choosePlan(this.#random)
    this.#trace.note(`plan ${JSON.stringify(this.#plan)}`)
    this.#checker = new JournalChecker(this.#history, this.#keptDigests)
    this.#world = {
      history: this.#history,
      trace: this.#trace,
      keptDigests: this.#keptDigests,
      unique: () => `u${String(this.#uniqueCount++).padStart(8, '0')}`,
    }
    this.#life = this.#beginLife()
  }

  result(violation: SimulationViolation | undefined): RunResult {
    const { transactions } = this.#history
    return {
      seed: this.#options.seed,
      stepCount: this.#stepNo,
      transactionCount: transactions.length,
      committedCount: transactions.filter(({ outcome }) => outcome === 'committed').length,
      blockCount: this.#checker.blockCount,
      lifeCount: this.#lifeCount,
      traceHash: this.#trace.hash(),
      violation,
      lastLines: this.#trace.lastLines,
    }
  }

  async start(): Promise<void> {
    for (let i = 0; i < this.#plan.lifeCount; i++) {
      await this.#live()
      if (this.#isCreated && this.#random.chance(this.#plan.damageProbability)) {
        await this.#whileStopped()
      }
    }
    await this.#finish()
  }

  // ---- lives ----

  #beginLife(): Life {
    this.#lifeCount++
    const life: Life = {
      no: this.#lifeCount,
      memory: this.#files,
      clock: lifeClock(this.#clock, () => life.isOver),
      isOver: false,
      isEnding: false,
      hasStopped: false,
      hasFaults: false,
      hasReadFaults: false,
    }
    this.#trace.note(`life ${life.no}`)
    return life
  }

  async #live(): Promise<void> {
    const plan = this.#plan
    const random = this.#random
    const parts = await this.#openWithFaults()
    this.#checker.check(parts.ledger)
    await this.#settled(audit(parts.ledger, this.#checker.model, 'after the opening'))
    if (random.chance(0.3)) await this.#checkRedactions(parts)
    this.#armCrash()
    this.#mayJump = true
    const life = this.#life
    void this.#guard(this.#runClients(life, parts))
    const stepCount = random.below(plan.stepCountMax)
    const transactionCount =
      this.#history.transactions.length + random.below(plan.transactionCountMax)
    for (let i = 0; i < stepCount && !life.isOver; i++) {
      await this.#step()
      if (this.#history.transactions.length > transactionCount) break
      if (random.chance(plan.faultProbability)) this.#addFault(life)
      // A stopped ledger is started again by whoever watches over it.
      if (life.hasStopped && random.chance(0.02)) break
    }
    if (!life.isOver && random.chance(plan.closeProbability)) await this.#close(parts.host)
    this.#endLife('at the end of its steps')
  }

  /** Ends by itself or by a crash on the way. */
  async #close(host: LedgerHost): Promise<void> {
    const life = this.#life
    life.isEnding = true
    this.#trace.note('closes')
    let isClosed = false
    void this.#guard(
      host.close().then(() => {
        isClosed = true
      }),
    )
    for (let i = 0; !isClosed && !life.isOver; i++) {
      if (i > stepCountMax) throw new SimulationViolation('stuck', 'the host does not close')
      await this.#step()
    }
  }

  /** The process or the machine ends now. */
  #endLife(why: string): void {
    const life = this.#life
    if (life.isOver) return
    life.isOver = true
    const isPowerLoss = this.#random.chance(0.75)
    this.#trace.note(`${isPowerLoss ? 'power loss' : 'process ends'} ${why}`)
    const seed = this.#random.below(0x1_0000_0000)
    this.#files = isPowerLoss ? life.memory.crash({ seed }) : life.memory.kill()
    this.#projections.crash(() => this.#random.chance(0.5))
    this.#operationsLeft = Number.POSITIVE_INFINITY
    this.#mayJump = false
  }

  #armCrash(): void {
    if (this.#random.chance(0.5)) this.#operationsLeft = this.#random.below(400)
  }

  #onOperation(life: Life): void {
    if (life.isOver) return
    this.#operationsLeft--
    if (this.#operationsLeft < 0) this.#endLife('within an operation of the disk')
  }

  // ---- opening ----

  /** Opens the ledger; tries again after failures that were made, and after crashes while it opens. */
  async #openWithFaults(): Promise<OpenLedgerParts> {
    const { random } = this
    for (let attempt = 1; ; attempt++) {
      this.#life = this.#beginLife()
      const life = this.#life
      const isDisturbed = attempt < openAttemptCountMax / 2 && random.chance(0.3)
      if (isDisturbed && random.chance(0.5)) this.#operationsLeft = random.below(30)
      if (isDisturbed && random.chance(0.5)) this.#addFault(life)
      try {
        const parts = await this.#untilOver(this.#open(life))
        if (parts !== undefined) {
          this.#operationsLeft = Number.POSITIVE_INFINITY
          life.memory.clearFaults()
          life.hasReadFaults = false
          return parts
        }
      } catch (error) {
        if (!isMadeFailure(error, isDisturbed)) throw error
        this.#trace.note(`opening failed: ${String(error)}`)
        this.#endLife('after a failed opening')
      }
      if (attempt === openAttemptCountMax) {
        throw new SimulationViolation('stuck', 'the ledger does not open')
      }
    }
  }

  get random(): SeededRandom {
    return this.#random
  }

  async #open(life: Life): Promise<OpenLedgerParts> {
    const host = await openLedgerHost(this.#hostOptions(life))
    const isThere = host.listLedgers().some(({ name }) => name === ledgerName)
    if (!isThere && this.#isCreated) throw new SimulationViolation('lost', 'the ledger is gone')
    if (!isThere) await host.createLedger({ name: ledgerName })
    if (!life.isOver) this.#isCreated = true
    const ids = createIdSource(life.clock, this.#engineRandom)
    const server = createQldbServer({
      host,
      clock: life.clock,
      ids,
      auth: 'off',
      limits: {
        pageValueCountMax: this.#plan.pageValueCountMax,
        transactionMsMax: this.#plan.transactionMsMax,
      },
    })
    return { host, ledger: host.getLedger(ledgerName), server, ids }
  }

  #hostOptions(life: Life): Parameters<typeof openLedgerHost>[0] {
    const { mutant } = this.#options
    const files = mutant?.wrapFiles?.(life.memory, life.clock, this.#diskRandom) ?? life.memory
    return {
      directory: dataDirectory,
      fileSystem: createDisk({
        files,
        clock: life.clock,
        random: this.#diskRandom,
        slowProbability: this.#plan.slowProbability,
        delayMsMax: this.#plan.diskDelayMsMax,
        onOperation: () => this.#onOperation(life),
      }),
      clock: life.clock,
      random: this.#engineRandom,
      projections: mutant?.wrapProjections?.(this.#projections) ?? this.#projections,
      isLocked: false,
      sealing: 'inline',
      segmentBytes: this.#plan.segmentBytes,
      limits: {
        transactionMsMax: this.#plan.transactionMsMax,
        tableCountMax: 1000,
        writtenDocumentCountMax: 1000,
      },
      logger: {
        log: (level, message) => {
          if (level === 'warn' || level === 'error') this.#trace.note(`log ${level}: ${message}`)
        },
      },
    }
  }

  // ---- clients ----

  async #runClients(life: Life, parts: OpenLedgerParts): Promise<void> {
    const network = new Network({
      life,
      server: parts.server,
      random: this.#clientRandom,
      delayMsMax: this.#plan.networkDelayMsMax,
      lossProbability: this.#plan.lossProbability,
      onViolation: (violation) => this.#fail(violation),
    })
    const clients = Array.from({ length: this.#plan.clientCount }, (_, no) => ({
      world: this.#world,
      life,
      parts,
      no,
      random: this.#clientRandom,
      thinkMsMax: this.#plan.thinkMsMax,
      chooseProgram: programChooser(this.#plan.focus, this.#plan.focusShare),
      connect: (): Connection =>
        no < this.#plan.wireClientCount
          ? new WireConnection(network, ledgerName)
          : new DirectConnection(life, parts.ledger, this.#clientRandom),
    }))
    const [first] = clients
    while (first !== undefined && !this.#checker.model.has('Account')) {
      const connection = new DirectConnection(life, parts.ledger, this.#clientRandom)
      await runTransaction(first, connection, async (transaction) => {
        for (const step of setUp) await transaction.run(step)
      })
      if (this.#history.transactions.at(-1)?.outcome === 'committed') break
      if (life.hasStopped || life.isEnding) return
    }
    await Promise.all(clients.map((client) => runClient(client)))
  }

  // ---- time and faults ----

  async #step(): Promise<void> {
    if (this.#violation !== undefined) throw this.#violation
    this.#stepNo++
    if (this.#random.chance(0.4)) await turn()
    else if (this.#mayJump && this.#random.chance(this.#plan.jumpProbability)) {
      const jumpMs = this.#random.below(2 * this.#plan.transactionMsMax)
      this.#trace.note(`the clock jumps ${jumpMs} ms ahead`)
      await this.#clock.jump(jumpMs)
    } else await this.#clock.advance(1 + this.#random.below(4))
  }

  #addFault(life: Life): void {
    const { random } = this
    const nth = 1 + random.below(5)
    const fault = (
      [
        { operation: 'syncData', nth, code: 'EIO' },
        { operation: 'write', nth, code: 'ENOSPC' },
        { operation: 'write', nth, code: 'EIO' },
        { operation: 'syncDirectory', nth, code: 'EIO' },
        { operation: 'truncate', nth, code: 'EIO' },
        { operation: 'open', nth, code: 'EIO' },
        { operation: 'read', nth, code: 'EIO' },
        { operation: 'read', nth, code: 'SHORT' },
      ] as const
    )[random.below(8)]
    if (fault === undefined) return
    life.hasFaults = true
    if (fault.operation === 'read') life.hasReadFaults = true
    this.#trace.note(`fault: ${fault.code} on ${fault.operation} ${nth}`)
    life.memory.addFault(fault)
  }

  /** The value of `task`, or undefined when the life ended before. */
  async #untilOver<T>(task: Promise<T>): Promise<T | undefined> {
    const life = this.#life
    const settled: { value?: T; error?: unknown; isDone: boolean } = { isDone: false }
    task.then(
      (value) => {
        settled.value = value
        settled.isDone = true
      },
      (error: unknown) => {
        settled.error = error
        settled.isDone = true
      },
    )
    for (let i = 0; !settled.isDone && !life.isOver; i++) {
      if (i > stepCountMax) throw new SimulationViolation('stuck', 'a task does not end')
      await this.#step()
    }
    if (life.isOver) return undefined
    if (settled.error !== undefined) throw settled.error
    return settled.value
  }

  /** For work of the checkers, which nothing interrupts. */
  async #settled<T>(task: Promise<T>): Promise<T> {
    const value = await this.#untilOver(task.then((it) => ({ it })))
    if (value === undefined) throw new SimulationViolation('stuck', 'a check was interrupted')
    return value.it
  }

  async #guard(task: Promise<void>): Promise<void> {
    try {
      await whileAlive(this.#life, task)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#violation ??=
      error instanceof SimulationViolation
        ? error
        : new SimulationViolation('answer', `unexpected ${String(error)}`, error)
  }

  // ---- checks while nothing runs ----

  async #whileStopped(): Promise<void> {
    this.#life = this.#beginLife()
    await this.#settled(
      checkDamage({
        files: this.#files,
        random: this.#random,
        host: this.#hostOptions(this.#life),
        ledgerName,
        model: this.#checker.model,
        trace: this.#trace,
      }),
    )
    this.#life.isOver = true
  }

  async #finish(): Promise<void> {
    this.#life = this.#beginLife()
    const parts = await this.#settled(this.#open(this.#life))
    this.#checker.check(parts.ledger)
    const { model } = this.#checker
    await this.#settled(audit(parts.ledger, model, 'at the end'))
    await this.#checkRedactions(parts)
    await this.#settled(audit(parts.ledger, model, 'after redactions'))
    await this.#settled(parts.host.close())
    await this.#settled(this.#verifyFiles())
    await this.#settled(this.#replay())
    const anomaly = findAnomaly(listTransactions(this.#history, model))
    if (anomaly !== undefined) throw new SimulationViolation('not serializable', anomaly)
  }

  /** What is redacted stands in no file, once the ledger says so. */
  async #checkRedactions({ ledger }: OpenLedgerParts): Promise<void> {
    await this.#settled(ledger.untilRedacted())
    const texts = this.#checker.model.redactedTexts().map((text) => Buffer.from(text))
    if (texts.length === 0) return
    this.#trace.note(`looks for ${texts.length} redacted texts`)
    for (const path of await this.#settled(pathsBelow(this.#files, dataDirectory))) {
      const content = Buffer.from(this.#files.contentOf(path))
      const found = texts.find((text) => content.includes(text))
      if (found === undefined) continue
      throw new SimulationViolation('redaction', `${path} holds the redacted text ${found}`)
    }
  }

  async #verifyFiles(): Promise<void> {
    const [report] = await verifyLedgerDirectory({
      directory: dataDirectory,
      fileSystem: this.#files,
      projections: this.#projections,
      clock: this.#clock,
    })
    const findings = report?.findings ?? []
    if (report?.blockCount === this.#checker.blockCount && findings.length === 0) return
    const messages = findings.map(({ kind, message }) => `${kind}: ${message}`).join('\n  ')
    const count = `${report?.blockCount} of ${this.#checker.blockCount} blocks`
    throw new SimulationViolation(
      'damage',
      `the files are found to be wrong: ${count}\n  ${messages}`,
    )
  }

  /** Builds the projections anew and looks at them. */
  async #replay(): Promise<void> {
    const options = this.#hostOptions(this.#life)
    const projections = createMemoryProjections()
    const host = await openLedgerHost({ ...options, projections })
    await audit(host.getLedger(ledgerName), this.#checker.model, 'after a replay')
    this.#checker.check(host.getLedger(ledgerName))
    await host.close()
  }
}

/** Of all files in a folder and its folders. */
async function pathsBelow(files: MemoryFileSystem, directory: string): Promise<string[]> {
  const out: string[] = []
  for (const name of await files.list(directory)) {
    const path = `${directory}/${name}`
    try {
      files.contentOf(path)
      out.push(path)
    } catch {
      out.push(...(await pathsBelow(files, path)))
    }
  }
  return out
}

/** Whether opening may fail like this. Damage is never an excuse: nothing was damaged. */
function isMadeFailure(error: unknown, isDisturbed: boolean): boolean {
  if (error instanceof SimulationViolation || !isDisturbed) return false
  if (error instanceof FileSystemError) return true
  return error instanceof JournalError
    ? error.code === 'WRITE_FAILED' || error.code === 'SHORT_READ'
    : error instanceof LedgerError && error.code === 'LEDGER_STOPPED'
}
