/** Runs an example's story from the command line, against the server that `npm start` runs or another one. */
import { parseArgs } from 'node:util'
import { connect, type Endpoint, readEndpoint } from './connect.ts'
import type { Office } from './office.ts'

export interface Example<Outcome> {
  /** As in `npm run example:NAME`; its ledger is `NAME-example`. */
  readonly name: string
  /** Who the story is about. */
  readonly title: string
  readonly tellStory: (office: Office) => Promise<Outcome>
  /** Whether it ended as it should. */
  readonly isGood: (outcome: Outcome) => boolean
}

const usage = (name: string) => `Usage: npm run example:${name} [-- --ready-file=F]

  --ready-file=F   what the server wrote when it began to listen (default: data/ready.json)
  --help

AWS_ENDPOINT_URL, when set, is used instead, with NODE_EXTRA_CA_CERTS for https.
`

/** Sets the exit code of the process: 0 when the story ended as it should, otherwise 1. */
export async function playFromCommandLine<Outcome>(example: Example<Outcome>): Promise<void> {
  const { values } = parseArgs({
    options: {
      'ready-file': { type: 'string', default: 'data/ready.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage(example.name))
    return
  }
  try {
    const endpoint = findEndpoint(values['ready-file'])
    console.log(`${example.title}, at ${endpoint.url}`)
    const outcome = await playExample(example, endpoint, console.log)
    process.exitCode = example.isGood(outcome) ? 0 : 1
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}

export async function playExample<Outcome>(
  { name, tellStory }: Pick<Example<Outcome>, 'name' | 'tellStory'>,
  endpoint: Endpoint,
  print: (line: string) => void,
): Promise<Outcome> {
  const ledgerName = `${name}-example`
  const clients = connect(endpoint, ledgerName)
  try {
    return await tellStory({ ...clients, ledgerName, print })
  } finally {
    clients.close()
  }
}

function findEndpoint(readyFile: string): Endpoint {
  const url = process.env['AWS_ENDPOINT_URL']
  if (url !== undefined) return { url }
  try {
    return readEndpoint(readyFile)
  } catch (cause) {
    throw new Error('No server was found. Start one with `npm start` in another terminal.', {
      cause,
    })
  }
}
