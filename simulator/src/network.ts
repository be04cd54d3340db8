/**
 * The network between simulated clients and the server, and a client that speaks SendCommand over it. Requests and
 * answers take time, get lost, and arrive twice. A commit whose answer was lost is asked for again, as SDKs do.
 */
import { decodeBase64, encodeBase64, type HttpRequest } from '@cairn/aws-protocol'
import { utf8 } from '@cairn/core'
import { decodeIon, type IonValue } from '@cairn/ion'
import type { QldbServer } from '@cairn/qldb-server'
import type { SeededRandom } from '@cairn/testing'
import { ClientFailure, type Connection } from './connection.ts'
import { type Life, whileAlive } from './life.ts'
import { memberOf, type Statement, textAt } from './steps.ts'
import { SimulationViolation } from './violation.ts'

export interface NetworkOptions {
  readonly life: Life
  readonly server: QldbServer
  readonly random: SeededRandom
  readonly delayMsMax: number
  /** How likely a message gets lost, or comes twice. */
  readonly lossProbability: number
  readonly onViolation: (violation: SimulationViolation) => void
}

/** A parsed answer; undefined: none came. */
type Answer = { readonly status: number; readonly body: unknown } | undefined

export class Network {
  readonly #options: NetworkOptions
  /** Answers to commits by transaction, as the server gave them first. */
  readonly #commitAnswers = new Map<string, string>()

  constructor(options: NetworkOptions) {
    this.#options = options
  }

  get random(): SeededRandom {
    return this.#options.random
  }

  get life(): Life {
    return this.#options.life
  }

  async send(command: Readonly<Record<string, unknown>>): Promise<Answer> {
    const { life, random, lossProbability } = this.#options
    await this.#travel()
    // A copy that was under way for longer: its answer reaches nobody.
    if (random.chance(lossProbability)) void this.#deliverLate(command)
    if (random.chance(lossProbability)) return this.#lose()
    const answer = await whileAlive(life, this.#deliver(command))
    if (random.chance(lossProbability)) return this.#lose()
    await this.#travel()
    return answer
  }

  async #deliverLate(command: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#travel()
    if (this.random.chance(0.3)) await this.#travel()
    await this.#deliver(command)
  }

  async #deliver(command: Readonly<Record<string, unknown>>): Promise<Answer> {
    const { life, server, onViolation } = this.#options
    const request: HttpRequest = {
      method: 'POST',
      path: '/',
      query: '',
      headers: { 'x-amz-target': 'QLDBSession.SendCommand' },
      body: utf8(JSON.stringify(command)),
    }
    const { status, body } = await whileAlive(life, server.respond(request))
    try {
      this.#compareCommits(command, status, body)
    } catch (error) {
      onViolation(error as SimulationViolation)
    }
    return { status, body: JSON.parse(body) }
  }

  /** Once a commit was answered with success, the same request gets the same answer while its session lives. */
  #compareCommits(command: Readonly<Record<string, unknown>>, status: number, body: string): void {
    const transactionId = textAt(command['CommitTransaction'], 'TransactionId')
    if (transactionId === '') return
    const first = this.#commitAnswers.get(transactionId)
    if (first === undefined) {
      if (status === 200) this.#commitAnswers.set(transactionId, body)
      return
    }
    const isSessionGone = body.includes('InvalidSessionException')
    if (body === first || isSessionGone) return
    const message = `commit of ${transactionId} was answered ${first}, then ${body}`
    throw new SimulationViolation('answer', message)
  }

  async #lose(): Promise<undefined> {
    const { life, delayMsMax } = this.#options
    await whileAlive(life, life.clock.sleep(4 * delayMsMax))
    return undefined
  }

  #travel(): Promise<void> {
    const { life, random, delayMsMax } = this.#options
    return whileAlive(life, life.clock.sleep(random.below(delayMsMax)))
  }
}

const attemptCountMax = 4

export class WireConnection implements Connection {
  readonly #network: Network
  readonly #ledgerName: string
  #sessionToken: string | undefined
  #transactionId = ''

  constructor(network: Network, ledgerName: string) {
    this.#network = network
    this.#ledgerName = ledgerName
  }

  async begin(): Promise<string> {
    this.#sessionToken ??= await this.#startSession()
    const answer = await this.#command({ StartTransaction: {} })
    const id = textAt(memberOf(answer?.body, 'StartTransaction'), 'TransactionId')
    if (id === '') {
      this.vanish()
      throw failureIn(answer, this.#network.life, 'absent')
    }
    this.#transactionId = id
    return id
  }

  async #startSession(): Promise<string> {
    const answer = await this.#network.send({ StartSession: { LedgerName: this.#ledgerName } })
    const token = textAt(memberOf(answer?.body, 'StartSession'), 'SessionToken')
    if (token === '') throw failureIn(answer, this.#network.life, 'absent')
    return token
  }

  async execute({ text, parameters }: Statement): Promise<IonValue[]> {
    const answer = await this.#command({
      ExecuteStatement: {
        TransactionId: this.#transactionId,
        Statement: text,
        Parameters: parameters.map((stream) => ({ IonBinary: encodeBase64(stream) })),
      },
    })
    let page = memberOf(memberOf(answer?.body, 'ExecuteStatement'), 'FirstPage')
    if (page === undefined) throw this.#statementFailure(answer)
    const rows: IonValue[] = []
    for (;;) {
      rows.push(...valuesIn(page))
      const token = textAt(page, 'NextPageToken')
      if (token === '') return rows
      page = await this.#fetchPage(token)
    }
  }

  async #fetchPage(token: string): Promise<unknown> {
    const command = {
      FetchPage: { TransactionId: this.#transactionId, NextPageToken: token },
    }
    let answer: Answer
    for (let i = 0; i < attemptCountMax && answer === undefined; i++) {
      answer = await this.#command(command)
    }
    const page = memberOf(memberOf(answer?.body, 'FetchPage'), 'Page')
    if (page === undefined) throw this.#statementFailure(answer)
    return page
  }

  #statementFailure(answer: Answer): ClientFailure {
    const failure = failureIn(answer, this.#network.life, 'absent')
    if (failure.code === 'LOST' || failure.code === 'InvalidSessionException') this.vanish()
    return failure
  }

  async commit(digest: Uint8Array): Promise<undefined> {
    const command = {
      CommitTransaction: {
        TransactionId: this.#transactionId,
        CommitDigest: encodeBase64(digest),
      },
    }
    for (let i = 0; i < attemptCountMax; i++) {
      const answer = await this.#command(command)
      if (answer === undefined) continue
      const committed = memberOf(answer.body, 'CommitTransaction')
      if (committed !== undefined) {
        const isRight = textAt(committed, 'CommitDigest') === encodeBase64(digest)
        if (isRight) return undefined
        throw new SimulationViolation('answer', 'a commit was answered with another digest')
      }
      throw this.#commitFailure(answer, i === 0)
    }
    this.vanish()
    throw new ClientFailure('unknown', 'LOST')
  }

  #commitFailure(answer: Answer, isFirst: boolean): ClientFailure {
    const failure = failureIn(answer, this.#network.life, 'unknown')
    if (failure.code === 'InvalidSessionException') {
      this.vanish()
      // Commits are remembered for a session's own requests; without it, the lost answer may have been a success.
      const isTransactionOver = /^Transaction .* has expired$/.test(textAt(answer?.body, 'Message'))
      return new ClientFailure(isFirst || isTransactionOver ? 'absent' : 'unknown', failure.code)
    }
    // Also of a repeated commit: when the lost answer was that a write failed, so is this one.
    return new ClientFailure(failure.kind === 'unknown' ? 'unknown' : 'absent', failure.code)
  }

  async abort(): Promise<void> {
    const answer = await this.#command({ AbortTransaction: {} })
    if (answer?.status !== 200) this.vanish()
  }

  vanish(): void {
    this.#sessionToken = undefined
  }

  #command(command: Readonly<Record<string, unknown>>): Promise<Answer> {
    return this.#network.send({ SessionToken: this.#sessionToken, ...command })
  }
}

/** @param otherwise What an internal failure means here. */
function failureIn(answer: Answer, life: Life, otherwise: 'absent' | 'unknown'): ClientFailure {
  if (answer === undefined) return new ClientFailure(otherwise, 'LOST')
  const name = textAt(answer.body, '__type')
  if (answer.status >= 500) {
    // A stopped ledger answers so, and so does a failed read.
    if (name === 'InternalFailure' && !life.hasReadFaults) life.hasStopped = true
    return new ClientFailure(otherwise, name)
  }
  if (name === 'BadRequestException') {
    const isOver = /is not open|commit digest/.test(textAt(answer.body, 'Message'))
    return new ClientFailure(isOver ? 'absent' : 'refused', name)
  }
  return new ClientFailure('absent', name)
}

function valuesIn(page: unknown): IonValue[] {
  const values = memberOf(page, 'Values')
  if (!Array.isArray(values)) return []
  return values.map((value: unknown) => decodeIon(decodeBase64(textAt(value, 'IonBinary'))))
}
