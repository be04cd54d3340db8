/**
 * Ids of calls as they were sent: JSON.parse rounds numbers beyond 2^53, and whoever sent one waits for that very one.
 * Only texts with such a number are read a second time; safe integers and strings stay what JSON.parse made of them.
 */

/** A number as its digits stand in the text. */
export class NumberText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type CallId = string | number | null | NumberText

export function isCallId(id: unknown): id is CallId {
  return id === null || typeof id === 'string' || typeof id === 'number' || id instanceof NumberText
}

/** As JSON. */
export function callIdText(id: CallId): string {
  return id instanceof NumberText ? id.text : JSON.stringify(id)
}

/**
 * Puts the text of each id in the place of a number that may have lost digits.
 * @param message What JSON.parse made of `text`; its calls are changed.
 */
export function restoreIds(message: unknown, text: string): void {
  const isBatch = Array.isArray(message)
  const isInexact = isBatch ? message.some(hasInexactId) : hasInexactId(message)
  if (!isInexact) return
  const texts = idTexts(text)
  for (const [index, call] of (isBatch ? message : [message]).entries()) {
    const idText = texts[index]
    if (hasInexactId(call) && idText !== undefined) call.id = new NumberText(idText)
  }
}

function hasInexactId(message: unknown): message is { id: unknown } {
  if (typeof message !== 'object' || message === null) return false
  const { id } = message as { readonly id?: unknown }
  return typeof id === 'number' && !Number.isSafeInteger(id)
}

/** What stands behind `id` in each call of a text that JSON.parse takes. */
function idTexts(text: string): (string | undefined)[] {
  const first = skipSpace(text, 0)
  if (text[first] !== '[') return [readId(text, first).id]
  const ids: (string | undefined)[] = []
  for (let at = skipSpace(text, first + 1); text[at] !== ']'; ) {
    const { id, end } = readId(text, at)
    ids.push(id)
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return ids
}

/** Of one value, which need be no call. As JSON.parse has it, the last of several counts. */
function readId(text: string, start: number): { id: string | undefined; end: number } {
  if (text[start] !== '{') return { id: undefined, end: valueEnd(text, start) }
  let id: string | undefined
  let at = skipSpace(text, start + 1)
  while (text[at] !== '}') {
    const keyEnd = valueEnd(text, at)
    const isId = JSON.parse(text.slice(at, keyEnd)) === 'id'
    const value = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const end = valueEnd(text, value)
    if (isId) id = text.slice(value, end)
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return { id, end: at + 1 }
}

const isSpace = (char: string | undefined) =>
  char === ' ' || char === '\n' || char === '\r' || char === '\t'

function skipSpace(text: string, start: number): number {
  let at = start
  while (isSpace(text[at])) at++
  return at
}

/** Behind the value that begins at `start`. */
function valueEnd(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = stringEnd(text, at) - 1
        if (depth === 0) return at + 1
        break
      case '{':
      case '[':
        depth++
        break
      case '}':
      case ']':
        // What closes here without having been opened ends a number or a word before it.
        if (depth === 0) return at
        if (--depth === 0) return at + 1
        break
      case ',':
      case ' ':
      case '\n':
      case '\r':
      case '\t':
        if (depth === 0) return at
    }
  }
  return text.length
}

function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}
