/** What may be wrong with the folder of a backup. */
import { BaseError } from '@cairn/core'

export type BackupErrorType =
  | { readonly code: 'TARGET_EXISTS'; readonly path: string }
  | { readonly code: 'BACKUP_INVALID'; readonly path: string }

export class BackupError extends BaseError<BackupErrorType> {
  override readonly name = 'BackupError'
}
