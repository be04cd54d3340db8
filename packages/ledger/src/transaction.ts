/**
 * An open transaction: runs statements on its view, keeps the commit digest, hands itself over to the engine to commit.
 * Statements of one transaction run one after the other, in the order they came.
 */
import { equalBytes } from '@cairn/core'
import {
  decodeIon,
  encodeIon,
  hashIonBytes,
  hashIonElements,
  hashIonString,
  IonError,
  type IonHashes,
  type IonValue,
} from '@cairn/ion'
import { dot } from '@cairn/merkle'
import { type CompiledStatement, partiqlError, pause, type Rows } from '@cairn/partiql'
import type {
  BlockAddress,
  CommitResult,
  IoUsage,
  Result,
  ResultPage,
  Transaction,
  TransactionOptions,
} from './api.ts'
import type { BlockStatement } from './block-record.ts'
import { LedgerError } from './errors.ts'
import type { TransactionOutcome } from './ledger-metrics.ts'
import type { LedgerLimits } from './limits.ts'
import { Mutex } from './mutex.ts'
import type { StatementCache } from './statement-cache.ts'
import { type TransactionView, transactionExpired } from './transaction-view.ts'

/** Rows that a transaction computes ahead of their pages. Ours: 16 times what it may write. */
const heldBytesMax = 64 * 1024 * 1024
/** What a row takes besides its bytes. */
const rowOverheadBytes = 128

type State = 'open' | 'committed' | 'aborted' | 'expired' | 'conflicted'

/** What a transaction needs of its ledger. */
export interface TransactionOwner {
  readonly limits: LedgerLimits
  /** Whether what QLDB did not have is refused. */
  readonly isStrictQldb: boolean
  readonly statements: StatementCache
  nowMs(): number
  /** Validates and commits. @throws LedgerError */
  commit(transaction: LedgerTransaction): Promise<BlockAddress | undefined>
  /** A commit was answered after `ms`. */
  committed(outcome: TransactionOutcome, ms: number): void
  /** The transaction has ended; its view is given back. */
  end(transaction: LedgerTransaction): void
}

export class LedgerTransaction implements Transaction {
  readonly id: string
  readonly startedMs: number
  readonly view: TransactionView
  readonly #owner: TransactionOwner
  readonly #authorize: TransactionOptions['authorize']
  readonly #mutex = new Mutex()
  #accepted: BlockStatement[] = []
  /** Results with rows still to compute. */
  #openResults: OpenResult[] = []
  /** Parameters with their hashes: a document that is stored as it came need not be hashed again. */
  #parameters: Parameter[] = []
  /** Of the documents in parameters that are lists of them. */
  #elementHashes: ElementHashes[] = []
  #digest: Uint8Array
  /** Rows computed ahead of their pages, fetched ones included. */
  #heldBytes = 0
  #state: State = 'open'

  constructor(view: TransactionView, owner: TransactionOwner, options: TransactionOptions = {}) {
    this.id = view.transactionId
    this.startedMs = owner.nowMs()
    this.view = view
    this.#owner = owner
    this.#authorize = options.authorize
    this.#digest = hashIonString(this.id)
  }

  /** Statements in the order of their indexes; rejected ones are left out. */
  get statements(): readonly BlockStatement[] {
    return this.#accepted
  }

  parameterHash(value: IonValue): Uint8Array | undefined {
    for (const parameter of this.#parameters) {
      if (parameter.value === value) return parameter.hash
    }
    for (const hashes of this.#elementHashes) {
      const found = hashes.hashOf(value)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Lets go of what only a commit needs. */
  forget(): void {
    this.#accepted = []
    this.#parameters = []
    this.#elementHashes = []
    this.#openResults = []
  }

  execute(statement: string, parameters: readonly Uint8Array[]): Promise<Result> {
    return this.#mutex.run(() => this.#execute(statement, parameters))
  }

  #execute(text: string, parameters: readonly Uint8Array[]): Result | Promise<Result> {
    this.checkOpen()
    const startTimeMs = this.#owner.nowMs()
    const startedMs = performance.now()
    const { digest, values } = this.#readParameters(text, parameters)
    if (text.length > this.#owner.limits.statementLengthMax) throw this.#statementTooLong(text)
    this.view.addBytes(text.length)
    if (this.#owner.isStrictQldb) this.#checkStrict(text)
    const compiled = this.#owner.statements.compile(text, this.view)
    this.#authorize?.(compiled.actions)
    const result = new OpenResult(compiled, values, this, startedMs)
    const statement = { text, startTimeMs, digest }
    if (compiled.isReadOnly) {
      this.#accepted.push(statement)
      this.#openResults.push(result)
      return result
    }
    const isDone = this.#openResults.length === 0 && this.#runAtOnce(result)
    if (!isDone) return this.#runToEnd(result, statement)
    this.#accepted.push(statement)
    return result
  }

  #checkStrict(text: string): void {
    const extension = this.#owner.statements.extension(text)
    if (extension === undefined) return
    throw new LedgerError(
      { code: 'STATEMENT_NOT_SUPPORTED', statement: extension },
      {
        shortMessage: `QLDB had no ${extension}, and the ledger takes what QLDB took.`,
        metaMessages: ['Write the statement without it, or switch strictQldb of the ledger off.'],
      },
    )
  }

  /** @returns false when the statement came to a pause: it goes on by itself when others have run. */
  #runAtOnce(result: OpenResult): boolean {
    this.view.beginStatement(this.#accepted.length)
    try {
      const isDone = result.drainToPause()
      if (isDone) this.view.endStatement()
      return isDone
    } catch (error) {
      this.view.rollBackStatement()
      throw error
    }
  }

  /** Runs a statement that writes: whole, or not at all. */
  async #runToEnd(result: OpenResult, statement: BlockStatement): Promise<Result> {
    // Results still being read show the state before this statement.
    for (const open of this.#openResults) await open.drain()
    this.#openResults = []
    if (!this.view.isInStatement) this.view.beginStatement(this.#accepted.length)
    try {
      await result.drain()
      this.view.endStatement()
    } catch (error) {
      this.view.rollBackStatement()
      throw error
    }
    this.#accepted.push(statement)
    return result
  }

  /** The statement enters the commit digest whatever becomes of it: the driver has counted it already (1.5). */
  #readParameters(
    text: string,
    parameters: readonly Uint8Array[],
  ): { digest: Uint8Array; values: IonValue[] } {
    let digest = this.#owner.statements.textHash(text)
    const values: IonValue[] = []
    let tooLarge: LedgerError | undefined
    let index = 0
    for (const bytes of parameters) {
      if (bytes.length > this.#owner.limits.parameterBytesMax) {
        tooLarge ??= this.#parameterTooLarge(index, bytes.length)
      }
      const parameter = readParameter(bytes, index++)
      this.#parameters.push(parameter)
      const { value, elements } = parameter
      if (elements !== undefined && value.type === 'list') {
        this.#elementHashes.push(new ElementHashes(value.values, elements))
      }
      values.push(parameter.value)
      digest = dot(digest, parameter.hash)
    }
    this.#digest = dot(this.#digest, digest)
    if (tooLarge !== undefined) throw tooLarge
    return { digest, values }
  }

  /** Pulls rows for a result of this transaction, giving way to others at each pause. */
  readPage(result: OpenResult, valueCountMax: number, bytesMax: number): Promise<ResultPage> {
    return this.#mutex.run(() => {
      if (!result.isDrained) this.checkOpen()
      return result.takePage(valueCountMax, bytesMax)
    })
  }

  /**
   * The Ion stream of a row: the stored bytes where the row is a stored document.
   * @throws PartiqlError EVALUATION for a row that has no Ion form: nested too deeply, or the symbol `$ion_1_0` alone.
   */
  encodeRow(row: IonValue): Uint8Array {
    const stored = this.view.storedBytesOf(row)
    if (stored !== undefined) return stored
    try {
      return encodeIon(row)
    } catch (error) {
      if (!(error instanceof IonError)) throw error
      const position = { line: 1, column: 1 }
      throw partiqlError('EVALUATION', position, 'a row of the result has no Ion form.', [
        error.shortMessage,
      ])
    }
  }

  /**
   * Counts a row that is kept until a client fetches it.
   * @throws LedgerError LIMIT_EXCEEDED
   */
  countHeld(rowBytes: number): void {
    this.#heldBytes += rowBytes + rowOverheadBytes
    if (this.#heldBytes <= heldBytesMax) return
    throw new LedgerError(
      {
        code: 'LIMIT_EXCEEDED',
        limit: 'heldBytesMax',
        value: this.#heldBytes,
        valueMax: heldBytesMax,
      },
      {
        shortMessage: `Results of the transaction would keep more than ${heldBytesMax} bytes in memory.`,
        metaMessages: [
          'A statement that writes computes the rest of every result that is still being read.',
          'Read results to their end first, or narrow them.',
        ],
      },
    )
  }

  commit(expectedDigest?: Uint8Array): Promise<CommitResult> {
    return this.#mutex.run(() => this.#commit(expectedDigest))
  }

  async #commit(expectedDigest: Uint8Array | undefined): Promise<CommitResult> {
    this.checkOpen()
    const startedMs = performance.now()
    if (expectedDigest !== undefined && !equalBytes(expectedDigest, this.#digest)) {
      this.#end('aborted')
      throw new LedgerError(
        { code: 'COMMIT_DIGEST_MISMATCH', transactionId: this.id },
        {
          shortMessage: 'The commit digest does not match the statements of the transaction.',
          metaMessages: ['A statement or a parameter changed on its way. Nothing was committed.'],
        },
      )
    }
    try {
      const blockAddress = await this.#owner.commit(this)
      this.#end('committed')
      const ms = performance.now() - startedMs
      this.#owner.committed('committed', ms)
      return {
        transactionId: this.id,
        commitDigest: this.#digest,
        blockAddress,
        usage: this.view.takeUsage(),
        processingMs: wholeMs(ms),
      }
    } catch (error) {
      const isConflict = error instanceof LedgerError && error.code === 'OCC_CONFLICT'
      this.#owner.committed(isConflict ? 'conflict' : 'failed', performance.now() - startedMs)
      this.#end(isConflict ? 'conflicted' : 'aborted')
      throw error
    }
  }

  abort(): void {
    this.#end('aborted')
  }

  /** Called by the ledger when the transaction's time is over. */
  expire(): void {
    this.#end('expired')
  }

  #end(state: State): void {
    if (this.#state !== 'open') return
    this.#state = state
    this.#openResults = []
    // A statement under way still reads from the view; it stops at its next pause.
    void this.#mutex.run(() => this.#owner.end(this))
  }

  /** @throws LedgerError TRANSACTION_EXPIRED, TRANSACTION_CLOSED */
  checkOpen(): void {
    if (this.#state === 'open') {
      const ageMs = this.#owner.nowMs() - this.startedMs
      if (ageMs < this.#owner.limits.transactionMsMax) return
      this.#end('expired')
    }
    if (this.#state === 'expired') {
      const ageMs = this.#owner.nowMs() - this.startedMs
      throw transactionExpired(this.id, ageMs, this.#owner.limits.transactionMsMax)
    }
    throw new LedgerError(
      { code: 'TRANSACTION_CLOSED', transactionId: this.id },
      {
        shortMessage: `Transaction ${this.id} is not open.`,
        metaMessages: ['It was committed or aborted, or lost a conflict. Start another one.'],
      },
    )
  }

  #statementTooLong(text: string): LedgerError {
    const valueMax = this.#owner.limits.statementLengthMax
    return new LedgerError(
      { code: 'LIMIT_EXCEEDED', limit: 'statementLengthMax', value: text.length, valueMax },
      {
        shortMessage: `The statement has ${text.length} of at most ${valueMax} characters.`,
        metaMessages: [
          'Hand data over as parameters.',
          'Or raise statementLengthMax with cairn up --limits FILE.',
        ],
      },
    )
  }

  #parameterTooLarge(index: number, size: number): LedgerError {
    const valueMax = this.#owner.limits.parameterBytesMax
    return new LedgerError(
      { code: 'LIMIT_EXCEEDED', limit: 'parameterBytesMax', value: size, valueMax },
      {
        shortMessage: `Parameter ${index + 1} is too large: ${size} of at most ${valueMax} bytes.`,
        metaMessages: [
          'Split the document, or keep the large part outside and store its hash.',
          'Or raise parameterBytesMax with cairn up --limits FILE.',
        ],
      },
    )
  }
}

/** Hashes of a list's elements. Documents are stored in the order of the list, so they are mostly asked for in turn. */
class ElementHashes {
  readonly #values: readonly IonValue[]
  readonly #hashes: readonly Uint8Array[]
  /** Of the element that is due. */
  #next = 0
  #byValue: Map<IonValue, Uint8Array> | undefined

  constructor(values: readonly IonValue[], hashes: readonly Uint8Array[]) {
    this.#values = values
    this.#hashes = hashes
  }

  hashOf(value: IonValue): Uint8Array | undefined {
    if (this.#values[this.#next] === value) return this.#hashes[this.#next++]
    this.#byValue ??= new Map(
      this.#values.map((element, i) => [element, this.#hashes[i] as Uint8Array]),
    )
    return this.#byValue.get(value)
  }
}

interface Parameter extends IonHashes {
  readonly value: IonValue
}

function readParameter(bytes: Uint8Array, index: number): Parameter {
  try {
    const value = decodeIon(bytes)
    // Documents to be inserted, most likely.
    if (value.type === 'list' && value.values[0]?.type === 'struct') {
      return { value, ...hashIonElements(bytes) }
    }
    return { value, hash: hashIonBytes(bytes), elements: undefined }
  } catch (cause) {
    throw new LedgerError(
      { code: 'PARAMETER_INVALID', index },
      {
        shortMessage: `Parameter ${index + 1} is not one Ion value in binary.`,
        metaMessages: [cause instanceof Error ? cause.message : String(cause)],
        cause,
      },
    )
  }
}

function elapsedMs(startedMs: number): number {
  return wholeMs(performance.now() - startedMs)
}

function wholeMs(ms: number): number {
  return Math.max(1, Math.round(ms))
}

interface FillingPage {
  readonly values: Uint8Array[]
  bytesSize: number
  readonly valueCountMax: number
  readonly bytesMax: number
}

class OpenResult implements Result {
  readonly accesses: readonly string[]
  readonly #rows: Rows
  readonly #transaction: LedgerTransaction
  /** Rows read ahead: all of them for a statement that writes, the one that did not fit on the last page otherwise. */
  #ahead: Uint8Array[] = []
  #aheadStart = 0
  #isExhausted = false
  /** When the work for the next page began, if it has. */
  #startedMs: number | undefined

  constructor(
    statement: CompiledStatement,
    parameters: readonly IonValue[],
    transaction: LedgerTransaction,
    startedMs: number,
  ) {
    this.accesses = statement.accesses
    this.#rows = statement.run(parameters, transaction.view)
    this.#transaction = transaction
    this.#startedMs = startedMs
  }

  /** Whether every row is at hand. */
  get isDrained(): boolean {
    return this.#isExhausted
  }

  /** Computes all rows that are left. */
  async drain(): Promise<void> {
    while (!this.drainToPause()) await this.#giveWay()
  }

  /** @returns true when all rows are computed. */
  drainToPause(): boolean {
    while (!this.#isExhausted) {
      const row = this.#pull()
      if (row === pause) return false
      if (row === undefined) continue
      this.#transaction.countHeld(row.length)
      this.#ahead.push(row)
    }
    return true
  }

  nextPage(valueCountMax: number, bytesMax: number): Promise<ResultPage> {
    return this.#transaction.readPage(this, valueCountMax, bytesMax)
  }

  takePage(valueCountMax: number, bytesMax: number): ResultPage | Promise<ResultPage> {
    const startedMs = this.#startedMs ?? performance.now()
    this.#startedMs = undefined
    const page = { values: [], bytesSize: 0, valueCountMax, bytesMax }
    const isLast = this.#fill(page)
    if (isLast === pause) return this.#takeRest(page, startedMs)
    return this.#pageOf(page.values, isLast, startedMs)
  }

  async #takeRest(page: FillingPage, startedMs: number): Promise<ResultPage> {
    let isLast: boolean | typeof pause = pause
    while (isLast === pause) {
      await this.#giveWay()
      isLast = this.#fill(page)
    }
    return this.#pageOf(page.values, isLast, startedMs)
  }

  /** @returns whether the last row is on the page now, or `pause` when there is more to compute for it. */
  #fill(page: FillingPage): boolean | typeof pause {
    for (;;) {
      const row = this.#peek()
      if (row === pause) return pause
      if (row === undefined) return true
      const { values, bytesSize } = page
      if (values.length >= page.valueCountMax) return false
      if (values.length > 0 && bytesSize + row.length > page.bytesMax) return false
      this.#aheadStart++
      values.push(row)
      page.bytesSize += row.length
    }
  }

  #pageOf(values: Uint8Array[], isLast: boolean, startedMs: number): ResultPage {
    const usage: IoUsage = this.#transaction.view.takeUsage()
    return { values, isLast, usage, processingMs: elapsedMs(startedMs) }
  }

  /** The next row without taking it; undefined after the last one. */
  #peek(): Uint8Array | typeof pause | undefined {
    if (this.#aheadStart < this.#ahead.length) return this.#ahead[this.#aheadStart]
    if (this.#isExhausted) return undefined
    const row = this.#pull()
    if (row === undefined || row === pause) return row
    this.#ahead = [row]
    this.#aheadStart = 0
    return row
  }

  #pull(): Uint8Array | typeof pause | undefined {
    const { value, done } = this.#rows.next()
    if (done === true) {
      this.#isExhausted = true
      return undefined
    }
    return value === pause ? pause : this.#transaction.encodeRow(value)
  }

  /** Lets other work of the process run. */
  async #giveWay(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#transaction.checkOpen()
  }
}
