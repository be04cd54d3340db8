/** Everything that queries show of a ledger, by scan and by every index, compared with the model. */
import { decodeIon, jsFromIon } from '@cairn/ion'
import type { Ledger } from '@cairn/ledger'
import type { Model } from './model.ts'
import { answerOf, type Step, statementOf } from './steps.ts'
import { SimulationViolation } from './violation.ts'
import { auditedKeys } from './workload.ts'

const pageValueCountMax = 100_000
const pageBytesMax = 1_000_000
/** Rows of each kind in a message. */
const shownCountMax = 5

/** The steps of an audit for the tables that are there. */
export function auditSteps(model: Model): Step[] {
  const steps: Step[] = [{ kind: 'tables' }]
  for (const table of model.tables.keys()) {
    steps.push({ kind: 'select', table }, { kind: 'committed', table }, { kind: 'history', table })
    for (const match of auditedKeys.get(table) ?? []) {
      steps.push({ kind: 'select', table, match }, { kind: 'committed', table, match })
    }
  }
  return steps
}

export async function audit(ledger: Ledger, model: Model, what: string): Promise<void> {
  const transaction = ledger.startTransaction()
  const on = model.begin()
  for (const step of auditSteps(model)) {
    const { text, parameters } = statementOf(step)
    const result = await transaction.execute(text, parameters)
    const page = await result.nextPage(pageValueCountMax, pageBytesMax)
    const rows = page.values.map((stream) => jsFromIon(decodeIon(stream)))
    const difference = differenceOf(answerOf(step, rows), on.run(step, []) ?? ['refused'])
    if (page.isLast && difference === undefined) continue
    const where =
      'match' in step && step.match !== undefined
        ? ` by ${step.match.field} = ${step.match.value}`
        : ''
    throw new SimulationViolation('projection', `${what}: ${text}${where} ${difference}`)
  }
  transaction.abort()
}

/** How two sorted answers differ. */
function differenceOf(found: readonly string[], expected: readonly string[]): string | undefined {
  const lists = [without(found, expected), without(expected, found)]
  if (lists[0]?.length === 0 && lists[1]?.length === 0 && found.length === expected.length) {
    return undefined
  }
  const [more, missing] = lists.map((list) => list.slice(0, shownCountMax).join('\n  '))
  const counts = `shows ${found.length} rows instead of ${expected.length}`
  return `${counts}; too many:\n  ${more}\nmissing:\n  ${missing}`
}

function without(rows: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others)
  return rows.filter((row) => !known.has(row))
}
