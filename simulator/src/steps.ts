/**
 * The small language that simulated clients speak: each step is one PartiQL statement, and simple enough for model.ts
 * to know what it must answer. Answers are compared as lists of texts, without regard to order.
 */
import { toHex } from '@cairn/core'
import { encodeIon, hashIon, ionFromJs } from '@cairn/ion'

export type Value = number | string | readonly string[]
export type Document = Readonly<Record<string, Value>>

/** Documents whose field has this value. */
export interface Match {
  readonly field: string
  readonly value: number | string
}

export type Step =
  /** The user view: by a field, or all. */
  | { readonly kind: 'select'; readonly table: string; readonly match?: Match }
  | { readonly kind: 'committed'; readonly table: string; readonly match?: Match }
  | { readonly kind: 'history'; readonly table: string }
  | { readonly kind: 'tables' }
  | { readonly kind: 'insert'; readonly table: string; readonly documents: readonly Document[] }
  | {
      readonly kind: 'set'
      readonly table: string
      readonly match: Match
      readonly field: string
      readonly value: Value
    }
  /** Appends to a list within the documents. */
  | {
      readonly kind: 'append'
      readonly table: string
      readonly match: Match
      readonly field: string
      readonly value: string
    }
  | { readonly kind: 'delete'; readonly table: string; readonly match: Match }
  | {
      readonly kind: 'redact'
      readonly table: string
      readonly tableId: string
      readonly blockAddress: { readonly strandId: string; readonly sequenceNo: number }
      readonly documentId: string
      readonly version: number
    }
  | { readonly kind: 'createTable'; readonly table: string }
  | { readonly kind: 'dropTable'; readonly table: string }
  | { readonly kind: 'createIndex'; readonly table: string; readonly field: string }
  | {
      readonly kind: 'dropIndex'
      readonly table: string
      readonly field: string
      readonly indexId: string
    }

export interface Statement {
  readonly text: string
  /** Ion streams of one value each. */
  readonly parameters: readonly Uint8Array[]
}

export function statementOf(step: Step): Statement {
  switch (step.kind) {
    case 'select': {
      const { table, match } = step
      const text = `SELECT id, d AS doc FROM ${table} AS d BY id`
      if (match === undefined) return statement(text)
      return statement(`${text} WHERE d.${match.field} = ?`, match.value)
    }
    case 'committed': {
      const { table, match } = step
      const text = `SELECT * FROM _ql_committed_${table} AS r`
      if (match === undefined) return statement(text)
      return statement(`${text} WHERE r.data.${match.field} = ?`, match.value)
    }
    case 'history':
      return statement(`SELECT * FROM history(${step.table})`)
    case 'tables':
      return statement('SELECT * FROM information_schema.user_tables')
    case 'insert':
      return statement(`INSERT INTO ${step.table} ?`, step.documents)
    case 'set':
      return statement(
        `UPDATE ${step.table} AS d SET d.${step.field} = ? WHERE d.${step.match.field} = ?`,
        step.value,
        step.match.value,
      )
    case 'append': {
      const { table, field, match, value } = step
      const where = `WHERE d.${match.field} = ?`
      const text = `UPDATE ${table} AS d INSERT INTO d.${field} VALUE ? ${where}`
      return statement(text, value, match.value)
    }
    case 'delete':
      return statement(
        `DELETE FROM ${step.table} AS d WHERE d.${step.match.field} = ?`,
        step.match.value,
      )
    case 'redact': {
      const { blockAddress, tableId, documentId } = step
      return statement('EXEC REDACT_REVISION ?, ?, ?', blockAddress, tableId, documentId)
    }
    case 'createTable':
      return statement(`CREATE TABLE ${step.table}`)
    case 'dropTable':
      return statement(`DROP TABLE ${step.table}`)
    case 'createIndex':
      return statement(`CREATE INDEX ON ${step.table} (${step.field})`)
    case 'dropIndex':
      return statement(`DROP INDEX "${step.indexId}" ON ${step.table} WITH (purge = true)`)
  }
}

function statement(text: string, ...parameters: readonly unknown[]): Statement {
  return { text, parameters: parameters.map((value) => encodeIon(ionFromJs(value))) }
}

/** The answer of a step as texts, sorted. */
export function answerOf(step: Step, rows: readonly unknown[]): string[] {
  if (step.kind === 'tables') return rows.filter(isActiveTable).map(tableText).sort()
  return rows.map((row) => rowText(step, row)).sort()
}

function rowText(step: Step, row: unknown): string {
  switch (step.kind) {
    case 'select':
      return documentText(textAt(row, 'id'), memberOf(row, 'doc'))
    case 'committed':
    case 'history': {
      const metadata = memberOf(row, 'metadata')
      return revisionText({
        documentId: textAt(metadata, 'id'),
        version: Number(memberOf(metadata, 'version')),
        blockNo: Number(memberOf(memberOf(row, 'blockAddress'), 'sequenceNo')),
        transactionId: textAt(metadata, 'txId'),
        data: memberOf(row, 'data'),
        dataHash: memberOf(row, 'dataHash'),
      })
    }
    case 'redact':
      return `${textAt(row, 'documentId')} ${Number(memberOf(row, 'version'))}`
    case 'insert':
    case 'set':
    case 'append':
    case 'delete':
      return textAt(row, 'documentId')
    default:
      return 'done'
  }
}

export function documentText(documentId: string, document: unknown): string {
  return `${documentId} ${canonical(document)}`
}

export function revisionText(revision: {
  readonly documentId: string
  readonly version: number
  readonly blockNo: number
  readonly transactionId: string
  readonly data: unknown
  /** Of a redacted revision. */
  readonly dataHash?: unknown
}): string {
  const { documentId, version, blockNo, transactionId, data, dataHash } = revision
  const content = dataHash instanceof Uint8Array ? redactedText(dataHash) : canonical(data)
  return `${documentId} ${version} ${blockNo} ${transactionId} ${content}`
}

export function redactedText(dataHash: Uint8Array): string {
  return `redacted ${toHex(dataHash)}`
}

/** The hash of a document, as it is shown of a redacted revision. */
export function dataHashOf(document: Document): Uint8Array {
  return hashIon(ionFromJs(document))
}

export function tableTextOf(name: string, fields: Iterable<string>): string {
  return `${name} (${[...fields].sort().join(', ')})`
}

function isActiveTable(row: unknown): boolean {
  return memberOf(row, 'status') === 'ACTIVE'
}

function tableText(row: unknown): string {
  const fields = indexesIn(row).map(({ field }) => field)
  return tableTextOf(textAt(row, 'name'), fields)
}

/** The indexes in a row of `information_schema.user_tables`. */
export function indexesIn(row: unknown): { indexId: string; field: string }[] {
  const indexes = memberOf(row, 'indexes')
  if (!Array.isArray(indexes)) return []
  return indexes.map((index: unknown) => ({
    indexId: textAt(index, 'indexId'),
    field: textAt(index, 'expr').slice(1, -1),
  }))
}

export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}

export function textAt(value: unknown, name: string): string {
  const member = memberOf(value, name)
  return typeof member === 'string' ? member : ''
}

/** One text for equal values: members in the order of their names. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'nothing'
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${name}:${canonical(member)}`)
  return `{${members.join(',')}}`
}
