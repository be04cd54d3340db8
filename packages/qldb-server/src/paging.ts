/** Pages of list operations. A token is the key of the last item: what comes and goes in between shifts nothing. */
import { fromUtf8, utf8 } from '@cairn/core'
import type { ControlRequest } from './control-api.ts'
import { maxResults } from './control-members.ts'
import { parameterInvalid } from './errors.ts'

export interface ListPage<T> {
  readonly items: readonly T[]
  /** A member of the answer when there is more. */
  readonly nextToken: { readonly NextToken?: string }
}

/** @param items In the order of their keys. */
export function pageOf<T>(
  request: ControlRequest,
  items: readonly T[],
  keyOf: (item: T) => string,
): ListPage<T> {
  const token = request.query.get('next_token')?.[0]
  const lastKey = token === undefined || token === '' ? '' : keyOfToken(token)
  const rest = items.filter((item) => keyOf(item) > lastKey)
  const page = rest.slice(0, maxResults(request))
  const last = page.at(-1)
  const hasMore = rest.length > page.length && last !== undefined
  return { items: page, nextToken: hasMore ? { NextToken: tokenOf(keyOf(last)) } : {} }
}

function tokenOf(key: string): string {
  return Buffer.from(utf8(key)).toString('base64url')
}

function keyOfToken(token: string): string {
  const bytes = Buffer.from(token, 'base64url')
  try {
    if (bytes.toString('base64url') === token) return fromUtf8(bytes)
  } catch (cause) {
    throw parameterInvalid('NextToken', 'NextToken is not one that this service gave.', cause)
  }
  throw parameterInvalid('NextToken', 'NextToken is not one that this service gave.')
}
