/**
 * A program for tests that kill it: seals on the chain in the folder of its first argument as fast as it can, with
 * transactions of its own, and prints the number and hash of every head.
 */
import { createSystemClock } from '@cairn/core'
import { nodeFileSystem } from '@cairn/journal'
import { openChainFolder } from '../file/chain-folder.ts'
import { ChainKit, makeGenesis, PlainPool } from './chain-kit.ts'
import { addressOf } from './clique-chain.ts'

/** Transactions that wait at any time. */
const waitingCount = 5

const folder = await openChainFolder(process.argv[2] as string, nodeFileSystem)
const { database } = folder
const kit = new ChainKit(makeGenesis('A', 0), { database, clock: createSystemClock() })
const { chain } = kit
let nonce = chain.stateOf(chain.head.header).readAccount(addressOf('B'))?.nonce ?? 0n
const pool = new PlainPool()
pool.follow(chain)
const fill = () => {
  while (pool.transactions.size < waitingCount) pool.add(kit.transaction('B', { nonce: nonce++ }))
}
chain.onHead(({ head }) => {
  process.stdout.write(`${head.header.number} ${head.hash}\n`)
  fill()
})
const sealer = await kit.createSealer('A', pool)
sealer.start()
fill()
