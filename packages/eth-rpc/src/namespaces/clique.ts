/** `clique`: signers, votes, and how the chain is sealed. Shapes and texts: geth 1.13, consensus/clique/api.go. */
import {
  type ChainReader,
  type CliqueEngine,
  difficultyInTurn,
  type Execution,
  snapshotToJson,
} from '@cairn/eth-chain'
import {
  type BlockHeader,
  blockHash,
  dataToHex,
  decodeBlock,
  decodeBlockHeader,
} from '@cairn/eth-codec'
import { faults } from '../faults.ts'
import { type MethodTable, method, optional, required } from '../method.ts'
import type { NodeView } from '../node-view.ts'
import {
  type BlockReference,
  latestBlock,
  parameters,
  readBlockReference,
  readData,
} from '../parameters.ts'

/** Blocks that `clique_status` looks back. */
const statusBlockCount = 64n

export function cliqueMethods(
  view: NodeView,
  engine: CliqueEngine,
  proposals: Execution['proposals'],
): MethodTable {
  const { chain } = view
  const { address, block, boolean, hash } = parameters
  const snapshotAt = (reference: BlockReference | undefined) => {
    return engine.snapshotAt(hashOf(view, reference ?? latestBlock))
  }
  const byHash = (id: Uint8Array): BlockReference => {
    return { kind: 'hash', hash: id, requireCanonical: false }
  }
  return {
    clique_getSnapshot: method([optional(block)], ([id]) => snapshotToJson(snapshotAt(id))),
    clique_getSnapshotAtHash: method([hash], ([id]) => snapshotToJson(snapshotAt(byHash(id)))),
    clique_getSigners: method([optional(block)], ([id]) => snapshotAt(id).signers),
    clique_getSignersAtHash: method([hash], ([id]) => snapshotAt(byHash(id)).signers),
    clique_getSigner: method([blockOrRlp], ([id]) => engine.signerOf(headerOf(view, id))),
    clique_proposals: method([], () =>
      Object.fromEntries(proposals.list().map((each) => [each.address, each.authorize])),
    ),
    clique_propose: method([address, boolean], ([account, authorize]) => {
      if (proposals.propose(dataToHex(account), authorize)) return null
      throw faults.server('too many proposals, discard some first')
    }),
    clique_discard: method([address], ([account]) => {
      proposals.discard(dataToHex(account))
      return null
    }),
    clique_status: method([], () => statusOf(chain, engine)),
  }
}

function hashOf(view: NodeView, reference: BlockReference): string {
  const hash = view.findHash(reference)
  if (hash === undefined) throw faults.server('unknown block')
  return hash
}

type BlockOrRlp =
  | { readonly kind: 'block'; readonly reference: BlockReference }
  | { readonly kind: 'rlp'; readonly raw: Uint8Array }

/** A number, tag or hash; anything longer is a header or a block in RLP. */
const blockOrRlp = required((value: unknown): BlockOrRlp => {
  const isRlp = typeof value === 'string' && value.length > 66
  if (isRlp) return { kind: 'rlp', raw: readData(value) }
  return { kind: 'block', reference: readBlockReference(value) }
})

function headerOf(view: NodeView, id: BlockOrRlp): BlockHeader {
  if (id.kind === 'block') {
    const header = view.chain.store.headerByHash(hashOf(view, id.reference))
    if (header === undefined) throw faults.server('unknown block')
    return header
  }
  try {
    return decodeBlockHeader(id.raw)
  } catch {
    // Not a header alone: then it has to be a block, and its error is the one to tell.
    return decodeBlock(id.raw).header
  }
}

/** How the latest blocks were sealed: by whom, and how many by the signer whose turn it was. */
function statusOf(chain: ChainReader, engine: CliqueEngine): object {
  const { head } = chain
  const end = head.header.number
  const first = end > statusBlockCount ? end - statusBlockCount : 1n
  const activity = new Map(engine.snapshotAt(head.hash).signers.map((signer) => [signer, 0]))
  let inTurnCount = 0
  for (let number = first; number < end; number++) {
    const header = chain.headerByNumber(number)
    if (header === undefined) throw faults.server(`missing block ${number}`)
    if (header.difficulty === difficultyInTurn) inTurnCount++
    const signer = engine.signerOf(header, dataToHex(blockHash(header)))
    activity.set(signer, (activity.get(signer) ?? 0) + 1)
  }
  const count = Number(end > first ? end - first : 0n)
  return {
    inturnPercent: count === 0 ? 0 : (100 * inTurnCount) / count,
    sealerActivity: Object.fromEntries(activity),
    numBlocks: count,
  }
}
