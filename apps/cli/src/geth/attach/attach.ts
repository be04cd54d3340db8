/** `geth attach [ENDPOINT] [--exec CODE]`: geth's console over IPC or HTTP. */
import { start } from 'node:repl'
import { createContext, Script } from 'node:vm'
import { exitDone } from '../../command.ts'
import { print, type Terminal } from '../../terminal.ts'
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
      const context = createContext(objects)
      Object.assign(context, consoleTools(objects, context, terminal))
      print(terminal, formatConsoleValue(new Script(code).runInContext(context)))
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
      writer: formatConsoleValue,
      ignoreUndefined: false,
    })
    Object.assign(repl.context, objects, consoleTools(objects, repl.context, terminal))
    repl.on('exit', resolve)
  })
}
