/**
 * Command lines as geth takes them: `--flag value`, `-flag=value`, flags before and behind the subcommand, and
 * spellings of 2019 with a line that says what they are called now. What a flag of geth's does that we have no part for
 * is said once and ignored; a flag that nobody knows ends the program, as it does there.
 */
import { nearestWord } from '../suggest.ts'

type FlagKind = 'text' | 'number' | 'boolean'

interface FlagSpec {
  readonly kind: FlagKind
  readonly help: string
  /** Why it does nothing here. */
  readonly ignoredBecause?: string
}

const text = (help: string): FlagSpec => ({ kind: 'text', help })
const number = (help: string): FlagSpec => ({ kind: 'number', help })
const boolean = (help: string): FlagSpec => ({ kind: 'boolean', help })
const ignored = (kind: FlagKind, ignoredBecause: string): FlagSpec => ({
  kind,
  help: '',
  ignoredBecause,
})

const network = 'nodes do not connect to each other yet'

/** Names and meanings: geth 1.13 (cmd/utils/flags.go). */
export const gethFlags: Readonly<Record<string, FlagSpec>> = {
  datadir: text('where chain and keys are stored (default: ./ethereum)'),
  keystore: text('folder of key files (default: keystore in --datadir)'),
  networkid: number('network id (default: the chain id)'),
  http: boolean('serve JSON-RPC over HTTP'),
  'http.addr': text('its address (default: localhost)'),
  'http.port': number('its port (default: 8545)'),
  'http.api': text('its namespaces (default: eth,net,web3)'),
  'http.corsdomain': text('origins whose pages may read answers, comma separated'),
  'http.vhosts': text('host names that requests may be for (default: localhost)'),
  ws: boolean('serve JSON-RPC over WebSocket'),
  'ws.addr': text('its address (default: localhost)'),
  'ws.port': number('its port (default: 8546)'),
  'ws.api': text('its namespaces (default: eth,net,web3)'),
  'ws.origins': text('origins whose pages may connect, comma separated'),
  ipcpath: text('path of the IPC socket (default: geth.ipc in --datadir)'),
  ipcdisable: boolean('no IPC socket'),
  mine: boolean('seal blocks'),
  'miner.etherbase': text('the account that seals'),
  'miner.gaslimit': number('gas limit that blocks move toward (default: 30000000)'),
  'miner.extradata': text('up to 32 bytes for the extra data of sealed blocks'),
  unlock: text('accounts to unlock, comma separated'),
  password: text('file with a password on each line, for --unlock and account commands'),
  'allow-insecure-unlock': boolean('unlock accounts although HTTP or WebSocket is open'),
  lightkdf: boolean('new key files that cost less to open, and to guess'),
  gcmode: text('full, or archive to keep every state (default: full)'),
  syncmode: text('full is the only one'),
  'rpc.gascap': number('gas of one eth_call (default: 50000000)'),
  'rpc.evmtimeout': text('time of one eth_call, as 5s (default: 5s)'),
  'rpc.txfeecap': number('most that one transaction may cost in ether (default: 1, 0: no limit)'),
  'rpc.allow-unprotected-txs': boolean('take transactions that are not bound to a chain'),
  'rpc.batch-request-limit': number('calls in one batch (default: 1000)'),
  'rpc.batch-response-max-size': number('bytes of its answers (default: 25000000)'),
  'rpc.enabledeprecatedpersonal': boolean('the namespace personal also over HTTP and WebSocket'),
  'txpool.nolocals': boolean('treat local transactions like all others'),
  'txpool.accountslots': number('pending transactions guaranteed to each account (default: 16)'),
  'txpool.globalslots': number('pending transactions (default: 5120)'),
  'txpool.accountqueue': number('queued transactions of an account (default: 64)'),
  'txpool.globalqueue': number('queued transactions (default: 1024)'),
  'txpool.pricelimit': number('least tip in wei (default: 1)'),
  'txpool.pricebump': number('per cent that a replacement pays more (default: 10)'),
  'txpool.lifetime': text('how long queued transactions wait, as 3h0m0s (default: 3h0m0s)'),
  dev: boolean('a chain in memory with one funded account, sealed on demand'),
  'dev.period': number('seconds between blocks of --dev (default: 0)'),
  verbosity: number('0 silent, 1 error, 2 warn, 3 info, 4 debug (default: 3)'),
  exec: text('attach: run this and end'),
  'input.alloc': text('t8n: accounts before (default: alloc.json)'),
  'input.env': text('t8n: what the block is (default: env.json)'),
  'input.txs': text('t8n: transactions, as JSON or .rlp (default: txs.json)'),
  'output.basedir': text('t8n: folder of what is written (default: .)'),
  'output.alloc': text('t8n: accounts afterwards (default: alloc.json)'),
  'output.result': text('t8n: roots and receipts (default: result.json)'),
  'output.body': text('t8n: the transactions that are in, in RLP'),
  'state.fork': text('t8n: rules, as London or Cancun (default: London)'),
  'state.chainid': number('t8n: chain id (default: 1)'),
  'state.reward': number('t8n: wei for the coinbase, -1 for none (default: 0)'),
  help: boolean('print this text'),
  port: ignored('number', network),
  bootnodes: ignored('text', network),
  nodiscover: ignored('boolean', network),
  maxpeers: ignored('number', network),
  nat: ignored('text', network),
  netrestrict: ignored('text', network),
  nodekey: ignored('text', network),
  nousb: ignored('boolean', 'there are no hardware wallets here'),
  usb: ignored('boolean', 'there are no hardware wallets here'),
  cache: ignored('number', 'memory follows what is used'),
  'miner.gasprice': ignored('text', 'the price limit of the pool decides: --txpool.pricelimit'),
  'miner.threads': ignored('number', 'sealing takes no work'),
  snapshot: ignored('boolean', 'the state is always flat'),
  metrics: ignored('boolean', 'cairn up serves /metrics'),
  identity: ignored('text', network),
  nocompaction: ignored('boolean', 'there is no compaction'),
}

/** Spellings of the talk's time, and what they are called today. */
const oldSpellings: Readonly<Record<string, string>> = {
  rpc: 'http',
  rpcaddr: 'http.addr',
  rpcport: 'http.port',
  rpcapi: 'http.api',
  rpccorsdomain: 'http.corsdomain',
  rpcvhosts: 'http.vhosts',
  wsaddr: 'ws.addr',
  wsport: 'ws.port',
  wsapi: 'ws.api',
  wsorigins: 'ws.origins',
  etherbase: 'miner.etherbase',
  targetgaslimit: 'miner.gaslimit',
  'miner.gastarget': 'miner.gaslimit',
  gasprice: 'miner.gasprice',
  minerthreads: 'miner.threads',
  extradata: 'miner.extradata',
}

/** A command line that geth would refuse too; the message is what it prints. */
export class GethUsageError extends Error {
  override readonly name = 'GethUsageError'
}

export interface GethLine {
  /** The subcommand and its arguments. */
  readonly words: readonly string[]
  /** For the person at the terminal, one line each. */
  readonly warnings: readonly string[]
  has(name: string): boolean
  text(name: string): string | undefined
  number(name: string): number | undefined
}

/** @throws GethUsageError */
export function parseGethLine(line: readonly string[]): GethLine {
  const values = new Map<string, string>()
  const words: string[] = []
  const warnings: string[] = []
  for (let i = 0; i < line.length; i++) {
    const word = line[i] as string
    if (!/^--?[a-z]/i.test(word)) {
      words.push(word)
      continue
    }
    const [given = '', ...rest] = word.replace(/^--?/, '').split('=')
    const name = currentName(given, warnings)
    const spec = specOf(name, word)
    let value = rest.length > 0 ? rest.join('=') : undefined
    if (spec.kind === 'boolean') value ??= 'true'
    else value ??= line[++i]
    if (value === undefined) throw new GethUsageError(`flag needs an argument: --${name}`)
    checkValue(name, spec.kind, value)
    if (spec.ignoredBecause !== undefined) {
      warnings.push(`--${name} is ignored: ${spec.ignoredBecause}.`)
    } else {
      values.set(name, value)
    }
  }
  return {
    words,
    warnings,
    has: (name) => (values.get(name) ?? 'false') !== 'false',
    text: (name) => values.get(name),
    number: (name) => (values.has(name) ? Number(values.get(name)) : undefined),
  }
}

function currentName(given: string, warnings: string[]): string {
  const current = oldSpellings[given]
  if (current === undefined) return given
  warnings.push(`--${given} is called --${current} today.`)
  return current
}

function specOf(name: string, word: string): FlagSpec {
  const spec = Object.hasOwn(gethFlags, name) ? gethFlags[name] : undefined
  if (spec !== undefined) return spec
  const near = nearestWord(name, Object.keys(gethFlags))
  const hint = near === undefined ? '' : ` (did you mean --${near}?)`
  throw new GethUsageError(
    `flag provided but not defined: -${word.replace(/^-+/, '').split('=')[0]}${hint}`,
  )
}

function checkValue(name: string, kind: FlagKind, value: string): void {
  const isFine =
    kind === 'text' ||
    (kind === 'boolean' ? /^(true|false)$/.test(value) : /^\d+(\.\d+)?$/.test(value))
  if (isFine) return
  throw new GethUsageError(`invalid value "${value}" for flag -${name}: not a ${kind}`)
}

/** Comma separated, without empty parts. */
export function splitList(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
