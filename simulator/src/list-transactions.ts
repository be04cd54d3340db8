/** What the clients did to the registers, in the form that list-append.ts takes. */
import type { History } from './history.ts'
import type { ListOperation, ListTransaction } from './list-append.ts'
import type { Model } from './model.ts'
import { registerKeys } from './workload.ts'

const registerTable = 'Register'

export function listTransactions(history: History, model: Model): ListTransaction[] {
  const out = history.transactions.map((transaction): ListTransaction => {
    const operations: ListOperation[] = []
    for (const { step, answer } of transaction.steps) {
      if (!('match' in step) || step.match === undefined || step.table !== registerTable) continue
      const list = String(step.match.value)
      if (answer === undefined || answer.length === 0) continue
      if (step.kind === 'append') operations.push({ kind: 'append', list, element: step.value })
      else if (step.kind === 'select') {
        operations.push({ kind: 'read', list, elements: elementsIn(answer[0]) })
      }
    }
    const { id, outcome, begunAt, endedAt } = transaction
    return { id, operations, isCommitted: outcome === 'committed', begunAt, endedAt }
  })
  return [...out.filter(({ operations }) => operations.length > 0), lastReads(model)]
}

/** What stands in the registers at the end, so that every append has its place. */
function lastReads(model: Model): ListTransaction {
  const documents = [...(model.tables.get(registerTable)?.documents.values() ?? [])]
  const operations = documents
    .filter(({ data }) => registerKeys.includes(String(data['k'])))
    .map(({ data }): ListOperation => {
      const items = data['items']
      const elements = Array.isArray(items) ? items.map(String) : []
      return { kind: 'read', list: String(data['k']), elements }
    })
  const end = Number.MAX_SAFE_INTEGER
  return { id: 'the end', operations, isCommitted: true, begunAt: end, endedAt: end }
}

/** The list in the text of a document: its elements are `u1`, `u2` and so on. */
function elementsIn(text: string | undefined): string[] {
  return text?.slice(text.indexOf(' ')).match(/\bu\d+\b/g) ?? []
}
