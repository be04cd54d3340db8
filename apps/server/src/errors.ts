/** What may keep the daemon from starting. Each says what the person at the terminal can do. */
import { BaseError } from '@cairn/core'

export type ServerErrorType =
  | { readonly code: 'LISTEN_ADDRESS_INVALID'; readonly text: string }
  | { readonly code: 'PORT_IN_USE'; readonly host: string; readonly port: number }
  | { readonly code: 'PORT_FORBIDDEN'; readonly host: string; readonly port: number }
  | { readonly code: 'HOST_NOT_AVAILABLE'; readonly host: string; readonly port: number }
  /** Would serve other machines without authentication. */
  | { readonly code: 'LISTEN_INSECURE'; readonly host: string }
  | { readonly code: 'KEY_FILE_INVALID'; readonly path: string }
  | { readonly code: 'LIMITS_INVALID'; readonly path: string }
  | { readonly code: 'TARGETS_INVALID'; readonly path: string }
  | { readonly code: 'FILE_INVALID'; readonly path: string }
  /** The thread of the Ethereum node could not begin. */
  | { readonly code: 'ETHEREUM_FAILED' }
  | { readonly code: 'CERTIFICATE_INVALID'; readonly path: string }

export class ServerError extends BaseError<ServerErrorType> {
  override readonly name = 'ServerError'
}
