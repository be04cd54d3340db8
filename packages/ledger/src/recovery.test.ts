import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import type { Logger } from '@cairn/core'
import { formatIon } from '@cairn/ion'
import { describe, expect, it } from 'vitest'
import { type EmbeddedLedger, type OpenLedgerOptions, openLedger } from './library.ts'
import { checkBlock, foldProof } from './testing/independent-verifier.ts'
import { type TemporaryLedger, temporaryLedger } from './testing/temporary-ledger.ts'

const folderOf = ({ directory, open }: TemporaryLedger) =>
  `${directory}/ledgers/${open.ledger.strandId}`

/** Everything that a user can see of the ledger. */
async function contentOf(open: EmbeddedLedger): Promise<unknown> {
  const { value } = await open.transact(async (tx) => ({
    tables: (await tx.execute('SELECT * FROM information_schema.user_tables')).values,
    rows: (await tx.execute('SELECT * FROM _ql_committed_T')).values,
    history: (await tx.execute('SELECT * FROM history(T)')).values,
    // The order of an index look-up is not promised: the overlay's documents come last.
    indexed: [...(await tx.execute('SELECT VALUE k FROM T WHERE n = 5')).values].sort(),
  }))
  return { ...value, digest: open.ledger.digest() }
}

async function write(open: EmbeddedLedger, from: number, to: number): Promise<void> {
  for (let k = from; k < to; k++) {
    await open.transact(async (tx) => {
      await tx.execute('INSERT INTO T ?', { k, n: k % 10 })
      if (k % 3 === 0) await tx.execute('UPDATE T AS t SET t.n = ? WHERE t.k = ?', 5, k - 1)
      if (k % 7 === 0) await tx.execute('DELETE FROM T WHERE k = ?', k - 3)
    })
  }
}

/** The proof of every block folds into the digest. */
function checkProofs({ ledger }: EmbeddedLedger): void {
  const { digest, tipAddress } = ledger.digest()
  const { strandId } = tipAddress
  let previousHash = Buffer.alloc(0)
  for (let sequenceNo = 0; sequenceNo <= tipAddress.sequenceNo; sequenceNo++) {
    const { value, proof } = ledger.block({ strandId, sequenceNo }, tipAddress)
    const { blockHash } = checkBlock(formatIon(value), previousHash)
    expect(foldProof(blockHash, proof ?? [])).toEqual(Buffer.from(digest))
    previousHash = Buffer.from(blockHash)
  }
}

async function filledLedger(options: Partial<OpenLedgerOptions> = {}): Promise<TemporaryLedger> {
  const ledger = await temporaryLedger(options)
  await ledger.open.transact(async (tx) => {
    await tx.execute('CREATE TABLE T')
    await tx.execute('CREATE INDEX ON T (n)')
    await tx.execute('CREATE INDEX ON T (k)')
  })
  await write(ledger.open, 0, 60)
  return ledger
}

describe('opening a ledger', () => {
  it.each(['projection', 'nodes'])('rebuilds %s when it is lost', async (name) => {
    const ledger = await filledLedger()
    const before = await contentOf(ledger.open)
    await ledger.open.close()
    await rm(`${folderOf(ledger)}/${name}`, { recursive: true })
    expect(await contentOf(await ledger.reopen())).toEqual(before)
  })

  it('rebuilds hash tree nodes that are damaged', async () => {
    const ledger = await filledLedger()
    const before = await contentOf(ledger.open)
    await ledger.open.close()
    await writeFile(`${folderOf(ledger)}/nodes`, Buffer.alloc(10_000, 7))
    const again = await ledger.reopen()
    expect(await contentOf(again)).toEqual(before)
  })

  it('gives right proofs when nodes rot on the disk, while it is open and after it is opened', async () => {
    const logged: string[] = []
    const logger: Logger = { log: (level, message) => logged.push(`${level} ${message}`) }
    const ledger = await filledLedger({ logger })
    await ledger.reopen()
    const path = `${folderOf(ledger)}/nodes`
    const bytes = await readFile(path)
    // Inner nodes and leaves; the peaks at the end decide whether the file is taken at all.
    for (let offset = 40; offset < bytes.length / 2; offset += 300) {
      bytes[offset] = ~(bytes[offset] ?? 0)
    }
    await writeFile(path, bytes)
    checkProofs(ledger.open)
    expect(new Set(logged)).toContain(
      'warn a hash tree node was damaged on the disk and was made again from the journal',
    )
    await ledger.open.close()
    await writeFile(path, bytes)
    checkProofs(await ledger.reopen())
  })

  it('replays what came after the watermark of an older projection', async () => {
    const ledger = await filledLedger()
    await ledger.reopen()
    await ledger.open.close()
    const folder = folderOf(ledger)
    await cp(`${folder}/projection`, `${ledger.directory}/older`, { recursive: true })
    await cp(`${folder}/nodes`, `${ledger.directory}/older-nodes`)
    await write(await ledger.reopen(), 60, 130)
    const before = await contentOf(ledger.open)
    await ledger.open.close()
    await rm(`${folder}/projection`, { recursive: true })
    await cp(`${ledger.directory}/older`, `${folder}/projection`, { recursive: true })
    await cp(`${ledger.directory}/older-nodes`, `${folder}/nodes`)
    expect(await contentOf(await ledger.reopen())).toEqual(before)
  })

  it('refuses a journal that is not the one that was projected', async () => {
    const [ledger, other] = [await filledLedger(), await filledLedger()]
    await ledger.open.close()
    await other.open.close()
    await rm(`${folderOf(ledger)}/journal`, { recursive: true })
    await cp(`${folderOf(other)}/journal`, `${folderOf(ledger)}/journal`, { recursive: true })
    await expect(ledger.reopen()).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
  })

  it('is refused to a second one on the same folder', async () => {
    const ledger = await filledLedger()
    await expect(openLedger({ directory: ledger.directory })).rejects.toMatchObject({
      code: 'DIRECTORY_IN_USE',
    })
    expect(await contentOf(ledger.open)).toBeDefined()
  })
})
