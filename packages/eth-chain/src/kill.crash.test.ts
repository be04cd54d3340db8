import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { nodeFileSystem } from '@cairn/journal'
import { describe, expect, it } from 'vitest'
import { openChainFolder } from './file/chain-folder.ts'
import { ChainKit, ether } from './testing/chain-kit.ts'
import { addressOf } from './testing/clique-chain.ts'

const program = fileURLToPath(new URL('./testing/sealing-run.ts', import.meta.url))
const roundCount = 4
/** Blocks of a round before the kill: enough that trie nodes are written in between. */
const blockCountMin = 60

/** Runs the program until it has sealed some blocks, kills it, and gives the last head that it told. */
async function sealAndKill(
  folder: string,
  blockCount: number,
): Promise<{ number: bigint; hash: string }> {
  const args = ['--import', 'tsx', '--conditions=@cairn/source', program, folder]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let head = { number: 0n, hash: '' }
  let count = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const [number, hash] = line.split(' ')
    head = { number: BigInt(number as string), hash: hash as string }
    if (++count >= blockCount) break
  }
  child.kill('SIGKILL')
  await once(child, 'exit')
  return head
}

describe('a sealing node that is killed', () => {
  it('opens at a head at or after the last one that was told, with the state of that head', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-kill-'))
    try {
      let floor = 0n
      for (let round = 0; round < roundCount; round++) {
        const told = await sealAndKill(folder, blockCountMin + 7 * round)
        expect(told.number > floor).toBe(true)
        const opened = await openChainFolder(folder, nodeFileSystem)
        const { chain } = new ChainKit(undefined, { database: opened.database })
        const { header } = chain.head
        expect(header.number >= told.number).toBe(true)
        expect(chain.store.canonicalHash(told.number)).toBe(told.hash)
        const state = chain.stateOf(header)
        let sent = 0n
        for (let number = 1n; number <= header.number; number++) {
          const block = chain.blockByNumber(number)
          if (block === undefined) throw new Error('a block is missing')
          expect(
            chain.store.receiptsByHash(chain.store.canonicalHash(number) as string),
          ).toHaveLength(block.transactions.length)
          sent += BigInt(block.transactions.length)
        }
        expect(state.readAccount(addressOf('B'))?.nonce).toBe(sent)
        expect(state.readAccount(addressOf('E'))?.balance).toBe(1000n * ether + sent)
        floor = header.number
        await opened.close()
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('keeps a second node out while it lives', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-lock-'))
    try {
      const first = await openChainFolder(folder, nodeFileSystem)
      await expect(openChainFolder(folder, nodeFileSystem)).rejects.toThrow('is in use by process')
      await first.close()
      await (await openChainFolder(folder, nodeFileSystem)).close()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
