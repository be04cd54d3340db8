/** The control API (qldb-compat 2) as far as the commands need it, with times in ms and Ion left as text. */
import { CliError } from './errors.ts'
import type { HttpClient } from './http-client.ts'

export interface LedgerSummary {
  readonly name: string
  readonly state: string
  readonly createdMs: number
}

export interface LedgerDetails extends LedgerSummary {
  readonly arn: string
  readonly permissionsMode: string
  readonly isDeletionProtected: boolean
  readonly isStrictQldb: boolean
}

export interface CreateLedgerRequest {
  readonly name: string
  readonly permissionsMode: string
  readonly isDeletionProtected: boolean
  readonly isStrictQldb: boolean
  readonly tags: Readonly<Record<string, string>>
}

/** Those that are to change. */
export interface LedgerSettings {
  readonly isDeletionProtected?: boolean
  readonly isStrictQldb?: boolean
}

export interface DigestAnswer {
  /** Base64. */
  readonly digest: string
  readonly tipAddressText: string
}

/** Ion texts, as the server sent them. */
export interface ProvenAnswer {
  readonly valueText: string
  readonly proofText: string | undefined
}

export interface ControlClient {
  createLedger(request: CreateLedgerRequest): Promise<LedgerDetails>
  describeLedger(name: string): Promise<LedgerDetails>
  listLedgers(): Promise<LedgerSummary[]>
  updateLedger(name: string, settings: LedgerSettings): Promise<void>
  setPermissionsMode(name: string, permissionsMode: string): Promise<void>
  deleteLedger(name: string): Promise<void>
  getDigest(name: string): Promise<DigestAnswer>
  getBlock(name: string, addressText: string, tipText?: string): Promise<ProvenAnswer>
  getRevision(
    name: string,
    addressText: string,
    documentId: string,
    tipText?: string,
  ): Promise<ProvenAnswer>
}

/** Largest page the API gives (qldb-compat 2, paging). */
const pageSize = 100
/** A server that never ends its list is broken; 5 ledgers are the default limit. */
const pageCountMax = 1000

export function createControlClient(http: HttpClient): ControlClient {
  const pathOf = (name: string): string => `/ledgers/${encodeURIComponent(name)}`
  const send = (method: string, path: string, body?: unknown) =>
    http.send({
      method,
      path,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
  const fieldsOf = (value: unknown): AnswerFields => new AnswerFields(value, http.endpoint)

  return {
    async createLedger({ name, permissionsMode, isDeletionProtected, isStrictQldb, tags }) {
      const body = {
        Name: name,
        PermissionsMode: permissionsMode,
        DeletionProtection: isDeletionProtected,
        StrictQldb: isStrictQldb,
        Tags: tags,
      }
      return toDetails(fieldsOf(await send('POST', '/ledgers', body)))
    },
    describeLedger: async (name) => toDetails(fieldsOf(await send('GET', pathOf(name)))),
    async listLedgers() {
      const ledgers: LedgerSummary[] = []
      let token: string | undefined
      for (let page = 0; page < pageCountMax; page++) {
        const next = token === undefined ? '' : `&next_token=${encodeURIComponent(token)}`
        const answer = await send('GET', `/ledgers?max_results=${pageSize}${next}`)
        const list = Array.isArray(answer['Ledgers']) ? answer['Ledgers'] : []
        ledgers.push(...list.map((entry) => toSummary(fieldsOf(entry))))
        token = typeof answer['NextToken'] === 'string' ? answer['NextToken'] : undefined
        if (token === undefined) return ledgers
      }
      throw invalidAnswer(http.endpoint, 'Ledgers')
    },
    async updateLedger(name, { isDeletionProtected, isStrictQldb }) {
      // Members that are undefined are left out of the JSON.
      const body = { DeletionProtection: isDeletionProtected, StrictQldb: isStrictQldb }
      await send('PATCH', pathOf(name), body)
    },
    async setPermissionsMode(name, permissionsMode) {
      const body = { PermissionsMode: permissionsMode }
      await send('PATCH', `${pathOf(name)}/permissions-mode`, body)
    },
    async deleteLedger(name) {
      await send('DELETE', pathOf(name))
    },
    async getDigest(name) {
      const answer = fieldsOf(await send('POST', `${pathOf(name)}/digest`))
      return { digest: answer.text('Digest'), tipAddressText: answer.ionText('DigestTipAddress') }
    },
    async getBlock(name, addressText, tipText) {
      const body = { BlockAddress: { IonText: addressText }, ...tipMember(tipText) }
      return toProven(fieldsOf(await send('POST', `${pathOf(name)}/block`, body)), 'Block')
    },
    async getRevision(name, addressText, documentId, tipText) {
      const body = {
        BlockAddress: { IonText: addressText },
        DocumentId: documentId,
        ...tipMember(tipText),
      }
      return toProven(fieldsOf(await send('POST', `${pathOf(name)}/revision`, body)), 'Revision')
    },
  }
}

function tipMember(tipText: string | undefined): Record<string, unknown> {
  return tipText === undefined ? {} : { DigestTipAddress: { IonText: tipText } }
}

function toSummary(fields: AnswerFields): LedgerSummary {
  return {
    name: fields.text('Name'),
    state: fields.text('State'),
    createdMs: fields.number('CreationDateTime') * 1000,
  }
}

function toDetails(fields: AnswerFields): LedgerDetails {
  return {
    ...toSummary(fields),
    arn: fields.text('Arn'),
    permissionsMode: fields.text('PermissionsMode'),
    isDeletionProtected: fields.flag('DeletionProtection'),
    isStrictQldb: fields.flag('StrictQldb'),
  }
}

function toProven(fields: AnswerFields, name: string): ProvenAnswer {
  return {
    valueText: fields.ionText(name),
    proofText: fields.has('Proof') ? fields.ionText('Proof') : undefined,
  }
}

/** Reads members of an answer and says which one is missing. */
class AnswerFields {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #endpoint: string

  constructor(value: unknown, endpoint: string) {
    const isRecord = typeof value === 'object' && value !== null
    this.#fields = isRecord ? (value as Record<string, unknown>) : {}
    this.#endpoint = endpoint
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null
  }

  text(name: string): string {
    const value = this.#fields[name]
    if (typeof value !== 'string') throw invalidAnswer(this.#endpoint, name)
    return value
  }

  number(name: string): number {
    const value = this.#fields[name]
    if (typeof value !== 'number') throw invalidAnswer(this.#endpoint, name)
    return value
  }

  flag(name: string): boolean {
    return this.#fields[name] === true
  }

  /** The text of a `{IonText}` member. */
  ionText(name: string): string {
    return new AnswerFields(this.#fields[name], this.#endpoint).text('IonText')
  }
}

function invalidAnswer(endpoint: string, member: string): CliError {
  return new CliError(
    { code: 'ANSWER_INVALID', endpoint },
    {
      shortMessage: `The server's answer has no ${member} that can be read.`,
      metaMessages: [`Endpoint: ${endpoint}`, 'Is it a Cairn server of this version?'],
    },
  )
}
