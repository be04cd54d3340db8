/** Results of statements as text: a table for people, JSON lines or Ion lines for programs. */
import { decodeIon, formatIon, type IonValue } from '@cairn/ion'
import { decimalText, ionToJson } from './ion-json.ts'
import { type Column, formatTable } from './table.ts'

export type ResultFormat = 'table' | 'json' | 'ion'

export const resultFormats: readonly ResultFormat[] = ['table', 'json', 'ion']

/** Heading of values that are no structs. */
const valueColumn = 'value'

/**
 * One line per value for `json` and `ion`; for `table` one column per field and, at the end, the count.
 * @param values Ion streams of one value each.
 */
export function formatResult(values: readonly Uint8Array[], format: ResultFormat): string {
  const decoded = values.map(decodeIon)
  if (format === 'json') return decoded.map((value) => `${ionToJson(value)}\n`).join('')
  if (format === 'ion') return decoded.map((value) => `${formatIon(value)}\n`).join('')
  const table = decoded.length === 0 ? '' : `${formatIonTable(decoded)}\n`
  return `${table}(${countText(decoded.length)})\n`
}

export function countText(count: number): string {
  return `${count} ${count === 1 ? 'row' : 'rows'}`
}

function formatIonTable(values: readonly IonValue[]): string {
  const names = new Set<string>()
  const rows = values.map(cellsOf)
  for (const row of rows) for (const name of row.keys()) names.add(name)
  // An empty struct has no field to be shown in; a result of those still has its rows.
  if (names.size === 0) names.add(valueColumn)
  const columns: Column[] = [...names].map((name) => {
    const present = rows.flatMap((row) => row.get(name) ?? [])
    return { name, align: present.every(isNumber) ? 'right' : 'left' }
  })
  return formatTable(
    columns,
    rows.map((row) => columns.map(({ name }) => cellText(row.get(name)))),
  )
}

function cellsOf(value: IonValue): Map<string, IonValue> {
  if (value.type !== 'struct') return new Map([[valueColumn, value]])
  const cells = new Map<string, IonValue>()
  for (const { name, value: field } of value.fields) {
    const text = typeof name === 'string' ? name : '$0'
    if (!cells.has(text)) cells.set(text, field)
  }
  return cells
}

function isNumber({ type }: IonValue): boolean {
  return type === 'int' || type === 'decimal' || type === 'float'
}

/** Strings without quotes, since a column of them is easier to read; all else as Ion. */
function cellText(value: IonValue | undefined): string {
  if (value === undefined) return ''
  if (value.annotations.length > 0) return formatIon(value)
  if (value.type === 'string') return value.value
  if (value.type === 'decimal') return decimalText(value)
  return formatIon(value)
}
