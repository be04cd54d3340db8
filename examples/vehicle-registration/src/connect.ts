/**
 * Both clients of a ledger database, pointed at Cairn: the control client that creates ledgers and proves, and the
 * driver that runs transactions. This is all that an application changes.
 */
import { readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { QLDBClient } from '@aws-sdk/client-qldb'
import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler'
import { QldbDriver } from 'amazon-qldb-driver-nodejs'

export interface Endpoint {
  readonly url: string
  /** PEM file of the authority that signed the server's certificate; https only. */
  readonly caFile?: string | undefined
}

export interface Clients {
  readonly control: QLDBClient
  readonly driver: QldbDriver
  close(): void
}

/** Transactions under way at a time. */
const concurrentTransactionCountMax = 4

/** Where a running `npm start` says it listens. @param path Of its ready file, such as `data/ready.json`. */
export function readEndpoint(path: string): Endpoint {
  const ready = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly caFile: string
    readonly endpoints: { readonly apiTls: string }
  }
  return { url: ready.endpoints.apiTls, caFile: ready.caFile }
}

export function connect(endpoint: Endpoint, ledgerName: string): Clients {
  const options = {
    endpoint: endpoint.url,
    region: process.env['AWS_REGION'] ?? 'us-east-1',
    // Signed with, and checked by the server only when it runs with --auth sigv4.
    credentials: {
      accessKeyId: process.env['AWS_ACCESS_KEY_ID'] ?? 'example',
      secretAccessKey: process.env['AWS_SECRET_ACCESS_KEY'] ?? 'example',
    },
  }
  const agents = createAgents(endpoint)
  const control = new QLDBClient({ ...options, requestHandler: new NodeHttpHandler(agents) })
  const driver = new QldbDriver(ledgerName, { ...options }, agents, concurrentTransactionCountMax)
  return {
    control,
    driver,
    close() {
      driver.close()
      control.destroy()
    },
  }
}

/** Kept-alive connections; over https with Cairn's own authority beside those that Node trusts already. */
function createAgents({ url, caFile }: Endpoint): NodeHttpHandlerOptions {
  if (!url.startsWith('https:')) return { httpAgent: new HttpAgent({ keepAlive: true }) }
  const ca = caFile === undefined ? {} : { ca: readFileSync(caFile) }
  return { httpsAgent: new HttpsAgent({ keepAlive: true, ...ca }) }
}
