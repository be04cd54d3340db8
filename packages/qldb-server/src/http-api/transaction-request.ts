/** The body of `POST /v1/ledgers/{name}/transactions`, read strictly: a member with a misspelt name is an error. */
import { encodeIon, IonError, type IonField, type IonSequence, type IonValue } from '@cairn/ion'
import { type QldbServerError, requestInvalid } from '../errors.ts'
import { readJson } from './json-reader.ts'

export type RowFormat = 'json' | 'ion'

export interface StatementRequest {
  readonly statement: string
  /** Ion streams of one value each. */
  readonly parameters: readonly Uint8Array[]
}

export interface TransactionRequest {
  readonly statements: readonly StatementRequest[]
  readonly idempotencyKey: string | undefined
  readonly format: RowFormat
}

export const idempotencyKeyLengthMax = 128

/** @throws QldbServerError REQUEST_INVALID */
export function parseTransactionRequest(
  body: Uint8Array,
  statementCountMax: number,
): TransactionRequest {
  let statements: readonly StatementRequest[] | undefined
  let idempotencyKey: string | undefined
  let format: RowFormat = 'json'
  for (const [name, value] of membersOf(readJson(body), 'body')) {
    if (name === 'statements') statements = statementsOf(value, statementCountMax)
    else if (name === 'idempotencyKey') idempotencyKey = idempotencyKeyOf(value)
    else if (name === 'format') format = formatOf(value)
    else throw unknownMember('body', name)
  }
  if (statements === undefined) throw requestInvalid('statements', 'statements is missing.')
  return { statements, idempotencyKey, format }
}

function statementsOf(value: IonValue, countMax: number): StatementRequest[] {
  const { values } = listOf(value, 'statements')
  if (values.length === 0 || values.length > countMax) {
    throw requestInvalid('statements', `statements must have 1 to ${countMax} items.`)
  }
  return values.map((item, index) => statementOf(item, `statements[${index}]`))
}

function statementOf(value: IonValue, member: string): StatementRequest {
  let statement: string | undefined
  let parameters: readonly Uint8Array[] = []
  for (const [name, part] of membersOf(value, member)) {
    if (name === 'statement') statement = stringOf(part, `${member}.statement`)
    else if (name === 'parameters') parameters = parametersOf(part, `${member}.parameters`)
    else throw unknownMember(member, name)
  }
  if (statement === undefined) throw requestInvalid(member, `${member}.statement is missing.`)
  return { statement, parameters }
}

function parametersOf(value: IonValue, member: string): Uint8Array[] {
  return listOf(value, member).values.map((parameter, index) => {
    try {
      return encodeIon(parameter)
    } catch (error) {
      if (!(error instanceof IonError)) throw error
      throw requestInvalid(member, `${member}[${index}] is no value: ${error.message}`, error)
    }
  })
}

function idempotencyKeyOf(value: IonValue): string | undefined {
  if (value.type === 'null') return undefined
  const key = stringOf(value, 'idempotencyKey')
  if (key.length === 0 || key.length > idempotencyKeyLengthMax) {
    throw requestInvalid(
      'idempotencyKey',
      `idempotencyKey must have 1 to ${idempotencyKeyLengthMax} characters.`,
    )
  }
  return key
}

function formatOf(value: IonValue): RowFormat {
  if (value.type === 'string' && (value.value === 'json' || value.value === 'ion')) {
    return value.value
  }
  throw requestInvalid('format', 'format must be "json" or "ion".')
}

/** Each name once: of two values of one name, readers differ about which one counts. */
function* membersOf(value: IonValue, member: string): Generator<readonly [string, IonValue]> {
  if (value.type !== 'struct') throw requestInvalid(member, `The ${member} must be an object.`)
  for (const [index, { name, value: part }] of value.fields.entries()) {
    if (typeof name !== 'string' || isNamedBefore(value.fields, index)) {
      throw requestInvalid(member, `The ${member} has a member twice.`)
    }
    yield [name, part]
  }
}

function isNamedBefore(fields: readonly IonField[], index: number): boolean {
  const name = fields[index]?.name
  return fields.findIndex((field) => field.name === name) < index
}

function unknownMember(member: string, name: string): QldbServerError {
  const shown = JSON.stringify(name.slice(0, 40))
  return requestInvalid(member, `The ${member} has a member that is not known: ${shown}.`)
}

function listOf(value: IonValue, member: string): IonSequence {
  if (value.type === 'list') return value
  throw requestInvalid(member, `${member} must be an array.`)
}

function stringOf(value: IonValue, member: string): string {
  if (value.type === 'string') return value.value
  throw requestInvalid(member, `${member} must be a string.`)
}
