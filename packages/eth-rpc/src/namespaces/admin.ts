/**
 * `admin`: the node itself, its chain as a file, its listeners. Shapes and texts are geth's (node/api.go and
 * eth/api_admin.go, 1.13).
 * Not here: other nodes, which this one does not connect to yet; node ids and addresses are left out with them.
 */
import { chainConfigToJson, quantityToHex } from '@cairn/eth-codec'
import { faults } from '../faults.ts'
import { type MethodTable, method, optional, required } from '../method.ts'
import type { NodeView } from '../node-view.ts'
import { parameters } from '../parameters.ts'
import type { NodeFacts } from './web3-net.ts'

/** What a listener is opened with; the node's own settings where nothing is given. */
export interface ListenerRequest {
  readonly host?: string
  readonly port?: number
  readonly origins?: readonly string[]
  readonly namespaces?: readonly string[]
  readonly virtualHosts?: readonly string[]
}

/** What the program around the chain does for `admin`. */
export interface NodeControls {
  readonly dataDirectory: string
  /** @throws RpcFault when one is open already; what listening throws. */
  startHttp(request: ListenerRequest): Promise<void>
  stopHttp(): Promise<void>
  startWebSocket(request: ListenerRequest): Promise<void>
  stopWebSocket(): Promise<void>
  /** Blocks `first` to `last`, both included, into a file that is not there yet; compressed when it ends in `.gz`. */
  exportChain(path: string, first: bigint, last: bigint): Promise<void>
  importChain(path: string): Promise<void>
}

const { text, uint64 } = parameters
const portMax = 65_535
const port = required((value) => {
  const number = parameters.count.read(value)
  if (number > portMax) throw new Error(`${number} is no port: at most ${portMax}`)
  return number
})
/** The system takes no path that is empty or has a NUL in it. */
const path = required((value) => {
  const given = text.read(value)
  if (given === '' || given.includes('\0')) throw new Error('not the path of a file')
  return given
})

export function adminMethods(
  view: NodeView,
  facts: Pick<NodeFacts, 'clientVersion' | 'networkId'>,
  controls: NodeControls,
): MethodTable {
  return {
    admin_nodeInfo: method([], () => nodeInfo(view, facts)),
    admin_peers: method([], () => []),
    admin_datadir: method([], () => controls.dataDirectory),
    admin_exportChain: method(
      [path, optional(uint64), optional(uint64)],
      async ([to, ...range]) => {
        const [first, last] = rangeOf(view.chain.head.header.number, range)
        await controls.exportChain(to, first, last)
        return true
      },
    ),
    admin_importChain: method([path], async ([from]) => {
      await controls.importChain(from)
      return true
    }),
    admin_startHTTP: method(
      [optional(text), optional(port), optional(text), optional(text), optional(text)],
      async ([host, at, cors, api, hosts]) => {
        const request = { host, port: at, origins: cors, namespaces: api, hosts }
        await controls.startHttp(requestOf(request))
        return true
      },
    ),
    admin_stopHTTP: method([], async () => {
      await controls.stopHttp()
      return true
    }),
    admin_startWS: method(
      [optional(text), optional(port), optional(text), optional(text)],
      async ([host, at, origins, namespaces]) => {
        await controls.startWebSocket(requestOf({ host, port: at, origins, namespaces }))
        return true
      },
    ),
    admin_stopWS: method([], async () => {
      await controls.stopWebSocket()
      return true
    }),
    ...Object.fromEntries(peerMethods.map((name) => [name, method([text], noNetwork)])),
  }
}

const peerMethods = [
  'admin_addPeer',
  'admin_removePeer',
  'admin_addTrustedPeer',
  'admin_removeTrustedPeer',
]

function noNetwork(): never {
  throw faults.server('this node does not connect to other nodes yet')
}

function nodeInfo(
  { chain }: NodeView,
  { clientVersion, networkId }: Pick<NodeFacts, 'clientVersion' | 'networkId'>,
): unknown {
  const { head } = chain
  return {
    name: clientVersion,
    ports: { discovery: 0, listener: 0 },
    listenAddr: '',
    protocols: {
      eth: {
        network: Number(networkId),
        difficulty: Number(chain.store.totalDifficulty(head.hash) ?? 0n),
        genesis: chain.genesisHash,
        config: chainConfigToJson(chain.config),
        head: head.hash,
      },
    },
  }
}

/** geth: one number alone is an error. */
function rangeOf(
  head: bigint,
  [first, last]: readonly (bigint | undefined)[],
): readonly [bigint, bigint] {
  if (first === undefined && last !== undefined) {
    throw faults.server('last cannot be specified without first')
  }
  const to = last ?? head
  const from = first ?? 0n
  if (to > head || from > to) {
    throw faults.server(`no blocks ${from} to ${to}: the head is ${quantityToHex(head)}`)
  }
  return [from, to]
}

function requestOf(given: {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly origins: string | undefined
  readonly namespaces: string | undefined
  readonly hosts?: string | undefined
}): ListenerRequest {
  const { host, port } = given
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(given.origins === undefined ? {} : { origins: listOf(given.origins) }),
    ...(given.namespaces === undefined ? {} : { namespaces: listOf(given.namespaces) }),
    ...(given.hosts === undefined ? {} : { virtualHosts: listOf(given.hosts) }),
  }
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
