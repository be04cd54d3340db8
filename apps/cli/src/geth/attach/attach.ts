/** `geth attach [ENDPOINT] [--exec CODE]`: geth's console over IPC or HTTP. */
import { start } from 'node:repl'
import { createContext, Script } from 'node:vm'
import { exitDone, exitFailed } from '../../command.ts'
import { CliError } from '../../errors.ts'
import { print, printError, type Terminal } from '../../terminal.ts'
import { ipcPathOf } from '../folders.ts'
import type { GethLine } from '../geth-flags.ts'
import { consoleObjects } from './console-objects.ts'
import { consoleTools } from './console-tools.ts'
import { formatConsoleValue } from './console-value.ts'
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
      return runCode(code, objects, terminal)
    }
    print(terminal, `Welcome to the console of ${String(version)}\n\nTo exit, press ctrl-d`)
    await runConsole(objects, terminal)
    return exitDone
  } finally {
    await client.close()
  }
}

function runCode(code: string, objects: Record<string, unknown>, terminal: Terminal): number {
  const context = createContext(objects)
  Object.assign(context, consoleTools(objects, context, terminal))
  try {
    print(terminal, formatConsoleValue(new Script(code).runInContext(context)))
    return exitDone
  } catch (error) {
    if (error instanceof CliError) throw error
    // Errors of scripts are of the classes of their own context.
    const { name, message } = error as { name?: unknown; message?: unknown }
    printError(terminal, `${name ?? 'Error'}: ${message ?? String(error)}`)
    return exitFailed
  }
}

function runConsole(objects: Record<string, unknown>, terminal: Terminal): Promise<void> {
  return new Promise((resolve) => {
    const repl = start({
      prompt: '> ',
      input: terminal.input,
      output: terminal.output,
      terminal: terminal.isInteractive,
      writer: formatConsoleValue,
      ignoreUndefined: false,
    })
    Object.assign(repl.context, objects, consoleTools(objects, repl.context, terminal))
    repl.on('exit', resolve)
  })
}
