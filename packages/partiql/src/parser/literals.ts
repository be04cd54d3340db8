/**
 * Literals with a text of their own: numbers, Ion between backticks, DATE and TIMESTAMP.
 * Not here: TIME and INTERVAL, for which Ion has no value.
 */
import { IonError, type IonValue, ionDecimal, ionInt, ionString, parseIon } from '@cairn/ion'
import type { LiteralExpression, Position } from '../ast.ts'
import { PartiqlError, partiqlError } from '../errors.ts'
import type { Token } from '../lexer.ts'
import type { TokenStream } from './token-stream.ts'

/** Largest exponent of a number, either sign. Far beyond use; with the digits after the point it stays in 32 bits. */
export const exponentMax = 1_000_000_000

export function literal(value: IonValue, position: Position): LiteralExpression {
  return Object.freeze({ kind: 'literal', value, position })
}

export function stringLiteral(value: string, position: Position): LiteralExpression {
  return literal(ionString(value), position)
}

/** Digits alone are an int; with a point or an exponent a decimal, its precision kept. */
export function parseNumber(token: Token): LiteralExpression {
  const { text, position } = token
  if (/^[0-9]+$/.test(text)) {
    // 15 digits are always a safe integer, and most numbers have fewer.
    return literal(ionInt(text.length <= 15 ? Number(text) : BigInt(text)), position)
  }
  const [mantissa = '', exponentText = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const exponent = Number(exponentText)
  if (Math.abs(exponent) > exponentMax) {
    throw partiqlError('SYNTAX', position, `expected an exponent of at most ${exponentMax}`)
  }
  return literal(ionDecimal(BigInt(whole + fraction), exponent - fraction.length), position)
}

export function parseIonLiteral(token: Token): LiteralExpression {
  const { text, position } = token
  const what = 'one Ion value between backticks'
  return literal(
    ionValueOf(text, what, (error) => placeWithin(position, error)),
    position,
  )
}

/** `DATE '2024-02-29'`: a timestamp of day precision. */
export function parseDate(stream: TokenStream): LiteralExpression {
  const { position } = stream.expect('DATE')
  const token = expectString(stream, "a string such as '2024-02-29'")
  if (!/^\d{4}-\d{2}-\d{2}$/.test(token.text)) {
    throw partiqlError('SYNTAX', token.position, "expected a date such as '2024-02-29'")
  }
  return literal(
    ionValueOf(token.text, 'a date of the calendar', () => token.position),
    position,
  )
}

/** `TIMESTAMP [WITH TIME ZONE] '2024-02-29 13:05:00.25+01:00'`; without an offset it is unknown, as `-00:00` in Ion. */
export function parseTimestamp(stream: TokenStream): LiteralExpression {
  const { position } = stream.expect('TIMESTAMP')
  skipTimeZone(stream)
  const token = expectString(stream, "a string such as '2024-02-29 13:05:00'")
  const pattern = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d+)?)(Z|[+-]\d{2}:\d{2})?$/
  const [, date, time, offset = '-00:00'] = pattern.exec(token.text) ?? []
  if (date === undefined || time === undefined) {
    throw partiqlError('SYNTAX', token.position, "expected a time such as '2024-02-29 13:05:00'")
  }
  const text = `${date}T${time}${offset}`
  return literal(
    ionValueOf(text, 'a date and time of the calendar', () => token.position),
    position,
  )
}

/** `WITH TIME ZONE` or `WITHOUT TIME ZONE`: the string itself says which it is. */
function skipTimeZone(stream: TokenStream): void {
  if (!stream.accept('WITH') && !stream.accept('WITHOUT')) return
  stream.expect('TIME')
  stream.expect('ZONE')
}

export function expectString(stream: TokenStream, what: string): Token {
  if (stream.token.kind !== 'string') throw stream.expected(what)
  return stream.advance()
}

/** The place in the statement that an error about Ion text means; `start` is the backtick before the text. */
function placeWithin(start: Position, { data }: IonError): Position {
  if (data.code !== 'TEXT_INVALID') return start
  const line = start.line + data.line - 1
  return { line, column: data.line === 1 ? start.column + data.column : data.column }
}

/** @param what What the error says was expected. */
function ionValueOf(
  text: string,
  what: string,
  positionOf: (error: IonError) => Position,
): IonValue {
  try {
    return parseIon(text)
  } catch (cause) {
    if (!(cause instanceof IonError)) throw cause
    const position = positionOf(cause)
    throw new PartiqlError(
      { code: 'SYNTAX', position },
      {
        shortMessage: `line ${position.line}, column ${position.column}: expected ${what}`,
        metaMessages: [cause.shortMessage],
        cause,
      },
    )
  }
}
