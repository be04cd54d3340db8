/** Results as people read them (a table of ratios and the bars) and as files: JSON per run, tables in README.md. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Machine } from './machine.ts'
import type { Measurement } from './rounds.ts'
import type { Summary } from './statistics.ts'

/** A promise that a result either keeps or breaks. */
export interface Bar {
  /** The work, as the table of all bars names it. */
  readonly text: string
  readonly value: number
  readonly bar: number
  readonly stretch: number
  readonly better: 'more' | 'less'
  /** `x`: how many times the peer's figure. */
  readonly unit: 'x' | 'µs' | 'ms' | 'GiB' | 'blocks/s'
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
  const [text, value, least, stretch, verdict] = barCells(bar)
  return `- ${text}: ${value}, bar ${least}, stretch ${stretch}: ${verdict}`
}

/** Every bar of a run in one table: the answer to "is it fast enough". */
export function barTable(results: readonly Pick<SuiteResult, 'bars'>[]): string {
  const rows = results.flatMap(({ bars }) => bars.map(barCells))
  return tableLines({ columns: ['work', 'measured', 'bar', 'stretch', ''], rows }).join('\n')
}

function barCells({ text, value, bar, stretch, better, unit }: Bar): readonly string[] {
  const reaches = (limit: number): boolean => (better === 'more' ? value >= limit : value <= limit)
  const sign = better === 'more' ? '≥' : '≤'
  const verdict = reaches(stretch) ? 'stretch met' : reaches(bar) ? 'met' : 'MISSED'
  const shown = [value, bar, stretch].map((each) => `${figure(each)} ${unit}`)
  return [text, shown[0] ?? '', `${sign} ${shown[1]}`, `${sign} ${shown[2]}`, verdict]
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Writes `results/<date>-<name>.json` and the suite's section of README.md. */
export function saveResult(result: SuiteResult, date: Date): string {
  const day = date.toISOString().slice(0, 10)
  const fileName = `${day}-${result.name}.json`
  mkdirSync(join(root, 'results'), { recursive: true })
  // The tables stand in the README, and follow from the measurements.
  const { tables: _, ...kept } = result
  writeFileSync(join(root, 'results', fileName), `${JSON.stringify(kept, undefined, 2)}\n`)
  writeSection(result.name, `${reportText(result)}\n\nEvery round: \`results/${fileName}\`.`)
  return fileName
}

/** Writes the table of all bars into README.md, each from the newest result that is kept of its suite. */
export function saveBarTable(suiteNames: readonly string[]): void {
  const fileNames = readdirSync(join(root, 'results')).sort()
  const kept = suiteNames.flatMap((name) => {
    const newest = fileNames.findLast((fileName) => fileName.slice(11) === `${name}.json`)
    if (newest === undefined) return []
    return [JSON.parse(readFileSync(join(root, 'results', newest), 'utf8')) as SuiteResult]
  })
  writeSection('bars', barTable(kept))
}

function writeSection(name: string, section: string): void {
  const readme = join(root, 'README.md')
  writeFileSync(readme, replaceSection(readFileSync(readme, 'utf8'), name, section))
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
