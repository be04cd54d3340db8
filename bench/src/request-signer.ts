/**
 * Requests signed with AWS Signature Version 4 as cheaply as can be, so that the load costs little beside the server:
 * one method, one path, the same signed headers, the key derived once in a second.
 */
import { hash } from 'node:crypto'
import { createSigner, deriveSigningKey, type Signer } from '@cairn/aws-protocol'

export interface SigningTarget {
  readonly host: string
  readonly port: number
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface RequestShape {
  readonly path: string
  readonly contentType: string
  /** The value of `x-amz-target`; absent for REST operations. */
  readonly operation?: string
}

const region = 'us-east-1'
const service = 'qldb'

/** @returns A function that makes a whole signed POST request out of a body, which must be ASCII. */
export function createRequestSigner(
  target: SigningTarget,
  shape: RequestShape,
): (body: string) => string {
  const host = `${target.host}:${target.port}`
  const { path, contentType, operation } = shape
  const hasOperation = operation !== undefined
  const names = ['host', 'x-amz-content-sha256', 'x-amz-date']
  const signedNames = [...names, ...(hasOperation ? ['x-amz-target'] : [])].join(';')
  const signedOperation = hasOperation ? `x-amz-target:${operation}\n` : ''
  const head =
    `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: ${contentType}\r\n` +
    (hasOperation ? `x-amz-target: ${operation}\r\n` : '')
  const credential = createCredential(target)
  return (body) => {
    const bodyHash = hash('sha256', body, 'hex')
    const { time, scope, signer } = credential()
    const headers =
      `host:${host}\nx-amz-content-sha256:${bodyHash}\n` + `x-amz-date:${time}\n${signedOperation}`
    const canonical = `POST\n${path}\n\n${headers}\n${signedNames}\n${bodyHash}`
    const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash('sha256', canonical, 'hex')}`
    const signature = signer(toSign)
    return (
      `${head}content-length: ${body.length}\r\nx-amz-content-sha256: ${bodyHash}\r\n` +
      `x-amz-date: ${time}\r\nauthorization: AWS4-HMAC-SHA256 ` +
      `Credential=${target.accessKeyId}/${scope}, SignedHeaders=${signedNames}, ` +
      `Signature=${signature}\r\n\r\n${body}`
    )
  }
}

interface Credential {
  readonly second: number
  /** `YYYYMMDDThhmmssZ` */
  readonly time: string
  readonly scope: string
  readonly signer: Signer
}

/** What all signatures of the present second share. */
function createCredential({ secretAccessKey }: SigningTarget): () => Credential {
  let last: Credential = { second: 0, time: '', scope: '', signer: () => '' }
  return () => {
    const second = Math.floor(Date.now() / 1000)
    if (second === last.second) return last
    const time = `${new Date(second * 1000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
    const day = time.slice(0, 8)
    const signer = createSigner(deriveSigningKey(secretAccessKey, day, region, service))
    last = { second, time, scope: `${day}/${region}/${service}/aws4_request`, signer }
    return last
  }
}
