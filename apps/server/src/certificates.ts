/**
 * A certificate authority of our own and a server certificate from it, since several clients refuse plain http.
 * X.509 v3 (RFC 5280), ECDSA with P-256 and SHA-256. Not here: revocation; the authority signs this server alone.
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { isIP } from 'node:net'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'

export interface CertificateAndKey {
  readonly certificatePem: string
  /** PKCS #8. */
  readonly privateKeyPem: string
}

export interface ServerCertificateOptions {
  readonly authority: CertificateAndKey
  /** IP addresses and DNS names that clients connect to. */
  readonly hosts: readonly string[]
  readonly nowMs: number
}

const dayMs = 24 * 60 * 60 * 1000
/** Long, because every client that trusts it must be told of a new one. */
export const authorityDaysMax = 3650
/** Longest life that TLS clients accept of a server certificate. Source: CA/Browser Forum ballot SC31 (398 days). */
export const serverDaysMax = 397
/** A certificate that ends within this time is replaced at start. */
export const renewalDaysMin = 30
/** Certificates begin a day early, for clients whose clock is behind. */
const backdatedDays = 1

// RFC 5758 3.2 and X.520.
const ecdsaWithSha256 = '1.2.840.10045.4.3.2'
const commonName = '2.5.4.3'
const organizationName = '2.5.4.10'
/** RFC 5280 4.1.2.2 allows up to 20 bytes; the first bit stays clear so that the number is positive. */
const serialBytesSize = 16
/** RFC 7093 method 1: the leftmost 160 bits of the SHA-256 hash of the public key. */
const keyIdentifierBytesSize = 20

export function createAuthority(nowMs: number): CertificateAndKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keyId = keyIdentifierOf(publicKey)
  // The name tells the authorities of several data folders apart in a client's list.
  const name = nameOf(`Cairn local authority ${Buffer.from(keyId).toString('hex').slice(0, 8)}`)
  const certificatePem = signCertificate({
    subject: name,
    issuer: name,
    publicKey,
    signingKey: privateKey,
    nowMs,
    days: authorityDaysMax,
    extensions: [
      extensionOf(
        id_ce_basicConstraints,
        new BasicConstraints({ cA: true, pathLenConstraint: 0 }),
        true,
      ),
      extensionOf(
        id_ce_keyUsage,
        new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign),
        true,
      ),
      extensionOf(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyId)),
    ],
  })
  return { certificatePem, privateKeyPem: pemOf(privateKey) }
}

export function createServerCertificate(options: ServerCertificateOptions): CertificateAndKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signingKey = createPrivateKey(options.authority.privateKeyPem)
  const authority = AsnConvert.parse(
    new X509Certificate(options.authority.certificatePem).raw,
    Certificate,
  ).tbsCertificate
  const authorityKeyId = keyIdentifierOf(
    new X509Certificate(options.authority.certificatePem).publicKey,
  )
  const names = options.hosts.map((host) =>
    isIP(host) === 0 ? new GeneralName({ dNSName: host }) : new GeneralName({ iPAddress: host }),
  )
  const certificatePem = signCertificate({
    subject: nameOf('Cairn server'),
    issuer: authority.subject,
    publicKey,
    signingKey,
    nowMs: options.nowMs,
    days: serverDaysMax,
    extensions: [
      extensionOf(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
      extensionOf(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
      extensionOf(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
      extensionOf(id_ce_subjectAltName, new SubjectAlternativeName(names)),
      extensionOf(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifierOf(publicKey))),
      extensionOf(
        id_ce_authorityKeyIdentifier,
        new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(authorityKeyId) }),
      ),
    ],
  })
  return { certificatePem, privateKeyPem: pemOf(privateKey) }
}

/** Whether `certificatePem` still has more than `renewalDaysMin` days. */
export function isFresh(certificatePem: string, nowMs: number): boolean {
  const end = Date.parse(new X509Certificate(certificatePem).validTo)
  return end - nowMs > renewalDaysMin * dayMs
}

/** Whether `certificatePem` was signed by `authorityPem` and names every one of `hosts`. */
export function isServerCertificateFor(
  certificatePem: string,
  authorityPem: string,
  hosts: readonly string[],
): boolean {
  const certificate = new X509Certificate(certificatePem)
  return (
    certificate.verify(new X509Certificate(authorityPem).publicKey) &&
    hosts.every((host) =>
      isIP(host) === 0
        ? certificate.checkHost(host) !== undefined
        : certificate.checkIP(host) !== undefined,
    )
  )
}

interface CertificateFields {
  readonly subject: Name
  readonly issuer: Name
  readonly publicKey: KeyObject
  readonly signingKey: KeyObject
  readonly nowMs: number
  readonly days: number
  readonly extensions: readonly Extension[]
}

function signCertificate(fields: CertificateFields): string {
  const signatureAlgorithm = new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 })
  const serial = randomBytes(serialBytesSize)
  // Clears the sign bit and sets the next one: positive, and no leading zero that DER would forbid.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: arrayBufferOf(serial),
    signature: signatureAlgorithm,
    issuer: fields.issuer,
    validity: new Validity({
      notBefore: new Date(fields.nowMs - backdatedDays * dayMs),
      notAfter: new Date(fields.nowMs + fields.days * dayMs),
    }),
    subject: fields.subject,
    subjectPublicKeyInfo: AsnConvert.parse(spkiOf(fields.publicKey), SubjectPublicKeyInfo),
    extensions: new Extensions([...fields.extensions]),
  })
  const signed = Buffer.from(AsnConvert.serialize(tbsCertificate))
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm,
    signatureValue: arrayBufferOf(sign('sha256', signed, fields.signingKey)),
  })
  return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString()
}

function nameOf(text: string): Name {
  const part = (type: string, value: string): RelativeDistinguishedName =>
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: value }) }),
    ])
  return new Name([part(organizationName, 'Cairn'), part(commonName, text)])
}

function extensionOf(extnID: string, value: unknown, critical = false): Extension {
  return new Extension({
    extnID,
    critical,
    extnValue: new OctetString(AsnConvert.serialize(value)),
  })
}

function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' })
}

function keyIdentifierOf(publicKey: KeyObject): ArrayBuffer {
  const info = AsnConvert.parse(spkiOf(publicKey), SubjectPublicKeyInfo)
  const hash = createHash('sha256').update(new Uint8Array(info.subjectPublicKey)).digest()
  return arrayBufferOf(hash.subarray(0, keyIdentifierBytesSize))
}

function pemOf(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** A copy: a Buffer is often a view into a pool that others share. */
function arrayBufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
