import { expect, it } from 'vitest'
import { StatementUsage } from './statement-usage.ts'

it('counts how tables were read and keeps the slowest statements, literals masked', () => {
  const usage = new StatementUsage()
  usage.noteFirst('l', "SELECT * FROM T WHERE a = 'secret'", 5, ['T: index a'])
  usage.noteMore('l', "SELECT * FROM T WHERE a = 'secret'", 20, 25)
  usage.noteFirst('l', 'SELECT * FROM T', 7, ['T: scan'])
  usage.noteFirst('l', 'SELECT * FROM T', 2, ['T: scan'])
  const { slowestStatements, accesses } = usage.read('l', 10)
  expect(accesses).toEqual({ 'T: index a': 1, 'T: scan': 2 })
  expect(slowestStatements).toMatchObject([
    { count: 1, totalMs: 25, maxMs: 25 },
    { statement: 'SELECT * FROM T', count: 2, totalMs: 9, maxMs: 7 },
  ])
  expect(slowestStatements[0]?.statement).not.toMatch(/secret/)
  expect(usage.read('other', 10)).toEqual({ slowestStatements: [], accesses: {} })
})

it('holds no more texts than it may, and prefers the slow ones', () => {
  const usage = new StatementUsage()
  for (let i = 0; i < 1000; i++) usage.noteFirst('l', `SELECT c${i} FROM T`, 1 + (i % 500), [])
  const { slowestStatements } = usage.read('l', 1000)
  expect(slowestStatements.length).toBe(200)
  expect(slowestStatements[0]?.maxMs).toBe(500)
})
