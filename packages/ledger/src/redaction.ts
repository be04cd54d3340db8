/**
 * Redaction as far as statements and blocks know it: what EXEC REDACT_REVISION is given, what a block says of it, how a
 * redacted revision is shown. Taking the data out of the files: redactor.ts. Spec: qldb-compat 3.2, trust 6.
 */
import { decodeIon, fieldOf, hashIonBytes, type IonValue } from '@cairn/ion'
import type { BlockAddress } from './api.ts'
import type { BlockRecord, BlockRedaction, BlockRevision } from './block-record.ts'
import { LedgerError } from './errors.ts'

export interface RedactionTarget {
  readonly address: BlockAddress
  readonly tableId: string
  readonly documentId: string
}

/**
 * The arguments of the procedure: block address, table id, document id.
 * @throws LedgerError REDACTION_INVALID
 */
export function readTarget(args: readonly IonValue[]): RedactionTarget {
  const [addressValue, tableValue, documentValue] = args
  const address = addressValue === undefined ? undefined : readAddress(addressValue)
  const tableId = textOf(tableValue)
  const documentId = textOf(documentValue)
  const isComplete =
    args.length === 3 && address !== undefined && tableId !== undefined && documentId !== undefined
  if (isComplete) return { address, tableId, documentId }
  throw redactionInvalid('REDACT_REVISION takes a block address, a table id and a document id.', [
    "EXEC REDACT_REVISION `{strandId: \"…\", sequenceNo: 17}`, 'table id', 'document id'",
    'The address may also be a parameter, `?`.',
  ])
}

function readAddress(value: IonValue): BlockAddress | undefined {
  if (value.type !== 'struct') return undefined
  const strandId = textOf(fieldOf(value, 'strandId'))
  const number = fieldOf(value, 'sequenceNo')
  if (strandId === undefined || number?.type !== 'int') return undefined
  const sequenceNo = Number(number.value)
  return Number.isSafeInteger(sequenceNo) ? { strandId, sequenceNo } : undefined
}

function textOf(value: IonValue | undefined): string | undefined {
  if (value?.type === 'string') return value.value
  return value?.type === 'symbol' && typeof value.text === 'string' ? value.text : undefined
}

export function redactionInvalid(
  shortMessage: string,
  metaMessages: readonly string[] = [],
): LedgerError {
  return new LedgerError({ code: 'REDACTION_INVALID' }, { shortMessage, metaMessages })
}

/** What a block says was redacted with it; of an imported one, what stands in its `redactionInfo`. */
export function redactionsOf({ redactions, imported }: BlockRecord): readonly BlockRedaction[] {
  if (imported?.redactionInfo === undefined) return redactions
  const info = decodeIon(imported.redactionInfo)
  const list = info.type === 'struct' ? fieldOf(info, 'revisions') : undefined
  if (list?.type !== 'list') return []
  return list.values.map(readRedaction).filter((redaction) => redaction !== undefined)
}

function readRedaction(value: IonValue): BlockRedaction | undefined {
  if (value.type !== 'struct') return undefined
  const addressValue = fieldOf(value, 'blockAddress')
  const address = addressValue === undefined ? undefined : readAddress(addressValue)
  const tableId = textOf(fieldOf(value, 'tableId'))
  const documentId = textOf(fieldOf(value, 'documentId'))
  const version = fieldOf(value, 'version')
  if (address === undefined || tableId === undefined || documentId === undefined) return undefined
  if (version?.type !== 'int') return undefined
  const { sequenceNo } = address
  return {
    sequenceNo,
    tableId,
    documentId,
    version: Number(version.value),
    supersededNo: undefined,
  }
}

/** The revision without its data, and with the hash of them. */
export function redacted(revision: BlockRevision): BlockRevision {
  const { data } = revision
  return data === undefined
    ? revision
    : { ...revision, data: undefined, dataHash: hashIonBytes(data) }
}
