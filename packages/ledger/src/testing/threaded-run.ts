/**
 * A ledger that seals on a thread of its own, put through its paces. Runs built, since Node starts threads from
 * JavaScript only. Takes an empty folder, prints what it found as JSON.
 */
import { openLedger } from '../library.ts'
import { verifyLedgerDirectory } from '../verify-directory.ts'

const directory = process.argv[2] ?? ''
const options = { directory, sealing: 'thread', retryCountMax: 100_000 } as const
let open = await openLedger(options)
await open.transact(async (tx) => {
  await tx.execute('CREATE TABLE Account')
  await tx.execute('CREATE TABLE Note')
  await tx.execute('INSERT INTO Account ?', { owner: 'Ada', balance: 0 })
})
const work: Promise<unknown>[] = []
for (let i = 0; i < 300; i++) {
  work.push(open.transact((tx) => tx.execute('INSERT INTO Note ?', { i, third: i % 3 })))
  if (i % 10 === 0) {
    const add = 'UPDATE Account AS a SET a.balance = a.balance + 1'
    work.push(open.transact((tx) => tx.execute(add)))
  }
  // Somewhere in the middle, with documents before, during and after it.
  if (i === 150) work.push(open.transact((tx) => tx.execute('CREATE INDEX ON Note (third)')))
}
await Promise.all(work)
const digest = open.ledger.digest()
const { strandId, sequenceNo } = digest.tipAddress
const proof = open.ledger.block({ strandId, sequenceNo: 7 }, digest.tipAddress).proof
const indexed = await open.transact((tx) => tx.execute('SELECT i FROM Note WHERE third = 1'))
const before = await open.transact((tx) => tx.execute('SELECT * FROM history(Account)'))
await open.close()
const [report] = await verifyLedgerDirectory({ directory })
open = await openLedger(options)
const after = await open.transact((tx) => tx.execute('SELECT * FROM history(Account)'))
const balance = await open.transact((tx) => tx.execute('SELECT balance FROM Account'))
const isSameDigest = Buffer.compare(open.ledger.digest().digest, digest.digest) === 0
await open.close()
console.log(
  JSON.stringify({
    tip: sequenceNo,
    proofLength: proof?.length,
    indexedCount: indexed.value.values.length,
    revisionCount: before.value.values.length,
    isSameHistory: JSON.stringify(before.value.values) === JSON.stringify(after.value.values),
    balance: balance.value.values,
    isSameDigest,
    findings: report?.findings,
    blockCount: report?.blockCount,
  }),
)
