/**
 * `geth` without a subcommand runs a node on the data folder until a signal; `geth console` and `geth js` until the
 * console or the scripts have ended.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemRandom } from '@cairn/core'
import { addressFromText, addressToText, dataFromHex, dataToHex, KeyFolder } from '@cairn/eth-codec'
import { nodeFileSystem } from '@cairn/journal'
import {
  createLogger,
  type EthereumNode,
  type EthereumNodeOptions,
  isLoopback,
  openDevelopmentChain,
  openEthereumNode,
  type RpcListenerOptions,
} from '@cairn/server'
import { exitDone, exitFailed } from '../command.ts'
import { CliError } from '../errors.ts'
import { printError, type Terminal } from '../terminal.ts'
import { dataDirectoryOf, ipcPathOf, keystoreOf } from './folders.ts'
import { type GethLine, GethUsageError, splitList } from './geth-flags.ts'
import { readPasswordFile } from './passwords.ts'
import { readLine } from './read-line.ts'

const httpPortDefault = 8545
const webSocketPortDefault = 8546
const vanityBytesMax = 32
/** geth: --http.addr localhost. */
const hostDefault = '127.0.0.1'

export function runNode(line: GethLine, terminal: Terminal): Promise<number> {
  return runNodeUntil(line, terminal, async ({ failed }, stopSignal) => {
    const end = await Promise.race([stopSignal, failed])
    return end instanceof Error ? exitFailed : exitDone
  })
}

/** `console`, `js FILE …`. */
export function runNodeWithConsole(line: GethLine, terminal: Terminal): Promise<number> {
  const [name, ...scripts] = line.words
  if (line.has('ipcdisable')) throw new GethUsageError(`${name} needs the socket of the node`)
  if (name === 'js' && scripts.length === 0) throw new GethUsageError('js needs a file')
  const code =
    name === 'js'
      ? scripts.map((path) => `loadScript(${JSON.stringify(path)})`).join(';')
      : line.text('exec')
  const exec = code === undefined ? [] : ['--exec', code]
  return runNodeUntil(line, terminal, async ({ endpoints }, stopSignal) => {
    // The console stands still while it waits for an answer, so it cannot be on the thread that answers.
    const words = [consoleProgram, 'geth', 'attach', endpoints.ipc ?? '', ...exec]
    const child = spawn(process.execPath, words, { stdio: 'inherit' })
    void stopSignal.then(() => child.kill())
    const [exitCode] = (await once(child, 'exit')) as [number | null]
    return exitCode ?? exitDone
  })
}

const consoleProgram = fileURLToPath(new URL('../../bin/cairn.js', import.meta.url))

async function runNodeUntil(
  line: GethLine,
  terminal: Terminal,
  ended: (node: EthereumNode, stopSignal: Promise<string>) => Promise<number>,
): Promise<number> {
  // Before anything is opened: a signal during the start is not lost.
  const stopSignal = terminal.stopSignal()
  const { node, cleanUp } = line.has('dev')
    ? await openDevelopmentNode(line, terminal)
    : await openNode(line, terminal)
  try {
    return await ended(node, stopSignal)
  } finally {
    await node.close()
    await cleanUp()
  }
}

interface Opened {
  readonly node: EthereumNode
  cleanUp(): Promise<void>
}

async function openNode(line: GethLine, terminal: Terminal): Promise<Opened> {
  checkUnlocking(line, terminal)
  const unlocked = await unlock(line, terminal)
  const node = await openEthereumNode({
    ...commonOptions(line, terminal),
    directory: dataDirectoryOf(line),
    accounts: { ...accountOptions(line, keystoreOf(line)), unlocked: [...unlocked.values()] },
    ...sealingOptions(line, unlocked),
  })
  return { node, cleanUp: async () => undefined }
}

/** A chain of one signer with a funded account, gone when it ends unless a folder is named. */
async function openDevelopmentNode(line: GethLine, terminal: Terminal): Promise<Opened> {
  const isKept = line.text('datadir') !== undefined
  const directory = isKept
    ? dataDirectoryOf(line)
    : await mkdtemp(join(tmpdir(), 'cairn-geth-dev-'))
  const cleanUp = async (): Promise<void> => {
    if (!isKept) await rm(directory, { recursive: true, force: true })
  }
  try {
    const chain = await openDevelopmentChain({
      directory,
      files: nodeFileSystem,
      clock: terminal.clock,
      random: systemRandom,
      periodSeconds: BigInt(line.number('dev.period') ?? 0),
    })
    const node = await openEthereumNode({
      ...commonOptions(line, terminal),
      directory,
      genesis: chain.genesis,
      sealing: { privateKey: chain.sealerKey },
      accounts: {
        ...accountOptions(line, isKept ? keystoreOf(line) : `${directory}/keystore`),
        unlocked: [dataFromHex(chain.account.privateKey)],
      },
      ...(isKept ? {} : { ipcPath: `${directory}/geth.ipc` }),
    })
    const { address, privateKey } = chain.account
    printError(terminal, `Developer account ${address}, private key ${privateKey}`)
    return { node, cleanUp }
  } catch (error) {
    await cleanUp()
    throw error
  }
}

function commonOptions(
  line: GethLine,
  terminal: Terminal,
): Omit<EthereumNodeOptions, 'directory' | 'sealing'> {
  const http = listenerOf(line, 'http', httpPortDefault, 'http.corsdomain')
  const webSocket = listenerOf(line, 'ws', webSocketPortDefault, 'ws.origins')
  const networkId = line.number('networkid')
  const gasCap = line.number('rpc.gascap')
  const feeCap = line.number('rpc.txfeecap')
  const batchCount = line.number('rpc.batch-request-limit')
  const batchLength = line.number('rpc.batch-response-max-size')
  return {
    clock: terminal.clock,
    logger: loggerOf(line, terminal),
    isArchive: line.text('gcmode') === 'archive',
    ...(networkId === undefined ? {} : { networkId: BigInt(networkId) }),
    ...(http === undefined ? {} : { http }),
    ...(webSocket === undefined ? {} : { webSocket }),
    ...(line.has('ipcdisable') ? {} : { ipcPath: ipcPathOf(line) }),
    callLimits: {
      gasMax: gasCap === undefined ? 50_000_000n : BigInt(gasCap),
      durationMsMax: durationMs(line.text('rpc.evmtimeout')) ?? 5000,
    },
    sendingRules: {
      feeCapWei: feeCap === undefined ? 10n ** 18n : BigInt(Math.round(feeCap * 1e9)) * 10n ** 9n,
      allowsUnprotected: line.has('rpc.allow-unprotected-txs'),
    },
    dispatcherLimits: {
      ...(batchCount === undefined ? {} : { batchCountMax: batchCount }),
      ...(batchLength === undefined ? {} : { batchAnswerLengthMax: batchLength }),
    },
    poolLimits: poolLimitsOf(line),
    noLocals: line.has('txpool.nolocals'),
  }
}

function accountOptions(
  line: GethLine,
  keyFolder: string,
): NonNullable<EthereumNodeOptions['accounts']> {
  return {
    keyFolder,
    keyFileCost: line.has('lightkdf') ? 'light' : 'standard',
    allowsInsecureUnlock: line.has('allow-insecure-unlock'),
    allowsPersonal: line.has('rpc.enabledeprecatedpersonal'),
  }
}

function poolLimitsOf(line: GethLine): NonNullable<EthereumNodeOptions['poolLimits']> {
  const limits: Record<string, number | bigint> = {}
  const set = (name: string, value: number | bigint | undefined) => {
    if (value !== undefined) limits[name] = value
  }
  set('accountSlots', line.number('txpool.accountslots'))
  set('globalSlots', line.number('txpool.globalslots'))
  set('accountQueue', line.number('txpool.accountqueue'))
  set('globalQueue', line.number('txpool.globalqueue'))
  set('priceBumpPercent', line.number('txpool.pricebump'))
  set('lifetimeMs', durationMs(line.text('txpool.lifetime')))
  const price = line.number('txpool.pricelimit')
  set('priceLimitWei', price === undefined ? undefined : BigInt(price))
  return limits
}

function listenerOf(
  line: GethLine,
  kind: 'http' | 'ws',
  portDefault: number,
  originsFlag: string,
): RpcListenerOptions | undefined {
  if (!line.has(kind)) return undefined
  const given = line.text(`${kind}.addr`) ?? hostDefault
  const api = line.text(`${kind}.api`)
  const hosts = line.text('http.vhosts')
  return {
    address: {
      host: given === 'localhost' ? hostDefault : given,
      port: line.number(`${kind}.port`) ?? portDefault,
    },
    ...(api === undefined ? {} : { namespaces: splitList(api) }),
    origins: splitList(line.text(originsFlag)),
    ...(hosts === undefined ? {} : { virtualHosts: splitList(hosts) }),
  }
}

/** `5s`, `1500ms`, `3h0m0s`; 0 for none stands for a day. */
function durationMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)]
  if (parts.map(([part]) => part).join('') !== text && text !== '0') {
    throw new GethUsageError(`invalid duration "${text}": write it as 5s, 1500ms or 3h0m0s`)
  }
  const sum = parts.reduce(
    (ms, [, count, unit = 's']) => ms + Number(count) * (units[unit] ?? 0),
    0,
  )
  return sum === 0 ? 24 * 3_600_000 : sum
}

/**
 * geth refuses to unlock beside any open HTTP. Here that holds for addresses that other machines reach; on loopback,
 * which is what lines of 2019 mean, a warning does.
 */
function checkUnlocking(line: GethLine, terminal: Terminal): void {
  if (splitList(line.text('unlock')).length === 0 || line.has('allow-insecure-unlock')) return
  for (const kind of ['http', 'ws'] as const) {
    if (!line.has(kind)) continue
    const host = line.text(`${kind}.addr`) ?? hostDefault
    if (!isLoopback(host)) {
      throw new GethUsageError(
        `Account unlock with HTTP access is forbidden! ${host} can be reached by other machines; ` +
          'add --allow-insecure-unlock if that is what you want.',
      )
    }
    printError(
      terminal,
      `warning: programs on this machine can use unlocked accounts over ${kind}.`,
    )
  }
}

/** Keys by address in lower case. */
async function unlock(line: GethLine, terminal: Terminal): Promise<Map<string, Uint8Array>> {
  const keys = new KeyFolder(nodeFileSystem, keystoreOf(line))
  const addresses = splitList(line.text('unlock'))
  const file = line.text('password')
  const passwords = file === undefined ? [] : await readPasswordFile(file)
  const unlocked = new Map<string, Uint8Array>()
  for (const [index, text] of addresses.entries()) {
    const address = await accountOf(keys, text)
    const password =
      passwords[Math.min(index, passwords.length - 1)] ??
      (await readLine(terminal, `Password of ${text}: `, true))
    unlocked.set(dataToHex(address), await keys.open(address, password))
    printError(terminal, `Unlocked account ${addressToText(address)}`)
  }
  return unlocked
}

/** geth also takes the number of an account in the list. */
async function accountOf(keys: KeyFolder, text: string): Promise<Uint8Array> {
  if (!/^\d{1,4}$/.test(text)) return addressFromText(text)
  const found = (await keys.list())[Number(text)]
  if (found === undefined) throw new GethUsageError(`there is no account #${text}`)
  return found.address
}

function sealingOptions(
  line: GethLine,
  unlocked: ReadonlyMap<string, Uint8Array>,
): Pick<EthereumNodeOptions, 'sealing'> {
  if (!line.has('mine')) return {}
  const given = line.text('miner.etherbase')
  const address = given === undefined ? [...unlocked.keys()][0] : dataToHex(addressFromText(given))
  const privateKey = address === undefined ? undefined : unlocked.get(address)
  if (privateKey === undefined) {
    throw new CliError(
      { code: 'USAGE', command: 'cairn geth' },
      {
        shortMessage: 'Sealing needs the key of a signer.',
        metaMessages: [
          address === undefined
            ? 'Name it: --miner.etherbase ADDRESS --unlock ADDRESS --password FILE'
            : `${address} is locked: --unlock ${address} --password FILE`,
        ],
      },
    )
  }
  const gasLimit = line.number('miner.gaslimit')
  const extra = line.text('miner.extradata')
  const vanity = extra === undefined ? undefined : Buffer.from(extra).subarray(0, vanityBytesMax)
  return {
    sealing: {
      privateKey,
      ...(gasLimit === undefined ? {} : { gasLimitWanted: BigInt(gasLimit) }),
      ...(vanity === undefined ? {} : { vanity: Uint8Array.from(vanity) }),
    },
  }
}

const levels = ['error', 'error', 'warn', 'info', 'debug', 'debug'] as const

function loggerOf(line: GethLine, terminal: Terminal) {
  const verbosity = Math.min(line.number('verbosity') ?? 3, levels.length - 1)
  return createLogger('human', {
    clock: terminal.clock,
    level: levels[verbosity] ?? 'info',
    write: (text) => {
      if (verbosity > 0) terminal.errorOutput.write(text)
    },
  })
}
