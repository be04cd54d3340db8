/**
 * LIKE: `%` any run, `_` any code point, an escape character before either. Matching is greedy with one point of
 * return, so its time is bounded by text × pattern whatever the pattern is.
 */

type Token = string | typeof anyRun | typeof anyOne

const anyRun: unique symbol = Symbol('%')
const anyOne: unique symbol = Symbol('_')

export type LikePattern = readonly Token[]

/** @param escapePoint One code point. Undefined answer: the escape stands before nothing it may escape. */
export function parseLikePattern(
  pattern: string,
  escapePoint: string | undefined,
): LikePattern | undefined {
  const tokens: Token[] = []
  const points = Array.from(pattern)
  for (let i = 0; i < points.length; i++) {
    const point = points[i] ?? ''
    if (point === escapePoint) {
      const next = points[++i]
      if (next !== '%' && next !== '_' && next !== escapePoint) return undefined
      tokens.push(next)
    } else if (point === '%') {
      if (tokens.at(-1) !== anyRun) tokens.push(anyRun)
    } else {
      tokens.push(point === '_' ? anyOne : point)
    }
  }
  return tokens
}

export function isLike(text: string, pattern: LikePattern): boolean {
  const points = Array.from(text)
  let at = 0
  let token = 0
  // Where to go on when a match fails: just after the last run, one code point further.
  let runToken = -1
  let runAt = 0
  while (at < points.length) {
    const current = pattern[token]
    if (current === anyRun) {
      runToken = token++
      runAt = at
    } else if (token < pattern.length && (current === anyOne || current === points[at])) {
      token++
      at++
    } else if (runToken >= 0) {
      token = runToken + 1
      at = ++runAt
    } else {
      return false
    }
  }
  while (pattern[token] === anyRun) token++
  return token === pattern.length
}
