/** The folder `D/tls`: authority and server certificate with their keys, made on first start and renewed at a start. */
import { join } from 'node:path'
import { type FileSystem, fromUtf8, type Logger, utf8 } from '@cairn/core'
import {
  type CertificateAndKey,
  createAuthority,
  createServerCertificate,
  isFresh,
  isServerCertificateFor,
} from './certificates.ts'
import { ServerError } from './errors.ts'

export interface TlsFilesOptions {
  readonly files: FileSystem
  readonly directory: string
  /** Hosts to be named beside the loopback ones. */
  readonly hosts: readonly string[]
  readonly nowMs: number
  readonly logger: Logger
}

export interface TlsFiles {
  /** What clients are to trust, in PEM. */
  readonly caFile: string
  readonly server: CertificateAndKey
}

const privateFileMode = 0o600
const publicFileMode = 0o644
const loopbackHosts = ['127.0.0.1', '::1', 'localhost']

/** @throws ServerError CERTIFICATE_INVALID */
export async function openTlsFiles(options: TlsFilesOptions): Promise<TlsFiles> {
  const { files, directory, nowMs, logger } = options
  const hosts = [...new Set([...loopbackHosts, ...options.hosts])]
  await files.makeDirectory(directory)

  const caFile = join(directory, 'ca.pem')
  let authority = await readPair(files, caFile)
  if (authority === undefined || !isStillFresh(caFile, authority, nowMs)) {
    if (authority !== undefined) {
      logger.log('warn', 'The certificate authority came to its end; clients need the new one.', {
        file: caFile,
      })
    }
    authority = createAuthority(nowMs)
    await writePair(files, caFile, authority)
  }

  const serverFile = join(directory, 'server.pem')
  let server = await readPair(files, serverFile)
  if (server === undefined || !canServe(serverFile, server, authority, hosts, nowMs)) {
    server = createServerCertificate({ authority, hosts, nowMs })
    await writePair(files, serverFile, server)
    logger.log('debug', 'Made a server certificate.', { file: serverFile })
  }
  return { caFile, server }
}

function isStillFresh(path: string, { certificatePem }: CertificateAndKey, nowMs: number): boolean {
  return readOrThrow(path, () => isFresh(certificatePem, nowMs))
}

function canServe(
  path: string,
  { certificatePem }: CertificateAndKey,
  authority: CertificateAndKey,
  hosts: readonly string[],
  nowMs: number,
): boolean {
  return readOrThrow(
    path,
    () =>
      isFresh(certificatePem, nowMs) &&
      isServerCertificateFor(certificatePem, authority.certificatePem, hosts),
  )
}

function keyFileOf(certificateFile: string): string {
  return certificateFile.replace(/\.pem$/, '-key.pem')
}

async function readPair(
  files: FileSystem,
  certificateFile: string,
): Promise<CertificateAndKey | undefined> {
  const keyFile = keyFileOf(certificateFile)
  if (!(await files.exists(certificateFile)) || !(await files.exists(keyFile))) return undefined
  return {
    certificatePem: fromUtf8(await files.readFile(certificateFile)),
    privateKeyPem: fromUtf8(await files.readFile(keyFile)),
  }
}

/** The key goes first: a certificate without its key would look complete to a reader of the folder. */
async function writePair(
  files: FileSystem,
  certificateFile: string,
  { certificatePem, privateKeyPem }: CertificateAndKey,
): Promise<void> {
  await files.writeFileAtomic(keyFileOf(certificateFile), utf8(privateKeyPem), privateFileMode)
  await files.writeFileAtomic(certificateFile, utf8(certificatePem), publicFileMode)
}

function readOrThrow(path: string, read: () => boolean): boolean {
  try {
    return read()
  } catch (cause) {
    throw new ServerError(
      { code: 'CERTIFICATE_INVALID', path },
      {
        shortMessage: 'A certificate file cannot be read.',
        metaMessages: [`File: ${path}`, 'Move it away together with its key; a new one is made.'],
        cause,
      },
    )
  }
}
