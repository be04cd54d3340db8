/**
 * `npm run example:hospital-equipment`: devices and their inspections, played with the unmodified QLDB driver and
 * AWS SDK against a running Cairn (`npm start` in another terminal).
 */
import { connect, type Endpoint, readEndpoint } from '@cairn/example-vehicle-registration/connect'
import { tellStory } from './story.ts'

const ledgerName = 'hospital-equipment-example'
const [readyFile = 'data/ready.json'] = process.argv.slice(2)

function findEndpoint(): Endpoint {
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

try {
  const endpoint = findEndpoint()
  const clients = connect(endpoint, ledgerName)
  try {
    console.log(`North Vale Hospital, at ${endpoint.url}`)
    const outcome = await tellStory({ ...clients, ledgerName, print: console.log })
    process.exitCode = outcome.kinds.includes('redacted') ? 0 : 1
  } finally {
    clients.close()
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
