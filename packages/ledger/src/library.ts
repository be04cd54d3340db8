/**
 * The ledger database inside a program, without any server: one ledger in one folder, values as plain JavaScript or
 * Ion.
 *
 *   const ledger = await openLedger({ directory: './titles' })
 *   await ledger.transact(async (tx) => {
 *     await tx.execute('INSERT INTO Vehicle ?', { vin: '1N4AL11D75C109151', owner: 'Ada' })
 *   })
 */
import { decodeIon, encodeIon, type IonValue, ionFromJs, jsFromIon } from '@cairn/ion'
import type { BlockAddress, Ledger, Transaction } from './api.ts'
import { LedgerError } from './errors.ts'
import { type LedgerHostOptions, openLedgerHost } from './ledger-host.ts'

export interface OpenLedgerOptions extends LedgerHostOptions {
  /** Of the ledger in the folder; made on first use. */
  readonly name?: string
  /** How often `transact` runs its function again after a conflict. */
  readonly retryCountMax?: number
}

const defaultName = 'ledger'
/** As the QLDB drivers do it by default. */
const defaultRetryCountMax = 4
const pageValueCountMax = 1000
const pageBytesMax = 1024 * 1024

export interface ExecutedRows {
  /** Rows as plain values: structs as objects, timestamps as Date, blobs as Uint8Array, decimals as numbers. */
  readonly values: readonly unknown[]
  /** The same rows as Ion, nothing lost. */
  readonly ion: readonly IonValue[]
}

/** A transaction within `transact`. */
export interface LibraryTransaction {
  readonly id: string
  /**
   * @param parameters For each `?` a plain value, or an Ion value made by `@cairn/ion`.
   * @throws PartiqlError, LedgerError
   */
  execute(statement: string, ...parameters: readonly unknown[]): Promise<ExecutedRows>
}

export interface Transacted<T> {
  readonly value: T
  readonly transactionId: string
  /** Undefined when the transaction only read. */
  readonly blockAddress: BlockAddress | undefined
}

export interface EmbeddedLedger {
  /** Digest, blocks, proofs, and transactions step by step. */
  readonly ledger: Ledger
  /**
   * Runs `work` in a transaction and commits it; runs it again when another transaction got in the way, so it must not
   * have effects of its own. When it throws, nothing is committed.
   * @throws LedgerError OCC_CONFLICT after the last retry, and whatever `work` throws
   */
  transact<T>(work: (transaction: LibraryTransaction) => Promise<T>): Promise<Transacted<T>>
  close(): Promise<void>
}

/** Opens the ledger in `options.directory`, or makes it. The process holds the folder until `close`. */
export async function openLedger(options: OpenLedgerOptions): Promise<EmbeddedLedger> {
  const host = await openLedgerHost(options)
  const name = options.name ?? defaultName
  try {
    if (!host.listLedgers().some((ledger) => ledger.name === name)) {
      await host.createLedger({ name })
    }
    const ledger = host.getLedger(name)
    const retryCountMax = options.retryCountMax ?? defaultRetryCountMax
    return {
      ledger,
      transact: (work) => transact(ledger, work, retryCountMax),
      close: () => host.close(),
    }
  } catch (error) {
    await host.close()
    throw error
  }
}

async function transact<T>(
  ledger: Ledger,
  work: (transaction: LibraryTransaction) => Promise<T>,
  retryCountMax: number,
): Promise<Transacted<T>> {
  for (let attempt = 0; ; attempt++) {
    const transaction = ledger.startTransaction()
    try {
      const value = await work({
        id: transaction.id,
        execute: (statement, ...parameters) => execute(transaction, statement, parameters),
      })
      const { transactionId, blockAddress } = await transaction.commit()
      return { value, transactionId, blockAddress }
    } catch (error) {
      transaction.abort()
      const isConflict = error instanceof LedgerError && error.code === 'OCC_CONFLICT'
      if (!isConflict || attempt >= retryCountMax) throw error
    }
  }
}

async function execute(
  transaction: Transaction,
  statement: string,
  parameters: readonly unknown[],
): Promise<ExecutedRows> {
  const streams = parameters.map((parameter) => encodeIon(ionFromJs(parameter)))
  const result = await transaction.execute(statement, streams)
  const first = await result.nextPage(pageValueCountMax, pageBytesMax)
  if (first.isLast) return new StreamRows(first.values)
  const values = [...first.values]
  for (;;) {
    const page = await result.nextPage(pageValueCountMax, pageBytesMax)
    for (const stream of page.values) values.push(stream)
    if (page.isLast) return new StreamRows(values)
  }
}

/** Rows are decoded when they are looked at: what INSERT and UPDATE answer mostly is not. */
class StreamRows implements ExecutedRows {
  readonly #streams: readonly Uint8Array[]
  #ion: readonly IonValue[] | undefined

  constructor(streams: readonly Uint8Array[]) {
    this.#streams = streams
  }

  get ion(): readonly IonValue[] {
    this.#ion ??= this.#streams.map((stream) => decodeIon(stream))
    return this.#ion
  }

  get values(): readonly unknown[] {
    return this.ion.map((value) => jsFromIon(value))
  }
}
