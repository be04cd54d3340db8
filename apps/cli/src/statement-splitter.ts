/**
 * Cuts typed text into statements at `;`, except inside '…', "…", `…` (Ion), line comments and block comments.
 * Doubled quotes need no care: they end one literal and start the next. Backticks hold Ion, where strings may hold any.
 */

export interface SplitText {
  /** Without the `;`, trimmed; empty ones are left out. */
  readonly statements: string[]
  /** What follows the last `;`. */
  readonly rest: string
}

export function splitStatements(text: string): SplitText {
  const statements: string[] = []
  let start = 0
  for (let i = 0; i < text.length; ) {
    if (text[i] === ';') {
      const statement = text.slice(start, i).trim()
      if (hasContent(statement)) statements.push(statement)
      start = ++i
    } else {
      i = skipToken(text, i)
    }
  }
  return { statements, rest: text.slice(start) }
}

/** Whether there is more than white space and comments. */
export function hasContent(text: string): boolean {
  for (let i = 0; i < text.length; ) {
    const isComment = text.startsWith('--', i) || text.startsWith('/*', i)
    if (!isComment && !/\s/.test(text.charAt(i))) return true
    i = skipToken(text, i)
  }
  return false
}

/** The offset after the literal or comment at `from`, or after one character; the end when it is not closed. */
function skipToken(text: string, from: number): number {
  const character = text.charAt(from)
  if (text.startsWith('--', from)) return after(text, '\n', from)
  if (text.startsWith('/*', from)) return after(text, '*/', from + 2)
  if (character === "'" || character === '"') return after(text, character, from + 1)
  if (character === '`') return skipIon(text, from + 1)
  return from + 1
}

/** Ion text up to the closing backtick; its strings and quoted symbols have backslash escapes. */
function skipIon(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '`') return i + 1
    if (character !== '"' && character !== "'") continue
    const mark = text.startsWith("'''", i) ? "'''" : character
    i = skipIonString(text, mark, i + mark.length) - 1
  }
  return text.length
}

function skipIonString(text: string, mark: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text.startsWith(mark, i)) return i + mark.length
  }
  return text.length
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  return at < 0 ? text.length : at + mark.length
}
