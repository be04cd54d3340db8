/** Which web pages may talk to a node: origins of pages, and host names that requests are for. */
import { isIP } from 'node:net'

/**
 * @param patterns Origins such as `https://app.example`, `chrome-extension://*`, `http://localhost:*`, or `*` alone.
 *   Case does not matter.
 */
export function originMatcher(patterns: readonly string[]): (origin: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const parts = pattern.toLowerCase().split('*').map(escapeExpression)
    return new RegExp(`^${parts.join('.*')}$`)
  })
  return (origin) => {
    const text = origin.toLowerCase()
    return expressions.some((expression) => expression.test(text))
  }
}

function escapeExpression(text: string): string {
  return text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
}

/**
 * A page of a foreign site can have its name resolve to 127.0.0.1 and call a node here; its name is in the Host header
 * then. IP addresses are no such names.
 */
export function isHostAllowed(host: string | undefined, allowed: readonly string[]): boolean {
  if (host === undefined || host === '') return true
  const name = hostName(host)
  if (isIP(name) !== 0 || allowed.includes('*')) return true
  return allowed.some((it) => it.toLowerCase() === name)
}

function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host)?.[1]
  return (bracketed ?? host.replace(/:\d+$/, '')).toLowerCase()
}
