/** What a command reports. `USAGE` ends with exit code 2, everything else with 1. */
import { BaseError } from '@cairn/core'

export type CliErrorType =
  | { readonly code: 'USAGE'; readonly command: string }
  | { readonly code: 'SERVER_NOT_FOUND'; readonly endpoint: string }
  | { readonly code: 'SERVER_NOT_TRUSTED'; readonly endpoint: string }
  | { readonly code: 'ANSWER_INVALID'; readonly endpoint: string }
  /** The server answered with a fault; `fault` is its name on the wire. */
  | { readonly code: 'REQUEST_REFUSED'; readonly fault: string; readonly status: number }
  | { readonly code: 'FILE_INVALID'; readonly path: string }
  | { readonly code: 'NOT_VERIFIED'; readonly what: string }

export class CliError extends BaseError<CliErrorType> {
  override readonly name = 'CliError'
}

export function usageError(command: string, shortMessage: string, hint?: string): CliError {
  return new CliError(
    { code: 'USAGE', command },
    {
      shortMessage,
      metaMessages: [...(hint === undefined ? [] : [hint]), `See: ${command} --help`],
    },
  )
}

/** Whether the server refused with the fault of that name. */
export function isFault(error: unknown, fault: string): error is CliError {
  if (!(error instanceof CliError)) return false
  return error.data.code === 'REQUEST_REFUSED' && error.data.fault === fault
}

/** What goes to the terminal: the messages of our own errors, the stack of everything unforeseen. */
export function describeError(error: unknown): string {
  if (error instanceof BaseError) {
    const [first = '', ...rest] = error.message.split('\n')
    return [`error: ${first}`, ...rest.map((line) => `  ${line}`)].join('\n')
  }
  if (error instanceof Error && 'syscall' in error) return `error: ${error.message}`
  if (error instanceof Error) return `error: ${error.stack ?? error.message}`
  return `error: ${String(error)}`
}
