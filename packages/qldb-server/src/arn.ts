/** Names (ARNs) of ledgers, tables and streams: `arn:aws:qldb:<region>:<account>:ledger/<name>` (qldb-compat 2). */

export interface ArnSettings {
  readonly region: string
  /** 12 digits. */
  readonly accountId: string
}

export function ledgerArn({ region, accountId }: ArnSettings, ledgerName: string): string {
  return `arn:aws:qldb:${region}:${accountId}:ledger/${ledgerName}`
}

export function streamArn(
  { region, accountId }: ArnSettings,
  ledgerName: string,
  streamId: string,
): string {
  return `arn:aws:qldb:${region}:${accountId}:stream/${ledgerName}/${streamId}`
}

/** Undefined when `arn` is no stream's. */
export function streamOfArn(arn: string): { ledgerName: string; streamId: string } | undefined {
  const match = /^arn:[^:]+:qldb:[^:]*:[^:]*:stream\/([^/:]+)\/([^/:]+)$/.exec(arn)
  if (match === null) return undefined
  const [, ledgerName = '', streamId = ''] = match
  return { ledgerName, streamId }
}

export function tableArn(settings: ArnSettings, ledgerName: string, tableId: string): string {
  return `${ledgerArn(settings, ledgerName)}/table/${tableId}`
}

/** Undefined when `arn` is no table's. */
export function tableOfArn(arn: string): { ledgerName: string; tableId: string } | undefined {
  const match = /^arn:[^:]+:qldb:[^:]*:[^:]*:ledger\/([^/:]+)\/table\/([A-Za-z0-9]+)$/.exec(arn)
  if (match === null) return undefined
  const [, ledgerName = '', tableId = ''] = match
  return { ledgerName, tableId }
}

/** A KMS key as an ARN; what is one already, and AWS_OWNED_KMS_KEY, stay as they are. */
export function kmsKeyArn({ region, accountId }: ArnSettings, kmsKey: string): string {
  if (kmsKey === 'AWS_OWNED_KMS_KEY' || kmsKey.startsWith('arn:')) return kmsKey
  const resource = kmsKey.startsWith('alias/') ? kmsKey : `key/${kmsKey}`
  return `arn:aws:kms:${region}:${accountId}:${resource}`
}

/**
 * Region and account are not compared with ours: a client composes ARNs from its own settings, and there is one server.
 * @returns The ledger's name, or undefined when `arn` is no ledger's.
 */
export function ledgerNameOfArn(arn: string): string | undefined {
  return /^arn:[^:]+:qldb:[^:]*:[^:]*:ledger\/([^/:]+)$/.exec(arn)?.[1]
}
