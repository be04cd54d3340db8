/** `geth attach [ENDPOINT] [--exec CODE]`: geth's console over IPC or HTTP. */
import { start } from 'node:repl'
import { createContext, Script } from 'node:vm'
import { exitDone, exitFailed } from '../../command.ts'
import { CliError } from '../../errors.ts'
import { print, printError, type Terminal } from '../../terminal.ts'
import { ipcPathOf } from '../folders.ts'
import type { GethLine } from '../geth-flags.ts'
import { consoleObjects } from './console-objects.ts'
import { Polls } from './console-polls.ts'
import { consoleTools } from './console-tools.ts'
import { formatConsoleValue } from './console-value.ts'
import { RpcClient } from './rpc-client.ts'

export async function runAttach(line: GethLine, terminal: Terminal): Promise<number> {
  const endpoint = (line.words[1] ?? ipcPathOf(line)).replace(/^ipc:/, '')
  const client = new RpcClient(endpoint)
  const polls = new Polls((error) => printError(terminal, errorLine(error)))
  try {
    // Says at once when nobody is there.
    const version = client.call('web3_clientVersion', [])
    const objects = consoleObjects((method, params) => client.call(method, params), polls)
    const code = line.text('exec')
    if (code !== undefined) {
      return runCode(code, objects, polls, terminal)
    }
    print(terminal, `Welcome to the console of ${String(version)}\n\nTo exit, press ctrl-d`)
    await runConsole(objects, polls, terminal)
    return exitDone
  } finally {
    polls.close()
    await client.close()
  }
}

function runCode(
  code: string,
  objects: Record<string, unknown>,
  polls: Polls,
  terminal: Terminal,
): number {
  const context = createContext(objects)
  Object.assign(context, consoleTools(objects, context, terminal, polls))
  try {
    print(terminal, formatConsoleValue(new Script(code).runInContext(context)))
    return exitDone
  } catch (error) {
    if (error instanceof CliError) throw error
    printError(terminal, errorLine(error))
    return exitFailed
  }
}

/** Errors of scripts are of the classes of their own context. */
function errorLine(error: unknown): string {
  const { name, message } = Object(error) as { name?: unknown; message?: unknown }
  return `${name ?? 'Error'}: ${message ?? String(error)}`
}

function runConsole(
  objects: Record<string, unknown>,
  polls: Polls,
  terminal: Terminal,
): Promise<void> {
  return new Promise((resolve) => {
    const repl = start({
      prompt: '> ',
      input: terminal.input,
      output: terminal.output,
      terminal: terminal.isInteractive,
      writer: formatConsoleValue,
      ignoreUndefined: false,
    })
    Object.assign(repl.context, objects, consoleTools(objects, repl.context, terminal, polls))
    repl.on('exit', resolve)
  })
}
