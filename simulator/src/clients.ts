/** Simulated clients: one transaction after the other, each written down with what it was told. */
import { hashIonBytes, type IonValue, jsFromIon } from '@cairn/ion'
import { LedgerError } from '@cairn/ledger'
import type { SeededRandom } from '@cairn/testing'
import {
  parseBlock,
  parseRevision,
  statementDigest,
  transactionDigest,
  verifyRevision,
} from '@cairn/verifier'
import { ClientFailure, type Connection, failureOf } from './connection.ts'
import { type History, type RecordedTransaction, writes } from './history.ts'
import { type Life, type OpenLedgerParts, whileAlive } from './life.ts'
import { answerOf, type Step, statementOf } from './steps.ts'
import type { Trace } from './trace.ts'
import { SimulationViolation } from './violation.ts'
import type { Program, ProgramTransaction } from './workload.ts'

/** What all clients of a run share. */
export interface ClientWorld {
  readonly history: History
  readonly trace: Trace
  readonly keptDigests: KeptDigest[]
  unique(): string
}

export interface KeptDigest {
  readonly sequenceNo: number
  readonly digest: Uint8Array
}

export interface ClientOptions {
  readonly world: ClientWorld
  readonly life: Life
  readonly parts: OpenLedgerParts
  readonly no: number
  readonly random: SeededRandom
  readonly connect: () => Connection
  readonly thinkMsMax: number
  readonly chooseProgram: (random: SeededRandom) => Program
}

export async function runClient(options: ClientOptions): Promise<void> {
  const { life, random, thinkMsMax, connect, chooseProgram } = options
  let connection = connect()
  while (!life.isEnding) {
    await whileAlive(life, life.clock.sleep(random.below(thinkMsMax)))
    if (life.isEnding) return
    if (random.chance(0.08)) checkProof(options)
    const isSame = await runTransaction(options, connection, chooseProgram(random))
    if (!isSame) connection = connect()
  }
}

/** Answers whether the client is still there afterwards. */
export async function runTransaction(
  options: ClientOptions,
  connection: Connection,
  program: Program,
): Promise<boolean> {
  const { world, random, parts, life } = options
  const record = world.history.begin(options.no, durableCount(parts) ?? 0)
  const transaction = new ClientTransaction(options, connection, record)
  try {
    await transaction.begin()
    await transaction.runProgram(program)
    if (random.chance(0.03)) {
      transaction.note('goes away')
      connection.vanish()
      return false
    }
    if (random.chance(0.04)) {
      transaction.note('aborts')
      await connection.abort()
      return true
    }
    await transaction.commit()
  } catch (error) {
    if (!(error instanceof ClientFailure)) throw error
    transaction.fail(error)
    if (error.kind === 'refused') await connection.abort()
  }
  if (life.hasStopped) await whileAlive(life, life.clock.sleep(random.below(50)))
  return true
}

class ClientTransaction implements ProgramTransaction {
  readonly random: SeededRandom
  readonly #options: ClientOptions
  readonly #connection: Connection
  readonly #record: RecordedTransaction
  readonly #digests: Uint8Array[] = []

  constructor(options: ClientOptions, connection: Connection, record: RecordedTransaction) {
    this.random = options.random
    this.#options = options
    this.#connection = connection
    this.#record = record
  }

  async begin(): Promise<void> {
    this.#record.id = await this.#connection.begin()
  }

  /** A statement that is refused ends the program; what it did before may be committed all the same. */
  async runProgram(program: Program): Promise<void> {
    try {
      await program(this)
    } catch (error) {
      const isRefused = error instanceof ClientFailure && error.kind === 'refused'
      if (!isRefused || this.random.chance(0.5)) throw error
    }
  }

  async run(step: Step): Promise<readonly unknown[]> {
    const statement = statementOf(step)
    // The digest covers what was sent, refused or not.
    this.#digests.push(statementDigest(statement.text, statement.parameters.map(hashIonBytes)))
    let rows: readonly IonValue[]
    try {
      rows = await this.#connection.execute(statement)
    } catch (error) {
      if (error instanceof ClientFailure && error.kind === 'refused') {
        this.#record.steps.push({ step, answer: undefined })
        this.note(`${step.kind} refused: ${error.code}`)
      }
      throw error
    }
    const values = rows.map((row) => jsFromIon(row))
    const answer = answerOf(step, values)
    this.#record.steps.push({ step, answer })
    this.note(`${statement.text}: ${answer.length}`)
    return values
  }

  unique(): string {
    return this.#options.world.unique()
  }

  async commit(): Promise<void> {
    const { world, parts, life } = this.#options
    const record = this.#record
    let digest = transactionDigest(record.id, this.#digests)
    const isWrong = this.random.chance(0.01)
    if (isWrong) digest = digest.map((byte) => byte ^ 1)
    record.outcome = 'unknown'
    const hadFailed = life.hasStopped
    const blockNo = await this.#connection.commit(digest)
    const durableAfter = durableCount(parts) ?? Number.POSITIVE_INFINITY
    world.history.acknowledge(record, durableAfter, blockNo)
    this.note(`committed in block ${blockNo ?? '?'}`)
    if (isWrong) throw new SimulationViolation('answer', 'a commit with a false digest succeeded')
    if (hadFailed && writes(record)) {
      throw new SimulationViolation('answer', 'a commit succeeded after a write had failed')
    }
  }

  fail(failure: ClientFailure): void {
    this.note(`${failure.kind}: ${failure.code}`)
    if (failure.kind !== 'unknown') this.#record.outcome = 'absent'
  }

  note(text: string): void {
    this.#options.world.trace.note(`client ${this.#options.no} ${this.#record.id}: ${text}`)
  }
}

/** How many blocks the ledger says are on the disk; undefined when it says nothing any more. */
function durableCount({ ledger }: OpenLedgerParts): number | undefined {
  try {
    return ledger.digest().tipAddress.sequenceNo + 1
  } catch {
    return undefined
  }
}

/** Asks for a digest and a proof, checks them as a client does, keeps the digest. */
function checkProof({ world, life, parts, random }: ClientOptions): void {
  const { ledger } = parts
  try {
    const { digest, tipAddress } = ledger.digest()
    world.keptDigests.push({ sequenceNo: tipAddress.sequenceNo, digest })
    const sequenceNo = random.below(tipAddress.sequenceNo + 1)
    const address = { strandId: ledger.strandId, sequenceNo }
    const block = parseBlock(ledger.block(address).value)
    const [documentId] = block.transactionInfo.documents.keys()
    if (documentId === undefined) return
    const { value, proof } = ledger.revision(address, documentId, tipAddress)
    const revision = parseRevision(value)
    verifyRevision({ revision, proof: proof ?? [], digest, tip: tipAddress, block })
    world.trace.note(
      `proof of ${documentId} in block ${sequenceNo} at tip ${tipAddress.sequenceNo}`,
    )
  } catch (error) {
    if (error instanceof LedgerError) return
    const failure = failureOf(error, life, 'absent')
    if (failure instanceof ClientFailure) return
    throw new SimulationViolation('proof', String(error), error)
  }
}
