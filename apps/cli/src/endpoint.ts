/** Where the server is and how to talk to it: from options, environment and the ready file of `./data`. */
import { join } from 'node:path'
import { fromUtf8 } from '@cairn/core'
import { nodeFileSystem } from '@cairn/journal'
import { ownReadyFile, readReadyFile } from '@cairn/server'
import type { CommandContext } from './command.ts'
import { CliError, usageError } from './errors.ts'
import { createHttpClient, type HttpClient } from './http-client.ts'

const defaultEndpoint = 'http://127.0.0.1:4510'
/** The data folder of `cairn up` without options. */
export const defaultDataDirectory = './data'
const defaultRegion = 'us-east-1'

/** A client for the server that the options of `context` name, or that runs here. */
export async function openHttpClient({ args, terminal }: CommandContext): Promise<HttpClient> {
  const { env, clock } = terminal
  const ready = await readReadyFile(nodeFileSystem, join(defaultDataDirectory, ownReadyFile))
  const endpoint = parseEndpoint(args.text('endpoint') ?? ready?.endpoints.api ?? defaultEndpoint)
  const caFile = args.text('ca-file') ?? (await knownAuthority(endpoint, ready?.caFile))
  const accessKeyId = env['AWS_ACCESS_KEY_ID']
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY']
  return createHttpClient({
    endpoint,
    authorityPem: caFile === undefined ? undefined : await readAuthority(caFile),
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
    region: env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? defaultRegion,
    clock,
  })
}

/** The authority of `./data`, which is the right one for nothing but this machine. */
async function knownAuthority(endpoint: URL, caFile: string | undefined) {
  if (endpoint.protocol !== 'https:' || caFile === undefined) return undefined
  const isLocal = /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(endpoint.hostname)
  return isLocal && (await nodeFileSystem.exists(caFile)) ? caFile : undefined
}

function parseEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.pathname === '/') return url
  throw usageError(
    'cairn',
    `"${text}" is not the address of a server.`,
    'Write it as http://HOST:PORT or https://HOST:PORT.',
  )
}

async function readAuthority(path: string): Promise<string> {
  try {
    return fromUtf8(await nodeFileSystem.readFile(path))
  } catch (cause) {
    throw new CliError(
      { code: 'FILE_INVALID', path },
      {
        shortMessage: 'The certificate authority cannot be read.',
        metaMessages: [`File: ${path}`],
        cause,
      },
    )
  }
}
