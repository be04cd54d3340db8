/** `cairn ledger create|list|describe|delete`: administration of ledgers over the control API. */
import {
  type Command,
  type CommandContext,
  endpointOptions,
  exitDone,
  jsonOption,
  type OptionSpec,
} from '../command.ts'
import { type ControlClient, createControlClient, type LedgerDetails } from '../control-client.ts'
import { openHttpClient } from '../endpoint.ts'
import { CliError, isFault, usageError } from '../errors.ts'
import { formatTable } from '../table.ts'
import { print } from '../terminal.ts'

const commonOptions: readonly OptionSpec[] = [...endpointOptions, jsonOption]
const ledgerPositional = { name: 'LEDGER', help: 'name of the ledger' }

export const createCommand: Command = {
  path: ['ledger', 'create'],
  summary: 'Create a ledger',
  options: [
    {
      name: 'permissions-mode',
      value: 'MODE',
      choices: ['ALLOW_ALL', 'STANDARD'],
      help: 'who may do what (default: ALLOW_ALL)',
    },
    { name: 'protect', help: 'refuse to delete it until the protection is taken off' },
    { name: 'strict-qldb', help: 'refuse statements and sizes that QLDB refused' },
    { name: 'tag', value: 'NAME=VALUE', repeats: true, help: 'label, may be given several times' },
    ...commonOptions,
  ],
  positionals: [ledgerPositional],
  examples: [
    'cairn ledger create my-ledger',
    'cairn ledger create accounts --protect --tag env=test',
  ],
  async run(context) {
    const { args, terminal } = context
    const tags = parseTags(args.texts('tag'))
    const ledger = await withControl(context, (control) =>
      control.createLedger({
        name: args.required(0),
        permissionsMode: args.text('permissions-mode') ?? 'ALLOW_ALL',
        isDeletionProtected: args.flag('protect'),
        isStrictQldb: args.flag('strict-qldb'),
        tags,
      }),
    )
    print(
      terminal,
      args.flag('json')
        ? JSON.stringify(ledger)
        : `Created ledger ${ledger.name}.\nTry next: npx cairn sql ${ledger.name}`,
    )
    return exitDone
  },
}

export const listCommand: Command = {
  path: ['ledger', 'list'],
  summary: 'List the ledgers',
  options: commonOptions,
  positionals: [],
  examples: ['cairn ledger list', 'cairn ledger list --json'],
  async run(context) {
    const { args, terminal } = context
    const ledgers = await withControl(context, (control) => control.listLedgers())
    if (args.flag('json')) print(terminal, JSON.stringify(ledgers))
    else if (ledgers.length === 0) {
      print(terminal, 'There are no ledgers.\nTry next: npx cairn ledger create my-ledger')
    } else {
      print(
        terminal,
        formatTable(
          [{ name: 'name' }, { name: 'state' }, { name: 'created' }],
          ledgers.map(({ name, state, createdMs }) => [name, state, timeText(createdMs)]),
        ),
      )
    }
    return exitDone
  },
}

export const describeCommand: Command = {
  path: ['ledger', 'describe'],
  summary: 'Show what a ledger is',
  options: commonOptions,
  positionals: [ledgerPositional],
  examples: ['cairn ledger describe my-ledger'],
  async run(context) {
    const { args, terminal } = context
    const ledger = await withControl(context, (control) => control.describeLedger(args.required(0)))
    print(terminal, args.flag('json') ? JSON.stringify(ledger) : detailsText(ledger))
    return exitDone
  },
}

export const deleteCommand: Command = {
  path: ['ledger', 'delete'],
  summary: 'Delete a ledger with all its history',
  options: [
    { name: 'unprotect', help: 'take the protection off first when it has one' },
    ...commonOptions,
  ],
  positionals: [ledgerPositional],
  examples: ['cairn ledger delete my-ledger', 'cairn ledger delete accounts --unprotect'],
  async run(context) {
    const { args, terminal } = context
    const name = args.required(0)
    await withControl(context, async (control) => {
      if (args.flag('unprotect')) await control.updateLedger(name, { isDeletionProtected: false })
      await control.deleteLedger(name).catch((error: unknown) => {
        throw isFault(error, 'ResourcePreconditionNotMetException') ? protectedError(error) : error
      })
    })
    print(terminal, args.flag('json') ? JSON.stringify({ name }) : `Deleted ledger ${name}.`)
    return exitDone
  },
}

async function withControl<T>(
  context: CommandContext,
  action: (control: ControlClient) => Promise<T>,
): Promise<T> {
  const http = await openHttpClient(context)
  try {
    return await action(createControlClient(http))
  } finally {
    http.close()
  }
}

function protectedError(cause: CliError): CliError {
  return new CliError(cause.data, {
    shortMessage: 'The ledger is protected against deletion.',
    metaMessages: [
      'To take the protection off and delete it: cairn ledger delete --unprotect LEDGER',
    ],
    cause,
  })
}

function parseTags(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)] as const
      throw usageError('cairn ledger create', `"${text}" is no tag.`, 'Write --tag NAME=VALUE.')
    }),
  )
}

export function detailsText(ledger: LedgerDetails): string {
  const rows = [
    ['name', ledger.name],
    ['state', ledger.state],
    ['created', timeText(ledger.createdMs)],
    ['permissions mode', ledger.permissionsMode],
    ['deletion protection', ledger.isDeletionProtected ? 'on' : 'off'],
    ['strict QLDB', ledger.isStrictQldb ? 'on' : 'off'],
    ['arn', ledger.arn],
  ] as const
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}

function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
