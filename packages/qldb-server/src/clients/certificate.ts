/**
 * A self-signed certificate for 127.0.0.1, for tests over https. X.509 v3 (RFC 5280) in DER by hand: node:crypto makes
 * keys and signatures, but no certificates. The daemon has its own authority; this one lives as long as a test.
 */
import { generateKeyPairSync, sign } from 'node:crypto'

export interface TestCertificate {
  /** PEM. Also the authority that clients trust. */
  readonly cert: string
  readonly key: string
}

export function createTestCertificate(): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const now = Date.now()
  const toBeSigned = sequence(
    tagged(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    sequence(utcTime(now - 3_600_000), utcTime(now + 86_400_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(subjectAltName, basicConstraints)),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  const certificate = sequence(
    toBeSigned,
    ecdsaWithSha256,
    der(0x03, Buffer.concat([Buffer.from([0]), signature])),
  )
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function der(tag: number, content: Uint8Array): Buffer {
  const size = content.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

function sequence(...items: readonly Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(items))
}

function tagged(tag: number, item: Uint8Array): Buffer {
  return der(tag, item)
}

function utcTime(epochMs: number): Buffer {
  const text = new Date(epochMs).toISOString()
  return der(0x17, Buffer.from(`${text.slice(2, 19).replace(/[-:T]/g, '')}Z`))
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

const ecdsaWithSha256 = sequence(objectId('2a8648ce3d040302'))
const name = sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from('Cairn test')))))
const subjectAltName = sequence(
  objectId('551d11'),
  der(0x04, sequence(der(0x87, Buffer.from([127, 0, 0, 1])))),
)
const basicConstraints = sequence(
  objectId('551d13'),
  der(0x01, Buffer.from([255])),
  der(0x04, sequence(der(0x01, Buffer.from([255])))),
)
