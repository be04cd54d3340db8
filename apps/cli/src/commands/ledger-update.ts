/** `cairn ledger update`: changes the settings of a ledger. */
import {
  type Command,
  type CommandContext,
  endpointOptions,
  exitDone,
  jsonOption,
} from '../command.ts'
import { createControlClient, type LedgerSettings } from '../control-client.ts'
import { openHttpClient } from '../endpoint.ts'
import { usageError } from '../errors.ts'
import { print } from '../terminal.ts'
import { detailsText } from './ledger.ts'

const onOff = ['on', 'off'] as const

export const updateCommand: Command = {
  path: ['ledger', 'update'],
  summary: 'Change the settings of a ledger',
  options: [
    {
      name: 'permissions-mode',
      value: 'MODE',
      choices: ['ALLOW_ALL', 'STANDARD'],
      help: 'who may do what',
    },
    { name: 'protect', value: 'STATE', choices: onOff, help: 'protection against deletion' },
    {
      name: 'strict-qldb',
      value: 'STATE',
      choices: onOff,
      help: 'refuse statements and sizes that QLDB refused',
    },
    ...endpointOptions,
    jsonOption,
  ],
  positionals: [{ name: 'LEDGER', help: 'name of the ledger' }],
  examples: [
    'cairn ledger update my-ledger --permissions-mode STANDARD',
    'cairn ledger update my-ledger --strict-qldb on --protect on',
  ],
  run: runUpdate,
}

async function runUpdate(context: CommandContext): Promise<number> {
  const { args, terminal } = context
  const name = args.required(0)
  const permissionsMode = args.text('permissions-mode')
  const settings: LedgerSettings = {
    ...stateOf('isDeletionProtected', args.text('protect')),
    ...stateOf('isStrictQldb', args.text('strict-qldb')),
  }
  const hasSettings = Object.keys(settings).length > 0
  if (permissionsMode === undefined && !hasSettings) {
    throw usageError('cairn ledger update', 'Nothing to change.', 'Name a setting.')
  }
  const http = await openHttpClient(context)
  try {
    const control = createControlClient(http)
    if (permissionsMode !== undefined) await control.setPermissionsMode(name, permissionsMode)
    if (hasSettings) await control.updateLedger(name, settings)
    const ledger = await control.describeLedger(name)
    print(terminal, args.flag('json') ? JSON.stringify(ledger) : detailsText(ledger))
    return exitDone
  } finally {
    http.close()
  }
}

function stateOf(name: keyof LedgerSettings, text: string | undefined): LedgerSettings {
  return text === undefined ? {} : { [name]: text === 'on' }
}
