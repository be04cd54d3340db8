/** `cairn up`: runs the server in this terminal until a signal, and says where it is and what to try. */
import { relative, resolve } from 'node:path'
import {
  createLogger,
  defaultListen,
  defaultTlsListen,
  type EthereumInfo,
  type EthereumServiceOptions,
  type ListenAddress,
  parseListenAddress,
  type RunningServer,
  readLimitsFile,
  ServerError,
  startServer,
} from '@cairn/server'
import {
  type Arguments,
  type Command,
  type CommandContext,
  exitDone,
  jsonOption,
} from '../command.ts'
import { defaultDataDirectory } from '../endpoint.ts'
import { usageError } from '../errors.ts'
import { print, printError, type Terminal } from '../terminal.ts'

const logLevels = ['debug', 'info', 'warn', 'error'] as const
/** Pages of a well indexed statement take a few milliseconds. */
const slowStatementMsDefault = 1000
/** geth's ports. */
const ethereumListen: ListenAddress = { host: '127.0.0.1', port: 8545 }
const ethereumWebSocketListen: ListenAddress = { host: '127.0.0.1', port: 8546 }
const logFormats = ['human', 'json'] as const

export const upCommand: Command = {
  path: ['up'],
  summary: 'Start the server and keep it running until Ctrl-C or SIGTERM',
  options: [
    { name: 'data-dir', value: 'DIR', help: 'where everything is stored (default: ./data)' },
    {
      name: 'listen',
      value: 'HOST:PORT',
      help: 'http address, port 0 picks one (default: 127.0.0.1:4510)',
    },
    {
      name: 'tls-listen',
      value: 'HOST:PORT',
      help: 'https address, port 0 picks one (default: 127.0.0.1:4511)',
    },
    { name: 'ready-file', value: 'FILE', help: 'write the endpoints there once all is ready' },
    {
      name: 'auth',
      value: 'MODE',
      choices: ['off', 'sigv4'],
      help: 'whether requests must be signed (default: off)',
    },
    {
      name: 'targets',
      value: 'FILE',
      help: 'S3, Kinesis, webhooks (default: targets.json of --data-dir)',
    },
    {
      name: 'ethereum-http',
      value: 'HOST:PORT',
      help: 'JSON-RPC of the chain (default: 127.0.0.1:8545, or a free port)',
    },
    {
      name: 'ethereum-ws',
      value: 'HOST:PORT',
      help: 'over WebSocket (default: 127.0.0.1:8546, or a free port)',
    },
    {
      name: 'ethereum-period',
      value: 'SECONDS',
      help: 'between blocks, 0 seals on demand (default: 1)',
    },
    { name: 'no-ethereum', help: 'leave the private chain out' },
    { name: 'insecure', help: 'allow --auth off where other machines can connect' },
    {
      name: 'log-level',
      value: 'LEVEL',
      choices: logLevels,
      help: 'what to log (default: warn at a terminal, else info)',
    },
    {
      name: 'log-format',
      value: 'FORMAT',
      choices: logFormats,
      help: 'of the log (default: human at a terminal, else json)',
    },
    {
      name: 'slow-statement-ms',
      value: 'MS',
      help: 'log statements that take this long, or off (default: 1000)',
    },
    { name: 'limits', value: 'FILE', help: 'JSON object of limits other than those of QLDB' },
    jsonOption,
  ],
  positionals: [],
  examples: [
    'cairn up',
    'cairn up --data-dir /var/lib/cairn --listen 0.0.0.0:4510 --auth sigv4',
    'cairn up --listen 127.0.0.1:0 --tls-listen 127.0.0.1:0 --ready-file ready.json',
  ],
  run: runUp,
}

async function runUp({ args, terminal }: CommandContext): Promise<number> {
  const dataDirectory = args.text('data-dir') ?? defaultDataDirectory
  const readyFile = args.text('ready-file')
  const slowStatementMsMin = millisecondsOf(args.text('slow-statement-ms'))
  const limitsFile = args.text('limits')
  const limits = limitsFile === undefined ? {} : await readLimitsFile(limitsFile)
  const targetsFile = args.text('targets')
  // Before anything is opened: a signal during the start is not lost.
  const stopSignal = terminal.stopSignal()
  const server = await startServer({
    dataDirectory,
    listen: addressOf(args.text('listen'), defaultListen),
    tlsListen: addressOf(args.text('tls-listen'), defaultTlsListen),
    auth: args.text('auth') === 'sigv4' ? 'sigv4' : 'off',
    isInsecureAllowed: args.flag('insecure'),
    ...(readyFile === undefined ? {} : { readyFile }),
    ...(slowStatementMsMin === undefined ? {} : { slowStatementMsMin }),
    limits,
    ...(targetsFile === undefined ? {} : { targetsFile }),
    ...(args.flag('no-ethereum') ? {} : { ethereum: ethereumOptions(args) }),
    clock: terminal.clock,
    logger: loggerFor(terminal, args.text('log-level'), args.text('log-format')),
  })
  const banner = args.flag('json') ? JSON.stringify(server.info) : bannerText(server, dataDirectory)
  print(terminal, banner)

  const signal = await stopSignal
  if (terminal.isErrorOutputWatched) printError(terminal, `\n${signal}: stopping …`)
  await server.stop()
  return exitDone
}

function addressOf(text: string | undefined, standard: ListenAddress): ListenAddress {
  if (text === undefined) return standard
  try {
    return parseListenAddress(text)
  } catch (error) {
    if (!(error instanceof ServerError)) throw error
    throw usageError('cairn up', error.shortMessage, error.message.split('\n')[1])
  }
}

function ethereumOptions(args: Arguments): EthereumServiceOptions {
  const [http, webSocket] = [args.text('ethereum-http'), args.text('ethereum-ws')]
  const period = args.text('ethereum-period') ?? '1'
  if (!/^\d{1,6}$/.test(period)) {
    const what = `--ethereum-period is a number of seconds, not "${period}".`
    throw usageError('cairn up', what)
  }
  return {
    http: addressOf(http, ethereumListen),
    webSocket: addressOf(webSocket, ethereumWebSocketListen),
    // A port that somebody asked for is not exchanged behind their back.
    mayMove: { http: http === undefined, webSocket: webSocket === undefined },
    periodSeconds: Number(period),
  }
}

/** @returns undefined for `off`. */
function millisecondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return slowStatementMsDefault
  if (text === 'off') return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const what = `--slow-statement-ms is a number of milliseconds or off, not "${text}".`
  throw usageError('cairn up', what)
}

function loggerFor(terminal: Terminal, level: string | undefined, format: string | undefined) {
  const isWatched = terminal.isErrorOutputWatched
  return createLogger(
    logFormats.find((each) => each === format) ?? (isWatched ? 'human' : 'json'),
    {
      clock: terminal.clock,
      level: logLevels.find((each) => each === level) ?? (isWatched ? 'warn' : 'info'),
      write: (line) => terminal.errorOutput.write(line),
    },
  )
}

/** What a newcomer needs next, as lines to copy. */
export function bannerText({ info, accessKeyFile }: RunningServer, dataDirectory: string): string {
  const { api, apiTls } = info.endpoints
  // Without options the commands find the server of ./data only.
  const isFound = resolve(dataDirectory) === resolve(defaultDataDirectory)
  const endpoint = isFound ? '' : ` --endpoint ${api}`
  const keys =
    accessKeyFile === undefined
      ? []
      : [`  Signed requests   with a key of ${shortPath(accessKeyFile.path)}`]
  return [
    `Cairn ${info.version} is ready. Its data is in ${shortPath(resolve(dataDirectory))}`,
    '',
    `  QLDB API          ${api}`,
    `  QLDB API (https)  ${apiTls}  trust ${shortPath(info.caFile)}`,
    ...keys,
    ...ethereumLines(info.endpoints.ethereum),
    '',
    'Try next, in another terminal:',
    `  npx cairn ledger create my-ledger${endpoint}`,
    `  npx cairn sql my-ledger${endpoint}`,
    'or point a QLDB driver here:',
    `  export AWS_ENDPOINT_URL=${apiTls} NODE_EXTRA_CA_CERTS=${info.caFile}`,
    '',
    'Ctrl-C stops the server.',
  ].join('\n')
}

/** The key of the account is in the ready file, not in what may end up in a log. */
function ethereumLines(ethereum: EthereumInfo | undefined): string[] {
  if (ethereum === undefined) return []
  const { chainId, http, ws, devAccount } = ethereum
  return [
    `  Ethereum          ${http}  ${ws}  chain ${chainId}`,
    `  funded account    ${devAccount.address}  its key is in ready.json`,
  ]
}

/** Relative where that is shorter to read: below the working folder. */
function shortPath(path: string): string {
  const short = relative('', path)
  return short.startsWith('..') ? path : short
}
