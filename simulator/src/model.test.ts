import { describe, expect, it } from 'vitest'
import { History, type RecordedStep } from './history.ts'
import { Model } from './model.ts'
import { documentText } from './steps.ts'

const match = { field: 'k', value: 'a' }

/** A model with one document. */
function filledModel(): Model {
  const model = new Model()
  const setUp = model.begin()
  setUp.run({ kind: 'createTable', table: 'T' }, ['done'])
  setUp.run({ kind: 'insert', table: 'T', documents: [{ k: 'a', n: 1 }] }, ['id1'])
  model.commit(setUp, 'tx1', 1)
  return model
}

function differences(model: Model, ...steps: RecordedStep[]): string[] {
  const record = new History().begin(0, 0)
  record.steps.push(...steps)
  return model.differences(record)
}

describe('the model', () => {
  it('shows a transaction its own writes, and others only what is committed', () => {
    const model = filledModel()
    const transaction = model.begin()
    transaction.run({ kind: 'set', table: 'T', match, field: 'n', value: 2 }, ['id1'])
    const select = { kind: 'select', table: 'T', match } as const
    expect(transaction.run(select, undefined)).toEqual([documentText('id1', { k: 'a', n: 2 })])
    expect(model.begin().run(select, undefined)).toEqual([documentText('id1', { k: 'a', n: 1 })])
    expect(model.commit(transaction, 'tx2', 2)).toEqual([
      { table: 'T', documentId: 'id1', version: 1, data: { k: 'a', n: 2 } },
    ])
    expect(model.begin().run({ kind: 'history', table: 'T' }, undefined)).toHaveLength(2)
  })

  it('writes no revision for what comes and goes in one transaction', () => {
    const model = filledModel()
    const transaction = model.begin()
    transaction.run({ kind: 'insert', table: 'T', documents: [{ k: 'b' }] }, ['id2'])
    const other = { field: 'k', value: 'b' }
    expect(transaction.run({ kind: 'delete', table: 'T', match: other }, ['id2'])).toEqual(['id2'])
    expect(model.commit(transaction, 'tx2', 2)).toEqual([])
  })

  it('names the steps that were answered otherwise', () => {
    const model = filledModel()
    const select = { kind: 'select', table: 'T', match } as const
    const right = [documentText('id1', { k: 'a', n: 1 })]
    expect(differences(model, { step: select, answer: right })).toEqual([])
    expect(differences(model, { step: select, answer: [] })).toHaveLength(1)
    expect(differences(model, { step: select, answer: undefined })).toHaveLength(1)
    const refused = { kind: 'createTable', table: 'T' } as const
    expect(differences(model, { step: refused, answer: undefined })).toEqual([])
    expect(differences(model, { step: refused, answer: ['done'] })).toHaveLength(1)
  })
})
