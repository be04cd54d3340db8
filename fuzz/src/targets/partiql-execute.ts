/**
 * Target `partiql-execute`: statements compiled and run over the vehicle sample in memory, with parameters, a budget of
 * rows and a deadline as the engine has them.
 */
import { encodeIon, parseIon } from '@cairn/ion'
import { compileStatement, PartiqlError, parseStatement, pause } from '@cairn/partiql'
import type { MemoryStore } from '../../../packages/partiql/src/testing/memory-store.ts'
import { createVehicleStore } from '../../../packages/partiql/src/testing/vehicles.ts'
import { randomStatement } from '../partiql-generator.ts'
import { allowing, inputOfText, mustHold, type Target, textOfInput } from '../target.ts'
import { partiqlTokens, statementSeeds } from './partiql-seeds.ts'

/** Rows pulled of one statement; more would only repeat what was seen. */
const rowCountMax = 2000
/** The deadline of a statement, far below that of a transaction. */
const statementMsMax = 300
/** What a row may weigh, as the engine bounds it. */
const rowBytesMax = 32 * 1024 * 1024
const parameters = ["'v1'", '[{VIN:"v4"},{VIN:"v5"}]', '2015', '{a:[1,2.5,null,{b:c}]}'].map(
  (text) => parseIon(text),
)

export const partiqlExecuteTarget: Target = {
  name: 'partiql-execute',
  oracle:
    'only PartiqlError, or the end of the time; rows encode, and none is larger than bounds allow',
  sources: /\/packages\/partiql\/src\//,
  batchCount: 256,
  open() {
    let store = createVehicleStore()
    return {
      seeds: statementSeeds,
      dictionary: partiqlTokens,
      generate: (random) => inputOfText(randomStatement(random)),
      run(input) {
        const text = textOfInput(input)
        const parsed = allowing([PartiqlError], () => parseStatement(text))
        if (parsed === undefined) return
        const isRead = parsed.statement.kind === 'query'
        allowing([PartiqlError, OutOfTime, NoSuchTable], () => runToEnd(text, store))
        store.calls.length = 0
        // Statements are run one by one over the same rows.
        if (!isRead) store = createVehicleStore()
      },
    }
  },
}

/** What the engine throws when the transaction's time is over. */
class OutOfTime extends Error {}
/** What the engine throws for an id that it does not know; the store in memory throws a plain Error. */
class NoSuchTable extends Error {}

function runToEnd(text: string, memory: MemoryStore): void {
  const startMs = performance.now()
  const store: MemoryStore = {
    ...memory,
    checkDeadline() {
      if (performance.now() - startMs > statementMsMax) throw new OutOfTime()
    },
    undropTable(tableId) {
      if (memory.findTableById(tableId) === undefined) throw new NoSuchTable()
      return memory.undropTable(tableId)
    },
  }
  const compiled = compileStatement(parseStatement(text), store)
  const values = parameters.slice(0, compiled.parsed.parameterCount)
  let rowCount = 0
  for (const row of compiled.run(values, store)) {
    if (row === pause) continue
    const { length } = encodeIon(row)
    mustHold(length <= rowBytesMax, 'a row is larger than rows may be')
    if (++rowCount >= rowCountMax) return
  }
}
