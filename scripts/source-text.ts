/**
 * Which characters of a TypeScript or JavaScript file are code, comment, string, template or regular expression, and
 * what the file imports. Enough for line rules; not a parser: a slash after `)` or `}` is taken for a division.
 */

export type TextKind = 'code' | 'comment' | 'string' | 'template' | 'regex'

const kinds: readonly TextKind[] = ['code', 'comment', 'string', 'template', 'regex']
const codeKind = 0
const commentKind = 1
const stringKind = 2
const templateKind = 3
const regexKind = 4

export interface SourceText {
  readonly text: string
  kindAt(offset: number): TextKind
  /** The text with comments and template text blanked out; offsets and line breaks stay. */
  readonly codeText: string
}

export interface ImportReference {
  readonly specifier: string
  readonly offset: number
}

export function scanSource(text: string): SourceText {
  const map = new Uint8Array(text.length)
  // One entry per open `${`: the depth of braces inside it.
  const templateDepths: number[] = []
  let offset = 0
  const mark = (end: number, kind: number): void => {
    map.fill(kind, offset, end)
    offset = end
  }
  while (offset < text.length) {
    const character = text.charAt(offset)
    const next = text.charAt(offset + 1)
    const depth = templateDepths.at(-1)
    if (character === '/' && next === '/') mark(endOfLine(text, offset), commentKind)
    else if (character === '/' && next === '*') mark(after(text, '*/', offset + 2), commentKind)
    else if (character === '#' && next === '!' && offset === 0)
      mark(endOfLine(text, 0), commentKind)
    else if (character === "'" || character === '"') mark(endOfString(text, offset), stringKind)
    else if (character === '`' || (character === '}' && depth === 0)) {
      if (character === '}') templateDepths.pop()
      const end = endOfTemplatePart(text, offset + 1)
      if (text.startsWith('${', end - 2)) templateDepths.push(0)
      mark(end, templateKind)
    } else if (character === '/' && startsRegex(text, offset)) {
      mark(endOfRegex(text, offset), regexKind)
    } else {
      if (depth !== undefined && character === '{') {
        templateDepths[templateDepths.length - 1] = depth + 1
      }
      if (depth !== undefined && character === '}') {
        templateDepths[templateDepths.length - 1] = depth - 1
      }
      offset++
    }
  }
  return {
    text,
    kindAt: (at) => kinds[map[at] ?? codeKind] ?? 'code',
    codeText: blank(text, map),
  }
}

/** Every module that `source` imports or re-exports, also by `import()` and as a type. */
export function importsOf(source: SourceText): ImportReference[] {
  const found: ImportReference[] = []
  const patterns = [
    /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*(['"])([^'"\n]+)\1/g,
    /\bimport\s*(['"])([^'"\n]+)\1/g,
    /\bimport\s*\(\s*(['"])([^'"\n]+)\1/g,
  ]
  for (const pattern of patterns) {
    for (const match of source.codeText.matchAll(pattern)) {
      const specifier = match[2]
      if (specifier === undefined) continue
      const offset = match.index + match[0].lastIndexOf(specifier)
      if (source.kindAt(match.index) === 'code') found.push({ specifier, offset })
    }
  }
  return found
}

/** Relative paths to source files in string literals: imports, workers, child processes. */
export function relativePathsOf(source: SourceText): string[] {
  const found: string[] = []
  for (const match of source.codeText.matchAll(/(['"])(\.{1,2}\/[^'"\n]+\.(?:ts|js))\1/g)) {
    if (match[2] !== undefined) found.push(match[2])
  }
  return found
}

function blank(text: string, map: Uint8Array): string {
  let out = ''
  let start = 0
  for (let i = 0; i <= text.length; i++) {
    const isHidden = map[i] === commentKind || map[i] === templateKind
    if (i < text.length && (!isHidden || text[i] === '\n')) continue
    out += text.slice(start, i)
    if (i < text.length) out += ' '
    start = i + 1
  }
  return out
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  return at < 0 ? text.length : at + mark.length
}

function endOfString(text: string, from: number): number {
  const quote = text.charAt(from)
  for (let i = from + 1; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '\\') i++
    else if (character === quote) return i + 1
    else if (character === '\n') return i
  }
  return text.length
}

/** Just after the closing backtick, or just after the next `${`. */
function endOfTemplatePart(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '\\') i++
    else if (character === '`') return i + 1
    else if (character === '$' && text.charAt(i + 1) === '{') return i + 2
  }
  return text.length
}

function endOfRegex(text: string, from: number): number {
  let isInClass = false
  for (let i = from + 1; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '\\') i++
    else if (character === '\n') return i
    else if (character === '[') isInClass = true
    else if (character === ']') isInClass = false
    else if (character === '/' && !isInClass) return i + 1
  }
  return text.length
}

const wordsBeforeRegex = new Set(['return', 'typeof', 'case', 'in', 'of', 'else', 'void', 'await'])

function startsRegex(text: string, offset: number): boolean {
  let i = offset - 1
  while (i >= 0 && /\s/.test(text.charAt(i))) i--
  if (i < 0) return true
  if (!/[\w$)\]}'"`]/.test(text.charAt(i))) return true
  const word = /[a-z]+$/.exec(text.slice(Math.max(0, i - 10), i + 1))?.[0]
  return word !== undefined && wordsBeforeRegex.has(word)
}
