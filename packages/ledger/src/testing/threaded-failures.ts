/**
 * Two ledgers on one sealer's thread, of which first the one fails and then the thread itself ends. Runs built, since
 * Node starts threads from JavaScript only. Takes an empty folder, prints what it found as JSON.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { Ledger } from '../api.ts'
import { openLedgerHost } from '../ledger-host.ts'

const directory = process.argv[2] ?? ''
/** The only way to the thread, which is the host's own. */
let thread: Worker | undefined
const postMessage = Worker.prototype.postMessage
Worker.prototype.postMessage = function post(...message) {
  thread = this
  postMessage.apply(this, message)
}

const host = await openLedgerHost({ directory, sealing: 'thread' })
for (const name of ['a', 'b']) await host.createLedger({ name })
const [a, b] = [host.getLedger('a'), host.getLedger('b')]

const insert = "INSERT INTO T VALUE {'n': 1}"
const acknowledged = { a: 0, b: 0 }

async function commit(ledger: Ledger, statement: string): Promise<string> {
  try {
    const transaction = ledger.startTransaction()
    await transaction.execute(statement, [])
    await transaction.commit()
    if (statement === insert) acknowledged[ledger.name as 'a' | 'b']++
    return 'committed'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

for (const ledger of [a, b]) {
  await commit(ledger, 'CREATE TABLE T')
  for (let i = 0; i < 20; i++) await commit(ledger, insert)
}

// What the thread reads of a's hash trees is not what it wrote; an index parts the next turn of the projection in two,
// for which it looks at older nodes.
const nodes = `${directory}/ledgers/${a.strandId}/nodes`
while ((await readFile(nodes)).length < 2000) await new Promise((done) => setTimeout(done, 20))
await writeFile(nodes, Buffer.alloc(2000, 7))
for (let round = 0; round < 5 && host.stoppedLedgers().length === 0; round++) {
  const index = `CREATE INDEX ON T (f${round})`
  await Promise.all([insert, insert, index, insert].map((statement) => commit(a, statement)))
  // Longer than the projector waits between two turns.
  await new Promise((done) => setTimeout(done, 150))
}
// On a busy machine the thread may be behind.
while (host.stoppedLedgers().length === 0) await new Promise((done) => setTimeout(done, 20))
const outcome = await commit(a, insert)
const stoppedFirst = host.stoppedLedgers()
const other = await commit(b, insert)

// Confirmed or not, a commit under way comes to an end.
const caught = commit(b, insert)
const ended = thread?.terminate()
await caught
await ended
const afterEnd = await commit(b, insert)
const startedMs = performance.now()
await host.close()
const closeMs = performance.now() - startedMs

const again = await openLedgerHost({ directory, sealing: 'thread' })
const lost: number[] = []
for (const name of ['a', 'b'] as const) {
  const result = await again.getLedger(name).startTransaction().execute('SELECT n FROM T', [])
  const { values } = await result.nextPage(1000, 1_000_000)
  lost.push(Math.max(0, acknowledged[name] - values.length))
}
const committedAgain = await commit(again.getLedger('a'), insert)
await again.close()
console.log(
  JSON.stringify({ outcome, stoppedFirst, other, afterEnd, closeMs, lost, committedAgain }),
)
