import { describe, expect, it } from 'vitest'
import { History, type RecordedStep } from './history.ts'
import { Model } from './model.ts'
import { dataHashOf, documentText, redactedText } from './steps.ts'

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

  it('shows a revision redacted once its transaction is committed, and keeps the latest', () => {
    const model = filledModel()
    const update = model.begin()
    update.run({ kind: 'set', table: 'T', match, field: 'n', value: 'u00000001' }, ['id1'])
    model.commit(update, 'tx2', 2)
    const redact = (version: number) =>
      ({
        kind: 'redact',
        table: 'T',
        tableId: 'T1',
        blockAddress: { strandId: 'S', sequenceNo: version + 1 },
        documentId: 'id1',
        version,
      }) as const
    expect(model.begin().run(redact(1), undefined)).toBeUndefined()
    const redaction = model.begin()
    expect(redaction.run(redact(0), undefined)).toEqual(['id1 0'])
    expect(redaction.run(redact(0), undefined)).toBeUndefined()
    const history = () => model.begin().run({ kind: 'history', table: 'T' }, undefined)?.join()
    expect(history()).not.toContain('redacted')
    model.commit(redaction, 'tx3', 3)
    expect(history()).toContain(redactedText(dataHashOf({ k: 'a', n: 1 })))
    expect(model.redactedTexts()).toEqual([])
  })

  it('names texts that only redacted revisions have', () => {
    const model = filledModel()
    for (const [i, value] of ['u00000001', 'u00000002'].entries()) {
      const update = model.begin()
      update.run({ kind: 'set', table: 'T', match, field: 'n', value }, ['id1'])
      model.commit(update, `tx${i}`, 2 + i)
    }
    const redaction = model.begin()
    const blockAddress = { strandId: 'S', sequenceNo: 2 }
    const which = { tableId: 'T1', blockAddress, documentId: 'id1', version: 1 }
    redaction.run({ kind: 'redact', table: 'T', ...which }, undefined)
    model.commit(redaction, 'tx9', 9)
    expect(model.redactedTexts()).toEqual(['u00000001'])
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
