/** `cairn ledger tail`: prints the blocks of a ledger as they come, one to a line, from a sequence number on. */
import { formatIonAsJson, parseIon } from '@cairn/ion'
import {
  type Command,
  type CommandContext,
  endpointOptions,
  exitDone,
  type OptionSpec,
} from '../command.ts'
import { openHttpClient } from '../endpoint.ts'
import { CliError, usageError } from '../errors.ts'
import type { HttpClient } from '../http-client.ts'
import { print, printError } from '../terminal.ts'

/** As long as the server lets one wait. */
const waitMs = 25_000
/** Between two tries to reach a server that was there before. */
const retryMs = 1000

const options: readonly OptionSpec[] = [
  { name: 'from', value: 'NUMBER', help: 'first block (default: those that come from now on)' },
  { name: 'no-follow', help: 'end at the last block that is there' },
  {
    name: 'format',
    value: 'FORMAT',
    choices: ['json', 'ion'],
    help: 'json, down-converted, or ion text (default: json)',
  },
  ...endpointOptions,
]

export const tailCommand: Command = {
  path: ['ledger', 'tail'],
  summary: 'Print the blocks of a ledger as they come',
  options,
  positionals: [{ name: 'LEDGER', help: 'name of the ledger' }],
  examples: [
    'cairn ledger tail my-ledger',
    'cairn ledger tail my-ledger --from 0 --no-follow --format ion',
  ],
  notes: [
    'Blocks come in order, each once. After an interruption go on with --from and the number behind the last.',
  ],
  run: runTail,
}

async function runTail(context: CommandContext): Promise<number> {
  const { args, terminal } = context
  const name = args.required(0)
  const format = args.text('format') ?? 'json'
  const isFollowing = !args.flag('no-follow')
  const given = args.text('from')
  if (given !== undefined && !/^\d{1,15}$/.test(given)) {
    throw usageError('cairn ledger tail', `"${given}" is no block number.`, 'Write --from 0.')
  }
  const http = await openHttpClient(context)
  let isStopped = false
  // Ends the wait that is under way, too.
  const stopped = isFollowing
    ? terminal.stopSignal().then(() => {
        isStopped = true
        http.close()
      })
    : new Promise<void>(() => undefined)
  try {
    let next = given === undefined && isFollowing ? await blockCountOf(http, name) : Number(given)
    if (Number.isNaN(next)) next = 0
    while (!isStopped) {
      const wait = isFollowing ? waitMs : 0
      const query = `from=${next}&waitMs=${wait}&format=ion`
      const path = `/v1/ledgers/${encodeURIComponent(name)}/blocks?${query}`
      const answer = await http.send({ method: 'GET', path }).catch(async (error: unknown) => {
        if (isStopped) return undefined
        const isAway = error instanceof CliError && isPassing(error)
        if (!isFollowing || !isAway) throw error
        printError(terminal, 'The server is away; waiting for it …')
        await Promise.race([terminal.clock.sleep(retryMs), stopped])
        return undefined
      })
      if (answer === undefined) continue
      const { blocks, nextSequenceNo } = answer as { blocks: string[]; nextSequenceNo: number }
      // Made into JSON here: numbers keep all their digits.
      for (const block of blocks) {
        print(terminal, format === 'ion' ? block : formatIonAsJson(parseIon(block)))
      }
      if (blocks.length === 0 && !isFollowing) break
      next = nextSequenceNo
    }
    return exitDone
  } finally {
    http.close()
  }
}

/** The server is being started again, or closed for it. */
function isPassing({ data }: CliError): boolean {
  return (
    data.code === 'SERVER_NOT_FOUND' || (data.code === 'REQUEST_REFUSED' && data.status === 503)
  )
}

/** From the tip of the digest. */
async function blockCountOf(http: HttpClient, name: string): Promise<number> {
  const path = `/ledgers/${encodeURIComponent(name)}/digest`
  const answer = await http.send({ method: 'POST', path })
  const tip = (answer['DigestTipAddress'] as { IonText?: string } | undefined)?.IonText ?? ''
  return Number(/sequenceNo:(\d+)/.exec(tip)?.[1] ?? -1) + 1
}
