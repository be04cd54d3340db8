/**
 * The two ways of a client to the ledger, behind one interface: the transaction API within the process, and SendCommand
 * through the server (network.ts). What can go wrong is sorted into what it tells about the transaction.
 */
import type { IonValue } from '@cairn/ion'
import { decodeIon } from '@cairn/ion'
import { JournalError } from '@cairn/journal'
import { type Ledger, LedgerError, type Transaction } from '@cairn/ledger'
import { PartiqlError } from '@cairn/partiql'
import { FileSystemError, type SeededRandom } from '@cairn/testing'
import { type Life, whileAlive } from './life.ts'
import type { Statement } from './steps.ts'
import { SimulationViolation } from './violation.ts'

/**
 * `refused`: the statement had no effect, the transaction is open.
 * `absent`: the transaction has ended and is not committed.
 * `unknown`: nobody can tell but the journal.
 */
export type FailureKind = 'refused' | 'absent' | 'unknown'

export class ClientFailure extends Error {
  override readonly name = 'ClientFailure'
  readonly kind: FailureKind
  readonly code: string

  constructor(kind: FailureKind, code: string) {
    super(`${kind}: ${code}`)
    this.kind = kind
    this.code = code
  }
}

export interface Connection {
  /** Answers the id of the transaction. */
  begin(): Promise<string>
  execute(statement: Statement): Promise<IonValue[]>
  /** Answers the number of the block, where that is told. */
  commit(digest: Uint8Array): Promise<number | undefined>
  abort(): Promise<void>
  /** Goes away without a word. */
  vanish(): void
}

/** Also above the pages that transactions of the simulator can fill. */
const pageBytesMax = 1_000_000
const pauseMsMax = 20

export class DirectConnection implements Connection {
  readonly #life: Life
  readonly #ledger: Ledger
  readonly #random: SeededRandom
  #transaction: Transaction | undefined

  constructor(life: Life, ledger: Ledger, random: SeededRandom) {
    this.#life = life
    this.#ledger = ledger
    this.#random = random
  }

  async begin(): Promise<string> {
    try {
      this.#transaction = this.#ledger.startTransaction()
    } catch (error) {
      throw failureOf(error, this.#life, 'absent')
    }
    return this.#transaction.id
  }

  async execute(statement: Statement): Promise<IonValue[]> {
    const transaction = this.#open()
    const rows: IonValue[] = []
    // Without pauses within transactions there would be few conflicts between them.
    if (this.#random.chance(0.3)) {
      await whileAlive(this.#life, this.#life.clock.sleep(this.#random.below(pauseMsMax)))
    }
    try {
      const result = await whileAlive(
        this.#life,
        transaction.execute(statement.text, statement.parameters),
      )
      const pageSize = this.#random.chance(0.2) ? 1 : 100
      for (;;) {
        const page = await whileAlive(this.#life, result.nextPage(pageSize, pageBytesMax))
        rows.push(...page.values.map((stream) => decodeIon(stream)))
        if (page.isLast) return rows
      }
    } catch (error) {
      throw failureOf(error, this.#life, 'refused')
    }
  }

  async commit(digest: Uint8Array): Promise<number | undefined> {
    const transaction = this.#open()
    try {
      const { blockAddress } = await whileAlive(this.#life, transaction.commit(digest))
      return blockAddress?.sequenceNo
    } catch (error) {
      throw failureOf(error, this.#life, 'unknown')
    }
  }

  async abort(): Promise<void> {
    this.#transaction?.abort()
  }

  vanish(): void {}

  #open(): Transaction {
    if (this.#transaction === undefined) throw new ClientFailure('absent', 'NOT_BEGUN')
    return this.#transaction
  }
}

/** Codes after which the transaction is over and nothing of it is or will be in the journal. */
const absentCodes: ReadonlySet<string> = new Set([
  'OCC_CONFLICT',
  'TRANSACTION_EXPIRED',
  'TRANSACTION_CLOSED',
  'COMMIT_DIGEST_MISMATCH',
  'LEDGER_CLOSED',
  'LEDGER_STOPPED',
])

/** @param otherwise What a failed read or write means here. */
export function failureOf(
  error: unknown,
  life: Life,
  otherwise: FailureKind,
): ClientFailure | SimulationViolation {
  if (error instanceof LedgerError) {
    if (error.code === 'LEDGER_STOPPED') life.hasStopped = true
    if (error.code === 'COMMIT_NOT_CONFIRMED') {
      life.hasStopped = true
      return new ClientFailure('unknown', error.code)
    }
    return new ClientFailure(absentCodes.has(error.code) ? 'absent' : 'refused', error.code)
  }
  if (error instanceof PartiqlError) return new ClientFailure('refused', error.code)
  if (error instanceof JournalError) {
    if (error.code === 'WRITE_FAILED') life.hasStopped = true
    if (error.code !== 'SHORT_READ' && error.code !== 'DAMAGED') {
      return new ClientFailure('unknown', error.code)
    }
  }
  const isDiskFault =
    error instanceof FileSystemError ||
    (error instanceof JournalError && error.code === 'SHORT_READ')
  if (isDiskFault && otherwise === 'unknown' && life.hasFaults) {
    life.hasStopped = true
    return new ClientFailure('unknown', 'DISK_FAILED')
  }
  // The statement may have failed half way of reading: its client gives up.
  if (isDiskFault && life.hasReadFaults) return new ClientFailure('absent', 'READ_FAILED')
  return new SimulationViolation('answer', `a client got ${String(error)}`, error)
}
