/** `enode://` addresses of nodes: public key, host, TCP port and, when it differs, the UDP port of discovery. */
import { EnodeError } from './errors.ts'
import { dataToHex, looseDataFromHex } from './hex.ts'

export interface EnodeUrl {
  /** 64 bytes. */
  readonly publicKey: Uint8Array
  /** An IP address, IPv6 without brackets, or a host name. */
  readonly host: string
  /** 0 for a node that only takes part in discovery. */
  readonly tcpPort: number
  readonly udpPort: number
}

const portMax = 65_535

/** @throws EnodeError. */
export function parseEnodeUrl(text: string): EnodeUrl {
  const match =
    /^enode:\/\/(?:0x)?([0-9a-f]{128})@(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+):(\d{1,5})(?:\?(.*))?$/i.exec(
      text,
    )
  if (match === null) throw malformed('it is not enode://<128 hexadecimal digits>@host:port')
  const [, digits = '', host = '', tcp = '', query] = match
  const tcpPort = portOf(tcp)
  return {
    publicKey: looseDataFromHex(digits, 64),
    host: host.replace(/^\[|\]$/g, ''),
    tcpPort,
    udpPort: query === undefined ? tcpPort : discoveryPort(query, tcpPort),
  }
}

function discoveryPort(query: string, tcpPort: number): number {
  const port = new URLSearchParams(query).get('discport')
  return port === null ? tcpPort : portOf(port)
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= portMax) return port
  throw malformed('its port is not a number from 0 to 65535')
}

export function formatEnodeUrl({ publicKey, host, tcpPort, udpPort }: EnodeUrl): string {
  const where = host.includes(':') ? `[${host}]` : host
  const discovery = udpPort === tcpPort ? '' : `?discport=${udpPort}`
  return `enode://${dataToHex(publicKey).slice(2)}@${where}:${tcpPort}${discovery}`
}

function malformed(reason: string): EnodeError {
  return new EnodeError(
    { code: 'ENODE_MALFORMED', reason },
    { shortMessage: `The node address cannot be read: ${reason}.` },
  )
}
