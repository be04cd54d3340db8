/**
 * Names and manifests of a journal export (qldb-compat 2.1). Readers split keys at the dots, so that prefix and date
 * hold none; QLDB's own readers take strand and range from there.
 *
 *   {prefix}/{exportId}.started.manifest
 *   {prefix}/{yyyy}/{MM}/{dd}/{hh}/{strandId}.{first}-{last}.ion  or .json; the hour of the request
 *   {prefix}/{exportId}.{strandId}.completed.manifest                {keys:["…", …]}, in the order of the blocks
 */
import { utf8 } from '@cairn/core'
import {
  encodeIon,
  fieldOf,
  formatIon,
  formatIonAsJson,
  type IonField,
  type IonStruct,
  type IonValue,
  ionList,
  ionRecord,
  ionString,
  ionStruct,
  ionTimestampFromMs,
} from '@cairn/ion'

export const exportFormats = ['ION_TEXT', 'ION_BINARY', 'JSON'] as const
export type ExportFormat = (typeof exportFormats)[number]
export const encryptionTypes = ['NO_ENCRYPTION', 'SSE_S3', 'SSE_KMS'] as const
export type EncryptionType = (typeof encryptionTypes)[number]

/** What was asked for. */
export interface ExportRequest {
  readonly exportId: string
  readonly ledgerName: string
  readonly strandId: string
  readonly createdMs: number
  readonly inclusiveStartMs: number
  readonly exclusiveEndMs: number
  readonly bucket: string
  readonly prefix: string
  readonly encryption: EncryptionType
  readonly kmsKeyArn: string | undefined
  /** Undefined when it was not named: ION_TEXT then, and the manifest does not name it either. */
  readonly format: ExportFormat | undefined
}

/** What the name of a data object says. */
export interface DataObjectName {
  readonly key: string
  readonly strandId: string
  readonly firstSequenceNo: number
  readonly lastSequenceNo: number
}

const startedSuffix = '.started.manifest'
const completedSuffix = '.completed.manifest'
const dataNamePattern = /(?:^|\/)([^/.]+)\.(\d{1,15})-(\d{1,15})\.(?:ion|json)$/

export function formatOf(request: Pick<ExportRequest, 'format'>): ExportFormat {
  return request.format ?? 'ION_TEXT'
}

export function contentTypeOf(format: ExportFormat): string {
  switch (format) {
    case 'ION_TEXT':
      return 'text/x-amzn-ion'
    case 'ION_BINARY':
      return 'application/x-amzn-ion'
    case 'JSON':
      return 'application/json'
  }
}

/** The prefix as keys begin with it: QLDB's documentation shows `prefix/exportId…` for a prefix without a slash. */
function folderOf(prefix: string): string {
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
}

export function startedKey({ prefix, exportId }: ExportRequest): string {
  return `${folderOf(prefix)}${exportId}${startedSuffix}`
}

export function completedKey({ prefix, exportId, strandId }: ExportRequest): string {
  return `${folderOf(prefix)}${exportId}.${strandId}${completedSuffix}`
}

export function dataKey(request: ExportRequest, first: number, last: number): string {
  const hour = new Date(request.createdMs).toISOString().slice(0, 13).replace(/[-T]/g, '/')
  const extension = request.format === 'JSON' ? 'json' : 'ion'
  return `${folderOf(request.prefix)}${hour}/${request.strandId}.${first}-${last}.${extension}`
}

/** Undefined for keys of anything else. */
export function parseDataKey(key: string): DataObjectName | undefined {
  const match = dataNamePattern.exec(key)
  if (match === null) return undefined
  const [, strandId = '', first, last] = match
  return { key, strandId, firstSequenceNo: Number(first), lastSequenceNo: Number(last) }
}

export function isCompletedKey(key: string): boolean {
  return key.endsWith(completedSuffix)
}

/** The key of the manifest that was written first, by that of the last one; undefined when it is none of ours. */
export function startedKeyOf(completed: string): string | undefined {
  const match = /^(.*)\.[^/.]+\.completed\.manifest$/s.exec(completed)
  return match === null ? undefined : `${match[1]}${startedSuffix}`
}

export function startedManifest(request: ExportRequest): Uint8Array {
  const fields: Record<string, IonValue> = {
    ledgerName: ionString(request.ledgerName),
    exportId: ionString(request.exportId),
    inclusiveStartTime: ionTimestampFromMs(request.inclusiveStartMs),
    exclusiveEndTime: ionTimestampFromMs(request.exclusiveEndMs),
    bucket: ionString(request.bucket),
    prefix: ionString(request.prefix),
    objectEncryptionType: ionString(request.encryption),
  }
  if (request.format !== undefined) fields['outputFormat'] = ionString(request.format)
  return encodeValue(ionRecord(fields), formatOf(request))
}

export function completedManifest(request: ExportRequest, keys: readonly string[]): Uint8Array {
  const list: IonField = { name: 'keys', value: ionList(keys.map((key) => ionString(key))) }
  return encodeValue(ionStruct([list]), formatOf(request))
}

/** @returns undefined when the value is no list of keys. */
export function keysOfManifest(manifest: IonStruct): string[] | undefined {
  const list = fieldOf(manifest, 'keys')
  if (list?.type !== 'list') return undefined
  const keys: string[] = []
  for (const value of list.values) {
    if (value.type !== 'string') return undefined
    keys.push(value.value)
  }
  return keys
}

/** One value as it stands in an object: text and JSON end their line, binary is a stream of its own. */
export function encodeValue(value: IonValue, format: ExportFormat): Uint8Array {
  switch (format) {
    case 'ION_TEXT':
      return utf8(`${formatIon(value)}\n`)
    case 'ION_BINARY':
      return encodeIon(value)
    case 'JSON':
      return utf8(`${formatIonAsJson(value)}\n`)
  }
}
