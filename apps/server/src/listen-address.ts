/** Addresses to listen on, as people write them: `127.0.0.1:4510`, `[::1]:4510`, `localhost:0`. */
import { isIPv6 } from 'node:net'
import { ServerError } from './errors.ts'

export interface ListenAddress {
  /** An IP address without brackets, or a name. */
  readonly host: string
  /** 0 lets the system choose a free one. */
  readonly port: number
}

const portMax = 65_535

/** @throws ServerError LISTEN_ADDRESS_INVALID */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  const isValid =
    host !== undefined && port <= portMax && (match?.[1] === undefined || isIPv6(match[1]))
  if (!isValid) {
    throw new ServerError(
      { code: 'LISTEN_ADDRESS_INVALID', text },
      {
        shortMessage: `"${text}" is not an address to listen on.`,
        metaMessages: ['Write HOST:PORT, such as 127.0.0.1:4510 or [::1]:4510; port 0 picks one.'],
      },
    )
  }
  return { host, port }
}

export function formatUrl(scheme: 'http' | 'https' | 'ws', { host, port }: ListenAddress): string {
  return `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}`
}

/** Whether only programs on this machine can reach `host`. Names other than localhost count as reachable. */
export function isLoopback(host: string): boolean {
  return /^127(?:\.\d{1,3}){3}$/.test(host) || host === '::1' || host.toLowerCase() === 'localhost'
}

/** Whether `host` means every address of the machine, so that no client can use it as it stands. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || /^[0:]+$/.test(host)
}
