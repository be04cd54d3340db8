/** Runs statements against a memory store and shows the rows as Ion text. */
import { formatIon, type IonValue, parseIon } from '@cairn/ion'
import { compileStatement } from '../compile/statement.ts'
import { pause } from '../compiled.ts'
import { parseStatement } from '../parser/parse-statement.ts'
import { createMemoryStore, type MemoryStore } from './memory-store.ts'

export function runRows(
  store: MemoryStore,
  text: string,
  ...parameters: readonly IonValue[]
): IonValue[] {
  const rows: IonValue[] = []
  for (const row of compileStatement(parseStatement(text), store).run(parameters, store)) {
    if (row !== pause) rows.push(row)
  }
  return rows
}

/** @param parameters Ion text. */
export function run(store: MemoryStore, text: string, ...parameters: readonly string[]): string[] {
  const values = parameters.map((parameter) => parseIon(parameter))
  return runRows(store, text, ...values).map((row) => formatIon(row))
}

/** The value of an expression, without any table; 'missing' when there is none. */
export function evaluate(expression: string, ...parameters: readonly string[]): string {
  const [value = 'missing'] = run(
    createMemoryStore(),
    `SELECT VALUE ${expression} FROM << 0 >> AS row_`,
    ...parameters,
  )
  return value
}
