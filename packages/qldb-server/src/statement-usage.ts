/**
 * How statements read tables, and which ones took longest, since the server started: for `cairn ledger stats`. Counting
 * costs two look-ups in maps; texts are kept as they came and masked when somebody asks. In memory only.
 */
import { maskLiterals } from '@cairn/partiql'

/** Different texts kept for each ledger, the slowest ones; statements with parameters have few. */
const textCountMax = 200
/** Longer texts carry their data and do not come back. */
const textLengthMax = 2000
/** Different ways to read a table: tables times their indexes. */
const accessCountMax = 1000
const ledgerCountMax = 1000

export interface StatementFigures {
  /** With its literals masked. */
  readonly statement: string
  readonly count: number
  /** Whole milliseconds, at least one for each page of rows. */
  readonly totalMs: number
  readonly maxMs: number
}

export interface LedgerUsage {
  /** Slowest first, by their longest run. */
  readonly slowestStatements: readonly StatementFigures[]
  /** How often statements read a table in which way, such as `Vehicle: index VIN` or `Vehicle: scan`. */
  readonly accesses: Readonly<Record<string, number>>
}

interface Figures {
  count: number
  totalMs: number
  maxMs: number
}

interface Usage {
  readonly statements: Map<string, Figures>
  readonly accesses: Map<string, number>
}

export class StatementUsage {
  readonly #ledgers = new Map<string, Usage>()

  /** A statement has given its first page. */
  noteFirst(ledgerName: string, text: string, ms: number, accesses: readonly string[]): void {
    const usage = this.#usageOf(ledgerName)
    for (const access of accesses) {
      const count = usage.accesses.get(access)
      if (count !== undefined || usage.accesses.size < accessCountMax) {
        usage.accesses.set(access, (count ?? 0) + 1)
      }
    }
    if (text.length > textLengthMax) return
    const figures = usage.statements.get(text)
    if (figures !== undefined) {
      figures.count++
      figures.totalMs += ms
      if (ms > figures.maxMs) figures.maxMs = ms
    } else if (makeRoom(usage.statements, ms)) {
      usage.statements.set(text, { count: 1, totalMs: ms, maxMs: ms })
    }
  }

  /** @param totalMs Of the statement so far. */
  noteMore(ledgerName: string, text: string, ms: number, totalMs: number): void {
    const figures = this.#ledgers.get(ledgerName)?.statements.get(text)
    if (figures === undefined) return
    figures.totalMs += ms
    if (totalMs > figures.maxMs) figures.maxMs = totalMs
  }

  read(ledgerName: string, countMax: number): LedgerUsage {
    const usage = this.#ledgers.get(ledgerName)
    const slowest = [...(usage?.statements ?? [])].sort(([, a], [, b]) => b.maxMs - a.maxMs)
    return {
      slowestStatements: slowest
        .slice(0, countMax)
        .map(([text, figures]) => ({ statement: maskLiterals(text), ...figures })),
      accesses: Object.fromEntries(
        [...(usage?.accesses ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
    }
  }

  #usageOf(ledgerName: string): Usage {
    const found = this.#ledgers.get(ledgerName)
    if (found !== undefined) return found
    // Only names of ledgers that are open come here, and one that is deleted is counted no more.
    if (this.#ledgers.size >= ledgerCountMax) this.#ledgers.clear()
    const made: Usage = { statements: new Map(), accesses: new Map() }
    this.#ledgers.set(ledgerName, made)
    return made
  }
}

/** @returns false when the new one is no slower than all that are kept. */
function makeRoom(statements: Map<string, Figures>, ms: number): boolean {
  if (statements.size < textCountMax) return true
  for (const [text, { maxMs }] of statements) {
    if (maxMs >= ms) continue
    statements.delete(text)
    return true
  }
  return false
}
