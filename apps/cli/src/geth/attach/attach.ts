/** `geth attach [ENDPOINT] [--exec CODE]`: geth's console over IPC or HTTP. */
import { start } from 'node:repl'
import { inspect } from 'node:util'
import { createContext, Script } from 'node:vm'
import { exitDone } from '../../command.ts'
import { print, type Terminal } from '../../terminal.ts'
import { ipcPathOf } from '../folders.ts'
import type { GethLine } from '../geth-flags.ts'
import { consoleObjects } from './console-objects.ts'
import { RpcClient } from './rpc-client.ts'

export async function runAttach(line: GethLine, terminal: Terminal): Promise<number> {
  const endpoint = (line.words[1] ?? ipcPathOf(line)).replace(/^ipc:/, '')
  const client = new RpcClient(endpoint)
  try {
    // Says at once when nobody is there.
    const version = client.call('web3_clientVersion', [])
    const objects = consoleObjects((method, params) => client.call(method, params))
    const code = line.text('exec')
    if (code !== undefined) {
      const result: unknown = new Script(code).runInContext(createContext(objects))
      if (result !== undefined) print(terminal, formatResult(result))
      return exitDone
    }
    print(terminal, `Welcome to the console of ${String(version)}\n\nTo exit, press ctrl-d`)
    await runConsole(objects, terminal)
    return exitDone
  } finally {
    await client.close()
  }
}

function runConsole(objects: Record<string, unknown>, terminal: Terminal): Promise<void> {
  return new Promise((resolve) => {
    const repl = start({
      prompt: '> ',
      input: terminal.input,
      output: terminal.output,
      terminal: terminal.isInteractive,
      writer: formatResult,
      ignoreUndefined: false,
    })
    Object.assign(repl.context, objects)
    repl.on('exit', resolve)
  })
}

/** As geth shows values: texts in double quotes, amounts without JavaScript's `n`. */
function formatResult(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'string') return JSON.stringify(value)
  const text = inspect(value, { depth: 8, maxArrayLength: 1000, maxStringLength: 100_000 })
  return text.replaceAll(/(?<=[\s[:])(\d+)n\b/g, '$1')
}
