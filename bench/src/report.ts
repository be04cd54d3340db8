/** Results as people read them (a table of ratios and the bars) and as files: JSON per run, tables in README.md. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Machine } from './machine.ts'
import type { Measurement } from './rounds.ts'
import type { Summary } from './statistics.ts'

/** A promise that a result either keeps or breaks. */
export interface Bar {
  readonly text: string
  readonly value: number
  readonly valueMin: number
}

export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface SuiteResult {
  readonly name: string
  readonly title: string
  readonly machine: Machine
  /** What was run: durations, counts, versions. */
  readonly settings: Readonly<Record<string, string | number>>
  readonly tables: readonly Table[]
  readonly bars: readonly Bar[]
  readonly measurements: readonly Measurement[]
}

/** The whole report of one suite in Markdown, which is also what the terminal shows. */
export function reportText(result: SuiteResult): string {
  const { machine } = result
  const facts = [
    `${machine.cpuModel}, ${machine.coreCount} cores, ${machine.memoryGiB} GiB`,
    `Linux ${machine.kernel}, ${machine.fileSystem}`,
    `Node ${machine.node}`,
    `load average ${machine.loadAverage} at the start`,
  ]
  const settings = Object.entries(result.settings).map(([name, value]) => `${name}: ${value}`)
  return [
    `${result.title}`,
    ...result.tables.map((table) => tableLines(table).join('\n')),
    ...(result.bars.length > 0 ? [result.bars.map(barLine).join('\n')] : []),
    `${facts.join('; ')}.\n${settings.join('; ')}.`,
  ].join('\n\n')
}

export function barLine(bar: Bar): string {
  const verdict = bar.value >= bar.valueMin ? 'met' : 'MISSED'
  return `- ${bar.text}: ${figure(bar.value)} x, bar ${figure(bar.valueMin)} x: ${verdict}`
}

/** Writes `results/<date>-<name>.json` and the suite's section of README.md. */
export function saveResult(result: SuiteResult, date: Date): string {
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  const day = date.toISOString().slice(0, 10)
  const fileName = `${day}-${result.name}.json`
  mkdirSync(join(root, 'results'), { recursive: true })
  // The tables stand in the README, and follow from the measurements.
  const { tables: _, ...kept } = result
  writeFileSync(join(root, 'results', fileName), `${JSON.stringify(kept, undefined, 2)}\n`)
  const readme = join(root, 'README.md')
  const section = `${reportText(result)}\n\nEvery round: \`results/${fileName}\`.`
  writeFileSync(readme, replaceSection(readFileSync(readme, 'utf8'), result.name, section))
  return fileName
}

/**
 * Puts `section` between the marks `<!-- NAME -->` and `<!-- /NAME -->`.
 * @throws Error when the text has no such marks.
 */
export function replaceSection(text: string, name: string, section: string): string {
  const open = `<!-- ${name} -->`
  const close = `<!-- /${name} -->`
  const start = text.indexOf(open)
  const end = text.indexOf(close)
  if (start < 0 || end < start) throw new Error(`The text has no section ${name}.`)
  return `${text.slice(0, start + open.length)}\n${section}\n${text.slice(end)}`
}

/** Columns after the first are numbers and stand to the right. */
function tableLines(table: Table): readonly string[] {
  const widths = table.columns.map((column, index) =>
    Math.max(column.length, ...table.rows.map((row) => row[index]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((cell, index) =>
      index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
    )
    return `| ${padded.join(' | ')} |`
  }
  const rule = widths.map((width, index) => '-'.repeat(width - 1) + (index === 0 ? '-' : ':'))
  return [line(table.columns), line(rule), ...table.rows.map(line)]
}

/** Three significant digits or about that, thousands apart. */
export function figure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  if (value >= 100) return value.toFixed(0)
  if (value >= 10) return value.toFixed(1)
  return value >= 1 ? value.toFixed(2) : value.toFixed(3)
}

export function range(summary: Summary): string {
  return `${figure(summary.min)} – ${figure(summary.max)}`
}
