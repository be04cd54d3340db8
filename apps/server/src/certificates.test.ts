import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import { describe, expect, it } from 'vitest'
import {
  createAuthority,
  createServerCertificate,
  isFresh,
  isServerCertificateFor,
} from './certificates.ts'

const dayMs = 24 * 60 * 60 * 1000
const hosts = ['127.0.0.1', '::1', 'localhost']

describe('certificates', () => {
  it('make an authority that signs itself and may sign others', () => {
    const authority = new X509Certificate(createAuthority(Date.now()).certificatePem)
    expect(authority.ca).toBe(true)
    expect(authority.checkIssued(authority)).toBe(true)
    expect(authority.verify(authority.publicKey)).toBe(true)
    expect(authority.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    expect(BigInt(`0x${authority.serialNumber}`) >> 120n).toBeLessThan(0x80n)
  })

  it('make a server certificate for addresses and names, signed by the authority', () => {
    const nowMs = Date.now()
    const authority = createAuthority(nowMs)
    const made = createServerCertificate({ authority, hosts, nowMs })
    const certificate = new X509Certificate(made.certificatePem)
    expect(certificate.ca).toBe(false)
    expect(certificate.checkIssued(new X509Certificate(authority.certificatePem))).toBe(true)
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(certificate.checkIP('::1')).toBe('::1')
    expect(certificate.checkHost('localhost')).toBe('localhost')
    expect(certificate.checkHost('example.org')).toBeUndefined()
    expect(isServerCertificateFor(made.certificatePem, authority.certificatePem, hosts)).toBe(true)
  })

  it('tell a certificate of another authority, or for other hosts', () => {
    const nowMs = Date.now()
    const authority = createAuthority(nowMs)
    const { certificatePem } = createServerCertificate({ authority, hosts, nowMs })
    const other = createAuthority(nowMs).certificatePem
    expect(isServerCertificateFor(certificatePem, other, hosts)).toBe(false)
    const more = [...hosts, '192.0.2.1']
    expect(isServerCertificateFor(certificatePem, authority.certificatePem, more)).toBe(false)
  })

  it('count as fresh until 30 days before their end', () => {
    const nowMs = Date.now()
    const { certificatePem } = createServerCertificate({
      authority: createAuthority(nowMs),
      hosts,
      nowMs,
    })
    expect(isFresh(certificatePem, nowMs)).toBe(true)
    expect(isFresh(certificatePem, nowMs + 366 * dayMs)).toBe(true)
    expect(isFresh(certificatePem, nowMs + 368 * dayMs)).toBe(false)
  })

  it('are accepted by a TLS client that trusts the authority alone', async () => {
    const nowMs = Date.now()
    const authority = createAuthority(nowMs)
    const made = createServerCertificate({ authority, hosts, nowMs })
    const server = createServer({ cert: made.certificatePem, key: made.privateKeyPem })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const socket = connect({ host: '127.0.0.1', port, ca: authority.certificatePem })
    await once(socket, 'secureConnect')
    expect(socket.authorized).toBe(true)
    socket.destroy()
    server.close()
  })
})
