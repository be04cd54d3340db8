/** Structured logging as an interface, implemented in `apps/`. Secrets and document contents are never fields. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void
}

export const silentLogger: Logger = { log() {} }
