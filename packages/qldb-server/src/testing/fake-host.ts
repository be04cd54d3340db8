/**
 * A ledger host for tests of the protocol alone. Statements are commands to it: `ROWS n`, `FAIL CODE`, `WAIT`, `CRASH`;
 * anything else gives no rows. It has no PartiQL, no journal, and takes any commit digest but one of zeros.
 */
import type { BaseError } from '@cairn/core'
import {
  type BlockAddress,
  type CommitResult,
  type CreateLedgerOptions,
  type Ledger,
  type LedgerBlock,
  type LedgerChanges,
  type LedgerDescription,
  type LedgerDigest,
  LedgerError,
  type LedgerErrorType,
  type LedgerHost,
  type LedgerStatistics,
  type ProvenValue,
  type Result,
  type ResultPage,
  type Transaction,
} from '@cairn/ledger'

const usage = { readIos: 1, writeIos: 0 }

/** An Ion stream of one int below 256. */
export function ionByte(value: number): Uint8Array {
  return new Uint8Array([0xe0, 0x01, 0x00, 0xea, 0x21, value])
}

export function ledgerError(data: LedgerErrorType): LedgerError {
  return new LedgerError(data, { shortMessage: `${data.code} happened.` })
}

export class FakeTransaction implements Transaction {
  readonly id: string
  readonly startedMs: number
  readonly statements: string[] = []
  readonly parameters: (readonly Uint8Array[])[] = []
  readonly #host: FakeHost
  state: 'open' | 'committed' | 'aborted' = 'open'

  constructor(host: FakeHost, id: string, startedMs: number) {
    this.#host = host
    this.id = id
    this.startedMs = startedMs
  }

  async execute(statement: string, parameters: readonly Uint8Array[]): Promise<Result> {
    this.statements.push(statement)
    this.parameters.push(parameters)
    const [command, argument = ''] = statement.split(' ')
    if (command === 'WAIT') await this.#host.gate
    if (this.state !== 'open') {
      throw ledgerError({ code: 'TRANSACTION_CLOSED', transactionId: this.id })
    }
    if (command === 'CRASH') throw new TypeError('secret detail of the machine')
    if (command === 'FAIL') throw this.#failure(argument)
    return new FakeResult(command === 'ROWS' ? Number(argument) : 0)
  }

  async commit(expectedDigest?: Uint8Array): Promise<CommitResult> {
    const failure = this.#host.commitFailure
    if (failure !== undefined) {
      this.state = 'aborted'
      throw failure
    }
    if (expectedDigest?.every((byte) => byte === 0)) throw this.#failure('COMMIT_DIGEST_MISMATCH')
    this.state = 'committed'
    return {
      transactionId: this.id,
      commitDigest: expectedDigest ?? new Uint8Array(32),
      blockAddress: undefined,
      usage: { readIos: 0, writeIos: 2 },
      processingMs: 3,
    }
  }

  abort(): void {
    if (this.state === 'open') this.state = 'aborted'
  }

  #failure(code: string): BaseError<{ readonly code: string }> {
    const transactionId = this.id
    switch (code) {
      case 'OCC_CONFLICT':
        return ledgerError({ code, transactionId, conflict: 'a document' })
      case 'TRANSACTION_EXPIRED':
        return ledgerError({ code, transactionId, ageMs: 31_000, ageMsMax: 30_000 })
      case 'TRANSACTION_CLOSED':
      case 'COMMIT_DIGEST_MISMATCH':
        return ledgerError({ code, transactionId })
      default:
        return ledgerError({ code: 'TABLE_NOT_FOUND', table: code })
    }
  }
}

class FakeResult implements Result {
  readonly accesses: readonly string[] = []
  readonly #rowCount: number
  #next = 0

  constructor(rowCount: number) {
    this.#rowCount = rowCount
  }

  async nextPage(valueCountMax: number): Promise<ResultPage> {
    const count = Math.min(valueCountMax, this.#rowCount - this.#next)
    const values = Array.from({ length: count }, (_, i) => ionByte((this.#next + i) & 255))
    this.#next += count
    return { values, isLast: this.#next >= this.#rowCount, usage, processingMs: 1 }
  }
}

export class FakeLedger implements Ledger {
  readonly name: string
  readonly strandId: string
  readonly permissionsMode = 'ALLOW_ALL' as const
  readonly transactions: FakeTransaction[] = []
  readonly #host: FakeHost

  constructor(host: FakeHost, name: string, strandId: string) {
    this.#host = host
    this.name = name
    this.strandId = strandId
  }

  startTransaction(): FakeTransaction {
    const no = String(this.transactions.length).padStart(11, '0')
    const transaction = new FakeTransaction(
      this.#host,
      `${this.strandId.slice(0, 11)}${no}`,
      this.#host.nowMs(),
    )
    this.transactions.push(transaction)
    return transaction
  }

  digest(): LedgerDigest {
    return { digest: new Uint8Array(32).fill(7), tipAddress: this.#address(5) }
  }

  async statistics(): Promise<LedgerStatistics> {
    return { blockCount: 6, journalBytes: 4096, projectionBytes: 0, tables: [] }
  }

  block(address: BlockAddress, tip?: BlockAddress): ProvenValue {
    if (address.sequenceNo > 5) {
      throw ledgerError({ code: 'ADDRESS_INVALID', parameter: 'BlockAddress' })
    }
    const value = { type: 'int', value: address.sequenceNo, annotations: [] } as const
    return { value, proof: tip === undefined ? undefined : [new Uint8Array(32).fill(9)] }
  }

  revision(address: BlockAddress, documentId: string, tip?: BlockAddress): ProvenValue {
    if (documentId === 'absent') throw ledgerError({ code: 'DOCUMENT_NOT_FOUND', documentId })
    return this.block(address, tip)
  }

  /** Blocks 0 to 5, which hold nothing to be read in order. */
  get blockCount(): number {
    return 6
  }

  *blocksFrom(): Generator<LedgerBlock> {}

  firstBlockSince(): number {
    return this.blockCount
  }

  async untilBlock(): Promise<void> {}

  async untilRedacted(): Promise<void> {}

  #address(sequenceNo: number): BlockAddress {
    return { strandId: this.strandId, sequenceNo }
  }
}

export class FakeHost implements LedgerHost {
  readonly nowMs: () => number
  readonly ledgers: Map<string, { description: LedgerDescription; ledger: FakeLedger }> = new Map()
  /** Tags of the active tables of each ledger, by table id. */
  readonly tables: Map<string, Readonly<Record<string, string>>> = new Map()
  /** What `WAIT` waits for. */
  gate: Promise<void> = Promise.resolve()
  openGate: () => void = () => undefined
  ledgerCountMax = 200
  /** What commits fail with. */
  commitFailure: LedgerError | undefined
  #ledgerNo = 0

  constructor(nowMs: () => number) {
    this.nowMs = nowMs
  }

  closeGate(): void {
    this.gate = new Promise((resolve) => {
      this.openGate = resolve
    })
  }

  async createLedger(options: CreateLedgerOptions): Promise<LedgerDescription> {
    if (this.ledgers.has(options.name)) {
      throw ledgerError({ code: 'LEDGER_EXISTS', ledgerName: options.name })
    }
    if (this.ledgers.size >= this.ledgerCountMax) {
      throw ledgerError({
        code: 'LIMIT_EXCEEDED',
        limit: 'ledgerCountMax',
        value: this.ledgers.size + 1,
        valueMax: this.ledgerCountMax,
      })
    }
    const strandId = String(this.#ledgerNo++).padStart(22, 's')
    const description: LedgerDescription = {
      name: options.name,
      strandId,
      state: 'ACTIVE',
      createdMs: this.nowMs(),
      permissionsMode: options.permissionsMode ?? 'ALLOW_ALL',
      isDeletionProtected: options.isDeletionProtected ?? true,
      kmsKey: options.kmsKey,
      tags: options.tags ?? {},
    }
    const ledger = new FakeLedger(this, options.name, strandId)
    this.ledgers.set(options.name, { description, ledger })
    return description
  }

  describeLedger(name: string): LedgerDescription {
    return this.#entry(name).description
  }

  listLedgers(): readonly LedgerDescription[] {
    return [...this.ledgers.values()]
      .map(({ description }) => description)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async updateLedger(name: string, changes: LedgerChanges): Promise<LedgerDescription> {
    const entry = this.#entry(name)
    await Promise.resolve()
    entry.description = { ...entry.description, ...changes }
    return entry.description
  }

  tableTags(name: string, tableId: string): Readonly<Record<string, string>> | undefined {
    this.#entry(name)
    return this.tables.get(tableId)
  }

  async setTableTags(
    name: string,
    tableId: string,
    tags: Readonly<Record<string, string>>,
  ): Promise<void> {
    this.#entry(name)
    this.tables.set(tableId, tags)
  }

  async deleteLedger(name: string): Promise<void> {
    if (this.#entry(name).description.isDeletionProtected) {
      throw ledgerError({ code: 'LEDGER_PROTECTED', ledgerName: name })
    }
    this.ledgers.delete(name)
  }

  stoppedLedgers(): readonly string[] {
    return []
  }

  getLedger(name: string): FakeLedger {
    return this.#entry(name).ledger
  }

  async close(): Promise<void> {}

  #entry(name: string) {
    const entry = this.ledgers.get(name)
    if (entry === undefined) throw ledgerError({ code: 'LEDGER_NOT_FOUND', ledgerName: name })
    return entry
  }
}
