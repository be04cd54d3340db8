/**
 * REST paths to operations. Routes before percent-decoding, so that an encoded `/` in a label
 * (`/tags/arn%3Aaws%3A…ledger%2FL`) does not make two segments.
 */
import { AwsProtocolError } from './errors.ts'

export interface Route<Operation> {
  readonly method: string
  /** `/ledgers/{Name}/digest`; a last segment `{Name+}` takes the rest of the path, slashes included. */
  readonly pattern: string
  readonly operation: Operation
}

export interface RouteMatch<Operation> {
  readonly operation: Operation
  /** Percent-decoded. */
  readonly labels: Readonly<Record<string, string>>
}

export interface Router<Operation> {
  /**
   * @param path As received. A slash at the end is not part of it.
   * @returns undefined when no route has this path, or none of this method.
   * @throws AwsProtocolError PATH_INVALID when a label is not percent-encoded UTF-8.
   */
  match(method: string, path: string): RouteMatch<Operation> | undefined
}

interface Compiled<Operation> {
  readonly route: Route<Operation>
  readonly segments: readonly string[]
  readonly isGreedy: boolean
}

export function createRouter<Operation>(routes: readonly Route<Operation>[]): Router<Operation> {
  const compiled = routes.map((route): Compiled<Operation> => {
    const segments = route.pattern.slice(1).split('/')
    return { route, segments, isGreedy: segments.at(-1)?.endsWith('+}') ?? false }
  })
  return {
    match(method, path) {
      if (!path.startsWith('/')) return undefined
      const isTrailed = path.length > 1 && path.endsWith('/')
      const given = path.slice(1, isTrailed ? -1 : undefined).split('/')
      for (const candidate of compiled) {
        if (candidate.route.method !== method) continue
        const labels = labelsOf(candidate, given)
        if (labels !== undefined) return { operation: candidate.route.operation, labels }
      }
      return undefined
    },
  }
}

function labelsOf(
  { segments, isGreedy }: Compiled<unknown>,
  given: readonly string[],
): Record<string, string> | undefined {
  if (isGreedy ? given.length < segments.length : given.length !== segments.length) return undefined
  const raw: [string, string][] = []
  for (const [index, segment] of segments.entries()) {
    const text = given[index] as string
    if (!segment.startsWith('{')) {
      if (segment !== text) return undefined
    } else if (segment.endsWith('+}')) {
      raw.push([segment.slice(1, -2), given.slice(index).join('/')])
    } else {
      raw.push([segment.slice(1, -1), text])
    }
  }
  const labels: Record<string, string> = {}
  for (const [name, text] of raw) {
    if (text === '') return undefined
    labels[name] = decode(text)
  }
  return labels
}

/**
 * The parameters of a query, percent-decoded; a repeated name has several values.
 * @throws AwsProtocolError PATH_INVALID
 */
export function parseQuery(query: string): ReadonlyMap<string, readonly string[]> {
  const parameters = new Map<string, string[]>()
  for (const part of query.split('&')) {
    if (part === '') continue
    const at = part.indexOf('=')
    const name = decode(at < 0 ? part : part.slice(0, at))
    const value = at < 0 ? '' : decode(part.slice(at + 1))
    const values = parameters.get(name)
    if (values === undefined) parameters.set(name, [value])
    else values.push(value)
  }
  return parameters
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new AwsProtocolError(
      { code: 'PATH_INVALID' },
      { shortMessage: 'The address of the request is not percent-encoded UTF-8.', cause },
    )
  }
}
