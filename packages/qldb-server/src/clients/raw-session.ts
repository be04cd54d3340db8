/** The session API command by command, with the driver's own commit digest beside it. */
import {
  type ExecuteStatementResult,
  type QLDBSessionClient,
  SendCommandCommand,
  type SendCommandCommandOutput,
  type SendCommandRequest,
} from '@aws-sdk/client-qldb-session'
import { dumpBinary } from 'ion-js'
import { type DriverHash, driverHash } from './driver-hash.ts'

export class RawSession {
  readonly client: QLDBSessionClient
  readonly token: string
  transactionId = ''
  #hash: DriverHash = driverHash('')

  private constructor(client: QLDBSessionClient, token: string) {
    this.client = client
    this.token = token
  }

  static async start(client: QLDBSessionClient, ledgerName: string): Promise<RawSession> {
    const { StartSession } = await client.send(
      new SendCommandCommand({ StartSession: { LedgerName: ledgerName } }),
    )
    return new RawSession(client, StartSession?.SessionToken ?? '')
  }

  send(command: SendCommandRequest): Promise<SendCommandCommandOutput> {
    return this.client.send(new SendCommandCommand({ SessionToken: this.token, ...command }))
  }

  async startTransaction(): Promise<string> {
    const { StartTransaction } = await this.send({ StartTransaction: {} })
    this.transactionId = StartTransaction?.TransactionId ?? ''
    this.#hash = driverHash(this.transactionId)
    return this.transactionId
  }

  /** Counts the statement as the driver does: before it is sent, whatever becomes of it. */
  async execute(statement: string, ...parameters: unknown[]): Promise<ExecuteStatementResult> {
    const holders = parameters.map((value) => ({ IonBinary: dumpBinary(value) }))
    let hash = driverHash(statement)
    for (const { IonBinary } of holders) hash = hash.dot(driverHash(IonBinary))
    this.#hash = this.#hash.dot(hash)
    const { ExecuteStatement } = await this.send({
      ExecuteStatement: {
        TransactionId: this.transactionId,
        Statement: statement,
        Parameters: holders,
      },
    })
    return ExecuteStatement ?? {}
  }

  digest(): Uint8Array {
    return this.#hash.getQldbHash()
  }

  commit(digest: Uint8Array = this.digest()): Promise<SendCommandCommandOutput> {
    return this.send({
      CommitTransaction: { TransactionId: this.transactionId, CommitDigest: digest },
    })
  }
}
