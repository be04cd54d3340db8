/** Loggers that write one line per event to a stream: JSON for machines, plain text for people. */
import { BaseError, type Clock, type Logger, type LogLevel } from '@cairn/core'

export type LogFormat = 'human' | 'json'

export interface LoggerOptions {
  readonly clock: Clock
  /** Events below it are dropped. */
  readonly level: LogLevel
  write(line: string): void
}

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

export function createLogger(format: LogFormat, options: LoggerOptions): Logger {
  const toLine = format === 'json' ? toJsonLine : toHumanLine
  return {
    log(level, message, fields = {}) {
      if (ranks[level] < ranks[options.level]) return
      options.write(`${toLine(new Date(options.clock.nowMs()), level, message, fields)}\n`)
    },
  }
}

function toJsonLine(
  time: Date,
  level: LogLevel,
  message: string,
  fields: Readonly<Record<string, unknown>>,
): string {
  return JSON.stringify({ time: time.toISOString(), level, message, ...fields }, plain)
}

/** `12:03:04 warn  The message (table Person, count 3)`; errors with their stack below. */
function toHumanLine(
  time: Date,
  level: LogLevel,
  message: string,
  fields: Readonly<Record<string, unknown>>,
): string {
  const facts: string[] = []
  const stacks: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    if (value instanceof BaseError) facts.push(value.message.replaceAll('\n', ' '))
    else if (value instanceof Error) stacks.push(`\n${value.stack ?? value.message}`)
    else facts.push(`${name} ${typeof value === 'string' ? value : JSON.stringify(value, plain)}`)
  }
  const tail = facts.length === 0 ? '' : ` (${facts.join(', ')})`
  const clockTime = time.toISOString().slice(11, 19)
  return `${clockTime} ${level.padEnd(5)} ${message}${tail}${stacks.join('')}`
}

/** What JSON does not know by itself. */
function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) {
    const code = value instanceof BaseError ? value.code : undefined
    return { name: value.name, code, message: value.message, stack: value.stack }
  }
  return value
}
