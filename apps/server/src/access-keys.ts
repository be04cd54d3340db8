/**
 * The key file of `--auth sigv4`: `{"accessKeys": [{"accessKeyId": "…", "secretAccessKey": "…"}]}`, mode 0600. Made
 * with one random key on first use; more are added by hand, with a "policy" (IAM policies, packages/aws-protocol) when
 * they may not do everything. Read once, at start.
 */
import { dirname } from 'node:path'
import { AwsProtocolError, type Policy, parsePolicy } from '@cairn/aws-protocol'
import { type FileSystem, fromUtf8, type Random, toBase64, utf8 } from '@cairn/core'
import { ServerError } from './errors.ts'

export interface AccessKeyFile {
  readonly path: string
  /** Whether this start made the file. */
  readonly isNew: boolean
  readonly accessKeyIds: readonly string[]
  lookup(accessKeyId: string): { readonly secretAccessKey: string } | undefined
  /** Undefined: the key may do everything. */
  policyOf(accessKeyId: string): Policy | undefined
}

export interface AccessKeyFileOptions {
  readonly files: FileSystem
  readonly path: string
  readonly random: Random
}

interface AccessKeyEntry {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly policy?: unknown
}

const privateFileMode = 0o600
/** 20 characters as AWS has them; the prefix says where a stray key came from. */
const keyIdPrefix = 'CAIRN'
const keyIdRandomLength = 15
const base32Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** 240 bits, 40 characters of base64, as AWS has them. */
const secretBytesSize = 30
/** An administrator keeps a handful; more is a sign of a damaged file. */
const keyCountMax = 1000

/** @throws ServerError KEY_FILE_INVALID */
export async function openAccessKeyFile(options: AccessKeyFileOptions): Promise<AccessKeyFile> {
  const { files, path, random } = options
  const isNew = !(await files.exists(path))
  if (isNew) {
    const text = JSON.stringify({ accessKeys: [createAccessKey(random)] }, undefined, 2)
    await files.makeDirectory(dirname(path))
    await files.writeFileAtomic(path, utf8(`${text}\n`), privateFileMode)
  }
  const entries = parseEntries(path, await files.readFile(path))
  const policies = parsePolicies(path, entries)
  const secrets = new Map(entries.map((entry) => [entry.accessKeyId, entry]))
  return {
    path,
    isNew,
    accessKeyIds: [...secrets.keys()],
    lookup: (accessKeyId) => secrets.get(accessKeyId),
    policyOf: (accessKeyId) => policies.get(accessKeyId),
  }
}

export function createAccessKey(random: Random): AccessKeyEntry {
  let accessKeyId = keyIdPrefix
  for (const byte of random.bytes(keyIdRandomLength))
    accessKeyId += base32Alphabet.charAt(byte & 31)
  return { accessKeyId, secretAccessKey: toBase64(random.bytes(secretBytesSize)) }
}

function parseEntries(path: string, bytes: Uint8Array): AccessKeyEntry[] {
  // Neither the parser's message nor the value goes into the error: both may hold a secret.
  let entries: unknown
  try {
    entries = (JSON.parse(fromUtf8(bytes)) as { accessKeys?: unknown }).accessKeys
  } catch {
    throw invalidFile(path)
  }
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > keyCountMax) {
    throw invalidFile(path)
  }
  return entries.map((entry: unknown) => {
    if (!isEntry(entry)) throw invalidFile(path)
    return entry
  })
}

/** A policy that is not understood keeps the server from starting: the key would do too much or too little. */
function parsePolicies(path: string, entries: readonly AccessKeyEntry[]): Map<string, Policy> {
  const policies = new Map<string, Policy>()
  for (const { accessKeyId, policy } of entries) {
    if (policy === undefined) continue
    try {
      policies.set(accessKeyId, parsePolicy(policy))
    } catch (error) {
      if (!(error instanceof AwsProtocolError)) throw error
      throw new ServerError(
        { code: 'KEY_FILE_INVALID', path },
        {
          shortMessage: `The policy of access key ${accessKeyId} cannot be used.`,
          metaMessages: [`File: ${path}`, error.shortMessage],
          cause: error,
        },
      )
    }
  }
  return policies
}

function isEntry(value: unknown): value is AccessKeyEntry {
  const entry = (value ?? {}) as Partial<Record<keyof AccessKeyEntry, unknown>>
  return (
    typeof entry.accessKeyId === 'string' &&
    /^[A-Za-z0-9]{3,128}$/.test(entry.accessKeyId) &&
    typeof entry.secretAccessKey === 'string' &&
    entry.secretAccessKey.length > 0
  )
}

function invalidFile(path: string): ServerError {
  return new ServerError(
    { code: 'KEY_FILE_INVALID', path },
    {
      shortMessage: 'The key file cannot be used.',
      metaMessages: [
        `File: ${path}`,
        'It holds {"accessKeys": [{"accessKeyId": "…", "secretAccessKey": "…"}]} with one key or more.',
        'Correct it, or move it away and start again: a new one is made.',
      ],
    },
  )
}
