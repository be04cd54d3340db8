/**
 * The text of a statement with every literal replaced by `?`, for logs: literals may be data, and comments may say
 * anything. Names stay. Spacing is our own.
 */
import { type Token, tokenize } from './lexer.ts'

/** Where no blank stands before, and behind. */
const closing: ReadonlySet<string> = new Set([')', ']', '}', ',', '.', ';', ':'])
const opening: ReadonlySet<string> = new Set(['(', '[', '{', '.', '@'])
/** Instead of a text that has no tokens, since nobody knows what of it is data. */
const unreadable = '(no PartiQL)'

/** @returns One line, whatever `text` is. */
export function maskLiterals(text: string): string {
  let tokens: readonly Token[]
  try {
    tokens = tokenize(text)
  } catch {
    return unreadable
  }
  let masked = ''
  let before: Token | undefined
  for (const token of tokens) {
    if (token.kind === 'end') break
    const isTight =
      before === undefined ||
      closing.has(token.code) ||
      opening.has(before.code) ||
      isCall(before, token)
    masked += `${isTight ? '' : ' '}${shown(token)}`
    before = token
  }
  return masked
}

function isCall(before: Token, { code }: Token): boolean {
  return code === '[' || (code === '(' && before.kind === 'word' && !isKeyword(before))
}

/** Words after which a parenthesis is a list or a sub-query, not the arguments of a call. */
const keywords: ReadonlySet<string> = new Set(
  'AND AS BY FROM IN NOT ON OR SELECT SET THEN ELSE VALUE VALUES WHEN WHERE'.split(' '),
)

function isKeyword({ code }: Token): boolean {
  return keywords.has(code)
}

function shown({ kind, text, code }: Token): string {
  switch (kind) {
    case 'string':
    case 'number':
    case 'ion':
      return '?'
    case 'quoted':
      return `"${text.replaceAll('"', '""')}"`
    default:
      return text === '' ? code : text
  }
}
