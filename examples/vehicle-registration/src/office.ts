/** What every step of the story works with, and the few lines of printing they share. */
import type { QLDBClient } from '@aws-sdk/client-qldb'
import type { QldbDriver } from 'amazon-qldb-driver-nodejs'

export interface Office {
  /** Creates ledgers, hands out digests and proofs. */
  readonly control: QLDBClient
  /** Runs transactions in the one ledger of this example. */
  readonly driver: QldbDriver
  readonly ledgerName: string
  readonly print: (line: string) => void
}

/** Keeps what is printed in several pieces in line. */
const firstColumnWidthMin = 8

/** A numbered headline. */
export function headline(office: Office, number: number, title: string): void {
  office.print(`\n${String(number).padStart(2)}  ${title}`)
}

/** Rows of words in columns as wide as their widest word, below the headline. */
export function columns(office: Office, rows: readonly (readonly string[])[]): void {
  const widths = [firstColumnWidthMin]
  for (const row of rows) {
    row.forEach((word, index) => {
      widths[index] = Math.max(widths[index] ?? 0, word.length)
    })
  }
  for (const row of rows) {
    const words = row.map((word, index) => word.padEnd(widths[index] ?? 0))
    office.print(`    ${words.join('   ').trimEnd()}`)
  }
}
