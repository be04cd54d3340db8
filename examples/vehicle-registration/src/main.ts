/**
 * `npm run example:vehicle-registration`: a motor registry's working day, played with the unmodified QLDB driver and
 * AWS SDK against a running Cairn (`npm start` in another terminal).
 */
import { parseArgs } from 'node:util'
import { connect, type Endpoint, readEndpoint } from './connect.ts'
import { tellStory } from './story.ts'

const usage = `Usage: npm run example:vehicle-registration [-- --ready-file=F]

  --ready-file=F   what the server wrote when it began to listen (default: data/ready.json)
  --help

AWS_ENDPOINT_URL, when set, is used instead, with NODE_EXTRA_CA_CERTS for https.
`

const { values } = parseArgs({
  options: {
    'ready-file': { type: 'string', default: 'data/ready.json' },
    help: { type: 'boolean', default: false },
  },
})

function findEndpoint(): Endpoint {
  const url = process.env['AWS_ENDPOINT_URL']
  if (url !== undefined) return { url }
  try {
    return readEndpoint(values['ready-file'])
  } catch (cause) {
    throw new Error('No server was found. Start one with `npm start` in another terminal.', {
      cause,
    })
  }
}

async function play(): Promise<boolean> {
  const ledgerName = 'vehicle-registration-example'
  const endpoint = findEndpoint()
  const clients = connect(endpoint, ledgerName)
  try {
    console.log(`The motor registry of North Vale, at ${endpoint.url}`)
    const outcome = await tellStory({ ...clients, ledgerName, print: console.log })
    return outcome.isRevisionAccepted && !outcome.isTamperedCopyAccepted
  } finally {
    clients.close()
  }
}

if (values.help) {
  process.stdout.write(usage)
} else {
  try {
    process.exitCode = (await play()) ? 0 : 1
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
