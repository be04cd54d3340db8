/**
 * The file of `--targets`: where journal exports and streams go outside of this machine, with the secrets for it.
 *
 *   {"s3": {"endpoint": "https://s3.example.org", "region": "us-east-1", "accessKeyId": "…", "secretAccessKey": "…"},
 *    "kinesis": {"endpoint": "https://kinesis.example.org", "region": "us-east-1", "accessKeyId": …},
 *    "webhooks": {"orders": {"url": "https://orders.example.org/journal", "secret": "…", "format": "json"}}}
 *
 * Each part may be left out: without `s3` exports go to folders of the data folder.
 */
import { type FileSystem, fromUtf8 } from '@cairn/core'
import { ServerError } from './errors.ts'

export interface AwsTarget {
  /** Undefined: AWS's own. */
  readonly endpoint: string | undefined
  readonly region: string
  /** Undefined: where every AWS SDK looks, in environment and profile. */
  readonly credentials:
    | { readonly accessKeyId: string; readonly secretAccessKey: string }
    | undefined
  readonly isPathStyle: boolean
  /** PEM of the authority to trust. */
  readonly authorityPem: string | undefined
}

export interface WebhookTarget {
  readonly url: string
  readonly secret: string
  readonly format: 'json' | 'ion'
  readonly authorityPem: string | undefined
}

export interface Targets {
  readonly s3: AwsTarget | undefined
  readonly kinesis: AwsTarget | undefined
  readonly webhooks: ReadonlyMap<string, WebhookTarget>
}

const defaultRegion = 'us-east-1'
/** 128 bits of hexadecimal text: shorter secrets are guessed. */
const secretLengthMin = 32
const webhookNamePattern = /^[A-Za-z0-9_.-]{1,128}$/
const noTargets: Targets = { s3: undefined, kinesis: undefined, webhooks: new Map() }

/**
 * @param path Undefined: the data folder's own, which may be absent.
 * @throws ServerError TARGETS_INVALID
 */
export async function readTargets(
  files: FileSystem,
  path: string | undefined,
  ownPath: string,
): Promise<Targets> {
  const place = path ?? ownPath
  if (path === undefined && !(await files.exists(place))) return noTargets
  let content: unknown
  try {
    content = JSON.parse(fromUtf8(await files.readFile(place)))
  } catch {
    // The parser's message may hold a secret.
    throw invalid(place, 'it cannot be read, or is no JSON')
  }
  return new TargetsReader(files, place).read(content)
}

class TargetsReader {
  readonly #files: FileSystem
  readonly #path: string

  constructor(files: FileSystem, path: string) {
    this.#files = files
    this.#path = path
  }

  async read(content: unknown): Promise<Targets> {
    const root = this.#record(content, 'the file', ['s3', 'kinesis', 'webhooks'])
    const webhooks = new Map<string, WebhookTarget>()
    const named = Object.entries((root['webhooks'] ?? {}) as object)
    for (const [name, value] of named) webhooks.set(name, await this.#webhook(name, value))
    return {
      s3: await this.#aws(root['s3'], 's3'),
      kinesis: await this.#aws(root['kinesis'], 'kinesis'),
      webhooks,
    }
  }

  async #aws(value: unknown, part: string): Promise<AwsTarget | undefined> {
    if (value === undefined) return undefined
    const names = ['endpoint', 'region', 'accessKeyId', 'secretAccessKey', 'pathStyle', 'caFile']
    const record = this.#record(value, part, names)
    const accessKeyId = this.#text(record, part, 'accessKeyId')
    const secretAccessKey = this.#text(record, part, 'secretAccessKey')
    if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
      throw invalid(this.#path, `${part} has one of accessKeyId and secretAccessKey, not both`)
    }
    const endpoint = this.#url(record, part, 'endpoint')
    const isPathStyle = record['pathStyle'] ?? endpoint !== undefined
    if (typeof isPathStyle !== 'boolean') {
      throw invalid(this.#path, `${part}.pathStyle is neither true nor false`)
    }
    return {
      endpoint,
      region: this.#text(record, part, 'region') ?? defaultRegion,
      credentials:
        accessKeyId === undefined || secretAccessKey === undefined
          ? undefined
          : { accessKeyId, secretAccessKey },
      isPathStyle,
      authorityPem: await this.#authority(record, part),
    }
  }

  async #webhook(name: string, value: unknown): Promise<WebhookTarget> {
    const part = `webhooks.${name}`
    if (!webhookNamePattern.test(name)) throw invalid(this.#path, `${part} is no name`)
    const record = this.#record(value, part, ['url', 'secret', 'format', 'caFile'])
    const url = this.#url(record, part, 'url')
    const secret = this.#text(record, part, 'secret') ?? ''
    const format = record['format'] ?? 'json'
    if (url === undefined) throw invalid(this.#path, `${part}.url is missing`)
    if (secret.length < secretLengthMin) {
      throw invalid(this.#path, `${part}.secret has less than ${secretLengthMin} characters`)
    }
    if (format !== 'json' && format !== 'ion') {
      throw invalid(this.#path, `${part}.format is neither json nor ion`)
    }
    return { url, secret, format, authorityPem: await this.#authority(record, part) }
  }

  #record(value: unknown, part: string, names: readonly string[]): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalid(this.#path, `${part} is no object`)
    }
    const unknown = Object.keys(value).find((name) => !names.includes(name))
    if (unknown !== undefined) throw invalid(this.#path, `${part} has an unknown "${unknown}"`)
    return value as Record<string, unknown>
  }

  #text(record: Record<string, unknown>, part: string, name: string): string | undefined {
    const value = record[name]
    if (value === undefined || (typeof value === 'string' && value !== '')) return value
    throw invalid(this.#path, `${part}.${name} is no text`)
  }

  #url(record: Record<string, unknown>, part: string, name: string): string | undefined {
    const text = this.#text(record, part, name)
    if (text === undefined) return undefined
    if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
    throw invalid(this.#path, `${part}.${name} is no http or https address`)
  }

  async #authority(record: Record<string, unknown>, part: string): Promise<string | undefined> {
    const path = this.#text(record, part, 'caFile')
    if (path === undefined) return undefined
    try {
      return fromUtf8(await this.#files.readFile(path))
    } catch {
      throw invalid(this.#path, `${part}.caFile cannot be read: ${path}`)
    }
  }
}

function invalid(path: string, reason: string): ServerError {
  return new ServerError(
    { code: 'TARGETS_INVALID', path },
    {
      shortMessage: `The targets file cannot be used: ${reason}.`,
      metaMessages: [`File: ${path}`, 'Its form is described in docs/guides/export-and-stream.md.'],
    },
  )
}
