/**
 * Ethereum nodes under test, each a process of its own on a free port of loopback with a chain of its own: Cairn as
 * `npm start` runs it, anvil as its npm package brings it, Hardhat's node from a folder where it is installed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { startCairnDaemon } from '../cairn-server.ts'

export interface BenchNode {
  readonly name: string
  readonly processId: number
  readonly host: string
  readonly port: number
  readonly chainId: bigint
  /** Of an account with at least 100,000 ether; `0x` and 64 digits. */
  readonly richKey: string
  readonly blockTime: BlockTime
  /** Whether a batch may hold several transactions of one account. */
  readonly isInOrder: boolean
  stop(): Promise<void>
}

/** Seconds between blocks, or `demand`: a block as soon as there is a transaction. */
export type BlockTime = number | 'demand'

const startMsMax = 60_000
/** The first account of the phrase "test test … junk", which anvil and Hardhat use unless told otherwise. */
const testPhraseKey = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const balanceEther = 1_000_000
/** A node that has hung does not end when it is asked to. */
const stopMsMax = 5000
/**
 * For anvil: more than are ever pending here; blocks end at 30 million gas all the same. With its default of 1,000 and
 * more than that pending, 1.7.1 falls into mining empty blocks, one after the other and at full CPU, while thousands
 * stay pending: seen in 4 of 5 runs of 4,000 in batches, its block number rising by hundreds a second. With this it was
 * not seen in any of 24.
 */
const anvilTransactionCountMax = 100_000

export async function startCairnNode(
  name: string,
  directory: string,
  blockTime: BlockTime,
  nodeFlags: readonly string[] = [],
): Promise<BenchNode> {
  const period = blockTime === 'demand' ? 0 : blockTime
  const ports = ['--ethereum-http', '127.0.0.1:0', '--ethereum-ws', '127.0.0.1:0']
  const options = [...ports, '--ethereum-period', String(period)]
  const daemon = await startCairnDaemon(directory, options, nodeFlags)
  const { ethereum } = daemon.endpoints
  if (ethereum === undefined) throw new Error('Cairn started without a chain.')
  return {
    name,
    processId: daemon.processId,
    ...addressOf(ethereum.http),
    chainId: BigInt(ethereum.chainId),
    richKey: ethereum.devAccount.privateKey,
    blockTime,
    isInOrder: true,
    stop: () => daemon.stop(),
  }
}

/** The program within anvil's npm package; undefined when the package has none for this platform. */
export function findAnvil(): string | undefined {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const fileName = process.platform === 'win32' ? 'anvil.exe' : 'anvil'
  const packageName = `@foundry-rs/anvil-${process.platform}-${architecture}`
  try {
    const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`)
    const path = join(dirname(manifest), 'bin', fileName)
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}

/** @param program See {@link findAnvil}. */
export async function startAnvil(
  name: string,
  program: string,
  blockTime: BlockTime,
): Promise<BenchNode> {
  const accounts = ['--accounts', '1', '--balance', String(balanceEther)]
  const size = ['--max-transactions', String(anvilTransactionCountMax)]
  const time = blockTime === 'demand' ? [] : ['--block-time', String(blockTime)]
  const address = ['--host', '127.0.0.1', '--port', '0']
  const child = spawn(program, [...address, ...accounts, ...size, ...time], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const listening = await lineOf(child, name, /Listening on (\S+)/)
  return nodeOf(name, child, `http://${listening}`, blockTime)
}

/**
 * @param folder Where `npm install hardhat` was run.
 * @param directory For its configuration.
 */
export async function startHardhat(
  name: string,
  folder: string,
  directory: string,
): Promise<BenchNode> {
  const accounts = [{ privateKey: testPhraseKey, balance: `${balanceEther}${'0'.repeat(18)}` }]
  const network = { chainId: 31_337, accounts, loggingEnabled: false }
  mkdirSync(directory, { recursive: true })
  const configuration = join(directory, 'hardhat.config.js')
  const settings = JSON.stringify({ solidity: '0.8.26', networks: { hardhat: network } })
  writeFileSync(configuration, `module.exports = ${settings}\n`)
  const program = join(folder, 'node_modules', 'hardhat', 'internal', 'cli', 'bootstrap.js')
  const line = ['--config', configuration, 'node', '--hostname', '127.0.0.1', '--port', '0']
  const child = spawn(process.execPath, [program, ...line], {
    cwd: folder,
    env: { ...process.env, HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true', CI: 'true' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await lineOf(child, name, /JSON-RPC server at (\S+?)\/?$/)
  // It begins all calls of a batch at once, and does not queue what overtakes another: "nonce too high" (2.29.0).
  return { ...nodeOf(name, child, url, 'demand'), isInOrder: false }
}

/** Of anvil and Hardhat alike. */
function nodeOf(name: string, child: ChildProcess, url: string, blockTime: BlockTime): BenchNode {
  return {
    name,
    processId: child.pid as number,
    ...addressOf(url),
    chainId: 31_337n,
    richKey: testPhraseKey,
    blockTime,
    isInOrder: true,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
      await ended
      clearTimeout(timer)
    },
  }
}

function addressOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

/** What the pattern's group holds in the first line of the program's output that has it. */
function lineOf(child: ChildProcess, name: string, pattern: RegExp): Promise<string> {
  const { stdout } = child
  if (stdout === null) throw new Error(`${name} has no output.`)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill(), startMsMax)
    // Read to the end, or the program would wait for its reader one day.
    createInterface({ input: stdout }).on('line', (line) => {
      const found = pattern.exec(line)?.[1]
      if (found === undefined) return
      clearTimeout(timer)
      resolve(found)
    })
    child.once('error', reject)
    child.once('exit', () => {
      clearTimeout(timer)
      reject(new Error(`${name} ended before it listened.`))
    })
  })
}
