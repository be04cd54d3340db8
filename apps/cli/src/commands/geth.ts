/** `cairn geth`: an Ethereum node and its tools, with the command lines of geth. */
import { version } from '@cairn/server'
import { type Command, type CommandContext, exitDone, exitFailed } from '../command.ts'
import { runAccount } from '../geth/account.ts'
import { runAttach } from '../geth/attach/attach.ts'
import { runDumpGenesis, runExport, runImport, runInit, runRemoveDb } from '../geth/chain-tools.ts'
import { type GethLine, GethUsageError, gethFlags, parseGethLine } from '../geth/geth-flags.ts'
import { runNode, runNodeWithConsole } from '../geth/run-node.ts'
import { runStateTests } from '../geth/state-test.ts'
import { runTransitionTool } from '../geth/transition-tool.ts'
import { print, printError, type Terminal } from '../terminal.ts'

type Run = (line: GethLine, terminal: Terminal) => number | Promise<number>

const subcommands: Readonly<Record<string, { readonly help: string; readonly run: Run }>> = {
  init: { help: 'init GENESIS: begin a chain with a genesis file', run: runInit },
  account: { help: 'account new|list|update|import: key files', run: runAccount },
  attach: { help: 'attach [ENDPOINT]: a console, or --exec CODE', run: runAttach },
  console: { help: 'console: a node with a console, or --exec CODE', run: runNodeWithConsole },
  js: { help: 'js FILE …: a node until the scripts have ended', run: runNodeWithConsole },
  export: { help: 'export FILE [FIRST LAST]: blocks into a file, .gz compressed', run: runExport },
  import: { help: 'import FILE …: blocks out of files', run: runImport },
  dumpgenesis: { help: 'dumpgenesis: the genesis file of the chain', run: runDumpGenesis },
  removedb: { help: 'removedb: remove the chain, and leave the keys', run: runRemoveDb },
  statetest: { help: 'statetest FILE …: cases of ethereum/tests, a line each', run: runStateTests },
  t8n: { help: 't8n: one block on given accounts, as evm t8n', run: runTransitionTool },
  version: {
    help: 'version: print it',
    run: (_, terminal) => {
      print(terminal, `Cairn\nVersion: ${version}\nArchitecture: ${process.arch}`)
      return exitDone
    },
  },
}

export const gethCommand: Command = {
  path: ['geth'],
  summary: 'An Ethereum node and its tools, with the command lines of geth',
  options: [],
  positionals: [],
  examples: [
    'cairn geth --datadir D account new',
    'cairn geth --datadir D init genesis.json',
    'cairn geth --datadir D --http --mine --unlock 0 --password FILE',
    'cairn geth --dev --http',
    "cairn geth --datadir D attach --exec 'eth.blockNumber'",
    'cairn geth --datadir D export chain.rlp.gz',
  ],
  takesWords: true,
  run: runGeth,
}

async function runGeth({ words, terminal }: CommandContext): Promise<number> {
  try {
    const line = parseGethLine(words)
    for (const warning of line.warnings) printError(terminal, `warning: ${warning}`)
    const [name] = line.words
    if (line.has('help') || name === 'help') {
      print(terminal, helpText())
      return exitDone
    }
    if (name === undefined) return await runNode(line, terminal)
    const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined
    if (subcommand === undefined) throw new GethUsageError(`invalid command: "${name}"`)
    return await subcommand.run(line, terminal)
  } catch (error) {
    // geth ends with 1 for a wrong line, where our own commands end with 2.
    if (!(error instanceof GethUsageError)) throw error
    printError(terminal, `error: ${error.message}\n  See: cairn geth --help`)
    return exitFailed
  }
}

function helpText(): string {
  const lines = ['Usage: cairn geth [FLAGS] [COMMAND]', '', 'Commands:']
  for (const { help } of Object.values(subcommands)) lines.push(`  ${help}`)
  lines.push('', 'Flags:')
  for (const [name, { help, kind, ignoredBecause }] of Object.entries(gethFlags)) {
    if (ignoredBecause !== undefined) continue
    const value = kind === 'boolean' ? '' : ` ${kind.toUpperCase()}`
    lines.push(`  ${`--${name}${value}`.padEnd(38)} ${help}`)
  }
  lines.push('', 'Examples:', ...gethCommand.examples.map((example) => `  ${example}`))
  lines.push('', 'Spellings of 2019, such as --rpc and --rpcport, are taken with a warning.')
  return lines.join('\n')
}
