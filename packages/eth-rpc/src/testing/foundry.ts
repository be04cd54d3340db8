/** Programs of Foundry from their npm packages, for tests that compare with them or drive them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

/** The program for this platform; npm leaves it out where there is none. */
export function findFoundryProgram(name: 'cast' | 'anvil'): string | undefined {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const file = `@foundry-rs/${name}-${process.platform}-${architecture}/bin/${name}`
  try {
    return createRequire(import.meta.url).resolve(file)
  } catch {
    return undefined
  }
}

export interface AnvilNode {
  readonly httpUrl: string
  close(): void
}

const startMsMax = 300_000

/** anvil on a free port of loopback, by the rules of Cancun, mining what it is sent. */
export async function startAnvil(program: string, chainId: number): Promise<AnvilNode> {
  const options = ['--host', '127.0.0.1', '--port', '0', '--chain-id', String(chainId)]
  const child = spawn(program, [...options, '--hardfork', 'cancun', '--steps-tracing'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const httpUrl = await listeningUrl(child)
  return { httpUrl, close: () => child.kill() }
}

function listeningUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('anvil did not start in time')), startMsMax)
    child.once('exit', (code) => reject(new Error(`anvil ended with ${code}`)))
    child.once('error', reject)
    // Read on afterwards, so that it is not held up by a full pipe.
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const found = /Listening on (\S+)/.exec(line)
      if (found === null) return
      clearTimeout(timer)
      resolve(`http://${found[1]}`)
    })
  })
}
