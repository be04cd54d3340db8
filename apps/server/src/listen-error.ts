/** Why an address cannot be had, and what the person at the terminal can do. */
import { ServerError } from './errors.ts'
import type { ListenAddress } from './listen-address.ts'

export function listenError(error: NodeJS.ErrnoException, { host, port }: ListenAddress): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new ServerError(
        { code: 'PORT_IN_USE', host, port },
        {
          shortMessage: `Another program listens on ${host}:${port}.`,
          metaMessages: [
            'Is a Cairn server running already? Stop it, or choose another port:',
            `--listen ${host}:0 and --tls-listen ${host}:0 take free ones.`,
          ],
          cause: error,
        },
      )
    case 'EACCES':
      return new ServerError(
        { code: 'PORT_FORBIDDEN', host, port },
        {
          shortMessage: `This account may not listen on ${host}:${port}.`,
          metaMessages: ['Choose a port of 1024 or above.'],
          cause: error,
        },
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ServerError(
        { code: 'HOST_NOT_AVAILABLE', host, port },
        {
          shortMessage: `This machine has no address ${host}.`,
          metaMessages: ['Listen on one of its own addresses, or on 127.0.0.1.'],
          cause: error,
        },
      )
    default:
      return error
  }
}
