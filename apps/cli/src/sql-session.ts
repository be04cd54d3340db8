/**
 * What the query shell does with whole statements: each in a transaction of its own, or several between
 * START TRANSACTION and COMMIT. Knows nothing of lines and prompts.
 */
import { isFault } from './errors.ts'
import { countText, formatResult, type ResultFormat } from './result-format.ts'
import type { ClientTransaction, SessionClient, StatementResult } from './session-client.ts'

export interface SqlSessionOptions {
  readonly client: SessionClient
  readonly format: ResultFormat
  /** Adds the time to the count of a table. */
  readonly isTimed: boolean
  nowMs(): number
}

const startPattern = /^(?:start\s+transaction|begin(?:\s+transaction)?)$/i
const commitPattern = /^commit(?:\s+transaction)?$/i
const abortPattern = /^(?:abort|rollback)(?:\s+transaction)?$/i

export class SqlSession {
  readonly #options: SqlSessionOptions
  #transaction: ClientTransaction | undefined

  constructor(options: SqlSessionOptions) {
    this.#options = options
  }

  get isInTransaction(): boolean {
    return this.#transaction !== undefined
  }

  /** Runs one statement without its `;` and answers what to print, line break included. @throws CliError */
  async run(statement: string): Promise<string> {
    if (startPattern.test(statement)) return this.#start()
    if (commitPattern.test(statement)) return this.#commit()
    if (abortPattern.test(statement)) return this.#abort()
    const startedMs = this.#options.nowMs()
    const result = await this.#execute(statement)
    return this.#resultText(result, this.#options.nowMs() - startedMs)
  }

  /** Gives up an open transaction. */
  async close(): Promise<void> {
    if (this.#transaction !== undefined) await this.#abort().catch(() => undefined)
    await this.#options.client.close()
  }

  async #execute(statement: string): Promise<StatementResult> {
    if (this.#transaction === undefined) return this.#options.client.executeAlone(statement)
    try {
      return await this.#transaction.execute(statement)
    } catch (error) {
      // After these two the server has closed the transaction (qldb-compat 1.7); after others it goes on.
      const hasEnded =
        isFault(error, 'OccConflictException') || isFault(error, 'InvalidSessionException')
      if (hasEnded) this.#transaction = undefined
      throw error
    }
  }

  async #start(): Promise<string> {
    if (this.#transaction !== undefined) return 'A transaction is open already.\n'
    this.#transaction = await this.#options.client.startTransaction()
    return `Transaction ${this.#transaction.id}: COMMIT keeps it, ABORT gives it up.\n`
  }

  async #commit(): Promise<string> {
    const transaction = this.#transaction
    if (transaction === undefined) return 'No transaction is open.\n'
    this.#transaction = undefined
    await transaction.commit()
    return 'Committed.\n'
  }

  async #abort(): Promise<string> {
    const transaction = this.#transaction
    if (transaction === undefined) return 'No transaction is open.\n'
    this.#transaction = undefined
    await transaction.abort()
    return 'Aborted.\n'
  }

  #resultText({ values }: StatementResult, elapsedMs: number): string {
    const { format, isTimed } = this.#options
    const text = formatResult(values, format)
    if (format !== 'table' || !isTimed) return text
    const count = countText(values.length)
    return text.replace(/\(.*\)\n$/, `(${count}, ${Math.round(elapsedMs)} ms)\n`)
  }
}
