/** `npm run example:erc20-token`: deploys and uses a token on the chain of a running Cairn (`npm start`). */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type EthereumEndpoint, tellStory } from './story.ts'

const { values } = parseArgs({
  options: { 'ready-file': { type: 'string', default: 'data/ready.json' } },
})

function readEndpoint(path: string): EthereumEndpoint {
  try {
    const ready = JSON.parse(readFileSync(path, 'utf8')) as {
      readonly endpoints: { readonly ethereum?: EthereumEndpoint }
    }
    if (ready.endpoints.ethereum !== undefined) return ready.endpoints.ethereum
  } catch (cause) {
    throw new Error('No server was found. Start one with `npm start` in another terminal.', {
      cause,
    })
  }
  throw new Error('The server runs without its Ethereum chain. Start it without --no-ethereum.')
}

try {
  const endpoint = readEndpoint(values['ready-file'])
  console.log(`Harbour Points, on chain ${endpoint.chainId} at ${endpoint.http}`)
  const { refusedWith } = await tellStory(endpoint, console.log)
  process.exitCode = refusedWith === 'InsufficientBalance' ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
