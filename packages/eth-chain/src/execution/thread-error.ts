/**
 * Errors between threads: cloning keeps the message of one and loses its class, its facts, and what the system said.
 */
import { BaseError } from '@cairn/core'
import { RlpError, TransactionError } from '@cairn/eth-codec'
import { StateError } from '@cairn/eth-state'
import { JournalError } from '@cairn/journal'
import { ChainError } from '../errors.ts'
import { HeaderError } from '../header-error.ts'
import { ExecutionThreadError } from './execution-thread-error.ts'

export interface ThreadError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** Of an error of ours. */
  readonly data?: unknown
  /** What the operating system said: code, syscall, path. */
  readonly system?: Readonly<Record<string, unknown>>
}

/** Families that cross from the thread that executes. */
const families: Readonly<Record<string, ErrorFamily>> = {
  ChainError: family(ChainError),
  ExecutionThreadError: family(ExecutionThreadError),
  HeaderError: family(HeaderError),
  JournalError: family(JournalError),
  RlpError: family(RlpError),
  StateError: family(StateError),
  TransactionError: family(TransactionError),
}

type Details = { readonly shortMessage: string; readonly metaMessages: readonly string[] }
type ErrorFamily = (data: unknown, details: Details) => Error

function family<D>(kind: new (data: D, details: Details) => Error): ErrorFamily {
  return (data, details) => new kind(data as D, details)
}

const systemFields = ['code', 'errno', 'syscall', 'path'] as const

export function packError(error: unknown): ThreadError {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: String(error), stack: undefined }
  }
  const { name, message, stack } = error
  if (error instanceof BaseError) return { name, message, stack, data: error.data }
  const fields = error as unknown as Record<string, unknown>
  const isSystem = typeof fields['syscall'] === 'string'
  const system = Object.fromEntries(systemFields.map((field) => [field, fields[field]]))
  return { name, message, stack, ...(isSystem ? { system } : {}) }
}

/** The same error again, of its class where that is known here. */
export function unpackError({ name, message, stack, data, system }: ThreadError): Error {
  const make = families[name]
  const [shortMessage = '', ...metaMessages] = message.split('\n')
  const error = make?.(data, { shortMessage, metaMessages }) ?? new Error(message)
  if (stack !== undefined) error.stack = stack
  return Object.assign(error, system)
}
